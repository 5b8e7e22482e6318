import assert from "node:assert/strict";
import { test } from "node:test";

import { Simulation } from "@quorate/lab";

import { PHI_DEFAULTS, PhiAccrual, type PhiWords } from "./phi.ts";

function open(nodes: number, seed: number, changes: Partial<typeof PHI_DEFAULTS> = {}) {
  const names = Array.from({ length: nodes }, (_, i) => `n${i}`);
  const said: [node: string, type: string, about: string, at: number][] = [];
  let now = () => 0;
  const world = new Simulation<PhiWords, PhiAccrual>({
    seed,
    nodes: names,
    create: () => new PhiAccrual({ ...PHI_DEFAULTS, ...changes, peers: names }),
    latencyMs: [1, 10],
    onOutput: (node, { type, node: about }) => said.push([node, type, about, now()]),
  });
  now = () => world.now;
  return { world, said };
}

test("suspicion grows with silence, in units of how long silence used to last", () => {
  const { world } = open(2, 1);
  world.runFor(60_000);
  world.crash("n1");
  const at = world.now;
  world.runFor(2000);
  const node = world.process("n0")!;
  const [soon, later] = [node.phi("n1", at + 3000)!, node.phi("n1", at + 6000)!];
  assert.ok(later > 1.7 * soon && soon > 1, `${soon}, ${later}`);
});

test("a crash is noticed by all, and a return too", () => {
  const { world, said } = open(8, 2);
  world.runFor(60_000);
  assert.equal(said.length, 0, "nobody is called gone who is not");
  world.crash("n3");
  world.runFor(60_000);
  assert.equal(said.filter(([, type, about]) => type === "gone" && about === "n3").length, 7);
  assert.equal(world.process("n0")!.opinionOf("n3"), "gone");
  assert.equal(world.process("n0")!.opinionOf("n4"), "present");
  assert.equal(world.process("n0")!.opinionOf("nobody"), "unknown");
  world.start("n3");
  world.runFor(10_000);
  assert.equal(said.filter(([, type, about]) => type === "back" && about === "n3").length, 7);
});

test("a higher threshold is slower and surer", () => {
  const noticed = (threshold: number) => {
    const { world, said } = open(6, 3, { threshold });
    world.runFor(60_000);
    const at = world.now;
    world.crash("n5");
    world.runFor(120_000);
    return Math.min(...said.map(([, , , time]) => time - at));
  };
  const [low, high] = [noticed(4), noticed(12)];
  assert.ok(high > 2 * low, `${low}, ${high}`);
});
