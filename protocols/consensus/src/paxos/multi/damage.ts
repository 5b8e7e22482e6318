/**
 * Values that a disk has lost (M27, M28), after protocol-aware recovery
 * (Alagappan et al. 2018): what an acceptor has accepted and cannot tell any more is
 * unknown, not absent.
 *
 * The ballot of a lost value is kept apart from it, and names it: a ballot has one
 * value for a slot (J5). So an acceptor still tells in which ballot it accepted
 * something, and whoever accepted the same in that ballot knows what it was.
 * Promises are never lost in silence: the ballot tells of them, too.
 */

import { type NodeId, unreachable } from "@quorate/kernel";

import type { Index } from "../../entry.ts";
import { type Ballot, isHigher } from "./ballot.ts";
import type { Record } from "./messages.ts";
import type { LostRun } from "./slots.ts";

/**
 * What is recovered in the place of a record whose bytes the disk has lost, if
 * anything can be: a driver keeps it apart from them.
 */
export function standIn(record: Record): Record | undefined {
  switch (record.type) {
    case "accepted": {
      const { ballot, index, entries, commit } = record;
      return { type: "damaged", ballot, index, count: entries.length, commit };
    }
    case "damaged":
      return record;
    case "promised": // Forgotten, a lower ballot could be accepted in.
    case "base":
    case "snapshot":
      return undefined;
    default:
      return unreachable(record);
  }
}

/** What a candidate was told of lost values: by whom, for which slot, and in which ballot. */
export class Doubts {
  private readonly slots: Map<Index, Map<NodeId, Ballot>> = new Map();

  get isEmpty(): boolean {
    return this.slots.size === 0;
  }

  get indices(): Iterable<Index> {
    return this.slots.keys();
  }

  add(node: NodeId, { ballot, index, count }: LostRun, after: Index): void {
    for (let slot = Math.max(index, after + 1); slot < index + count; slot++) {
      let tellers = this.slots.get(slot);
      if (tellers === undefined) this.slots.set(slot, (tellers = new Map()));
      tellers.set(node, ballot);
    }
  }

  /** Whether a node has lost what it accepted in that slot, in a higher ballot than `known`. */
  outweighs(node: NodeId, slot: Index, known: Ballot): boolean {
    const ballot = this.slots.get(slot)?.get(node);
    return ballot !== undefined && isHigher(ballot, known);
  }

  /** Anybody who has. */
  isOpen(slot: Index, known: Ballot): boolean {
    for (const ballot of this.slots.get(slot)?.values() ?? []) {
      if (isHigher(ballot, known)) return true;
    }
    return false;
  }

  /** The slot is decided, or has been given a value. */
  settle(slot: Index): void {
    this.slots.delete(slot);
  }

  /** All slots up to `last` are. */
  settleUpTo(last: Index): void {
    for (const slot of this.slots.keys()) if (slot <= last) this.slots.delete(slot);
  }
}
