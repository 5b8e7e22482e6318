/**
 * What waits to be gossiped (SWIM §4.1): parts that ride on packets, each in a
 * bounded number of them.
 *
 * Those transmitted least go first, so that news spreads before it is repeated;
 * among them the longest, which fit less easily; then the newest. A part
 * replaces the one queued under its key: of several rumours about a member only
 * the last is worth telling.
 */

import type { Part } from "../messages.ts";

interface Broadcast {
  readonly key: string;
  readonly order: number;
  readonly bytes: number;
  readonly part: Part;
}

/** Bytes that a part costs in a compound packet besides its own. */
export const PART_OVERHEAD = 2;

/** No part is shorter. */
const LEAST_BYTES = 12;

export class BroadcastQueue {
  /** By how often they were transmitted; each sorted in the order of going. */
  private readonly tiers: Broadcast[][] = [];
  private readonly tierOf: Map<string, number> = new Map();
  private order = 0;
  /** How much room all of it would take in packets. */
  bytes = 0;

  get size(): number {
    return this.tierOf.size;
  }

  has(key: string): boolean {
    return this.tierOf.has(key);
  }

  put(key: string, part: Part, bytes: number): void {
    this.remove(key);
    this.bytes += bytes + PART_OVERHEAD;
    this.insert(0, Object.freeze({ key, order: this.order++, bytes, part }));
  }

  remove(key: string): void {
    const tier = this.tierOf.get(key);
    if (tier === undefined) return;
    const entries = this.tiers[tier]!;
    const at = entries.findIndex((entry) => entry.key === key);
    this.forget(entries.splice(at, 1)[0]!);
  }

  private forget({ key, bytes }: Broadcast): void {
    this.tierOf.delete(key);
    this.bytes -= bytes + PART_OVERHEAD;
  }

  /** Drops those transmitted most until at most `max` are left. Returns how many. */
  prune(max: number): number {
    let dropped = 0;
    for (let tier = this.tiers.length - 1; tier >= 0 && this.size > max; tier--) {
      const entries = this.tiers[tier]!;
      while (entries.length > 0 && this.size > max) {
        this.forget(entries.pop()!);
        dropped++;
      }
    }
    return dropped;
  }

  /**
   * Moves parts that fit into `budget` bytes to `into`, each for one more
   * transmission of at most `limit`. Returns the bytes left.
   */
  take(into: Part[], budget: number, limit: number, partsMax: number): number {
    if (this.size === 0) return budget;
    let left = budget;
    const again: [tier: number, broadcast: Broadcast][] = [];
    for (const [tier, entries] of this.tiers.entries()) {
      if (left < LEAST_BYTES + PART_OVERHEAD || into.length >= partsMax) break;
      let at = firstFitting(entries, 0, left - PART_OVERHEAD);
      while (at < entries.length && into.length < partsMax) {
        const entry = entries[at]!;
        entries.splice(at, 1);
        into.push(entry.part);
        left -= entry.bytes + PART_OVERHEAD;
        if (tier + 1 < limit) again.push([tier + 1, entry]);
        else this.forget(entry);
        at = firstFitting(entries, at, left - PART_OVERHEAD);
      }
    }
    for (const [tier, broadcast] of again) this.insert(tier, broadcast);
    return left;
  }

  private insert(tier: number, broadcast: Broadcast): void {
    while (this.tiers.length <= tier) this.tiers.push([]);
    const entries = this.tiers[tier]!;
    let low = 0;
    let high = entries.length;
    while (low < high) {
      const middle = (low + high) >> 1;
      if (goesBefore(entries[middle]!, broadcast)) low = middle + 1;
      else high = middle;
    }
    entries.splice(low, 0, broadcast);
    this.tierOf.set(broadcast.key, tier);
  }
}

/** The first from `start` on with at most `bytes`: lengths fall along a tier. */
function firstFitting(entries: readonly Broadcast[], start: number, bytes: number): number {
  let low = start;
  let high = entries.length;
  while (low < high) {
    const middle = (low + high) >> 1;
    if (entries[middle]!.bytes > bytes) low = middle + 1;
    else high = middle;
  }
  return low;
}

function goesBefore(a: Broadcast, b: Broadcast): boolean {
  return a.bytes > b.bytes || (a.bytes === b.bytes && a.order > b.order);
}
