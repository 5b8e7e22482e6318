/**
 * A leader that hands over and loses power before its disk has the last of what
 * it knew: it catches up with its successor, whatever it had told it before.
 */

import assert from "node:assert/strict";
import { test } from "node:test";

import { CALM, Dice, Simulation } from "@quorate/lab";

import { leaderOf, logs, type Logs } from "./logs.rig.test.ts";
import type { LogWords, OrderedLog } from "./ordered-log.ts";

const VOTERS = ["a", "b", "c"] as const;
const SEEDS = 32;

/** Everything that has arrived is read in one turn, as on a real node that is woken late. */
class OneTurn extends Dice {
  override busy(): boolean {
    return true;
  }
}

for (const [name, create] of Object.entries(logs)) {
  test(`${name}: a leader that hands over and restarts knows in the end what the others know`, () => {
    for (let seed = 1; seed <= SEEDS; seed++) catchesUp(() => create(VOTERS), seed);
  });
}

function catchesUp(create: () => OrderedLog<LogWords>, seed: number): void {
  const fates = new OneTurn(seed, { ...CALM, latencyMs: [1, 1], syncMs: [1, 1] });
  const world: Logs = new Simulation({ seed, nodes: VOTERS, create, fates });
  world.runFor(10_000);
  const old = leaderOf(world, VOTERS);
  for (let number = 0; number < 3; number++) {
    world.request(old, { type: "propose", data: new Uint8Array(3) });
    world.runFor(50);
  }
  world.request(old, { type: "transfer", to: undefined });
  world.runFor(seed % 16);
  world.crash(old);
  world.start(old);
  world.runFor(20_000);
  const known = VOTERS.map((node) => world.process(node)?.commitIndex);
  assert.equal(new Set(known).size, 1, `seed ${seed}: they know ${known.join(", ")} entries`);
}
