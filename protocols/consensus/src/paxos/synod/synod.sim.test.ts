/** The synod among nodes that crash, over a network that loses, repeats and reorders. */

import assert from "node:assert/strict";
import { test } from "node:test";

import { decode, encode } from "@quorate/kernel";
import { Simulation } from "@quorate/lab";

import type { Message, Record, SynodWords } from "./messages.ts";
import { Synod } from "./synod.ts";
import { messageCodec, recordCodec } from "./wire.ts";

const SEEDS = Number(process.env["QUORATE_SEEDS"] ?? 40);

for (let seed = 1; seed <= SEEDS; seed++) {
  test(`one value is chosen, and everybody who asks is told it (QUORATE_SEEDS=${seed}, seed ${seed})`, () => {
    const acceptors = ["a", "b", "c", "d", "e"].slice(0, seed % 2 === 0 ? 3 : 5);
    const told: number[] = [];
    const asked: number[] = [];
    const world = new Simulation<SynodWords, Synod>({
      seed,
      nodes: acceptors,
      create: () => new Synod({ acceptors, retryMs: 100 }),
      latencyMs: [1, [5, 60][seed % 2]!],
      lossPermille: [0, 100, 300][seed % 3]!,
      duplicatePermille: [0, 100][(seed >> 1) % 2]!,
      syncMs: [1, [2, 40][(seed >> 2) % 2]!],
      freeze: true,
    });
    const { random } = world;
    const ask = (node: string, value: number): void => {
      asked.push(value);
      world.request(node, Uint8Array.of(value), (chosen) => told.push(chosen[0]!));
    };
    for (let i = 0; i < 30; i++) {
      const node = acceptors[random.below(acceptors.length)]!;
      if (world.process(node) === undefined) world.start(node);
      else if (random.chance(1, 3)) world.crash(node);
      else ask(node, i);
      if (random.chance(1, 6)) world.partition(acceptors.filter(() => random.chance(1, 2)));
      if (random.chance(1, 4)) world.heal();
      world.runFor(random.below(100));
    }
    world.heal();
    for (const id of acceptors) if (world.process(id) === undefined) world.start(id);
    for (const [i, id] of acceptors.entries()) ask(id, 100 + i);
    world.runFor(60_000);
    assert.ok(told.length >= acceptors.length, "who asks once the faults stop is told");
    assert.equal(new Set(told).size, 1, "B3");
    assert.ok(asked.includes(told[0]!), "B4");
  });
}

test("what was chosen before a crash of all nodes is chosen after it", () => {
  const acceptors = ["a", "b", "c"];
  const world = new Simulation<SynodWords, Synod>({
    seed: 1,
    nodes: acceptors,
    create: () => new Synod({ acceptors, retryMs: 100 }),
  });
  const told: number[] = [];
  world.request("a", Uint8Array.of(1), (chosen) => told.push(chosen[0]!));
  world.runFor(1_000);
  for (const id of acceptors) world.crash(id);
  for (const id of acceptors) world.start(id);
  world.request("c", Uint8Array.of(2), (chosen) => told.push(chosen[0]!));
  world.runFor(1_000);
  assert.deepEqual(told, [1, 1]);
});

test("messages and records come back as they were written", () => {
  const ballot = { round: 3, node: "a" };
  const proposal = { ballot, value: Uint8Array.of(1, 2) };
  const messages: readonly Message[] = [
    { type: "prepare", ballot },
    { type: "promise", ballot, accepted: undefined },
    { type: "promise", ballot, accepted: proposal },
    { type: "accept", proposal },
    { type: "accepted", ballot },
    { type: "refused", ballot, promised: { round: 4, node: "b" } },
    { type: "chosen", value: Uint8Array.of(9) },
  ];
  for (const message of messages) {
    assert.deepEqual(decode(messageCodec, encode(messageCodec, message)), message);
  }
  const records: readonly Record[] = [
    { type: "promised", ballot },
    { type: "accepted", proposal },
  ];
  for (const record of records) {
    assert.deepEqual(decode(recordCodec, encode(recordCodec, record)), record);
  }
});
