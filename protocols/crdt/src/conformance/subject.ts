/** What the suite must know of a type to examine it. */

import { type Random } from "@quorate/kernel";

import { type Crdt } from "../crdt.ts";
import { sameBytes } from "../same-bytes.ts";

/** A type under examination. `Edit` is plain data that any replica in any state can apply. */
export interface Subject<Value, Handle, Edit> {
  readonly name: string;
  /** An empty replica. */
  open(actor: string): Crdt<Value, Handle>;
  /** A replica as it was encoded. */
  decode(bytes: Uint8Array, actor: string): Crdt<Value, Handle>;
  /** Draws an edit: one that means something in every state, of indexes say modulo the length. */
  draw(random: Random): Edit;
  apply(handle: Handle, edit: Edit, actor: string): void;
  /** The obvious program that does the same alone. */
  model(): Model<Edit>;
  /** What of a value the model knows; all of it if this is left out. */
  look?(value: Value): unknown;
}

export interface Model<Edit> {
  apply(edit: Edit): void;
  /** What the value is, compared part by part; sets in any order. */
  readonly value: unknown;
}

/** A promise of PROTOCOL.md and a way to find that it is broken. */
export interface Case {
  /** The promise's number. */
  readonly promise: string;
  readonly title: string;
  /** @throws ConformanceViolation */
  run<Value, Handle, Edit>(subject: Subject<Value, Handle, Edit>, seed: number): void;
}

/** A type broke a promise. */
export class ConformanceViolation extends Error {
  override readonly name = "ConformanceViolation";
}

/** Fails unless both look the same. */
export function same(actual: unknown, expected: unknown, claim: string): void {
  const areBytes = actual instanceof Uint8Array && expected instanceof Uint8Array;
  if (actual === expected || (areBytes && sameBytes(actual, expected))) return;
  const [left, right] = [show(actual), show(expected)];
  if (left !== right) throw new ConformanceViolation(`${claim}: ${left} instead of ${right}`);
}

/** Fails unless two replicas agree in value, in what they have seen, and in every byte. */
export function agree<Handle>(
  a: Crdt<unknown, Handle>,
  b: Crdt<unknown, Handle>,
  claim: string,
): void {
  same(a.value, b.value, claim);
  same(a.version, b.version, `${claim}, versions`);
  same(a.encode(), b.encode(), `${claim}, bytes`);
}

/** A text for plain data; equal data have equal texts. */
function show(value: unknown): string {
  if (value instanceof Set) return `{${Array.from(value, show).toSorted().join(", ")}}`;
  if (value instanceof Uint8Array) return `<${value.join(" ")}>`;
  if (Array.isArray(value)) return `[${value.map(show).join(", ")}]`;
  if (typeof value !== "object" || value === null)
    return value === undefined ? "undefined" : JSON.stringify(value);
  const entries = Object.entries(value).filter(([, entry]) => entry !== undefined);
  return `{${entries
    .map(([key, entry]) => `${JSON.stringify(key)}: ${show(entry)}`)
    .toSorted()
    .join(", ")}}`;
}
