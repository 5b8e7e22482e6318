import assert from "node:assert/strict";
import { test } from "node:test";

import type { Context, RequestId } from "@quorate/kernel";
import { Simulation } from "@quorate/lab";

import { lan } from "../raft/config.ts";
import type { RaftWords } from "../raft/messages.ts";
import { Raft } from "../raft/raft.ts";
import { Checkpoints } from "./checkpoints.ts";
import { REPLICA_DEFAULTS } from "./config.ts";
import { Journal } from "./journal.ts";
import { Replica } from "./replica.ts";
import type { ReplicaResponse, ReplicaWords } from "./words.ts";

/** Asks until one is refused. Returns who was not. */
function fill(checkpoints: Checkpoints): readonly number[] {
  const asked: number[] = [];
  for (let id = 1; checkpoints.ask(id); id++) {
    asked.push(id);
    assert.ok(id < 1_000_000, "nobody is ever refused");
  }
  return asked;
}

test("all who ask before a checkpoint wait for that one, and each is told once", () => {
  const checkpoints = new Checkpoints();
  assert.equal(checkpoints.isDue(100), false);
  assert.deepEqual([checkpoints.ask(1), checkpoints.ask(2)], [true, true]);
  assert.equal(checkpoints.isDue(100), true);
  checkpoints.begin();
  assert.deepEqual(checkpoints.takeAsked(), [1, 2]);
  assert.deepEqual(checkpoints.takeAsked(), []);
  assert.equal(checkpoints.isDue(100), false);
});

test("while no checkpoint can be taken, only so many may wait", () => {
  const checkpoints = new Checkpoints();
  const asked = fill(checkpoints);
  assert.equal(checkpoints.waiting, asked.length);
  assert.deepEqual(checkpoints.takeAsked(), asked);
  assert.equal(checkpoints.ask(1), true, "once they are answered there is room");
});

test("a checkpoint is due when as much log has gathered as it would write, and no less than is worth it", () => {
  const checkpoints = new Checkpoints();
  checkpoints.logged(99);
  assert.equal(checkpoints.isDue(100), false);
  checkpoints.logged(1);
  assert.equal(checkpoints.isDue(100), true);
  checkpoints.begin();
  assert.equal(checkpoints.isDue(100), false);
  checkpoints.hasten();
  assert.equal(checkpoints.isDue(100), true);
});

type Words = ReplicaWords<RaftWords, number>;

/** Hears every request to it as often as it is told to, in one step. */
class Crowded extends Replica<RaftWords, number> {
  override onRequest(
    ctx: Context<Words>,
    id: RequestId,
    request: { readonly type: "checkpoint" },
  ): void {
    for (let i = 0; i < CROWD; i++) super.onRequest(ctx, id + i, request);
  }
}

const CROWD = 5_000;

test("a replica answers all who may wait with one checkpoint, and refuses the others by name", () => {
  const answers: ReplicaResponse<number>[] = [];
  let checkpoints = 0;
  const world = new Simulation<Words, Crowded>({
    seed: 1,
    nodes: ["a"],
    create: () => new Crowded(new Raft(lan({ voters: ["a"] })), new Journal(), REPLICA_DEFAULTS),
    observer: {
      noted: (_node, note) => void (checkpoints += note.type === "checkpoint" ? 1 : 0),
      answered: (_node, _id, response) => void answers.push(response),
    },
  });
  world.runFor(2_000);
  world.request("a", { type: "checkpoint" });
  world.runFor(100);
  assert.equal(checkpoints, 1);
  const refused = answers.filter(({ type }) => type === "checkpointRefused");
  const made = answers.filter(({ type }) => type === "checkpointed");
  assert.equal(refused.length + made.length, CROWD);
  assert.deepEqual(refused[0], { type: "checkpointRefused", waiting: made.length });
});
