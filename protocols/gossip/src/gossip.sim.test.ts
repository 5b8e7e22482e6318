import assert from "node:assert/strict";
import { test } from "node:test";

import { Simulation } from "@quorate/lab";

import { GossipClaims } from "./claims.ts";
import { lan, local } from "./config.ts";
import { plainWire } from "./plain-wire.ts";
import { serfDefaults } from "./serf/config.ts";
import { Serf } from "./serf/serf.ts";
import type { GossipWords, Output } from "./words.ts";

const SEEDS = Number(process.env["QUORATE_SEEDS"] ?? 12);
const NODES = ["a", "b", "c", "d", "e", "f", "g"];

type World = Simulation<GossipWords, Serf>;

function open(seed: number, onOutput: (node: string, output: Output) => void): World {
  const profile = seed % 2 === 0 ? lan : local;
  return new Simulation<GossipWords, Serf>({
    seed,
    nodes: NODES,
    create: (name) =>
      new Serf(
        serfDefaults(profile({ name, wire: plainWire }), {
          snapshot: true,
          reconnectMs: 5000,
          tags: { seed: `${seed}` },
        }),
      ),
    latencyMs: [1, [3, 40, 150][seed % 3]!],
    lossPermille: [0, 20, 100][(seed >> 1) % 3]!,
    duplicatePermille: [0, 50][(seed >> 2) % 2]!,
    freeze: true,
    onOutput,
  });
}

function runChecked(world: World, claims: GossipClaims, durationMs: number): void {
  const until = world.now + durationMs;
  for (let steps = 0; world.now < until && world.step(); steps++) {
    assert.ok(steps < 400_000, "the step budget is spent: a livelock");
    for (const id of NODES) {
      const node = world.process(id);
      if (node === undefined) continue;
      claims.witness(node);
      // Every step of everybody would be most of the run; a promise broken stays broken for a while.
      if (steps % 7 === 0) assert.equal(claims.check(id, node), undefined);
    }
  }
}

/** How each node sees the others. */
function views(world: World): readonly string[] {
  return NODES.map((id) =>
    NODES.map((other) => {
      const state = world.process(id)?.member(other)?.state;
      return state === "alive" ? other : "-";
    }).join(""),
  );
}

for (let seed = 1; seed <= SEEDS; seed++) {
  test(`a hostile world cannot break membership for good (QUORATE_SEEDS=${seed}, seed ${seed})`, () => {
    /** What each life of a node was told, so as to find repetitions. */
    const told = new Map<string, Set<string>>();
    const lives = new Map<string, number>(NODES.map((id) => [id, 0]));
    const world = open(seed, (node, output) => {
      if (output.type !== "userEvent") return;
      const life = `${node}/${lives.get(node)}`;
      const seen = told.get(life) ?? new Set<string>();
      const { ltime, name } = output.event;
      assert.ok(!seen.has(`${ltime}/${name}`), `I7: ${life} was told of ${name} twice`);
      told.set(life, seen.add(`${ltime}/${name}`));
    });
    const { random } = world;
    const claims = new GossipClaims();
    for (const id of NODES.slice(1)) {
      world.request(id, { type: "join", addresses: ["a"], replay: true }, () => {});
    }
    runChecked(world, claims, 3000);
    for (let i = 0; i < 60; i++) {
      const id = NODES[random.below(NODES.length)]!;
      if (world.process(id) === undefined) {
        lives.set(id, lives.get(id)! + 1);
        world.start(id);
        world.request(id, { type: "join", addresses: NODES, replay: false }, () => {});
      } else if (random.chance(1, 8)) world.crash(id);
      else if (random.chance(1, 4)) {
        const name = `event ${i}`;
        const payload = new Uint8Array(random.below(200));
        world.request(id, { type: "userEvent", name, payload, coalesce: false }, () => {});
      } else if (random.chance(1, 6)) {
        world.request(id, { type: "setTags", tags: { round: `${i}` } }, () => {});
      }
      if (random.chance(1, 12)) world.partition(NODES.filter(() => random.chance(1, 2)));
      if (random.chance(1, 12)) world.sever(id, NODES[random.below(NODES.length)]!);
      if (random.chance(1, 6)) world.heal();
      runChecked(world, claims, random.below(3000));
    }
    world.heal();
    for (const id of NODES) {
      if (world.process(id) !== undefined) continue;
      lives.set(id, lives.get(id)! + 1);
      world.start(id);
    }
    // One whose joins all failed, and whom everybody else forgot by restarting, must be told again.
    for (const id of NODES) {
      world.request(id, { type: "join", addresses: NODES, replay: false }, () => {});
    }
    // Losses go on, so that now and then somebody is suspected and refutes: wait for a calm moment.
    const all = NODES.join("");
    for (let i = 0; i < 60; i++) {
      runChecked(world, claims, 5000);
      if (i > 20 && views(world).every((view) => view === all)) break;
    }
    assert.deepEqual(
      views(world),
      NODES.map(() => all),
      "once the faults stop, all see all",
    );
    const rolls = world.processes.map((node) =>
      JSON.stringify(
        node
          .memberList()
          .map(({ name, status, tags }) => [name, status, tags] as const)
          .toSorted(([a], [b]) => (a < b ? -1 : 1)),
      ),
    );
    assert.equal(new Set(rolls).size, 1, "and agree on status and tags");
  });
}

test("a crash is noticed within the bounds of the profile, and nobody else is suspected for long", () => {
  for (let seed = 1; seed <= 5; seed++) {
    const failed: [node: string, at: number][] = [];
    let now = () => 0;
    const world = open(2 * 3 * 4 * seed, (_node, output) => {
      if (output.type !== "members" || output.change !== "failed") return;
      for (const { name } of output.members) failed.push([name, now()]);
    });
    now = () => world.now;
    for (const id of NODES.slice(1)) {
      world.request(id, { type: "join", addresses: ["a"], replay: false }, () => {});
    }
    world.runFor(10_000);
    const crashedAt = world.now;
    world.crash("g");
    world.runFor(40_000);
    assert.equal(failed.length, 6);
    for (const [name, at] of failed) {
      assert.equal(name, "g");
      // At least the least suspicion; at most a round of probes, a probe, and the longest suspicion.
      assert.ok(at - crashedAt >= 4000 && at - crashedAt <= 6000 + 2000 + 24_000);
    }
  }
});

test("a partition heals with all members back, however long it lasted", () => {
  const world = open(24, () => {});
  for (const id of NODES.slice(1)) {
    world.request(id, { type: "join", addresses: ["a"], replay: false }, () => {});
  }
  world.runFor(10_000);
  world.partition(["a", "b", "c"]);
  world.runFor(180_000);
  assert.deepEqual(views(world).slice(0, 1), ["abc----"]);
  world.heal();
  world.runFor(120_000);
  assert.deepEqual(
    views(world),
    NODES.map(() => NODES.join("")),
  );
});

test("a member paused for three seconds is not called failed", () => {
  let failures = 0;
  const world = open(24, (_node, output) => {
    if (output.type === "members" && output.change === "failed") failures++;
  });
  for (const id of NODES.slice(1)) {
    world.request(id, { type: "join", addresses: ["a"], replay: false }, () => {});
  }
  world.runFor(10_000);
  for (const id of NODES.slice(1)) {
    world.sever(id, "a");
    world.sever("a", id);
  }
  world.runFor(3000);
  world.heal();
  world.runFor(30_000);
  assert.equal(failures, 0);
});

test("the same seed gives the same run", () => {
  const run = () => {
    const world = open(7, () => {});
    for (const id of NODES.slice(1)) {
      world.request(id, { type: "join", addresses: ["a"], replay: false }, () => {});
    }
    world.runFor(5000);
    world.crash("c");
    world.runFor(20_000);
    return [world.steps, world.processes.map((node) => [node.me, node.coordinate])];
  };
  assert.deepEqual(run(), run());
});
