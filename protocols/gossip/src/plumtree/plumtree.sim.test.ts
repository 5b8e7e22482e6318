import assert from "node:assert/strict";
import { test } from "node:test";

import { Simulation } from "@quorate/lab";

import type { BroadcastWords } from "./messages.ts";
import { Plumtree, PLUMTREE_DEFAULTS } from "./plumtree.ts";

interface Counts {
  /** Message → who was given it. */
  readonly delivered: Map<string, Set<string>>;
  redundant: number;
  hopsMax: number;
}

interface Overlay {
  readonly world: Simulation<BroadcastWords, Plumtree>;
  readonly names: readonly string[];
  readonly counts: Counts;
}

function grow(nodes: number, seed: number, lossPermille = 0): Overlay {
  const names = Array.from({ length: nodes }, (_, i) => `n${i}`);
  const counts: Counts = { delivered: new Map(), redundant: 0, hopsMax: 0 };
  const world = new Simulation<BroadcastWords, Plumtree>({
    seed,
    nodes: names,
    create: () => new Plumtree(),
    latencyMs: [1, 20],
    lossPermille,
    hints: seed % 2 === 0,
    onNote: (_node, note) => {
      if (note.type === "redundant") counts.redundant++;
    },
    onOutput: (node, { id, hops }) => {
      const who = counts.delivered.get(id) ?? new Set<string>();
      assert.ok(!who.has(node), `P1: ${node} was given ${id} twice`);
      counts.delivered.set(id, who.add(node));
      counts.hopsMax = Math.max(counts.hopsMax, hops);
    },
  });
  for (const [i, name] of names.entries()) {
    if (i === 0) continue;
    // Through one that is there already, as in the paper.
    world.request(name, { type: "join", contact: names[Math.floor(i / 2)]! }, () => {});
    world.runFor(10);
  }
  world.runFor(30_000);
  return { world, names, counts };
}

function broadcast({ world, counts }: Overlay, from: string, id: string, waitMs = 3000): number {
  world.request(from, { type: "broadcast", id, payload: Uint8Array.of(1, 2, 3) }, () => {});
  world.runFor(waitMs);
  return counts.delivered.get(id)?.size ?? 0;
}

test("links are symmetric, views within their bounds, and the overlay is one", () => {
  const { world, names } = grow(120, 1);
  for (const name of names) {
    const { active, passive } = world.process(name)!.view;
    assert.ok(active.size >= 1 && active.size <= PLUMTREE_DEFAULTS.view.activeMax);
    assert.ok(passive.size <= PLUMTREE_DEFAULTS.view.passiveMax);
    assert.ok(!active.has(name) && !passive.has(name));
    for (const node of active.keys()) {
      assert.ok(!passive.has(node), "nobody is in both views");
      assert.ok(world.process(node)!.view.active.has(name), `${node} and ${name} are neighbours`);
    }
    const { eager, lazy } = world.process(name)!;
    assert.deepEqual([...eager, ...lazy].toSorted(), [...active.keys()].toSorted());
  }
  const reached = new Set(["n0"]);
  for (const name of reached)
    for (const node of world.process(name)!.view.active.keys()) reached.add(node);
  assert.equal(reached.size, names.length);
});

test("everybody gets every message, once, and soon hardly any twice", () => {
  const overlay = grow(150, 2);
  for (let i = 0; i < 10; i++) assert.equal(broadcast(overlay, "n7", `warm ${i}`), 150);
  const before = overlay.counts.redundant;
  for (let i = 0; i < 20; i++) assert.equal(broadcast(overlay, "n7", `m${i}`), 150);
  const redundancy = (overlay.counts.redundant - before) / (20 * 149);
  assert.ok(redundancy < 0.05, `redundancy is ${redundancy}`);
});

test("a loss is mended by names", () => {
  const overlay = grow(60, 3, 50);
  for (let i = 0; i < 20; i++) broadcast(overlay, `n${i}`, `m${i}`);
  overlay.world.runFor(5000);
  for (let i = 0; i < 20; i++) assert.equal(overlay.counts.delivered.get(`m${i}`)?.size, 60);
});

for (const share of [30, 60, 80]) {
  test(`after ${share} % of the nodes fail at once, the others hear each other again`, () => {
    const overlay = grow(200, 4 + share);
    broadcast(overlay, "n1", "before");
    const { world, names } = overlay;
    const gone = new Set(names.filter((_, i) => (i * 37) % 100 < share && i !== 1));
    for (const name of gone) world.crash(name);
    world.runFor(30_000);
    const alive = names.length - gone.size;
    for (let i = 0; i < 5; i++) {
      const reached = broadcast(overlay, "n1", `after ${i}`, 5000);
      if (i >= 2) assert.ok(reached >= alive * 0.99, `${reached} of ${alive}`);
    }
  });
}

test("what is too long is refused, and what was sent before is not sent again", () => {
  const { world, counts } = grow(3, 5);
  const answers: string[] = [];
  const ask = (id: string, length: number) =>
    world.request("n0", { type: "broadcast", id, payload: new Uint8Array(length) }, ({ type }) =>
      answers.push(type),
    );
  ask("long", PLUMTREE_DEFAULTS.payloadBytes + 1);
  ask("x", 10);
  ask("x", 10);
  world.runFor(1000);
  assert.deepEqual(answers, ["refused", "done", "done"]);
  assert.equal(counts.delivered.get("x")?.size, 3);
});

test("payloads are kept within their budget, names within theirs", () => {
  const small = new Plumtree({ ...PLUMTREE_DEFAULTS, keptBytes: 100, seenMax: 20 });
  const world = new Simulation<BroadcastWords, Plumtree>({
    seed: 1,
    nodes: ["a"],
    create: () => small,
  });
  for (let i = 0; i < 50; i++) {
    world.request("a", { type: "broadcast", id: `${i}`, payload: new Uint8Array(30) }, () => {});
  }
  world.runFor(10);
  assert.deepEqual(small.holdings, { names: 20, payloads: 3, bytes: 90 });
});
