import assert from "node:assert/strict";
import { test } from "node:test";

import { type Hostile, outcome, play } from "../hostile.test.ts";
import { ZabClaims } from "./claims.ts";
import { zabDefaults } from "./config.ts";
import type { ZabWords } from "./messages.ts";
import { Zab } from "./zab.ts";

const SEEDS = Number(process.env["QUORATE_SEEDS"] ?? 40);

const OBSERVER = "l";

const zab: Hostile<ZabWords, Zab> = {
  create: (seed, voters) =>
    new Zab({
      ...zabDefaults({ voters, learners: [OBSERVER] }),
      inflightMessages: 1 + (seed % 8),
      appendBytes: seed % 2 === 0 ? 64 : 1 << 20,
      leaseReads: seed % 3 === 0,
    }),
  learner: OBSERVER,
  claims: () => new ZabClaims(),
  dataAt: ({ log }, index) => log.at(index).data,
};

for (let seed = 1; seed <= SEEDS; seed++) {
  test(`a hostile world cannot break a history (QUORATE_SEEDS=${seed}, seed ${seed})`, () => {
    play(zab, seed);
  });
}

test("the same seed gives the same run", () => {
  assert.deepEqual(outcome(zab, 7), outcome(zab, 7));
});
