import assert from "node:assert/strict";
import { test } from "node:test";

import { digits, doublings, ln, log10 } from "./logarithm.ts";
import { pushPullScale } from "./swim/exchanges.ts";

test("the logarithm agrees with the host's to the last bits", () => {
  for (const value of [1e-9, 0.1, 0.75, 1, 1.5, 2, 3, 10, 12_345, 1e12]) {
    assert.ok(
      Math.abs(ln(value) - Math.log(value)) <= 1e-14 * Math.max(1, Math.abs(Math.log(value))),
    );
  }
  assert.ok(Math.abs(log10(1000) - 3) < 1e-14);
});

test("digits is ceil(log10(n + 1))", () => {
  for (const [count, expected] of [
    [0, 0],
    [1, 1],
    [9, 1],
    [10, 2],
    [99, 2],
    [100, 3],
  ] as const) {
    assert.equal(digits(count), expected);
  }
});

test("doublings is ceil(log2 n)", () => {
  assert.deepEqual([1, 2, 3, 4, 5, 33, 64, 65].map(doublings), [0, 1, 2, 2, 3, 6, 6, 7]);
});

test("push/pulls get rarer above 32 members", () => {
  assert.deepEqual([2, 32, 33, 64, 65, 128, 10_000].map(pushPullScale), [1, 1, 2, 2, 3, 3, 10]);
});
