import assert from "node:assert/strict";
import { test } from "node:test";

import { lan, wan } from "../config.ts";
import { plainWire } from "../plain-wire.ts";
import { Suspicion, suspicionMinMs } from "./suspicion.ts";

const config = lan({ name: "a", wire: plainWire });

function members(known: number, present: number = known): { known: number; present: number } {
  return { known, present };
}

test("confirmations cut the timeout from its greatest to its least, by their logarithm", () => {
  const suspicion = new Suspicion(config, members(10), "b", 1, 0);
  assert.equal(suspicion.leftMs(0), 24_000);
  assert.ok(suspicion.confirm("c"));
  assert.equal(suspicion.leftMs(0), 11_381); // 24000 - 20000 ln 2 / ln 3
  assert.ok(suspicion.confirm("d"));
  assert.equal(suspicion.leftMs(0), 4000);
  assert.ok(!suspicion.confirm("e"), "more are of no use");
});

test("time that has passed counts", () => {
  const suspicion = new Suspicion(config, members(10), "b", 1, 1000);
  suspicion.confirm("c");
  assert.equal(suspicion.leftMs(6000), 6381);
});

test("one accuser confirms nothing, however often it repeats itself", () => {
  const suspicion = new Suspicion(config, members(10), "b", 1, 0);
  assert.ok(!suspicion.confirm("b"));
  assert.ok(suspicion.confirm("c"));
  assert.ok(!suspicion.confirm("c"));
});

test("with too few bystanders to confirm, the least timeout holds at once", () => {
  assert.equal(new Suspicion(config, members(3), "b", 1, 0).leftMs(0), 4000);
  assert.equal(new Suspicion(config, members(4), "b", 1, 0).leftMs(0), 24_000);
});

test("the dead are no bystanders", () => {
  assert.equal(new Suspicion(config, members(9, 3), "b", 1, 0).leftMs(0), 4000);
});

for (const [known, ms] of [
  [1, 4000],
  [10, 4000],
  [20, 5204],
  [50, 6792],
  [100, 8000],
  [1000, 12_000],
] as const) {
  test(`${known} members give a suspect at least ${ms} ms`, () => {
    assert.equal(suspicionMinMs(config, known), ms);
  });
}

test("the wide area is given more time", () => {
  assert.equal(suspicionMinMs(wan({ name: "a", wire: plainWire }), 100), 60_000);
});
