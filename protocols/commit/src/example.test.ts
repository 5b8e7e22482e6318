import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { test } from "node:test";

import { Simulation } from "@quorate/lab";

import { type CommitRequest, TwoPhaseCommit, type TwoPhaseWords } from "./index.ts";

test("the example of the README commits", () => {
  // region: transfer
  const world = new Simulation<TwoPhaseWords, TwoPhaseCommit>({
    seed: 1,
    nodes: ["bank", "shop"],
    create: () => new TwoPhaseCommit(),
    onOutput(node, output) {
      // A resource that can always commit, and applies at once what it is told.
      const { tx } = output;
      const answer =
        output.type === "prepare" ? { type: "vote", tx, yes: true } : { type: "applied", tx };
      world.request(node, answer as CommitRequest, () => {});
    },
  });
  let outcome = "";
  world.request("bank", { type: "begin" }, (begun) => {
    if (begun.type !== "begun") return;
    const participants = ["bank", "shop"];
    world.request("bank", { type: "commit", tx: begun.tx, participants }, (ended) => {
      if (ended.type === "outcome") outcome = ended.outcome;
    });
  });
  world.runFor(1000);
  assert.equal(outcome, "committed");
  // endregion
});

test("the README shows that very code", () => {
  const root = new URL("../../../", import.meta.url);
  const read = (path: string): string => readFileSync(new URL(path, root), "utf8");
  const [, region] = /\/\/ region: transfer\n([^]*?)\n {2}\/\/ endregion/.exec(
    read("protocols/commit/src/example.test.ts"),
  )!;
  const [, block] = /```ts\n([^]*?)\n```/.exec(read("protocols/commit/README.md"))!;
  assert.equal(block, region!.replaceAll(/^ {2}/gm, ""));
});
