/**
 * Version vectors (Parker et al., _Detection of mutual inconsistency in
 * distributed systems_, 1983): for each actor, how many of its events are
 * known. As a set it stands for {(a, n) | n ≤ v[a]}, and its order is the
 * inclusion of those sets: never its size, never its sum.
 *
 * An immutable value, so that it may be sent, kept and shared. Two parallel
 * arrays sorted by actor: comparing and merging are one walk over both, and
 * the encoding is canonical. An actor that is missing has counter 0, and none
 * with counter 0 is kept.
 */

import { type Codec, invariant, MalformedInput, uint } from "@quorate/kernel";

import { type Actor, actorCodec, counterCodec, type Order, orderOf } from "./actor.ts";
import { ClockError, countable } from "./errors.ts";

export class VersionVector {
  static readonly empty: VersionVector = new VersionVector([], []);

  /** Ascending, without repetition. */
  readonly actors: readonly Actor[];
  /** `counters[i]` belongs to `actors[i]` and is at least 1. */
  readonly counters: readonly number[];

  private constructor(actors: readonly Actor[], counters: readonly number[]) {
    this.actors = actors;
    this.counters = counters;
  }

  /** A vector of these entries. Of an actor named twice the highest counter counts. */
  static of(entries: Iterable<readonly [actor: Actor, counter: number]>): VersionVector {
    const highest = new Map<Actor, number>();
    for (const [actor, counter] of entries) {
      invariant(Number.isSafeInteger(counter) && counter >= 0, "counters are unsigned integers");
      if (counter > (highest.get(actor) ?? 0)) highest.set(actor, counter);
    }
    const actors = [...highest.keys()].toSorted();
    return new VersionVector(
      actors,
      actors.map((actor) => highest.get(actor)!),
    );
  }

  get size(): number {
    return this.actors.length;
  }

  /** How many events of `actor` are known. */
  get(actor: Actor): number {
    const at = this.search(actor);
    return this.actors[at] === actor ? this.counters[at]! : 0;
  }

  /** Whether event `counter` of `actor` is known. */
  has(actor: Actor, counter: number): boolean {
    return counter <= this.get(actor);
  }

  /** This vector with another counter for `actor`; 0 takes it out. */
  with(actor: Actor, counter: number): VersionVector {
    const at = this.search(actor);
    const known = this.actors[at] === actor ? 1 : 0;
    if (counter === 0) {
      if (known === 0) return this;
      return new VersionVector(this.actors.toSpliced(at, 1), this.counters.toSpliced(at, 1));
    }
    if (known === 1) return new VersionVector(this.actors, this.counters.with(at, counter));
    return new VersionVector(
      this.actors.toSpliced(at, 0, actor),
      this.counters.toSpliced(at, 0, counter),
    );
  }

  /**
   * One event more of `actor`.
   * @throws ClockError `overflow`
   */
  increment(actor: Actor): VersionVector {
    return this.with(actor, countable(this.get(actor) + 1));
  }

  /** What either knows: the least upper bound. */
  merge(other: VersionVector): VersionVector {
    if (this.includes(other)) return this;
    if (other.includes(this)) return other;
    const actors: Actor[] = [];
    const counters: number[] = [];
    walk(this, other, (actor, mine, theirs) => {
      actors.push(actor);
      counters.push(Math.max(mine, theirs));
    });
    return new VersionVector(actors, counters);
  }

  /** What both know: the greatest lower bound. */
  meet(other: VersionVector): VersionVector {
    const actors: Actor[] = [];
    const counters: number[] = [];
    walk(this, other, (actor, mine, theirs) => {
      if (mine === 0 || theirs === 0) return;
      actors.push(actor);
      counters.push(Math.min(mine, theirs));
    });
    return new VersionVector(actors, counters);
  }

  /** Whether everything that `other` knows is known here. */
  includes(other: VersionVector): boolean {
    if (this === other) return true;
    if (other.size > this.size) return false;
    for (let i = 0, j = 0; j < other.actors.length; i++, j++) {
      while (i < this.actors.length && this.actors[i]! < other.actors[j]!) i++;
      if (this.actors[i] !== other.actors[j] || this.counters[i]! < other.counters[j]!)
        return false;
    }
    return true;
  }

  compare(other: VersionVector): Order {
    return orderOf(other.includes(this), this.includes(other));
  }

  /** The JSON form: an object from actor to counter. */
  toJSON(): { readonly [actor: Actor]: number } {
    // `fromEntries` defines properties, so that no name is special, `__proto__` included.
    return Object.fromEntries(this.actors.map((actor, i) => [actor, this.counters[i]!]));
  }

  /** @throws ClockError `malformed` for anything but what {@link toJSON} gives. */
  static fromJSON(json: unknown): VersionVector {
    if (typeof json !== "object" || json === null || Array.isArray(json)) {
      throw new ClockError("malformed", "a version vector is an object from actor to counter");
    }
    for (const [actor, counter] of Object.entries(json)) {
      if (actor === "" || !Number.isSafeInteger(counter) || (counter as number) < 1) {
        throw new ClockError("malformed", `"${actor}" has no counter of at least 1`);
      }
    }
    return VersionVector.of(Object.entries(json as { [actor: Actor]: number }));
  }

  /** Used by the codec: entries that are known to be in order. */
  static ofSorted(actors: readonly Actor[], counters: readonly number[]): VersionVector {
    return actors.length === 0 ? VersionVector.empty : new VersionVector(actors, counters);
  }

  /** The place of `actor`, or where it belongs. */
  private search(actor: Actor): number {
    let low = 0;
    let high = this.actors.length;
    while (low < high) {
      const middle = (low + high) >>> 1;
      if (this.actors[middle]! < actor) low = middle + 1;
      else high = middle;
    }
    return low;
  }
}

/** Walks the union of two vectors' actors in order. */
function walk(
  left: VersionVector,
  right: VersionVector,
  visit: (actor: Actor, left: number, right: number) => void,
): void {
  let i = 0;
  let j = 0;
  while (i < left.size || j < right.size) {
    const a = left.actors[i];
    const b = right.actors[j];
    if (b === undefined || (a !== undefined && a < b)) visit(a!, left.counters[i++]!, 0);
    else if (a === undefined || b < a) visit(b, 0, right.counters[j++]!);
    else visit(a, left.counters[i++]!, right.counters[j++]!);
  }
}

/** A count, then actor and counter by turns, actors strictly ascending: one encoding for each vector. */
export const versionVectorCodec: Codec<VersionVector> = {
  write(writer, vector) {
    uint.write(writer, vector.size);
    for (let i = 0; i < vector.size; i++) {
      actorCodec.write(writer, vector.actors[i]!);
      counterCodec.write(writer, vector.counters[i]!);
    }
  },
  read(reader) {
    const size = uint.read(reader);
    if (size > reader.left) throw new MalformedInput("vector longer than the input");
    const actors: Actor[] = [];
    const counters: number[] = [];
    for (let i = 0; i < size; i++) {
      const actor = actorCodec.read(reader);
      if (i > 0 && actor <= actors[i - 1]!) throw new MalformedInput("actors out of order");
      actors.push(actor);
      counters.push(counterCodec.read(reader));
    }
    return VersionVector.ofSorted(actors, counters);
  },
};
