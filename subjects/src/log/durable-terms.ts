/** The terms of the entries that are on a node's disk, of a log without holes. */

import type { Entry, SnapshotMeta } from "@quorate/consensus";

import { Disk } from "./disk.ts";

export abstract class DurableTerms<R extends { readonly type: string }> extends Disk<R> {
  /** `terms[i]` is that of the entry at index `first + i`. */
  private terms: number[] = [];
  private first = 1;
  /** The log on the disk goes on after the entry at this index. */
  private base = 0;

  termAt(index: number): number | undefined {
    return this.terms[index - this.first];
  }

  /** Whether the entry of that term is on the disk, or a snapshot that stands for it. */
  holds(index: number, term: number | undefined): boolean {
    return index <= this.base || this.termAt(index) === term;
  }

  override forget(before: number): void {
    if (before <= this.first) return;
    this.terms.splice(0, before - this.first);
    this.first = before;
  }

  /** Entries take the place of everything from `index` on. */
  protected replace(index: number, entries: readonly Entry[]): void {
    this.first = Math.min(this.first, index);
    this.terms.length = Math.max(0, index - this.first);
    for (const { term } of entries) this.terms.push(term);
  }

  /** The log goes on after the entry at `index`. */
  protected beginAfter(index: number): void {
    this.base = index;
    this.first = index + 1;
    this.terms = [];
  }

  protected goOnFrom({ index, term }: SnapshotMeta): void {
    if (this.termAt(index) !== term) this.beginAfter(index);
  }
}
