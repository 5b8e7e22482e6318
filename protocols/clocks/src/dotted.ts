/**
 * Dotted version vectors (Preguiça et al., _Dotted version vectors: logical
 * clocks for optimistic replication_, 2010): the clock of one written value.
 *
 * A version vector with an entry for each server cannot tell apart two writes
 * that clients, not having seen each other, made through one server. The dot
 * can: it names this very write, apart from the past the writer had read. So
 * entries are for servers, and two writes through one server are siblings.
 */

import { type Codec, struct } from "@quorate/kernel";

import { type Actor, type Dot, dotCodec, type Order, orderOf } from "./actor.ts";
import { countable } from "./errors.ts";
import { VersionVector, versionVectorCodec } from "./version-vector.ts";

/** An immutable value: one write, and what its writer had read. */
export interface DottedVersion {
  readonly dot: Dot;
  readonly past: VersionVector;
}

/** A value with its clock. */
export interface Sibling<T> {
  readonly clock: DottedVersion;
  readonly value: T;
}

/** How two writes lie: one comparison of numbers each way. */
export function compareVersions(a: DottedVersion, b: DottedVersion): Order {
  if (a.dot.actor === b.dot.actor && a.dot.counter === b.dot.counter) return "equal";
  return orderOf(b.past.has(a.dot.actor, a.dot.counter), a.past.has(b.dot.actor, b.dot.counter));
}

/** What a reader of these siblings knows: the context to send with the next write. */
export function contextOf(siblings: readonly Sibling<unknown>[]): VersionVector {
  let context = VersionVector.empty;
  for (const { clock } of siblings) {
    const { actor, counter } = clock.dot;
    context = context.merge(clock.past);
    if (counter > context.get(actor)) context = context.with(actor, counter);
  }
  return context;
}

/**
 * The clock of a new write.
 * @param siblings - What the server holds of the key; it must be all that it ever took.
 * @param actor - The server that takes the write.
 * @param context - What the client had read.
 * @throws ClockError `overflow`
 */
export function nextVersion(
  siblings: readonly Sibling<unknown>[],
  actor: Actor,
  context: VersionVector,
): DottedVersion {
  const known = Math.max(context.get(actor), contextOf(siblings).get(actor));
  return { dot: { actor, counter: countable(known + 1) }, past: context };
}

/** The maximal elements of both: what no other write has seen. */
export function syncSiblings<T>(
  left: readonly Sibling<T>[],
  right: readonly Sibling<T>[],
): readonly Sibling<T>[] {
  const kept = left.filter(
    ({ clock }) => !right.some((other) => compareVersions(clock, other.clock) === "before"),
  );
  const added = right.filter(({ clock }) =>
    left.every((other) => {
      const order = compareVersions(clock, other.clock);
      return order === "after" || order === "concurrent";
    }),
  );
  return [...kept, ...added];
}

export const dottedCodec: Codec<DottedVersion> = struct<DottedVersion>({
  dot: dotCodec,
  past: versionVectorCodec,
});
