import assert from "node:assert/strict";
import { test } from "node:test";

import { type Hostile, outcome, play } from "../hostile.test.ts";
import { RaftClaims } from "./claims.ts";
import { lan } from "./config.ts";
import type { RaftWords } from "./messages.ts";
import { Raft } from "./raft.ts";

const SEEDS = Number(process.env["QUORATE_SEEDS"] ?? 40);

const raft: Hostile<RaftWords, Raft> = {
  create: (seed, voters) =>
    new Raft({
      ...lan({ voters }),
      inflightMessages: 1 + (seed % 8),
      appendBytes: seed % 2 === 0 ? 64 : 1 << 20,
    }),
  claims: () => new RaftClaims(),
  dataAt: ({ log }, index) => log.at(index).data,
};

for (let seed = 1; seed <= SEEDS; seed++) {
  test(`a hostile world cannot break agreement (QUORATE_SEEDS=${seed}, seed ${seed})`, () => {
    play(raft, seed);
  });
}

test("the same seed gives the same run", () => {
  assert.deepEqual(outcome(raft, 7), outcome(raft, 7));
});
