/**
 * A leader that slept through the election of another is told that members have snapshots (S7).
 * They follow that other leader by now: what they hold commits nothing here.
 */

import assert from "node:assert/strict";
import { test } from "node:test";

import { CALM, Dice, Simulation } from "@quorate/lab";

import { leaderOf, type Logs, logs } from "./logs.rig.test.ts";
import type { LogOutput } from "./ordered-log.ts";

const VOTERS = ["a", "b", "c", "d", "e"] as const;
const SEEDS = 16;

for (const [name, create] of Object.entries(logs)) {
  test(`${name}: what a snapshot's receiver has of a later leader commits nothing of an earlier one`, () => {
    for (let seed = 1; seed <= SEEDS; seed++) {
      const decided = new Decided();
      const world: Logs = new Simulation({
        seed,
        nodes: VOTERS,
        create: () => create(VOTERS),
        fates: new Dice(seed, { ...CALM, latencyMs: [1, 5], syncMs: [1, 2] }),
        onOutput: (_node, output) => decided.take(output),
      });
      wake(world);
    }
  });
}

/** A leader proposes, sleeps, and hears on waking how far the others are with what they know. */
function wake(world: Logs): void {
  const propose = (node: string, count: number, byte: number): void => {
    for (let i = 0; i < count; i++) {
      world.request(node, { type: "propose", data: Uint8Array.of(byte, i) });
    }
  };
  world.runFor(10_000);
  const old = leaderOf(world, VOTERS);
  const [friend, ...others] = VOTERS.filter((node) => node !== old);
  world.partition([old, friend!]);
  propose(old, 5, 1);
  world.runFor(10);
  world.pause(old);
  world.runFor(10_000);
  const successor = leaderOf(world, others);
  propose(successor, 5, 2);
  world.runFor(100);
  world.resume(old);
  assert.equal(world.process(old)?.role, "leader");
  for (const to of others) {
    const index = world.process(to)!.commitIndex;
    world.request(old, { type: "snapshotSent", to, index });
  }
  world.runFor(1000);
  world.heal();
  world.runFor(10_000);
  const known = VOTERS.map((node) => world.process(node)?.commitIndex);
  assert.equal(new Set(known).size, 1, `they know ${known.join(", ")} entries`);
}

/** What the nodes say is decided, which none may say otherwise. */
class Decided {
  private readonly entries: string[] = [];

  take(output: LogOutput): void {
    if (output.type !== "committed") return;
    for (const [i, { data }] of output.entries.entries()) {
      const at: number = output.index + i;
      this.entries[at] ??= String(data);
      assert.equal(String(data), this.entries[at], `entry ${at}`);
    }
  }
}
