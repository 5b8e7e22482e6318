import assert from "node:assert/strict";
import { test } from "node:test";

import { Latest, Tail } from "./tail.ts";

test("the end of a sequence keeps its numbers, and as many as it should", () => {
  const tail = new Tail<string>(3);
  for (let i = 1; i <= 100; i++) {
    assert.equal(tail.push(`${i}`), i);
    assert.ok(tail.last - tail.first < 6, "it forgets");
    for (let number = Math.max(1, i - 2); number <= i; number++) {
      assert.equal(tail.at(number), `${number}`);
      assert.equal(tail.hasForgotten(number), false);
    }
  }
  assert.equal(tail.hasForgotten(1), true);
  assert.deepEqual(
    [tail.at(1), tail.at(101), tail.hasForgotten(101)],
    [undefined, undefined, false],
  );
});

test("of keys the oldest goes first, and a key that is there costs nothing", () => {
  const latest = new Latest<string, number>(2);
  latest.set("a", 1);
  latest.set("b", 2);
  latest.set("b", 3);
  assert.deepEqual([latest.get("a"), latest.get("b")], [1, 3]);
  latest.set("c", 4);
  assert.deepEqual(
    [latest.has("a"), latest.get("b"), latest.get("c"), latest.size],
    [false, 3, 4, 2],
  );
});
