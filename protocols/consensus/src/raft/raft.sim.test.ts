import assert from "node:assert/strict";
import { test } from "node:test";

import { Simulation } from "@quorate/lab";

import { RaftClaims } from "./claims.ts";
import { lan } from "./config.ts";
import type { RaftWords } from "./messages.ts";
import { Raft } from "./raft.ts";

const SEEDS = Number(process.env["QUORATE_SEEDS"] ?? 40);

function command(text: string): Uint8Array {
  return new TextEncoder().encode(text);
}

/** Each seed draws its own mix of faults: features of one kind hide those of another. */
function hostileWorld(seed: number, nodes: readonly string[]): Simulation<RaftWords, Raft> {
  const config = {
    ...lan({ voters: nodes, outgoing: [], learners: [] }),
    inflightMessages: 1 + (seed % 8),
    appendBytes: seed % 2 === 0 ? 64 : 1 << 20,
  };
  return new Simulation<RaftWords, Raft>({
    seed,
    nodes,
    create: () => new Raft(config),
    latencyMs: [1, [5, 40, 300][seed % 3]!],
    lossPermille: [0, 20, 200][(seed >> 1) % 3]!,
    duplicatePermille: [0, 50][(seed >> 2) % 2]!,
    syncMs: [1, [2, 60][(seed >> 3) % 2]!],
    hints: seed % 2 === 1,
    freeze: true,
  });
}

for (let seed = 1; seed <= SEEDS; seed++) {
  test(`a hostile world cannot break agreement (QUORATE_SEEDS=${seed}, seed ${seed})`, () => {
    const nodes = ["a", "b", "c", "d", "e"].slice(0, seed % 2 === 0 ? 3 : 5);
    const world = hostileWorld(seed, nodes);
    const { random } = world;
    const claims = new RaftClaims();
    const up = () =>
      nodes.flatMap((id) => {
        const raft = world.process(id);
        return raft === undefined ? [] : [[id, raft] as const];
      });
    const committed = new Map<number, string>();
    for (let i = 0; i < 250; i++) {
      const node = nodes[random.below(nodes.length)]!;
      if (world.process(node) === undefined) world.start(node);
      else if (random.chance(1, 25)) world.crash(node);
      else if (random.chance(1, 40))
        world.request(node, { type: "transfer", to: undefined }, () => {});
      else {
        const data = `x${i}`;
        world.request(node, { type: "propose", data: command(data) }, (response) => {
          if (response.type === "committed") committed.set(response.index, data);
        });
      }
      if (random.chance(1, 30)) world.partition(nodes.filter(() => random.chance(1, 2)));
      if (random.chance(1, 60)) world.sever(node, nodes[random.below(nodes.length)]!);
      if (random.chance(1, 20)) world.heal();
      const until = world.now + random.below(80);
      while (world.now < until && world.step()) assert.equal(claims.check(up()), undefined);
    }
    world.heal();
    for (const id of nodes) if (world.process(id) === undefined) world.start(id);
    world.runFor(60_000);
    assert.equal(claims.check(up()), undefined);
    const logs = up().map(([, raft]) => raft);
    const leaders = logs.filter(({ role }) => role === "leader");
    assert.equal(leaders.length, 1, "once the faults stop, one leader remains");
    for (const raft of logs) {
      assert.equal(raft.commitIndex, leaders[0]!.commitIndex, "and all logs are equal");
      for (const [index, data] of committed) {
        assert.deepEqual(raft.log.at(index).data, command(data), "nothing acknowledged is lost");
      }
    }
  });
}

test("the same seed gives the same run", () => {
  const run = () => {
    const world = hostileWorld(7, ["a", "b", "c"]);
    for (let i = 0; i < 50; i++) {
      world.request("abc"[i % 3]!, { type: "propose", data: command(`x${i}`) }, () => {});
      world.runFor(20);
    }
    return [world.steps, world.processes.map((raft) => [raft.term, raft.lastIndex])];
  };
  assert.deepEqual(run(), run());
});
