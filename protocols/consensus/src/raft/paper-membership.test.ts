/** What paper and thesis say of changes of membership (§6, thesis §4), one sentence a test. */

import assert from "node:assert/strict";
import { test } from "node:test";

import { encode } from "@quorate/kernel";

import { type Configuration, configurationCodec, type Entry, type Term } from "../entry.ts";
import { founded, type MembershipChange } from "../membership.ts";
import { command, Rig, three } from "./rig.test.ts";

function change(rig: Rig, ...changes: readonly MembershipChange[]): number {
  return rig.ask({ type: "reconfigure", changes, basedOn: undefined });
}

function made(configuration: Configuration, term: Term): Entry {
  return { term, kind: "configuration", data: encode(configurationCodec, configuration) };
}

/** A leader of term 2, its no-op committed at 2. */
function leader(learners: readonly string[] = []): Rig {
  const rig = new Rig([1], { ...three, learners });
  rig.elect("b");
  rig.agree("b", 2);
  for (const learner of learners) rig.agree(learner, 2);
  rig.clear();
  return rig;
}

test("§6: a server uses the latest configuration in its log, committed or not (R25)", () => {
  const rig = leader(["d"]);
  change(rig, { type: "promote", node: "d" });
  assert.deepEqual(rig.raft.configuration.voters, ["a", "b", "c", "d"]);
  rig.sync();
  rig.agree("b", 3);
  assert.equal(rig.raft.commitIndex, 2, "two of four do not commit it");
  rig.agree("d", 3);
  assert.equal(rig.raft.commitIndex, 3);
});

test("§6: a configuration that is truncated counts no more (R25)", () => {
  const rig = new Rig([1]);
  const next = founded({ voters: ["a", "b", "c", "d"] });
  const append = { type: "append", prevIndex: 1, prevTerm: 1, commit: 0 } as const;
  rig.hear("b", { ...append, term: 1, entries: [made(next, 1)] });
  assert.deepEqual(rig.raft.configuration.voters, next.voters);
  rig.hear("c", { ...append, term: 2, entries: [command("x", 2)] });
  assert.deepEqual(rig.raft.configuration.voters, three.voters);
});

test("thesis §4.1: one change at a time (R26)", () => {
  const rig = leader(["d"]);
  change(rig, { type: "promote", node: "d" });
  const second = change(rig, { type: "remove", node: "b" });
  assert.deepEqual(rig.answers.get(second), {
    type: "changeRefused",
    problem: "pending",
    node: undefined,
  });
});

test("Ongaro 2015: no change before an entry of the leader's term is committed (R27)", () => {
  const rig = new Rig([1]);
  rig.elect("b");
  const id = change(rig, { type: "remove", node: "c" });
  const answer = rig.answers.get(id);
  assert.ok(answer?.type === "changeRefused" && answer.problem === "notReady");
  rig.agree("b", 2);
  change(rig, { type: "remove", node: "c" });
  assert.deepEqual(rig.raft.configuration.voters, ["a", "b"]);
});

test("§6: the leader leaves a joint configuration once both majorities have it (R28)", () => {
  const rig = leader(["d", "e"]);
  const id = change(
    rig,
    { type: "promote", node: "d" },
    { type: "promote", node: "e" },
    { type: "remove", node: "b" },
  );
  assert.deepEqual(rig.raft.configuration.outgoing, ["a", "b", "c"]);
  rig.sync();
  rig.agree("d", 3);
  rig.agree("e", 3);
  assert.equal(rig.raft.commitIndex, 2, "the old majority is missing");
  rig.agree("b", 3);
  assert.deepEqual(rig.raft.configuration.outgoing, []);
  assert.equal(rig.raft.lastIndex, 4);
  assert.equal(rig.answers.get(id), undefined, "the change is not over yet");
  rig.sync();
  rig.agree("d", 4);
  rig.agree("e", 4);
  assert.equal(rig.answers.get(id)?.type, "reconfigured");
});

test("§6: a leader that is removed does not count itself, and leaves (R29)", () => {
  const rig = leader();
  change(rig, { type: "remove", node: "a" });
  rig.sync();
  assert.equal(rig.raft.commitIndex, 2);
  rig.agree("b", 3);
  assert.equal(rig.raft.commitIndex, 2, "a and b are not two of {b c}");
  rig.agree("c", 3);
  assert.equal(rig.raft.commitIndex, 3);
  assert.equal(rig.lastTo("b", "timeoutNow").lastIndex, 3);
  rig.fire("transfer");
  assert.equal(rig.raft.role, "learner", "and if nobody takes over it steps down all the same");
});

test("thesis §4.2.2: a server whose removal is not committed stands for election (R8)", () => {
  const rig = new Rig([1]);
  const append = { type: "append", prevIndex: 1, prevTerm: 1, term: 1 } as const;
  rig.hear("b", { ...append, commit: 1, entries: [made(founded({ voters: ["b", "c"] }), 1)] });
  rig.fire("election");
  assert.equal(rig.raft.role, "candidate");
  rig.hear("b", { ...append, prevIndex: 2, commit: 2, entries: [] });
  rig.fire("election");
  assert.equal(rig.raft.role, "learner", "once it is committed it does not");
});

test("a member of priority 0 does not stand, one of lower priority waits longer", () => {
  const traits = (priority: number) => [{ node: "a", address: "", priority }];
  const never = new Rig([1], { ...three, traits: traits(0) });
  never.fire("election");
  assert.equal(never.raft.role, "follower");
  const waits = (rig: Rig) => {
    rig.hear("b", { type: "heartbeat", term: 1, commit: 0, round: 1 });
    return rig.timers.get("election")![0];
  };
  const low = new Rig([1], { ...three, traits: [{ node: "b", address: "", priority: 2 }] });
  assert.ok(waits(low) > waits(new Rig([1])));
});

test("L8: after a seal nothing is accepted, and a new leader's no-op is no exception to it", () => {
  const rig = leader();
  const id = rig.ask({ type: "seal", data: Uint8Array.of(7) });
  const late = rig.propose("x");
  const answer = rig.answers.get(late);
  assert.ok(answer?.type === "rejected" && answer.reason === "sealed" && answer.definite);
  rig.sync();
  rig.agree("b", 3);
  assert.deepEqual(rig.answers.get(id), { type: "sealed", index: 3, term: 2 });
  assert.ok(rig.raft.snapshotMeta(3).sealed);
  assert.ok(!rig.raft.snapshotMeta(2).sealed);
});
