/** The terms of the entries that are on a node's disk, of a log without holes. */

import type { Entry, SnapshotMeta } from "@quorate/consensus";

import { Disk } from "./disk.ts";

export abstract class DurableTerms<R> extends Disk<R> {
  /** `terms[i]` is that of the entry at index `first + i`. */
  private terms: number[] = [];
  private first = 1;

  termAt(index: number): number | undefined {
    return this.terms[index - this.first];
  }

  /** Entries take the place of everything from `index` on. */
  protected replace(index: number, entries: readonly Entry[]): void {
    this.terms.length = Math.max(0, index - this.first);
    for (const { term } of entries) this.terms.push(term);
  }

  /** The log goes on after the entry at `index`. */
  protected beginAfter(index: number): void {
    this.first = index + 1;
    this.terms = [];
  }

  protected goOnFrom({ index, term }: SnapshotMeta): void {
    if (this.termAt(index) !== term) this.beginAfter(index);
  }
}
