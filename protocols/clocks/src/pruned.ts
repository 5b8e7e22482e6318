/**
 * A version vector of bounded size: the entries that changed least recently
 * are dropped, as Dynamo did (DeCandia et al., 2007, §4.4).
 *
 * **Hazards.** A dropped entry counts as 0, so:
 *
 * - a vector that still has it looks concurrent where it was older: a conflict
 *   that is none, resolved by hand or by a merge for nothing;
 * - if the dropped actor's counters begin anew, a vector may look newer than one
 *   that it never saw (false dominance), and a write is lost without a trace.
 *   So a dropped actor must never act again under its name: see `identity.ts`.
 *
 * Recency is the vector's own logical time, never a wall clock's. Where an
 * entry for each server is enough, take a `DottedSet` and prune nothing.
 */

import { invariant } from "@quorate/kernel";

import { type Actor, compareActors, type Order } from "./actor.ts";
import { VersionVector } from "./version-vector.ts";

/** An immutable value. */
export class PrunedVector {
  readonly limit: number;
  readonly vector: VersionVector;
  /** Of each actor, the logical time of its last change: more is more recent. */
  private readonly changed: ReadonlyMap<Actor, number>;

  /** @param limit - The most entries kept, at least 1. */
  constructor(
    limit: number,
    vector: VersionVector = VersionVector.empty,
    changed: ReadonlyMap<Actor, number> = new Map(vector.actors.map((actor) => [actor, 0])),
  ) {
    invariant(limit >= 1, "a vector keeps at least one entry");
    this.limit = limit;
    this.vector = vector;
    this.changed = changed;
  }

  increment(actor: Actor): PrunedVector {
    const time = this.time + 1;
    return this.bounded(this.vector.increment(actor), new Map(this.changed).set(actor, time));
  }

  merge(other: PrunedVector): PrunedVector {
    const changed = new Map(this.changed);
    for (const [actor, time] of other.changed) {
      changed.set(actor, Math.max(time, changed.get(actor) ?? 0));
    }
    return this.bounded(this.vector.merge(other.vector), changed);
  }

  /** The order of what is left: `concurrent` may be wrong, and so may the rest if names are used again. */
  compare(other: PrunedVector): Order {
    return this.vector.compare(other.vector);
  }

  private get time(): number {
    return Math.max(0, ...this.changed.values());
  }

  private bounded(vector: VersionVector, changed: Map<Actor, number>): PrunedVector {
    const recent = vector.actors
      .toSorted((a, b) => changed.get(b)! - changed.get(a)! || compareActors(a, b))
      .slice(0, this.limit);
    return new PrunedVector(
      this.limit,
      VersionVector.of(recent.map((actor) => [actor, vector.get(actor)])),
      new Map(recent.map((actor) => [actor, changed.get(actor)!])),
    );
  }
}
