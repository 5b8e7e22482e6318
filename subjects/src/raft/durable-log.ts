/** The terms of the entries that are on a node's disk, whatever the node itself believes. */

import type { RaftRecord } from "@quorate/consensus";

import { Disk } from "../log/disk.ts";

export class DurableLog extends Disk<RaftRecord> {
  /** `terms[i]` is that of the entry at index `first + i`. */
  private terms: number[] = [];
  private first = 1;

  termAt(index: number): number | undefined {
    return this.terms[index - this.first];
  }

  protected override apply(record: RaftRecord): void {
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
