/** The hazards of bounded vectors, shown. */

import assert from "node:assert/strict";
import { test } from "node:test";

import { PrunedVector } from "./pruned.ts";

test("the least recently changed entry goes first, whatever its counter", () => {
  let vector = new PrunedVector(2);
  for (const actor of ["a", "a", "a", "b", "c"]) vector = vector.increment(actor);
  assert.deepEqual(vector.vector.toJSON(), { b: 1, c: 1 });
});

test("hazard: after pruning, an older vector looks concurrent", () => {
  const older = new PrunedVector(2).increment("a");
  const newer = older.increment("b").increment("c");
  assert.equal(older.compare(newer), "concurrent", "a conflict that is none");
});

test("hazard: a pruned actor whose name is used again dominates what it never saw (C05)", () => {
  const lost = new PrunedVector(1).increment("a");
  const stranger = new PrunedVector(1).increment("b").increment("a").increment("a");
  assert.equal(
    lost.compare(stranger),
    "before",
    "and the lost write would be overwritten silently",
  );
});

test("merging keeps the most recent entries of both", () => {
  const left = new PrunedVector(2).increment("a").increment("b");
  const right = new PrunedVector(2).increment("c");
  const merged = left.merge(right);
  assert.equal(merged.vector.size, 2);
  assert.equal(merged.vector.get("b"), 1);
});
