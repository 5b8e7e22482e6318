/** What a node's disk says of its acceptances, whatever the node itself believes. */

import type { Ballot, MultiPaxosRecord } from "@quorate/consensus";

import { Disk } from "../log/disk.ts";

export class DurableSlots extends Disk<MultiPaxosRecord> {
  private readonly ballots: Map<number, Ballot> = new Map();

  /** The ballot in which the value of a slot was accepted. */
  ballotAt(index: number): Ballot | undefined {
    return this.ballots.get(index);
  }

  override forget(before: number): void {
    for (const index of this.ballots.keys()) if (index < before) this.ballots.delete(index);
  }

  protected override apply(record: MultiPaxosRecord): void {
    if (record.type !== "accepted") return;
    for (const i of record.entries.keys()) this.ballots.set(record.index + i, record.ballot);
  }
}
