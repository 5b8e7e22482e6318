import assert from "node:assert/strict";
import { test } from "node:test";

import { ClockError } from "./errors.ts";
import { DottedSet } from "./dotted-set.ts";
import { dottedFromJSON, dottedSetFromJSON, hybridFromJSON, lamportFromJSON } from "./json.ts";
import { VersionVector } from "./version-vector.ts";

function through(value: unknown): unknown {
  return JSON.parse(JSON.stringify(value));
}

function text(json: unknown): string {
  if (typeof json !== "string") throw new ClockError("malformed", "no text");
  return json;
}

const lamport = { time: 3, actor: "a" };
const hybrid = { ms: 1, count: 2, actor: "a" };
const dotted = { dot: { actor: "a", counter: 1 }, past: VersionVector.of([["b", 2]]) };
const set = new DottedSet<string>()
  .write(VersionVector.empty, "r", "x")
  .write(VersionVector.empty, "s", "y");

test("the JSON form gives the value back", () => {
  assert.deepEqual(lamportFromJSON(through(lamport)), lamport);
  assert.deepEqual(hybridFromJSON(through(hybrid)), hybrid);
  assert.deepEqual(dottedFromJSON(through(dotted)), dotted);
  assert.deepEqual(dottedSetFromJSON(through(set), text), set);
});

test("JSON that is no form of the clock is refused", () => {
  const [first] = set.entries;
  const wrong: readonly (() => unknown)[] = [
    () => lamportFromJSON({ ...lamport, time: -1 }),
    () => lamportFromJSON({ ...lamport, actor: "" }),
    () => lamportFromJSON(null),
    () => hybridFromJSON({ ...hybrid, count: 65_536 }),
    () => dottedFromJSON({ ...dotted, dot: { actor: "a", counter: 0 } }),
    () => dottedSetFromJSON({ entries: [{ ...first, values: ["x", "y"] }] }, text),
    () => dottedSetFromJSON({ entries: [first, first] }, text),
    () => dottedSetFromJSON({ entries: [{ ...first, values: [1] }] }, text),
    () => dottedSetFromJSON([], text),
  ];
  for (const read of wrong) assert.throws(read, ClockError);
});
