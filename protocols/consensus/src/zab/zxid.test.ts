import assert from "node:assert/strict";
import { test } from "node:test";

import fc from "fast-check";

import { InvariantViolation } from "@quorate/kernel";

import { Log } from "../log.ts";
import { entriesOf } from "./rig.test.ts";
import {
  compareZxids,
  continues,
  indexAtOrBelow,
  indexIn,
  isCounterFull,
  zxidIn,
  zxidOf,
} from "./zxid.ts";

const LAP = 2 ** 32;
const index = fc.maxSafeNat();
const epoch = fc.integer({ min: 0, max: LAP - 1 });

/** A history whose first entry has index `base` + 1. */
function history(base: number, words: string): Log {
  const log = new Log();
  log.reset(base, base === 0 ? 0 : 1);
  for (const entry of entriesOf(words)) log.append(entry);
  return log;
}

test("zxids are ordered as terms and indices are, within a lap of the counter", () => {
  const at = fc.integer({ min: 0, max: LAP - 1 });
  fc.assert(
    fc.property(fc.nat(2 ** 20), epoch, epoch, at, at, (lap, e, f, i, j) => {
      const order = compareZxids(zxidOf(e, lap * LAP + i), zxidOf(f, lap * LAP + j));
      assert.equal(Math.sign(order), Math.sign(e - f) || Math.sign(i - j));
    }),
  );
});

test("an index is found again by its counter, from anywhere less than a lap above it", () => {
  fc.assert(
    fc.property(index, fc.integer({ min: 0, max: LAP - 1 }), (i, above) => {
      fc.pre(i + above <= Number.MAX_SAFE_INTEGER);
      assert.equal(indexAtOrBelow(i + above, zxidOf(1, i).counter), i);
    }),
  );
});

test("a zxid is found in the history that holds it, and in no other", () => {
  const log = history(LAP - 2, "x@1 y@2 z@2");
  for (const i of [LAP - 2, LAP - 1, LAP, LAP + 1]) assert.equal(indexIn(log, zxidIn(log, i)), i);
  assert.equal(indexIn(log, zxidOf(1, LAP)), undefined, "another epoch");
  assert.equal(indexIn(log, zxidOf(2, LAP + 2)), undefined, "not there yet");
  assert.equal(indexIn(log, zxidOf(1, LAP - 3)), undefined, "compacted away");
  assert.equal(indexIn(history(0, ""), zxidOf(0, 7)), undefined, "before everything");
});

test("a history goes on without gaps, with epochs that do not fall, and over a full counter in a new one only", () => {
  const log = history(LAP - 2, "x@2");
  assert.ok(isCounterFull(log.lastIndex));
  assert.ok(continues(log, zxidOf(3, LAP), entriesOf("y@3 z@4")));
  assert.ok(!continues(log, zxidOf(2, LAP), entriesOf("y@2")), "the counter is full");
  assert.ok(!continues(log, zxidOf(3, LAP + 1), entriesOf("y@3")), "one is left out");
  assert.ok(!continues(log, zxidOf(1, LAP), entriesOf("y@1")), "the epoch is over");
  assert.ok(!continues(log, zxidOf(3, LAP), entriesOf("y@3 z@2")), "the epoch falls");
  assert.ok(!continues(log, zxidOf(3, LAP), entriesOf("y@4")), "it is not of that epoch");
  assert.ok(!continues(log, zxidOf(3, LAP), []), "there is none");
});

test("an epoch has 32 bits", () => {
  assert.throws(() => zxidOf(LAP, 1), InvariantViolation);
});
