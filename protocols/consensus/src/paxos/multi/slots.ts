/**
 * What an acceptor has accepted: for each slot the value, and the highest ballot
 * in which it was accepted. Slots may be empty beyond the decided ones. Those up
 * to the *base* have been compacted away.
 */

import { invariant } from "@quorate/kernel";

import { type Entry, entryBytes, type Index, type Term } from "../../entry.ts";
import { type Ballot, isSame } from "./ballot.ts";

/** Values of neighbouring slots, accepted in one ballot. */
export interface Run {
  readonly ballot: Ballot;
  /** The slot of the first. */
  readonly index: Index;
  readonly entries: readonly Entry[];
}

export class Slots {
  private baseIndex: Index = 0;
  private baseTerm: Term = 0;
  /** `entries[i]` and `ballots[i]` are of slot `baseIndex + 1 + i`; both or neither are there. */
  private entries: (Entry | undefined)[] = [];
  private ballots: (Ballot | undefined)[] = [];

  get base(): { readonly index: Index; readonly term: Term } {
    return { index: this.baseIndex, term: this.baseTerm };
  }

  get firstIndex(): Index {
    return this.baseIndex + 1;
  }

  /** The highest slot with a value. */
  get lastIndex(): Index {
    return this.baseIndex + this.entries.length;
  }

  entryAt(index: Index): Entry | undefined {
    return this.entries[index - this.baseIndex - 1];
  }

  at(index: Index): Entry {
    const entry = this.entryAt(index);
    invariant(entry !== undefined, `slot ${index} has a value`);
    return entry;
  }

  /** The ballot in which the value of a slot was accepted. */
  ballotAt(index: Index): Ballot | undefined {
    return this.ballots[index - this.baseIndex - 1];
  }

  termAt(index: Index): Term | undefined {
    return index === this.baseIndex ? this.baseTerm : this.entryAt(index)?.term;
  }

  /** @param ballot - Frozen: many slots hold it. */
  put(index: Index, ballot: Ballot, entry: Entry): void {
    invariant(index > this.baseIndex, "compacted slots are decided for ever");
    const at = index - this.baseIndex - 1;
    while (this.entries.length < at) {
      this.entries.push(undefined);
      this.ballots.push(undefined);
    }
    if (at === this.entries.length) {
      this.entries.push(entry);
      this.ballots.push(ballot);
    } else {
      this.entries[at] = entry;
      this.ballots[at] = ballot;
    }
  }

  /** Values of the slots `first` to `last`, both included, none of which is empty. */
  range(first: Index, last: Index): readonly Entry[] {
    const found = this.entries.slice(first - this.baseIndex - 1, last - this.baseIndex);
    invariant(
      first > this.baseIndex && found.length === last - first + 1 && !found.includes(undefined),
      "the range is known",
    );
    return found as readonly Entry[];
  }

  /** Values from `from` to `last` at most, up to `maxBytes`, but at least one. */
  slice(from: Index, last: Index, maxBytes: number): readonly Entry[] {
    let end = from;
    let bytes = entryBytes(this.at(from));
    while (end < last) {
      bytes += entryBytes(this.at(end + 1));
      if (bytes > maxBytes) break;
      end++;
    }
    return this.range(from, end);
  }

  /**
   * All that was accepted from `from` on, up to `maxBytes`, but something if
   * there is anything; and the slot up to which that is all.
   */
  runs(from: Index, maxBytes: number): { readonly runs: readonly Run[]; readonly through: Index } {
    const runs: { ballot: Ballot; index: Index; entries: Entry[] }[] = [];
    let bytes = 0;
    let index = Math.max(from, this.firstIndex);
    for (; index <= this.lastIndex; index++) {
      const entry = this.entryAt(index);
      const ballot = this.ballotAt(index);
      if (entry === undefined || ballot === undefined) continue;
      bytes += entryBytes(entry);
      if (bytes > maxBytes && runs.length > 0) break;
      const run = runs.at(-1);
      const joins = run !== undefined && isSame(run.ballot, ballot);
      if (joins && run.index + run.entries.length === index) run.entries.push(entry);
      else runs.push({ ballot, index, entries: [entry] });
    }
    return { runs, through: Math.max(index - 1, from - 1) };
  }

  /** Forgets decided slots up to and including `index`. */
  compact(index: Index): void {
    if (index <= this.baseIndex) return;
    this.forget(index, this.at(index).term);
  }

  /** Everything up to `index` is decided and elsewhere; what was accepted beyond stays a promise. */
  forget(index: Index, term: Term): void {
    invariant(index >= this.baseIndex, "what was compacted away does not come back");
    this.entries.splice(0, index - this.baseIndex);
    this.ballots.splice(0, index - this.baseIndex);
    this.baseIndex = index;
    this.baseTerm = term;
  }
}
