/** What is on a Zab node's disk: the terms of its history, and its two epochs. */

import type { Index, Term, ZabWords } from "@quorate/consensus";

import { DurableTerms } from "../log/durable-terms.ts";
import { Latest } from "../tail.ts";
import { REIGNS } from "../log/witness.ts";

type Record = ZabWords["Record"];

export class DurableHistory extends DurableTerms<Record> {
  acceptedEpoch: Term = 0;
  currentEpoch: Term = 0;
  /** Up to where entries of each epoch ever were on the disk. */
  private readonly reached: Latest<Term, Index> = new Latest(REIGNS);

  /** Whether the history up to that entry is on the disk, or was until a later leader replaced it. */
  hasHeld(epoch: Term, index: Index): boolean {
    return index === 0 || (this.reached.get(epoch) ?? 0) >= index;
  }

  protected override apply(record: Record): void {
    switch (record.type) {
      case "acceptedEpoch":
        this.acceptedEpoch = record.epoch;
        break;
      case "currentEpoch":
        this.currentEpoch = record.epoch;
        break;
      case "history":
        this.replace(record.index, record.entries);
        for (const [i, { term }] of record.entries.entries()) this.reach(term, record.index + i);
        break;
      case "base":
        this.beginAfter(record.index);
        break;
      case "snapshot":
        this.goOnFrom(record.meta);
        this.reach(record.meta.term, record.meta.index);
        // It ends in that epoch, so it holds the beginning of it.
        this.currentEpoch = Math.max(this.currentEpoch, record.meta.term);
        this.acceptedEpoch = Math.max(this.acceptedEpoch, record.meta.term);
        break;
      default:
      // How far is committed says nothing of the history.
    }
  }

  private reach(epoch: Term, index: Index): void {
    this.reached.set(epoch, Math.max(this.reached.get(epoch) ?? 0, index));
  }
}
