/** What is known of one key: where its newest change stands in the log. */

import { type Binary } from "../wire/binary.ts";
import { type Segment } from "./segment.ts";

export class Entry {
  readonly key: Binary;
  /** Hash of the key, for digests. */
  readonly hash: number;
  /** Where the newest change is. */
  segment: Segment;
  slot: number;

  constructor(key: Binary, hash: number, segment: Segment, slot: number) {
    this.key = key;
    this.hash = hash;
    this.segment = segment;
    this.slot = slot;
  }

  /** Whether the key exists now. */
  get alive(): boolean {
    return this.segment.versionAt(this.slot) !== 0;
  }
}

/** A 32-bit hash of a string. */
export function hashText(text: string): number {
  let hash = 0x811c9dc5;
  for (let at = 0; at < text.length; at++) {
    hash = Math.imul(hash ^ text.charCodeAt(at), 0x01000193);
  }
  return hash | 0;
}

/** Folds a number below 2^53 into a 32-bit hash. */
export function mix(seed: number, value: number): number {
  let hash = Math.imul(seed ^ (value | 0), 0x85ebca6b) ^ ((value / 0x1_0000_0000) | 0);
  hash = Math.imul(hash ^ (hash >>> 15), 0xc2b2ae35);
  return hash ^ (hash >>> 13);
}

/** A 32-bit hash of bytes. Not a checksum that others know, but twice as fast as one. */
export function hashBytes(bytes: Uint8Array): number {
  const { length } = bytes;
  // Two lanes, so that neither waits for the other's multiplication.
  let even = length;
  let odd = 0x27d4eb2f;
  let at = 0;
  for (const last = length - 7; at < last; at += 8) {
    even ^= bytes[at]! | (bytes[at + 1]! << 8) | (bytes[at + 2]! << 16) | (bytes[at + 3]! << 24);
    odd ^= bytes[at + 4]! | (bytes[at + 5]! << 8) | (bytes[at + 6]! << 16) | (bytes[at + 7]! << 24);
    even = Math.imul(even, 0x9e3779b1);
    odd = Math.imul(odd, 0x85ebca6b);
    even ^= even >>> 15;
    odd ^= odd >>> 13;
  }
  for (; at < length; at++) even = Math.imul(even ^ bytes[at]!, 0x01000193);
  return even ^ Math.imul(odd, 0xc2b2ae35);
}
