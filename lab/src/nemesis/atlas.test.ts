import assert from "node:assert/strict";
import { test } from "node:test";

import { Random } from "@quorate/kernel";

import { Atlas } from "./atlas.ts";

const NODES = ["a", "b", "c", "d", "e"];

function vulnerable(atlas: Atlas, region: number): readonly string[] {
  return NODES.filter((node) => atlas.isVulnerable(node, region));
}

test("no region may be damaged on more nodes than the protocol can lose, and any node's somewhere", () => {
  const atlas = new Atlas(NODES, 2, new Random(7));
  const seen = new Set<string>();
  for (let region = 0; region < 200; region++) {
    const nodes = vulnerable(atlas, region);
    assert.equal(nodes.length, 2);
    for (const node of nodes) seen.add(node);
  }
  assert.deepEqual([...seen].toSorted(), NODES);
  const none = new Atlas(NODES, 0, new Random(7));
  for (let region = 0; region < 20; region++) assert.deepEqual(vulnerable(none, region), []);
});

test("an atlas is a function of the seed, in whatever order it is asked", () => {
  const one = new Atlas(NODES, 2, new Random(3));
  const two = new Atlas(NODES, 2, new Random(3));
  const forwards = Array.from({ length: 30 }, (_, region) => vulnerable(one, region));
  const backwards = Array.from({ length: 30 }, (_, i) => vulnerable(two, 29 - i)).toReversed();
  assert.deepEqual(forwards, backwards);
});
