/**
 * Who acts, and names for single acts.
 *
 * A counter of an actor must never be used twice for different acts: every
 * clock here rests on that. Identity that keeps the promise over restarts,
 * copies of a disk and restored backups is in `identity.ts`.
 */

import { type Codec, MalformedInput, struct, text, uint } from "@quorate/kernel";

/** Names one source of events. Not empty; ordered by code units. */
export type Actor = string;

/** One event: the `counter`-th of `actor`, counted from 1. */
export interface Dot {
  readonly actor: Actor;
  readonly counter: number;
}

/** How two things lie in a partial order. */
export type Order = "before" | "equal" | "after" | "concurrent";

/** A total order of actors: the same on every engine and in every locale. */
export function compareActors(a: Actor, b: Actor): number {
  return a < b ? -1 : a > b ? 1 : 0;
}

/** An order from two inclusions, of the left in the right and of the right in the left. */
export function orderOf(leftInRight: boolean, rightInLeft: boolean): Order {
  if (leftInRight) return rightInLeft ? "equal" : "before";
  return rightInLeft ? "after" : "concurrent";
}

/** An actor on the wire: text that is not empty. */
export const actorCodec: Codec<Actor> = {
  write: (writer, actor) => text.write(writer, actor),
  read(reader) {
    const actor = text.read(reader);
    if (actor === "") throw new MalformedInput("an actor without a name");
    return actor;
  },
};

/** A counter on the wire: an integer of at least 1. */
export const counterCodec: Codec<number> = {
  write: (writer, counter) => uint.write(writer, counter),
  read(reader) {
    const counter = uint.read(reader);
    if (counter === 0) throw new MalformedInput("counters begin at 1");
    return counter;
  },
};

export const dotCodec: Codec<Dot> = struct<Dot>({ actor: actorCodec, counter: counterCodec });
