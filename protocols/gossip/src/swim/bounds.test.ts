import assert from "node:assert/strict";
import { test } from "node:test";

import { lan, local } from "../config.ts";
import { plainWire } from "../plain-wire.ts";
import { detectionBounds } from "./bounds.ts";

const identity = { name: "a", wire: plainWire };

test("a crash is noticed no sooner than a probe fails and a suspicion ends, no later than all have probed", () => {
  assert.deepEqual(detectionBounds(lan(identity), 4), {
    leastMs: 5000,
    mostMs: 7000 + 1000 + 4000 + 200,
    unconfirmedMs: 25_000,
  });
  assert.equal(detectionBounds(lan(identity), 100).leastMs, 9000);
});

test("where nobody is left to confirm, the least suspicion is the whole one", () => {
  const { leastMs, unconfirmedMs } = detectionBounds(local(identity), 2);
  assert.equal(leastMs, 4000);
  assert.equal(unconfirmedMs, leastMs);
});
