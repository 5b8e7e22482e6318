/**
 * JSON forms, read with distrust. Writing needs nothing: stamps are plain
 * objects, and vectors and sets say how they are written (`toJSON`).
 */

import { type Actor, type Dot } from "./actor.ts";
import { type DottedVersion } from "./dotted.ts";
import { type DottedEntry, DottedSet } from "./dotted-set.ts";
import { ClockError } from "./errors.ts";
import { COUNTS, type HybridStamp } from "./hybrid.ts";
import { type LamportStamp } from "./lamport.ts";
import { VersionVector } from "./version-vector.ts";

type Fields = { readonly [name: string]: unknown };

/** @throws ClockError `malformed` */
export function lamportFromJSON(json: unknown): LamportStamp {
  const { time, actor } = fields(json);
  return { time: integer(time, 0), actor: name(actor) };
}

/** @throws ClockError `malformed` */
export function hybridFromJSON(json: unknown): HybridStamp {
  const { ms, count, actor } = fields(json);
  return { ms: integer(ms, 0), count: integer(count, 0, COUNTS - 1), actor: name(actor) };
}

/** @throws ClockError `malformed` */
export function dottedFromJSON(json: unknown): DottedVersion {
  const { dot, past } = fields(json);
  return { dot: dotFromJSON(dot), past: VersionVector.fromJSON(past) };
}

/**
 * @param value - Reads a value; throws for what is none.
 * @throws ClockError `malformed`
 */
export function dottedSetFromJSON<T>(json: unknown, value: (json: unknown) => T): DottedSet<T> {
  const { entries } = fields(json);
  const read = array(entries).map((entry): DottedEntry<T> => {
    const { actor, counter, values, changed } = fields(entry);
    return {
      actor: name(actor),
      counter: integer(counter, 1),
      values: array(values).map(value),
      changed: integer(changed, 0),
    };
  });
  for (const [i, { actor, counter, values }] of read.entries()) {
    if (values.length > counter) throw malformed("more values than writes");
    if (i > 0 && actor <= read[i - 1]!.actor) throw malformed("actors out of order");
  }
  return new DottedSet(read);
}

function dotFromJSON(json: unknown): Dot {
  const { actor, counter } = fields(json);
  return { actor: name(actor), counter: integer(counter, 1) };
}

function fields(json: unknown): Fields {
  if (typeof json === "object" && json !== null && !Array.isArray(json)) return json as Fields;
  throw malformed("an object was expected");
}

function array(json: unknown): readonly unknown[] {
  if (Array.isArray(json)) return json as readonly unknown[];
  throw malformed("an array was expected");
}

function name(json: unknown): Actor {
  if (typeof json === "string" && json !== "") return json;
  throw malformed("an actor is a text that is not empty");
}

function integer(json: unknown, least: number, most: number = Number.MAX_SAFE_INTEGER): number {
  if (Number.isSafeInteger(json) && (json as number) >= least && (json as number) <= most) {
    return json as number;
  }
  throw malformed(`an integer between ${least} and ${most} was expected`);
}

function malformed(what: string): ClockError {
  return new ClockError("malformed", what);
}
