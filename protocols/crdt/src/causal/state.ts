/**
 * The state of one replica: a dot store under a causal context, and what was
 * edited since the last delta. Plain data, as the kernel's contract asks (K2).
 *
 * Every change has at least one dot, a mere removal included, so dots tell
 * which changes a replica has taken in. These are not all that it has heard
 * of: a delta that arrives early names dots that it removes, of changes still
 * to come, which may have removed more. Hence two contexts. What was _heard
 * of_ decides joins; what was _taken in_ is the version, and two replicas that
 * have taken in the same have the same state.
 */

import { type Actor, compareActors, COUNTS, VersionVector } from "@quorate/clocks";
import { invariant } from "@quorate/kernel";

import { CausalContext } from "./context.ts";
import { indexOf, INDEXES, MAX_COUNTER, pack, type PackedDot } from "./dots.ts";
import { type Key, type Store } from "./stores.ts";

/** When something was written: a hybrid logical time. Ties go to the greater actor. */
export interface Written {
  readonly ms: number;
  readonly count: number;
}

/** Times fit into 48 bits: there is room for later ones. */
export const MAX_MS: number = 2 ** 48;

/** The places that edits touched: what a delta is about. */
export class Touched {
  /** Whether everything that had been there was removed. */
  whole = false;
  children: Map<Key, Touched> | undefined = undefined;

  /** The place under a key, touched at need. What was removed as a whole was so in all its parts. */
  touch(key: Key): Touched {
    this.children ??= new Map();
    let child = this.children.get(key);
    if (child === undefined) {
      child = new Touched();
      child.whole = this.whole;
      this.children.set(key, child);
    }
    return child;
  }

  /** All that was here was removed. */
  clear(): void {
    this.whole = true;
    this.children = undefined;
  }
}

export class State {
  /** Interned actors, by index. The first is this replica's. */
  readonly actors: Actor[];
  readonly indexes: Map<Actor, number>;
  /** Dots heard of. */
  readonly context: CausalContext = new CausalContext();
  /** Dots of changes taken in: the same, but for what came early. */
  readonly taken: CausalContext = new CausalContext();
  readonly root: Store;

  /** The latest time written or merged: the next one is later. */
  ms = 0;
  count = 0;

  /** Dots made or removed since the last delta, those that were made, and where. */
  pending: CausalContext = new CausalContext();
  made: CausalContext = new CausalContext();
  touched: Touched | undefined = undefined;
  /** The latest time written since the last delta. */
  pendingWritten: Written = { ms: 0, count: 0 };
  /** What was known to be seen when something was collected since the last delta: who has not seen it waits. */
  pendingAfter: VersionVector = VersionVector.empty;
  /** Own dots up to here may be known to others: what they stand for is fixed. */
  sealed = 0;

  /** The wall clock of the change that is under way, `undefined` between changes. */
  private wallMs: number | undefined = undefined;
  private minted = 0;
  private changed = false;

  constructor(actor: Actor, root: Store) {
    this.actors = [actor];
    this.indexes = new Map([[actor, 0]]);
    this.root = root;
  }

  /** The index of an actor, given at first sight. */
  intern(actor: Actor): number {
    const known = this.indexes.get(actor);
    if (known !== undefined) return known;
    const index = this.actors.length;
    invariant(index < INDEXES, "actors fit into dots");
    this.actors.push(actor);
    this.indexes.set(actor, index);
    return index;
  }

  /** Forgets the actors that were interned after the first `count`: nothing of theirs was taken in. */
  uninternAfter(count: number): void {
    for (const actor of this.actors.splice(count)) this.indexes.delete(actor);
  }

  actorOf(dot: PackedDot): Actor {
    return this.actors[indexOf(dot)]!;
  }

  /** Begins a change. */
  begin(wallMs: number): void {
    invariant(this.wallMs === undefined, "changes are not nested");
    invariant(wallMs >= 0 && wallMs < MAX_MS, "wall clocks count milliseconds from 1970");
    this.wallMs = Math.floor(wallMs);
    this.minted = 0;
    this.changed = false;
  }

  /** Ends a change. One that only removed gets a dot of its own, so that it can be told whether it was seen. */
  end(): void {
    if (this.changed && this.minted === 0) this.mint();
    this.wallMs = undefined;
  }

  /** A new dot of this replica's. */
  mint(): PackedDot {
    this.mustChange();
    const counter = this.context.upTo(0) + 1;
    invariant(counter <= MAX_COUNTER, "an actor acts at most 2^37 times");
    this.minted += 1;
    const dot = pack(0, counter);
    for (const context of [this.context, this.taken, this.pending, this.made]) context.add(dot);
    return dot;
  }

  /** Takes note that a dot was removed from where it was, or that its item is another. */
  cover(dot: PackedDot): void {
    this.mustChange();
    this.pending.add(dot);
  }

  /** The time of a write, later than all that were seen. */
  write(): Written {
    this.mustChange();
    if (this.wallMs! > this.ms) {
      this.ms = this.wallMs!;
      this.count = 0;
    } else if (++this.count >= COUNTS) {
      this.ms += 1;
      this.count = 0;
    }
    this.pendingWritten = { ms: this.ms, count: this.count };
    return this.pendingWritten;
  }

  /** Takes note of a time that was merged. */
  witness({ ms, count }: Written): void {
    if (ms < this.ms || (ms === this.ms && count <= this.count)) return;
    this.ms = ms;
    this.count = count;
  }

  /** The root of the touched places, made at need. */
  touch(): Touched {
    this.mustChange();
    this.changed = true;
    return (this.touched ??= new Touched());
  }

  /** Whether nobody but this replica can know of an own dot yet, so that what it stands for may change. */
  isUnsent(dot: PackedDot): boolean {
    return indexOf(dot) === 0 && dot > pack(0, this.sealed);
  }

  /** From now on what was done so far may be known to others. */
  seal(): void {
    this.sealed = this.context.upTo(0);
  }

  get version(): VersionVector {
    return VersionVector.of(this.actors.map((actor, index) => [actor, this.taken.upTo(index)]));
  }

  private mustChange(): void {
    invariant(this.wallMs !== undefined, "a replica is edited within mutate");
  }
}

/** The order of writes that decides which one is last: by time, then by actor. */
export function compareWritten(
  state: State,
  a: Written,
  dotA: PackedDot,
  b: Written,
  dotB: PackedDot,
): number {
  return (
    a.ms - b.ms ||
    a.count - b.count ||
    compareActors(state.actorOf(dotA), state.actorOf(dotB)) ||
    dotA - dotB
  );
}
