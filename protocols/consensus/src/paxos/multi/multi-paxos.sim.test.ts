import assert from "node:assert/strict";
import { test } from "node:test";

import { hostileWorld, play } from "./hostile.test.ts";
import { MultiPaxos } from "./multi-paxos.ts";

const SEEDS = Number(process.env["QUORATE_SEEDS"] ?? 40);

for (let seed = 1; seed <= SEEDS; seed++) {
  test(`a hostile world cannot break agreement (QUORATE_SEEDS=${seed}, seed ${seed})`, () => {
    play(seed);
  });
}

test("the same seed gives the same run", () => {
  const run = () => {
    const world = hostileWorld(7, ["a", "b", "c"], (config) => new MultiPaxos(config));
    for (let i = 0; i < 50; i++) {
      const data = new TextEncoder().encode(`x${i}`);
      world.request("abc"[i % 3]!, { type: "propose", data }, () => {});
      world.runFor(20);
    }
    return [world.steps, world.processes.map((paxos) => [paxos.term, paxos.lastIndex])];
  };
  assert.deepEqual(run(), run());
});
