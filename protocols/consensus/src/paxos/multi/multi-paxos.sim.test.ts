import assert from "node:assert/strict";
import { test } from "node:test";

import { type Hostile, outcome, play } from "../../hostile.test.ts";
import { MultiPaxosClaims } from "./claims.ts";
import { multiPaxosDefaults } from "./config.ts";
import type { MultiPaxosWords } from "./messages.ts";
import { MultiPaxos } from "./multi-paxos.ts";

const SEEDS = Number(process.env["QUORATE_SEEDS"] ?? 40);

const LEARNER = "l";

const paxos: Hostile<MultiPaxosWords, MultiPaxos> = {
  create: (seed, voters) =>
    new MultiPaxos({
      ...multiPaxosDefaults({ voters, learners: [LEARNER] }),
      inflightMessages: 1 + (seed % 8),
      appendBytes: seed % 2 === 0 ? 64 : 1 << 20,
      window: [4096, 3, 1][seed % 3]!,
      quorums: voters.length === 5 && seed % 4 === 1 ? { prepare: 4, accept: 2 } : undefined,
    }),
  learner: LEARNER,
  claims: () => new MultiPaxosClaims(),
  dataAt: ({ slots }, index) => slots.at(index).data,
};

for (let seed = 1; seed <= SEEDS; seed++) {
  test(`a hostile world cannot break agreement (QUORATE_SEEDS=${seed}, seed ${seed})`, () => {
    play(paxos, seed);
  });
}

test("the same seed gives the same run", () => {
  assert.deepEqual(outcome(paxos, 7), outcome(paxos, 7));
});
