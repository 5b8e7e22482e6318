import assert from "node:assert/strict";
import { test } from "node:test";

import fc from "fast-check";

import { CausalContext } from "./context.ts";
import { counterOf, indexOf, MAX_COUNTER, pack } from "./dots.ts";

const ranges = fc.array(
  fc.record({ index: fc.nat(2), from: fc.integer({ min: 1, max: 30 }), length: fc.nat(6) }),
  { maxLength: 12 },
);

interface Range {
  readonly index: number;
  readonly from: number;
  readonly length: number;
}

/** The same as a plain set of dots. */
function plain(added: readonly Range[]): ReadonlySet<string> {
  return new Set(
    added.flatMap(({ index, from, length }) =>
      Array.from({ length: length + 1 }, (_, i) => `${index}:${from + i}`),
    ),
  );
}

function contextOf(added: readonly Range[]): CausalContext {
  const context = new CausalContext();
  for (const { index, from, length } of added) context.addRange(index, from, from + length);
  return context;
}

test("a context is the set of the dots that were added", () => {
  fc.assert(
    fc.property(ranges, (added) => {
      const context = contextOf(added);
      const expected = plain(added);
      for (let index = 0; index < 3; index++) {
        for (let counter = 1; counter < 40; counter++) {
          assert.equal(context.has(pack(index, counter)), expected.has(`${index}:${counter}`));
        }
      }
    }),
  );
});

test("the order in which dots are added leaves no trace (D06)", () => {
  fc.assert(
    fc.property(ranges, (added) => {
      assert.deepEqual(contextOf(added.toReversed()), contextOf(added));
    }),
  );
});

test("merging is union, including is inclusion", () => {
  fc.assert(
    fc.property(ranges, ranges, (one, other) => {
      const [left, right] = [contextOf(one), contextOf(other)];
      const within = [...plain(other)].every((dot) => plain(one).has(dot));
      assert.equal(left.includes(right), within);
      left.merge(right);
      const both = contextOf([...one, ...other]);
      assert.ok(left.includes(both) && both.includes(left));
      assert.equal(left.gaps, both.gaps);
    }),
  );
});

test("a dot is one number, to the last actor and the last counter", () => {
  for (const [index, counter] of [
    [0, 1],
    [65_535, MAX_COUNTER],
    [7, 2 ** 31],
  ] as const) {
    const dot = pack(index, counter);
    assert.ok(Number.isSafeInteger(dot));
    assert.deepEqual([indexOf(dot), counterOf(dot)], [index, counter]);
  }
});
