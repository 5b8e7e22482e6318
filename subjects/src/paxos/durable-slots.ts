/** What a node's disk says of its acceptances, whatever the node itself believes. */

import type { Ballot, MultiPaxosRecord } from "@quorate/consensus";
import type { Position } from "@quorate/kernel";

export class DurableSlots {
  private readonly ballots: Map<number, Ballot> = new Map();
  private pending: { readonly record: MultiPaxosRecord; readonly position: Position }[] = [];

  /** The ballot in which the value of a slot was accepted. */
  ballotAt(index: number): Ballot | undefined {
    return this.ballots.get(index);
  }

  persist(record: MultiPaxosRecord, position: Position): void {
    this.pending.push({ record, position });
  }

  sync(position: Position): void {
    let done = 0;
    while (done < this.pending.length && this.pending[done]!.position <= position) {
      this.apply(this.pending[done++]!.record);
    }
    this.pending.splice(0, done);
  }

  /** The first `kept` records are on the disk, the others gone. Returns whether any is gone. */
  crash(kept: number): boolean {
    for (const { record } of this.pending.slice(0, kept)) this.apply(record);
    const lost = this.pending.length > kept;
    this.pending = [];
    return lost;
  }

  private apply(record: MultiPaxosRecord): void {
    if (record.type !== "accepted") return;
    for (const i of record.entries.keys()) this.ballots.set(record.index + i, record.ballot);
  }
}
