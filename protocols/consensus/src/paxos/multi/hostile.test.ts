/** Clusters in a hostile world, judged from outside: for the simulations, and for the exam. */

import assert from "node:assert/strict";

import { Simulation } from "@quorate/lab";

import { MultiPaxosClaims } from "./claims.ts";
import { type MultiPaxosConfig, multiPaxosDefaults } from "./config.ts";
import type { MultiPaxosWords } from "./messages.ts";
import { MultiPaxos } from "./multi-paxos.ts";

export type Make = (config: MultiPaxosConfig) => MultiPaxos;

type World = Simulation<MultiPaxosWords, MultiPaxos>;

/** Receives the log and decides nothing, so it may lose its disk at any time. */
const LEARNER = "l";

function command(text: string): Uint8Array {
  return new TextEncoder().encode(text);
}

/** Each seed draws its own mix of faults and settings: features of one kind hide those of another. */
export function hostileWorld(seed: number, voters: readonly string[], make: Make): World {
  const config = {
    ...multiPaxosDefaults({ voters, learners: [LEARNER] }),
    inflightMessages: 1 + (seed % 8),
    appendBytes: seed % 2 === 0 ? 64 : 1 << 20,
    window: [4096, 3, 1][seed % 3]!,
    quorums: voters.length === 5 && seed % 4 === 1 ? { prepare: 4, accept: 2 } : undefined,
  };
  return new Simulation<MultiPaxosWords, MultiPaxos>({
    seed,
    nodes: [...voters, LEARNER],
    create: () => make(config),
    latencyMs: [1, [5, 40, 300][seed % 3]!],
    lossPermille: [0, 20, 200][(seed >> 1) % 3]!,
    duplicatePermille: [0, 50][(seed >> 2) % 2]!,
    syncMs: [1, [2, 60][(seed >> 3) % 2]!],
    hints: seed % 2 === 1,
    freeze: true,
  });
}

/** Proposals, transfers, crashes, wipes of a learner, partitions; then calm. @throws if a promise is broken. */
export function play(seed: number, make: Make = (config) => new MultiPaxos(config)): void {
  const nodes = ["a", "b", "c", "d", "e"].slice(0, seed % 2 === 0 ? 3 : 5);
  const world = hostileWorld(seed, nodes, make);
  const everyone = [...nodes, LEARNER];
  const { random } = world;
  const claims = new MultiPaxosClaims();
  const up = () =>
    everyone.flatMap((id) => {
      const paxos = world.process(id);
      return paxos === undefined ? [] : [[id, paxos] as const];
    });
  const committed = new Map<number, string>();
  for (let i = 0; i < 250; i++) {
    const node = everyone[random.below(everyone.length)]!;
    if (world.process(node) === undefined) {
      if (node === LEARNER && random.chance(1, 2)) world.wipe(node);
      world.start(node);
    } else if (random.chance(1, 25)) world.crash(node);
    else if (random.chance(1, 40))
      world.request(node, { type: "transfer", to: undefined }, () => {});
    else {
      const data = `x${i}`;
      world.request(node, { type: "propose", data: command(data) }, (response) => {
        if (response.type === "committed") committed.set(response.index, data);
      });
    }
    // What is not on a disk yet is lost where it hurts most: where somebody was just answered.
    if (seed % 5 === 0 && random.chance(1, 10) && world.process(node) !== undefined) {
      world.crash(node);
    }
    if (random.chance(1, 30)) world.partition(nodes.filter(() => random.chance(1, 2)));
    if (random.chance(1, 60)) world.sever(node, nodes[random.below(nodes.length)]!);
    if (random.chance(1, 20)) world.heal();
    const until = world.now + random.below(80);
    while (world.now < until && world.step()) assert.equal(claims.check(up()), undefined);
  }
  world.heal();
  for (const id of everyone) if (world.process(id) === undefined) world.start(id);
  const until = world.now + 60_000;
  // Everyone retries within seconds; a run that is busier than that goes round in circles.
  const budget = world.steps + 200_000;
  while (world.now < until && world.steps < budget && world.step());
  assert.ok(world.steps < budget, "the steps of a run suffice: it does not go round in circles");
  assert.equal(claims.check(up()), undefined);
  const logs = up().map(([, paxos]) => paxos);
  const leaders = logs.filter(({ role }) => role === "leader");
  assert.equal(leaders.length, 1, "once the faults stop, one leader remains");
  for (const paxos of logs) {
    assert.equal(paxos.commitIndex, leaders[0]!.commitIndex, "and all logs are equal");
    for (const [index, data] of committed) {
      assert.deepEqual(paxos.slots.at(index).data, command(data), "nothing acknowledged is lost");
    }
  }
}
