/** Clusters of bare logs in a hostile world, judged from outside: for the simulations, and for the exam. */

import assert from "node:assert/strict";

import type { NodeId } from "@quorate/kernel";
import { Simulation } from "@quorate/lab";

import type { LogWords, OrderedLog } from "./ordered-log.ts";

/** A log to be played with. */
export interface Hostile<L extends LogWords, P extends OrderedLog<L>> {
  /** @param voters - Three or five of them, by the seed. */
  create(seed: number, voters: readonly NodeId[]): P;
  /** Receives the log, decides nothing, and may lose its disk at any time; not every engine takes that. */
  readonly learner?: NodeId;
  claims(): { check(nodes: readonly (readonly [NodeId, P])[]): string | undefined };
  dataAt(log: P, index: number): Uint8Array;
}

function command(text: string): Uint8Array {
  return new TextEncoder().encode(text);
}

/** Each seed draws its own mix of faults and settings: features of one kind hide those of another. */
export function hostileWorld<L extends LogWords, P extends OrderedLog<L>>(
  hostile: Hostile<L, P>,
  seed: number,
  voters: readonly NodeId[],
): Simulation<L, P> {
  const { learner } = hostile;
  return new Simulation<L, P>({
    seed,
    nodes: learner === undefined ? voters : [...voters, learner],
    create: () => hostile.create(seed, voters),
    latencyMs: [1, [5, 40, 300][seed % 3]!],
    lossPermille: [0, 20, 200][(seed >> 1) % 3]!,
    duplicatePermille: [0, 50][(seed >> 2) % 2]!,
    syncMs: [1, [2, 60][(seed >> 3) % 2]!],
    hints: seed % 2 === 1,
    freeze: true,
  });
}

/** Proposals, transfers, crashes, wipes of a learner, partitions; then calm. @throws if a promise is broken. */
export function play<L extends LogWords, P extends OrderedLog<L>>(
  hostile: Hostile<L, P>,
  seed: number,
): void {
  const voters = ["a", "b", "c", "d", "e"].slice(0, seed % 2 === 0 ? 3 : 5);
  const world = hostileWorld(hostile, seed, voters);
  const { learner } = hostile;
  const everyone = learner === undefined ? voters : [...voters, learner];
  const { random } = world;
  const claims = hostile.claims();
  const up = () =>
    everyone.flatMap((id) => {
      const log = world.process(id);
      return log === undefined ? [] : [[id, log] as const];
    });
  const committed = new Map<number, string>();
  for (let i = 0; i < 250; i++) {
    const node = everyone[random.below(everyone.length)]!;
    if (world.process(node) === undefined) {
      if (node === learner && random.chance(1, 2)) world.wipe(node);
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
    if (random.chance(1, 30)) world.partition(voters.filter(() => random.chance(1, 2)));
    if (random.chance(1, 60)) world.sever(node, voters[random.below(voters.length)]!);
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
  const logs = up().map(([, log]) => log);
  const leaders = logs.filter(({ role }) => role === "leader");
  assert.equal(leaders.length, 1, "once the faults stop, one leader remains");
  for (const log of logs) {
    assert.equal(log.commitIndex, leaders[0]!.commitIndex, "and all logs are equal");
    for (const [index, data] of committed) {
      assert.deepEqual(hostile.dataAt(log, index), command(data), "nothing acknowledged is lost");
    }
  }
}

/** What a seed leads to, in short: the same every time. */
export function outcome<L extends LogWords, P extends OrderedLog<L>>(
  hostile: Hostile<L, P>,
  seed: number,
): unknown {
  const world = hostileWorld(hostile, seed, ["a", "b", "c"]);
  for (let i = 0; i < 50; i++) {
    world.request("abc"[i % 3]!, { type: "propose", data: command(`x${i}`) }, () => {});
    world.runFor(20);
  }
  return [world.steps, world.processes.map(({ term, lastIndex }) => [term, lastIndex])];
}
