import assert from "node:assert/strict";
import { test } from "node:test";

import { Random } from "@quorate/kernel";

import { lan } from "../config.ts";
import { plainWire } from "../plain-wire.ts";
import { Rig } from "../rig.test.ts";
import { Swim } from "../swim/swim.ts";
import { estimateSeconds, ORIGIN, Vivaldi } from "./vivaldi.ts";

function dice(seed: number): Rig {
  const random = new Random(seed);
  const rig = new Rig(new Swim(lan({ name: "a", wire: plainWire })));
  rig.choose = (count) => random.below(count);
  return rig;
}

test("coordinates come to predict round trips in a plane with access links", () => {
  const ctx = dice(1);
  const random = new Random(2);
  const spots = Array.from({ length: 20 }, () => ({
    x: random.below(80),
    y: random.below(80),
    access: 1 + random.below(5),
  }));
  const rtt = (i: number, j: number) => {
    const [a, b] = [spots[i]!, spots[j]!];
    return (Math.hypot(a.x - b.x, a.y - b.y) + a.access + b.access) / 1000;
  };
  const nodes = spots.map(() => new Vivaldi());
  for (let round = 0; round < 400; round++) {
    for (const [i, node] of nodes.entries()) {
      const j = (i + 1 + random.below(19)) % 20;
      node.update(ctx, `${j}`, nodes[j]!.coordinate, rtt(i, j));
    }
  }
  let error = 0;
  let pairs = 0;
  for (let i = 0; i < 20; i++) {
    for (let j = 0; j < i; j++) {
      error +=
        Math.abs(estimateSeconds(nodes[i]!.coordinate, nodes[j]!.coordinate) - rtt(i, j)) /
        rtt(i, j);
      pairs++;
    }
  }
  assert.ok(error / pairs < 0.1, `off by ${error / pairs} on average`);
});

test("unsound coordinates and round trips are ignored", () => {
  const ctx = dice(1);
  const node = new Vivaldi();
  node.update(ctx, "b", { ...ORIGIN, error: Number.NaN }, 0.01);
  node.update(ctx, "b", { ...ORIGIN, vector: [1, 2] }, 0.01);
  node.update(ctx, "b", { ...ORIGIN, height: Infinity }, 0.01);
  node.update(ctx, "b", ORIGIN, 11);
  node.update(ctx, "b", ORIGIN, -1);
  assert.equal(node.coordinate, ORIGIN);
});

test("a liar with huge but finite numbers leaves a sound coordinate", () => {
  const ctx = dice(1);
  const node = new Vivaldi();
  const vector = ORIGIN.vector.map(() => 1e308);
  node.update(ctx, "b", { ...ORIGIN, vector, height: 1e308 }, 0.01);
  assert.ok(node.coordinate.vector.every(Number.isFinite));
  assert.ok(Number.isFinite(node.coordinate.height));
});

test("one late packet does not move a node that was well placed: the median does", () => {
  const ctx = dice(1);
  const [quiet, disturbed] = [new Vivaldi(), new Vivaldi()];
  const other = { ...ORIGIN, vector: ORIGIN.vector.map((_, i) => (i === 0 ? 0.01 : 0)) };
  for (const node of [quiet, disturbed]) {
    for (let i = 0; i < 30; i++) node.update(ctx, "b", other, 0.01);
  }
  quiet.update(ctx, "b", other, 0.01);
  disturbed.update(ctx, "b", other, 5);
  assert.deepEqual(disturbed.coordinate, quiet.coordinate);
});
