/** The terms of the entries that are on a node's disk, whatever the node itself believes. */

import type { RaftRecord } from "@quorate/consensus";
import type { Position } from "@quorate/kernel";

export class DurableLog {
  /** `terms[i]` is that of the entry at index `first + i`. */
  private terms: number[] = [];
  private first = 1;
  private pending: { readonly record: RaftRecord; readonly position: Position }[] = [];

  termAt(index: number): number | undefined {
    return this.terms[index - this.first];
  }

  persist(record: RaftRecord, position: Position): void {
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

  private apply(record: RaftRecord): void {
    switch (record.type) {
      case "entries":
        this.terms.length = Math.max(0, record.index - this.first);
        for (const { term } of record.entries) this.terms.push(term);
        break;
      case "base":
        this.first = record.index + 1;
        this.terms = [];
        break;
      case "snapshot":
        if (this.termAt(record.meta.index) !== record.meta.term) {
          this.first = record.meta.index + 1;
          this.terms = [];
        }
        break;
      default:
      // Term and vote say nothing of the log.
    }
  }
}
