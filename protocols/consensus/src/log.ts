/**
 * The part of a replicated log that is held in memory: entries after a *base*,
 * the point up to which they have been compacted away. Dense: no holes.
 *
 * Entries that the disk has *lost* are among them: their index and term are known
 * and their bytes are not. Unknown is not absent (R36, B24), so they keep their
 * place in the order, and an empty no-op holds it until they are known again.
 */

import { invariant } from "@quorate/kernel";

import { type Entry, entryBytes, type Index, type Term } from "./entry.ts";

/** Neighbouring entries, all of them known or all lost. */
interface Stretch {
  readonly index: Index;
  readonly entries: readonly Entry[];
  readonly lost: boolean;
}

export class Log {
  /** Index and term of the entry before the first one held. */
  private baseIndex: Index = 0;
  private baseTerm: Term = 0;
  /** `entries[i]` has index `baseIndex + 1 + i`. */
  private entries: Entry[] = [];
  private readonly lostIndices: Set<Index> = new Set();
  /** Bytes of the entries held. */
  bytes = 0;

  get base(): { readonly index: Index; readonly term: Term } {
    return { index: this.baseIndex, term: this.baseTerm };
  }

  get firstIndex(): Index {
    return this.baseIndex + 1;
  }

  get lastIndex(): Index {
    return this.baseIndex + this.entries.length;
  }

  get lastTerm(): Term {
    return this.entries.at(-1)?.term ?? this.baseTerm;
  }

  /** The term of an entry; `undefined` if it was compacted away or is not there yet. */
  termAt(index: Index): Term | undefined {
    if (index === this.baseIndex) return this.baseTerm;
    return this.entries[index - this.baseIndex - 1]?.term;
  }

  /** Whether this log holds an entry of that index and term. */
  matches(index: Index, term: Term): boolean {
    return this.termAt(index) === term;
  }

  at(index: Index): Entry {
    const entry = this.entries[index - this.baseIndex - 1];
    invariant(entry !== undefined, `entry ${index} is in the log`);
    return entry;
  }

  /** Whether a log that ends so holds at least all that this one holds (Raft §5.4.1). */
  isAtMost(lastIndex: Index, lastTerm: Term): boolean {
    return lastTerm > this.lastTerm || (lastTerm === this.lastTerm && lastIndex >= this.lastIndex);
  }

  append(entry: Entry): Index {
    invariant(entry.term >= this.lastTerm, "terms never fall along a log");
    this.entries.push(entry);
    this.bytes += entryBytes(entry);
    return this.lastIndex;
  }

  /** Holds the place of an entry whose bytes are lost. */
  appendLost(term: Term): void {
    this.lostIndices.add(this.append({ term, kind: "noop", data: new Uint8Array(0) }));
  }

  get lost(): ReadonlySet<Index> {
    return this.lostIndices;
  }

  /** The entries before this one are known; `Infinity` if all are. */
  get firstLost(): Index {
    let first = Infinity;
    if (this.lostIndices.size === 0) return first;
    for (const index of this.lostIndices) first = Math.min(first, index);
    return first;
  }

  /** Puts an entry in the place of a lost one. */
  mend(index: Index, entry: Entry): void {
    this.lostIndices.delete(index);
    const before = this.at(index);
    invariant(before.term === entry.term, "an entry is told by its index and term");
    this.bytes += entryBytes(entry) - entryBytes(before);
    this.entries[index - this.baseIndex - 1] = entry;
  }

  /** Drops `index` and everything after it. */
  truncateFrom(index: Index): void {
    invariant(index > this.baseIndex, "compacted entries are never replaced");
    while (this.lastIndex >= index) this.bytes -= entryBytes(this.entries.pop()!);
    for (const lost of this.lostIndices) if (lost >= index) this.lostIndices.delete(lost);
  }

  /** Entries from `from` on, up to `maxBytes`, but at least one if there is one. */
  slice(from: Index, maxBytes: number): readonly Entry[] {
    const start = from - this.baseIndex - 1;
    invariant(start >= 0, `entry ${from} has not been compacted away`);
    let end = start;
    let bytes = 0;
    while (end < this.entries.length) {
      bytes += entryBytes(this.entries[end]!);
      if (bytes > maxBytes && end > start) break;
      end++;
    }
    return this.entries.slice(start, end);
  }

  /** Entries from `from` on, which is not lost, up to `maxBytes` and before the next lost one. */
  known(from: Index, maxBytes: number): readonly Entry[] {
    const entries = this.slice(from, maxBytes);
    let end = 1;
    while (end < entries.length && !this.lostIndices.has(from + end)) end++;
    return entries.slice(0, end);
  }

  /** How many of `entries`, the first of them at `from`, are in this log, known or lost. */
  countSame(from: Index, entries: readonly Entry[]): number {
    let same = 0;
    while (same < entries.length && this.matches(from + same, entries[same]!.term)) same++;
    return same;
  }

  /** The whole log in stretches that are known or lost throughout. */
  stretches(): readonly Stretch[] {
    const stretches: Stretch[] = [];
    let { firstIndex: index } = this;
    while (index <= this.lastIndex) {
      const lost = this.lostIndices.has(index);
      let last = index;
      while (last < this.lastIndex && this.lostIndices.has(last + 1) === lost) last++;
      const entries = this.entries.slice(index - this.baseIndex - 1, last - this.baseIndex);
      stretches.push({ index, entries, lost });
      index = last + 1;
    }
    return stretches;
  }

  /** Entries `first` to `last`, both included, none of which is lost. */
  range(first: Index, last: Index): readonly Entry[] {
    invariant(first > this.baseIndex && last <= this.lastIndex, "the range is in the log");
    invariant(last < first || this.firstLost > last, "what is lost is read once it is mended");
    return this.entries.slice(first - this.baseIndex - 1, last - this.baseIndex);
  }

  /** Forgets entries up to and including `index`. */
  compact(index: Index): void {
    if (index <= this.baseIndex) return;
    const term = this.termAt(index);
    invariant(term !== undefined, `entry ${index} is in the log to be compacted`);
    for (const entry of this.entries.splice(0, index - this.baseIndex)) {
      this.bytes -= entryBytes(entry);
    }
    this.baseIndex = index;
    this.baseTerm = term;
    for (const lost of this.lostIndices) if (lost <= index) this.lostIndices.delete(lost);
  }

  /**
   * A snapshot stands for what is lost up to `index`: nobody must be sent what only holds its
   * place. Returns up to where entries were forgotten.
   */
  cover(index: Index): Index {
    let last = 0;
    for (const lost of this.lostIndices) if (lost <= index) last = Math.max(last, lost);
    this.compact(last);
    return last;
  }

  /** Forgets everything and goes on after a snapshot. */
  reset(index: Index, term: Term): void {
    this.entries = [];
    this.lostIndices.clear();
    this.bytes = 0;
    this.baseIndex = index;
    this.baseTerm = term;
  }

  /**
   * The highest index up to `from` whose term is at most `term`: where a log
   * that conflicts there could agree at the latest. Looks no further than the base.
   */
  lastAtOrBelow(from: Index, term: Term): Index {
    let index = Math.min(from, this.lastIndex);
    while (index > this.baseIndex && this.termAt(index)! > term) index--;
    return index;
  }
}

/**
 * Up to where entries may be forgotten, `last` at most, so that the last
 * `keepBytes` of what is held up to there stay.
 */
export function oldestWithin(
  held: Pick<Log, "base" | "at">,
  last: Index,
  keepBytes: number,
): Index {
  let index = last;
  let kept = 0;
  while (index > held.base.index) {
    kept += entryBytes(held.at(index));
    if (kept > keepBytes) break;
    index--;
  }
  return index;
}
