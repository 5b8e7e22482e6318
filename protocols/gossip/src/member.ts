/**
 * What a node knows of another: the record that gossip carries about a member.
 *
 * Records are frozen and shared. A table of ten thousand members on each of ten
 * thousand simulated nodes fits memory because equal knowledge is one object.
 */

import type { NodeId } from "@quorate/kernel";

/** A node's name: its identity in the cluster, chosen by whoever runs it. */
export type Name = string;

/**
 * Where a node is reached: the kernel's name of a network endpoint. On real
 * networks `ip:port`, or `[ip]:port` for version 6; the protocol compares and
 * repeats it, and never looks inside. Decision 0030.
 */
export type Address = NodeId;

/** Counts a member's own statements about itself: a later one outweighs every rumour about an earlier. */
export type Incarnation = number;

/** The ranges of protocol versions a member understands, and what it speaks, at both layers. */
export type Versions = readonly [
  protocolMin: number,
  protocolMax: number,
  protocol: number,
  delegateMin: number,
  delegateMax: number,
  delegate: number,
];

/** What we speak: memberlist protocol 2 of 1–5, Serf protocol 5 of 2–5. */
export const VERSIONS: Versions = Object.freeze([1, 5, 2, 2, 5, 5] as const);

/** The least version of memberlist's protocol whose speakers know a feature. */
export const UNDERSTANDS = { streamPing: 3, nack: 4, checksum: 5 } as const;

/** `left` went by itself, `dead` was found to be gone. */
export type MemberState = "alive" | "suspect" | "dead" | "left";

/** One member, as nodes tell each other. */
export interface MemberRecord {
  readonly name: Name;
  readonly address: Address;
  readonly incarnation: Incarnation;
  /** What the layer above says about itself, at most {@link META_BYTES}: Serf's tags. */
  readonly meta: Uint8Array;
  readonly versions: Versions;
  readonly state: MemberState;
}

/** The most bytes of meta that memberlist accepts. */
export const META_BYTES = 512;

/** Neither dead nor gone: takes part in probing and gossip. */
export function isPresent(member: MemberRecord): boolean {
  return member.state === "alive" || member.state === "suspect";
}

/** Equal byte for byte. */
export function sameBytes(a: Uint8Array, b: Uint8Array): boolean {
  if (a === b) return true;
  if (a.length !== b.length) return false;
  for (let i = 0; i < a.length; i++) if (a[i] !== b[i]) return false;
  return true;
}

export function sameVersions(a: Versions, b: Versions): boolean {
  return a === b || a.every((version, i) => version === b[i]);
}
