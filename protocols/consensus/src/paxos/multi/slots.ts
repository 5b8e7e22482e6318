/**
 * What an acceptor has accepted: for each slot the value, and the highest ballot
 * in which it was accepted. Slots may be empty beyond the decided ones. Of a
 * *lost* one the ballot is known and the value is not: the disk has lost it, and
 * unknown is not absent (M27). Slots up to the *base* have been compacted away.
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

/** Neighbouring slots in which something was accepted in one ballot, and nobody here knows what. */
export interface LostRun {
  readonly ballot: Ballot;
  /** The first slot. */
  readonly index: Index;
  readonly count: number;
}

/** What was accepted in some slots, and the slot up to which that is all. */
interface Accepted {
  readonly runs: readonly Run[];
  readonly lost: readonly LostRun[];
  readonly through: Index;
}

type Growing<R extends Run | LostRun> = {
  -readonly [K in keyof R]: R[K] extends readonly Entry[] ? Entry[] : R[K];
};

/** Bytes that telling of a lost slot counts for. */
const LOST_BYTES = 16;

export class Slots {
  private baseIndex: Index = 0;
  private baseTerm: Term = 0;
  /** `entries[i]` and `ballots[i]` are of slot `baseIndex + 1 + i`; both or neither are there. */
  private entries: (Entry | undefined)[] = [];
  private ballots: (Ballot | undefined)[] = [];
  /** The ballots of slots whose values are lost; above, these are empty. */
  private readonly lostBallots: Map<Index, Ballot> = new Map();

  get base(): { readonly index: Index; readonly term: Term } {
    return { index: this.baseIndex, term: this.baseTerm };
  }

  get firstIndex(): Index {
    return this.baseIndex + 1;
  }

  /** The highest slot with a value, or a lost one. */
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
    this.lostBallots.delete(index);
    this.growTo(index - 1);
    if (at === this.entries.length) {
      this.entries.push(entry);
      this.ballots.push(ballot);
    } else {
      this.entries[at] = entry;
      this.ballots[at] = ballot;
    }
  }

  /** Something was accepted in a slot, and the disk has lost it. */
  lose(index: Index, ballot: Ballot): void {
    invariant(index > this.baseIndex, "compacted slots are decided for ever");
    this.growTo(index);
    this.entries[index - this.baseIndex - 1] = undefined;
    this.ballots[index - this.baseIndex - 1] = undefined;
    this.lostBallots.set(index, ballot);
  }

  /** Lost slots, each with its ballot. */
  get lost(): ReadonlyMap<Index, Ballot> {
    return this.lostBallots;
  }

  private growTo(last: Index): void {
    while (this.lastIndex < last) {
      this.entries.push(undefined);
      this.ballots.push(undefined);
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
  runs(from: Index, maxBytes: number): Accepted {
    const runs: Growing<Run>[] = [];
    const lost: Growing<LostRun>[] = [];
    let bytes = 0;
    let index = Math.max(from, this.firstIndex);
    for (; index <= this.lastIndex; index++) {
      const entry = this.entryAt(index);
      const ballot = this.ballotAt(index) ?? this.lostBallots.get(index);
      if (ballot === undefined) continue;
      bytes += entry === undefined ? LOST_BYTES : entryBytes(entry);
      if (bytes > maxBytes && runs.length + lost.length > 0) break;
      if (entry === undefined) addLost(lost, ballot, index);
      else addValue(runs, ballot, index, entry);
    }
    return { runs, lost, through: Math.max(index - 1, from - 1) };
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
    for (const lost of this.lostBallots.keys()) if (lost <= index) this.lostBallots.delete(lost);
    this.baseIndex = index;
    this.baseTerm = term;
  }
}

function addValue(runs: Growing<Run>[], ballot: Ballot, index: Index, entry: Entry): void {
  const run = runs.at(-1);
  const joins = run !== undefined && isSame(run.ballot, ballot);
  if (joins && run.index + run.entries.length === index) run.entries.push(entry);
  else runs.push({ ballot, index, entries: [entry] });
}

function addLost(lost: Growing<LostRun>[], ballot: Ballot, index: Index): void {
  const run = lost.at(-1);
  const joins = run !== undefined && isSame(run.ballot, ballot);
  if (joins && run.index + run.count === index) run.count++;
  else lost.push({ ballot, index, count: 1 });
}
