/** Transactions among nodes that crash, over a network that loses and repeats, with disks that forget. */

import assert from "node:assert/strict";
import { test } from "node:test";

import type { NodeId, Random } from "@quorate/kernel";
import { Simulation } from "@quorate/lab";

import type { CommitOutput, Outcome, TxId } from "../atomic-commit.ts";
import type { TwoPhaseWords } from "./messages.ts";
import { TwoPhaseCommit } from "./two-phase-commit.ts";

const SEEDS = Number(process.env["QUORATE_SEEDS"] ?? 40);

/** The resources of all nodes. Their disks are better than the nodes'. */
class Resources {
  readonly outcomes = new Map<string, Outcome>();
  private readonly votes = new Map<string, boolean>();
  private readonly random: Random;

  constructor(random: Random) {
    this.random = random;
  }

  /** What a resource answers, and whether it does so now. */
  answer(node: NodeId, output: CommitOutput): TwoPhaseWords["Request"] {
    const { tx } = output;
    const name = `${node} ${tx}`;
    if (output.type === "prepare") {
      const yes = this.votes.get(name) ?? !this.random.chance(1, 10);
      this.votes.set(name, yes);
      if (!yes) this.settle(name, "aborted");
      return { type: "vote", tx, yes };
    }
    this.settle(name, output.outcome);
    return { type: "applied", tx };
  }

  private settle(name: string, outcome: Outcome): void {
    assert.equal(this.outcomes.get(name) ?? outcome, outcome, `AC2: ${name}`);
    this.outcomes.set(name, outcome);
  }
}

for (let seed = 1; seed <= SEEDS; seed++) {
  test(`all commit or none does, and everybody learns (QUORATE_SEEDS=${seed}, seed ${seed})`, () => {
    const nodes = ["a", "b", "c", "d"];
    const told = new Map<TxId, Outcome>();
    const world: Simulation<TwoPhaseWords, TwoPhaseCommit> = new Simulation({
      seed,
      nodes,
      create: () => new TwoPhaseCommit({ voteMs: 800, retryMs: 100, checkpointRecords: 1 + seed }),
      latencyMs: [1, [5, 60][seed % 2]!],
      lossPermille: [0, 50, 200][seed % 3]!,
      duplicatePermille: [0, 100][(seed >> 1) % 2]!,
      syncMs: [1, [2, 40][(seed >> 2) % 2]!],
      freeze: true,
      onOutput(node, output) {
        const request = resources.answer(node, output);
        if (world.process(node) !== undefined) world.request(node, request, () => {});
      },
    });
    const { random } = world;
    const resources = new Resources(random);
    for (let i = 0; i < 60; i++) {
      const node = nodes[random.below(nodes.length)]!;
      if (world.process(node) === undefined) world.start(node);
      else if (random.chance(1, 8)) world.crash(node);
      else
        begin(
          world,
          node,
          nodes.filter(() => random.chance(2, 3)),
          told,
        );
      world.runFor(random.below(150));
    }
    for (const id of nodes) if (world.process(id) === undefined) world.start(id);
    world.runFor(60_000);
    const outcomes = new Map<TxId, Outcome>(told);
    for (const [name, outcome] of resources.outcomes) {
      const tx = name.slice(name.indexOf(" ") + 1);
      assert.equal(outcomes.get(tx) ?? outcome, outcome, `AC1: ${tx} at ${name}`);
      outcomes.set(tx, outcome);
    }
    for (const id of nodes) assert.equal(world.process(id)!.inDoubt.size, 0, "AC5");
    assert.ok([...outcomes.values()].includes("committed"));
  });
}

function begin(
  world: Simulation<TwoPhaseWords, TwoPhaseCommit>,
  node: NodeId,
  participants: readonly NodeId[],
  told: Map<TxId, Outcome>,
): void {
  world.request(node, { type: "begin" }, (begun) => {
    if (begun.type !== "begun" || world.process(node) === undefined) return;
    world.request(node, { type: "commit", tx: begun.tx, participants }, (ended) => {
      if (ended.type === "outcome") told.set(ended.tx, ended.outcome);
    });
  });
}

test("requests about transactions that are not there are refused", () => {
  const world = new Simulation<TwoPhaseWords, TwoPhaseCommit>({
    seed: 1,
    nodes: ["a"],
    create: () => new TwoPhaseCommit(),
  });
  const answers: unknown[] = [];
  const ask = (request: TwoPhaseWords["Request"]): void => {
    world.request("a", request, (response) => answers.push(response));
  };
  ask({ type: "commit", tx: "a:1:9", participants: ["a"] });
  ask({ type: "commit", tx: "a:1:9", participants: [] });
  ask({ type: "abort", tx: "a:1:9" });
  ask({ type: "vote", tx: "a:1:9", yes: true });
  ask({ type: "applied", tx: "a:1:9" });
  world.runFor(100);
  assert.deepEqual(
    answers,
    ["unknown", "noParticipants", "unknown", "unknown", "unknown"].map((reason) => ({
      type: "rejected",
      reason,
    })),
  );
});

test("a configuration that makes no sense is refused by name", () => {
  assert.throws(
    () => new TwoPhaseCommit({ voteMs: 0, retryMs: 1, checkpointRecords: 1 }),
    /twoPhase.voteMs is 0/,
  );
});
