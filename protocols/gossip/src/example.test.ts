/** The examples of the README, which are the code below. */

import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { test } from "node:test";

import { Simulation } from "@quorate/lab";

import {
  type BroadcastWords,
  type GossipWords,
  lan,
  plainWire,
  Plumtree,
  Serf,
  serfDefaults,
} from "./index.ts";

test("a cluster joins, tells an event, and notices a crash", () => {
  // region: serf
  const world = new Simulation<GossipWords, Serf>({
    seed: 1,
    nodes: ["a", "b", "c"],
    create: (name) =>
      new Serf(serfDefaults(lan({ name, wire: plainWire }), { tags: { role: "web" } })),
    onOutput: (node, output) => said.push(`${node}: ${output.type}`),
  });
  for (const node of ["b", "c"]) {
    world.request(node, { type: "join", addresses: ["a"], replay: false }, () => {});
  }
  world.runFor(2000);
  const payload = new Uint8Array(0);
  world.request("b", { type: "userEvent", name: "deploy", payload, coalesce: false }, () => {});
  world.runFor(2000);
  world.crash("c");
  world.runFor(30_000);
  const [, , c] = world.process("a")!.memberList().toSorted(byName);
  assert.equal(c?.status, "failed");
  // endregion
  assert.equal(said.filter((line) => line.endsWith("userEvent")).length, 3);
});

test("a broadcast reaches everybody", () => {
  // region: broadcast
  const names = Array.from({ length: 50 }, (_, i) => `n${i}`);
  const reached = new Set<string>();
  const world = new Simulation<BroadcastWords, Plumtree>({
    seed: 1,
    nodes: names,
    create: () => new Plumtree(),
    onOutput: (node) => reached.add(node),
  });
  for (const node of names.slice(1)) world.request(node, { type: "join", contact: "n0" }, () => {});
  world.runFor(10_000);
  const payload = Uint8Array.of(1, 2, 3);
  world.request("n7", { type: "broadcast", id: "block 1", payload }, () => {});
  world.runFor(1000);
  assert.equal(reached.size, 50);
  // endregion
});

const said: string[] = [];

function byName(a: { readonly name: string }, b: { readonly name: string }): number {
  return a.name < b.name ? -1 : 1;
}

test("the README shows this code", () => {
  const read = (path: string) => readFileSync(new URL(path, import.meta.url), "utf8");
  const readme = read("../README.md");
  const source = read("../src/example.test.ts").split("\n");
  const blocks = [...readme.matchAll(/<!-- #(\S+) -->\n+```ts\n([^]*?)\n```/g)];
  assert.equal(blocks.length, readme.match(/^```ts/gm)?.length, "every block names its region");
  for (const [, name, block] of blocks) {
    const start = source.findIndex((line) => line.trim() === `// region: ${name}`);
    const length = source.slice(start).findIndex((line) => line.trim() === "// endregion");
    const body = source.slice(start + 1, start + length).map((line) => line.replace(/^ {2}/, ""));
    assert.equal(block, body.join("\n"), `region ${name}`);
  }
});
