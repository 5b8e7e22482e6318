/**
 * Snapshots, transfer of leadership and reads: one test for each sentence and each
 * rule R21–R24 and R31–R33 of PROTOCOL.md.
 */

import assert from "node:assert/strict";
import { test } from "node:test";

import type { Index, SnapshotMeta, Term } from "../entry.ts";
import { checkConfig, lan, wan } from "./config.ts";
import { Rig, three } from "./rig.test.ts";

function meta(index: Index, term: Term): SnapshotMeta {
  return { index, term, configuration: three, configurationIndex: 0, sealed: false };
}

function heartbeatAck(term: Term, round: number) {
  return { type: "heartbeatAck", term, round, slow: false } as const;
}

/** A leader of term 2 whose log is [1 2], committed. */
function leader(leaseReads: boolean = false): Rig {
  const rig = new Rig([1], three, { leaseReads });
  // With leases it first outwaits what its last life may have promised.
  rig.now = 500;
  rig.elect("b");
  rig.agree("b", 2);
  rig.clear();
  return rig;
}

test("R21: a snapshot is named by its last entry and the configuration there", () => {
  const rig = leader();
  assert.deepEqual(rig.raft.snapshotMeta(2), meta(2, 2));
  assert.throws(() => rig.raft.snapshotMeta(3), /committed/);
});

test("R22: a log that lacks the snapshot's entry begins anew after it", () => {
  const rig = new Rig([1, 1, 1]);
  rig.ask({ type: "install", meta: meta(2, 2) });
  assert.deepEqual(rig.raft.log.base, { index: 2, term: 2 });
  assert.equal(rig.raft.lastIndex, 2);
  assert.equal(rig.raft.commitIndex, 2);
  assert.deepEqual(rig.records.at(-1), { type: "snapshot", meta: meta(2, 2) });
});

test("R22: a log that has the snapshot's entry keeps what follows it", () => {
  const rig = new Rig([1, 1, 1]);
  rig.ask({ type: "install", meta: meta(2, 1) });
  assert.deepEqual(rig.terms, [1, 1, 1]);
  assert.equal(rig.raft.commitIndex, 2);
});

test("R22: a snapshot of what is committed already is refused, and a leader takes none", () => {
  const rig = leader();
  const id = rig.ask({ type: "install", meta: meta(9, 9) });
  const answer = rig.answers.get(id)!;
  assert.equal(answer.type === "rejected" && answer.reason, "stale");
  const follower = new Rig([1, 1]);
  follower.hear("b", { type: "heartbeat", term: 1, round: 1, commit: 2 });
  const again = follower.ask({ type: "install", meta: meta(2, 1) });
  assert.equal(follower.answers.get(again)!.type, "rejected");
});

test("R22: recovery of a snapshot's record gives the same log", () => {
  const rig = new Rig([1, 1, 1]);
  rig.raft.recover({ type: "snapshot", meta: meta(5, 3) });
  assert.deepEqual(rig.raft.log.base, { index: 5, term: 3 });
  assert.equal(rig.raft.commitIndex, 5);
});

test("R24, I7: only what is committed is compacted away", () => {
  const rig = leader();
  rig.propose("x");
  assert.throws(() => rig.raft.compact(meta(3, 2), 1, Infinity), /I7/);
});

test("R24: some log is kept, by bytes and for who is being sent a snapshot", () => {
  const rig = leader();
  for (const text of ["x", "y", "z"]) rig.propose(text);
  rig.sync();
  rig.agree("b", 5);
  rig.raft.compact(rig.raft.snapshotMeta(5), 40, Infinity);
  assert.equal(rig.raft.log.base.index, 3);
  const other = leader();
  for (const text of ["x", "y", "z"]) other.propose(text);
  other.sync();
  other.agree("b", 5);
  other.raft.compact(other.raft.snapshotMeta(5), 1, 3);
  assert.equal(other.raft.log.base.index, 3);
});

test("an image recovers the log as it is", () => {
  const rig = leader();
  rig.propose("x");
  rig.raft.compact(rig.raft.snapshotMeta(2), 1, Infinity);
  const copy = new Rig();
  for (const record of rig.raft.image(rig.raft.snapshotMeta(2))) copy.raft.recover(record);
  assert.deepEqual(copy.raft.log, rig.raft.log);
  assert.equal(copy.raft.term, 2);
  assert.equal(copy.raft.commitIndex, 2);
});

test("§7: who needs what is compacted away is sent a snapshot, if it answers", () => {
  const rig = leader();
  rig.raft.compact(rig.raft.snapshotMeta(2), 1, Infinity);
  const refused = { type: "refused", term: 2, prevIndex: 1, hintIndex: 0, hintTerm: 0 } as const;
  rig.hear("c", refused);
  rig.propose("x");
  assert.deepEqual(
    rig.outputs.filter(({ type }) => type === "snapshotWanted"),
    [{ type: "snapshotWanted", to: "c", atLeast: 2, sources: ["a"] }],
    "once",
  );
  rig.clear();
  rig.ask({ type: "snapshotSent", to: "c", index: 2 });
  assert.equal(rig.lastTo("c", "append").prevIndex, 2);
});

test("a snapshot that could not be sent is asked for again when the member is heard of", () => {
  const rig = leader();
  rig.raft.compact(rig.raft.snapshotMeta(2), 1, Infinity);
  rig.hear("c", { type: "refused", term: 2, prevIndex: 1, hintIndex: 0, hintTerm: 0 });
  rig.fire("quorum");
  rig.hear("b", heartbeatAck(2, 1));
  rig.fire("quorum");
  rig.clear();
  rig.ask({ type: "snapshotFailed", to: "c" });
  assert.equal(rig.outputs.length, 0, "it has not answered since");
  rig.hear("c", heartbeatAck(2, 1));
  assert.equal(rig.outputs.at(-1)?.type, "snapshotWanted");
});

test("R31, thesis §3.10: a leader that hands over accepts nothing new", () => {
  const rig = leader();
  rig.ask({ type: "transfer", to: "b" });
  for (const request of [
    { type: "propose", data: new Uint8Array(0) },
    { type: "read", level: "linearizable" },
    { type: "read", level: "lease" },
    { type: "transfer", to: "c" },
  ] as const) {
    const answer = rig.answers.get(rig.ask(request))!;
    assert.equal(answer.type === "rejected" && answer.reason, "transferring");
    assert.equal(answer.type === "rejected" && answer.definite, true);
  }
});

test("R31: the successor is summoned when it has the whole log, on the disk", () => {
  const rig = leader();
  rig.propose("x");
  rig.ask({ type: "transfer", to: "b" });
  assert.deepEqual(rig.allTo("b", "timeoutNow"), []);
  rig.agree("b", 3);
  assert.deepEqual(rig.lastTo("b", "timeoutNow"), { type: "timeoutNow", term: 2, lastIndex: 3 });
});

test("R31: a summoned node campaigns at once, without asking first, for a transfer", () => {
  const rig = new Rig([1, 1]);
  rig.hear("b", { type: "heartbeat", term: 1, round: 1, commit: 0 });
  rig.hear("b", { type: "timeoutNow", term: 1, lastIndex: 2 });
  const question = rig.lastTo("c", "requestVote");
  assert.deepEqual([question.pre, question.transfer, question.term], [false, true, 2]);
});

test("R31: a summons of another term, or for a longer log, is not obeyed", () => {
  const rig = new Rig([1, 3]);
  rig.hear("b", { type: "timeoutNow", term: 2, lastIndex: 1 });
  rig.hear("b", { type: "timeoutNow", term: 3, lastIndex: 9 });
  assert.equal(rig.raft.term, 3);
  assert.equal(rig.raft.role, "follower");
});

test("R31: a transfer that takes an election timeout is given up, its outcome unknown", () => {
  const rig = leader();
  const id = rig.ask({ type: "transfer", to: "b" });
  rig.fire("transfer");
  const expected = { type: "rejected", reason: "timeout", leader: "a", definite: false };
  assert.deepEqual(rig.answers.get(id), expected);
  assert.equal(rig.answers.has(rig.propose("x")), false, "and proposals are accepted again");
});

test("R31: whoever leads next, the transfer is answered with its name", () => {
  const rig = leader();
  const id = rig.ask({ type: "transfer", to: "b" });
  rig.hear("c", { type: "heartbeat", term: 3, round: 1, commit: 0 });
  assert.deepEqual(rig.answers.get(id), { type: "transferred", leader: "c" });
  assert.equal(rig.timers.has("transfer"), false);
});

test("R31: without a wish the member furthest along is chosen; a learner never", () => {
  const rig = leader();
  rig.ask({ type: "transfer", to: undefined });
  assert.equal(rig.allTo("b", "timeoutNow").length, 1);
  const other = new Rig([1], { voters: ["a", "b"], outgoing: [], learners: ["c"] });
  other.elect("b");
  const answer = other.answers.get(other.ask({ type: "transfer", to: "c" }))!;
  assert.equal(answer.type === "rejected" && answer.reason, "stale");
});

test("R32, §6.4: a read waits for a round of heartbeats that begins after it was asked", () => {
  const rig = leader();
  const round = 1;
  const id = rig.ask({ type: "read", level: "linearizable" });
  const asked = rig.lastTo("b", "heartbeat").round;
  assert.ok(asked > round);
  rig.hear("b", heartbeatAck(2, round));
  assert.equal(rig.answers.has(id), false, "an answer to an earlier round proves nothing");
  rig.hear("b", heartbeatAck(2, asked));
  assert.deepEqual(rig.answers.get(id), { type: "readable", index: 2 });
});

test("R32: reads that come during a round share the next one", () => {
  const rig = leader();
  rig.ask({ type: "read", level: "linearizable" });
  const first = rig.lastTo("b", "heartbeat").round;
  const later = [1, 2, 3].map(() => rig.ask({ type: "read", level: "linearizable" }));
  assert.equal(rig.lastTo("b", "heartbeat").round, first);
  rig.hear("b", heartbeatAck(2, first));
  assert.equal(rig.lastTo("b", "heartbeat").round, first + 1);
  rig.hear("b", heartbeatAck(2, first + 1));
  for (const id of later) assert.equal(rig.answers.get(id)?.type, "readable");
});

test("R32, §8: a read waits until the leader has committed an entry of its term", () => {
  const rig = new Rig([1, 1]);
  rig.elect("b");
  const id = rig.ask({ type: "read", level: "linearizable" });
  rig.hear("b", heartbeatAck(2, 1));
  assert.equal(rig.answers.has(id), false);
  rig.agree("b", 3);
  rig.hear("b", heartbeatAck(2, rig.lastTo("b", "heartbeat").round));
  assert.deepEqual(rig.answers.get(id), { type: "readable", index: 3 });
});

test("R32: a read reads at the index that was committed when it was asked", () => {
  const rig = leader();
  const id = rig.ask({ type: "read", level: "linearizable" });
  const { round } = rig.lastTo("b", "heartbeat");
  rig.propose("x");
  rig.sync();
  rig.agree("b", 3);
  rig.hear("b", heartbeatAck(2, round));
  assert.deepEqual(rig.answers.get(id), { type: "readable", index: 2 });
});

test("R32: reads of a leadership that ends certainly had no effect", () => {
  const rig = leader();
  const id = rig.ask({ type: "read", level: "linearizable" });
  rig.hear("b", { type: "heartbeat", term: 3, round: 1, commit: 0 });
  const answer = rig.answers.get(id)!;
  assert.equal(answer.type === "rejected" && answer.definite, true);
});

test("I9: an answer to a round that was never sent stops the leader", () => {
  const rig = leader();
  assert.throws(() => rig.hear("b", heartbeatAck(2, 99)), /I9/);
});

test("scenario R2: an old leader's heartbeat is answered with the term and with no round", () => {
  const rig = new Rig([1, 3]);
  rig.hear("b", { type: "heartbeat", term: 2, round: 7, commit: 0 });
  assert.deepEqual(rig.lastTo("b", "heartbeatAck"), heartbeatAck(3, 0));
});

test("R33, thesis §6.4.1: a lease counts from the sending of a round, less the drift of clocks", () => {
  const rig = leader(true);
  rig.hear("b", heartbeatAck(2, 1));
  rig.now = 1000;
  rig.fire("heartbeat");
  const { round } = rig.lastTo("b", "heartbeat");
  rig.now = 1300;
  rig.hear("b", heartbeatAck(2, round));
  rig.now = 1453;
  assert.equal(rig.answers.get(rig.ask({ type: "read", level: "lease" }))?.type, "readable");
  assert.equal(rig.answers.get(rig.ask({ type: "read", level: "linearizable" })), undefined);
  rig.now = 1454;
  assert.equal(rig.answers.get(rig.ask({ type: "read", level: "lease" })), undefined);
});

test("R33: without the setting a lease read is a linearizable one", () => {
  const rig = leader();
  rig.hear("b", heartbeatAck(2, 1));
  assert.equal(rig.answers.get(rig.ask({ type: "read", level: "lease" })), undefined);
});

test("R33, scenario R3: who summons a successor has no lease until it is elected anew", () => {
  const rig = leader(true);
  rig.ask({ type: "transfer", to: "b" });
  rig.fire("transfer");
  rig.fire("heartbeat");
  rig.hear("b", heartbeatAck(2, rig.lastTo("b", "heartbeat").round));
  assert.equal(rig.answers.get(rig.ask({ type: "read", level: "lease" })), undefined);
});

test("R33, scenario R3: with leases, a node that starts refuses votes for an election timeout", () => {
  const rig = new Rig([1], three, { leaseReads: true });
  const question = { type: "requestVote", lastIndex: 9, lastTerm: 1, transfer: false } as const;
  rig.now = 499;
  rig.hear("b", { ...question, term: 2, pre: true, round: 1 });
  assert.equal(rig.lastTo("b", "vote").granted, false);
  rig.now = 500;
  rig.hear("b", { ...question, term: 2, pre: true, round: 2 });
  assert.equal(rig.lastTo("b", "vote").granted, true);
});

test("R33, scenario R3: with leases, a hint that the leader is gone changes nothing", () => {
  const rig = new Rig([1], three, { leaseReads: true });
  rig.hear("b", { type: "heartbeat", term: 1, round: 1, commit: 0 });
  rig.raft.onUnreachable(rig, "b");
  assert.equal(rig.raft.leader, "b");
});

test("settings that make no sense are refused by name", () => {
  checkConfig(lan(three));
  checkConfig(wan(three));
  for (const [wrong, message] of [
    [{ electionMs: 299 }, /raft\.electionMs is 299 .*300/],
    [{ heartbeatMs: 0 }, /raft\.heartbeatMs/],
    [{ appendBytes: 1.5 }, /raft\.appendBytes/],
    [{ inflightMessages: -1 }, /raft\.inflightMessages/],
    [{ inflightBytes: Number.NaN }, /raft\.inflightBytes/],
    [{ uncommittedBytes: 0 }, /raft\.uncommittedBytes/],
    [{ clockDriftPermille: -1 }, /raft\.clockDriftPermille/],
    [{ initial: { ...three, learners: ["a"] } }, /raft\.initial/],
  ] as const) {
    assert.throws(() => checkConfig({ ...lan(three), ...wrong }), message);
  }
});
