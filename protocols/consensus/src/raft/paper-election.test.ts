/** Elections: one test for each sentence of the paper and each rule R1–R10 of PROTOCOL.md. */

import assert from "node:assert/strict";
import { test } from "node:test";

import type { Index, Term } from "../entry.ts";
import type { RequestVote } from "./messages.ts";
import { command, five, Rig, three } from "./rig.test.ts";

function ask(term: Term, lastIndex: Index, lastTerm: Term, more: Partial<RequestVote> = {}) {
  const plain = { pre: false, transfer: false, round: 1 };
  return { type: "requestVote", term, lastIndex, lastTerm, ...plain, ...more } as const;
}

function heartbeat(term: Term, round: number = 1, commit: Index = 0) {
  return { type: "heartbeat", term, round, commit } as const;
}

test("R1: term and vote are one record, written before the vote is said", () => {
  const rig = new Rig();
  rig.hear("b", ask(3, 0, 0));
  assert.deepEqual(rig.records.at(-1), { type: "state", term: 3, votedFor: "b" });
  const vote = rig.said.at(-1)!;
  assert.equal(vote.message.type, "vote");
  assert.equal(vote.eager, false);
  assert.equal(vote.after, rig.written);
});

test("R1: what was voted is known after a restart", () => {
  const rig = new Rig();
  rig.raft.recover({ type: "state", term: 3, votedFor: "b" });
  rig.hear("c", ask(3, 0, 0));
  assert.equal(rig.lastTo("c", "vote").granted, false);
  rig.hear("b", ask(3, 0, 0));
  assert.equal(rig.lastTo("b", "vote").granted, true, "and said again to the same candidate");
});

test("R2, §5.2: each server votes for at most one candidate in a term, first come, first served", () => {
  const rig = new Rig([], five);
  rig.hear("b", ask(1, 0, 0));
  rig.hear("c", ask(1, 9, 1));
  assert.equal(rig.lastTo("b", "vote").granted, true);
  assert.equal(rig.lastTo("c", "vote").granted, false);
  rig.hear("c", ask(2, 9, 1));
  assert.equal(rig.lastTo("c", "vote").granted, true, "a later term is a new vote");
});

for (const [lastTerm, lastIndex, granted] of [
  [2, 2, false],
  [2, 3, true],
  [2, 4, true],
  [1, 9, false],
  [3, 1, true],
] as const) {
  test(`R3, §5.4.1: against ${lastIndex}@${lastTerm}, a log that ends in 3@2 ${granted ? "votes" : "does not vote"}`, () => {
    const rig = new Rig([1, 2, 2]);
    rig.hear("b", ask(4, lastIndex, lastTerm));
    assert.equal(rig.lastTo("b", "vote").granted, granted);
    rig.hear("c", ask(5, lastIndex, lastTerm, { pre: true }));
    assert.equal(rig.lastTo("c", "vote").granted, granted, "and a pre-vote the same");
  });
}

test("R3, §5.1: a request of an earlier term is refused, with the present one", () => {
  const rig = new Rig([1, 3]);
  rig.hear("b", ask(2, 9, 2));
  assert.deepEqual(rig.lastTo("b", "vote"), {
    type: "vote",
    term: 3,
    pre: false,
    granted: false,
    round: 1,
  });
});

test("R4: a candidate's own vote counts once it is on the disk", () => {
  const rig = new Rig();
  rig.fire("election");
  rig.vote("b", { term: 1, pre: true, round: 1 });
  rig.vote("b", { term: 1, pre: false, round: 2 });
  assert.equal(rig.raft.role, "candidate");
  rig.sync(rig.written - 1);
  assert.equal(rig.raft.role, "candidate");
  rig.sync();
  assert.equal(rig.raft.role, "leader");
});

test("R4, scenario E14: a candidate's question waits for the log it tells of", () => {
  const rig = new Rig([1]);
  rig.elect("b");
  rig.propose("x");
  rig.fire("quorum");
  rig.fire("quorum");
  rig.clear();
  rig.fire("election");
  const question = rig.said.find(({ message }) => message.type === "requestVote")!;
  assert.equal(question.eager, false);
  assert.equal(question.after, rig.written);
});

test("R5, thesis §4.2.3: who has just heard a leader ignores votes and does not adopt their term", () => {
  const rig = new Rig([1]);
  rig.hear("b", heartbeat(1));
  rig.clear();
  rig.now = 499;
  rig.hear("c", ask(7, 9, 6));
  assert.equal(rig.raft.term, 1);
  assert.deepEqual(rig.said, []);
  rig.now = 500;
  rig.hear("c", ask(7, 9, 6));
  assert.equal(rig.lastTo("c", "vote").granted, true);
});

test("R5: a leader ignores votes too", () => {
  const rig = new Rig([1]);
  rig.elect("b");
  rig.clear();
  rig.now = 10_000;
  rig.hear("c", ask(9, 9, 8));
  assert.equal(rig.raft.role, "leader");
  assert.deepEqual(rig.said, []);
});

test("R5, thesis §3.10: an election that the leader wants is not ignored", () => {
  const rig = new Rig([1]);
  rig.hear("b", heartbeat(1));
  rig.hear("c", ask(2, 1, 1, { transfer: true }));
  assert.equal(rig.lastTo("c", "vote").granted, true);
});

test("R6, thesis §9.6: a pre-vote changes nothing: no term, no vote, no timer, no record", () => {
  const rig = new Rig([1]);
  rig.clear();
  rig.timers.clear();
  rig.hear("b", ask(2, 1, 1, { pre: true }));
  assert.equal(rig.lastTo("b", "vote").granted, true);
  assert.equal(rig.raft.term, 1);
  assert.deepEqual(rig.records, []);
  assert.equal(rig.timers.size, 0);
  rig.hear("c", ask(2, 1, 1, { pre: true }));
  assert.equal(rig.lastTo("c", "vote").granted, true, "it binds to nobody");
});

test("R6: a granted pre-vote names the term asked for, a refused one the own", () => {
  const rig = new Rig([1, 3]);
  rig.hear("b", ask(4, 9, 3, { pre: true }));
  assert.equal(rig.lastTo("b", "vote").term, 4);
  rig.hear("b", ask(4, 1, 1, { pre: true }));
  assert.equal(rig.lastTo("b", "vote").term, 3);
});

test("R6: a candidate that is refused from a later term adopts it", () => {
  const rig = new Rig([1]);
  rig.fire("election");
  rig.hear("b", { type: "vote", term: 5, pre: true, granted: false, round: 1 });
  assert.equal(rig.raft.term, 5);
  assert.equal(rig.raft.role, "follower");
});

test("R6: a candidate keeps its term until it wins the pre-vote", () => {
  const rig = new Rig([1]);
  for (let i = 0; i < 5; i++) rig.fire("election");
  assert.equal(rig.raft.term, 1);
  assert.deepEqual(rig.records, []);
});

test("R6, scenario E6: answers of another round, phase or term are not counted", () => {
  const rig = new Rig([], five);
  rig.fire("election");
  rig.fire("election");
  rig.vote("b", { term: 1, pre: true, round: 1 });
  rig.vote("c", { term: 1, pre: true, round: 1 });
  assert.equal(rig.raft.term, 0, "not those of an earlier round");
  rig.vote("b", { term: 1, pre: true, round: 2 });
  rig.vote("c", { term: 1, pre: true, round: 2 });
  assert.equal(rig.raft.term, 1);
  rig.sync();
  rig.vote("b", { term: 1, pre: true, round: 3 });
  rig.vote("c", { term: 1, pre: true, round: 3 });
  assert.equal(rig.raft.role, "candidate", "not pre-votes for a vote");
});

test("§5.2: the same voter is counted once", () => {
  const rig = new Rig([], five);
  rig.fire("election");
  for (let i = 0; i < 5; i++) rig.vote("b", { term: 1, pre: true, round: 1 });
  assert.equal(rig.raft.term, 0);
});

test("R7: the election timer is set anew by a vote that is granted, not by one that is refused", () => {
  const rig = new Rig([1, 2]);
  rig.timers.clear();
  rig.hear("b", ask(3, 1, 1));
  assert.equal(rig.timers.has("election"), false, "nor by the later term of one who asks");
  rig.hear("c", ask(3, 2, 2));
  assert.deepEqual(rig.timers.get("election"), [500, 500]);
});

test("R7, §5.2: a follower is patient as long as it hears a leader", () => {
  const rig = new Rig([1]);
  for (const message of [
    heartbeat(1),
    { type: "append", term: 1, prevIndex: 9, prevTerm: 1, commit: 0, entries: [] } as const,
  ]) {
    rig.timers.clear();
    rig.hear("b", message);
    assert.deepEqual(rig.timers.get("election"), [500, 500]);
  }
  rig.timers.clear();
  rig.hear("c", heartbeat(0));
  assert.equal(rig.timers.has("election"), false, "a leader of an earlier term is none");
});

test("R8: a learner votes and never campaigns", () => {
  const rig = new Rig([], { voters: ["b", "c"], outgoing: [], learners: ["a"] });
  assert.equal(rig.raft.role, "learner");
  rig.fire("election");
  assert.equal(rig.raft.role, "learner");
  rig.hear("b", { type: "timeoutNow", term: 0, lastIndex: 0 });
  assert.equal(rig.raft.term, 0);
  rig.hear("b", ask(1, 0, 0));
  assert.equal(rig.lastTo("b", "vote").granted, true);
});

test("R8: a learner's vote elects nobody", () => {
  const rig = new Rig([], { voters: ["a", "b", "c"], outgoing: [], learners: ["d", "e"] });
  rig.fire("election");
  rig.vote("d", { term: 1, pre: true, round: 1 });
  rig.vote("e", { term: 1, pre: true, round: 1 });
  assert.equal(rig.raft.term, 0);
});

test("R9, §8: a leader begins with a no-op of its term", () => {
  const rig = new Rig([1, 1]);
  rig.elect("b");
  assert.deepEqual(rig.terms, [1, 1, 2]);
  assert.equal(rig.raft.log.at(3).kind, "noop");
});

test("§5.2: a leader says so at once", () => {
  const rig = new Rig([1]);
  rig.elect("b");
  assert.equal(rig.lastTo("c", "heartbeat").term, 2);
});

test("§5.2: a candidate that hears the leader of its term follows it", () => {
  const rig = new Rig([1]);
  rig.fire("election");
  rig.vote("b", { term: 2, pre: true, round: 1 });
  rig.hear("c", heartbeat(2));
  assert.equal(rig.raft.role, "follower");
  assert.equal(rig.raft.leader, "c");
  assert.equal(rig.raft.term, 2);
});

test("§5.2: a candidate does not follow a leader of an earlier term", () => {
  const rig = new Rig([1]);
  rig.fire("election");
  rig.vote("b", { term: 2, pre: true, round: 1 });
  rig.hear("c", heartbeat(1));
  assert.equal(rig.raft.role, "candidate");
});

for (const message of [
  { type: "appended", term: 9, index: 1 },
  { type: "refused", term: 9, prevIndex: 1, hintIndex: 0, hintTerm: 0 },
  { type: "heartbeatAck", term: 9, round: 0, slow: false },
  { type: "heartbeat", term: 9, round: 1, commit: 0 },
  { type: "append", term: 9, prevIndex: 0, prevTerm: 0, commit: 0, entries: [] },
  { type: "vote", term: 9, pre: true, granted: false, round: 1 },
] as const) {
  test(`R10, §5.1: a leader that hears of a later term by "${message.type}" steps down`, () => {
    const rig = new Rig([1]);
    rig.elect("b");
    rig.hear("b", message);
    assert.equal(rig.raft.role, "follower");
    assert.equal(rig.raft.term, 9);
    assert.deepEqual(rig.records.at(-1), { type: "state", term: 9, votedFor: undefined });
  });
}

test("R10: a pre-vote for a later term deposes nobody, nor does a granted one", () => {
  const rig = new Rig([1]);
  rig.elect("b");
  rig.hear("c", ask(9, 9, 8, { pre: true }));
  rig.vote("c", { term: 9, pre: true, round: 1 });
  assert.equal(rig.raft.role, "leader");
});

test("R10: a leader that no quorum answers for an election timeout steps down and is silent", () => {
  const rig = new Rig([1], five);
  rig.elect("b", "c");
  rig.fire("quorum");
  rig.agree("b", 1);
  rig.fire("quorum");
  assert.equal(rig.raft.role, "follower", "one of four others is not enough");
  assert.equal(rig.raft.term, 2, "in the same term");
  assert.equal(rig.timers.has("heartbeat"), false);
  rig.clear();
  rig.hear("b", ask(2, 9, 2));
  assert.equal(rig.lastTo("b", "vote").granted, false, "in which it has voted");
});

test("R10: a leader that a quorum answers goes on", () => {
  const rig = new Rig([1], five);
  rig.elect("b", "c");
  for (let i = 0; i < 5; i++) {
    rig.fire("quorum");
    rig.agree("b", 1);
    rig.hear("c", { type: "heartbeatAck", term: 2, round: 1, slow: false });
  }
  assert.equal(rig.raft.role, "leader");
});

test("§6: under a joint configuration a vote needs both majorities", () => {
  const joint = { voters: ["a", "b", "c"], outgoing: ["c", "d", "e"], learners: [] };
  const rig = new Rig([], joint);
  rig.fire("election");
  rig.vote("b", { term: 1, pre: true, round: 1 });
  rig.vote("c", { term: 1, pre: true, round: 1 });
  assert.equal(rig.raft.term, 0);
  rig.vote("e", { term: 1, pre: true, round: 1 });
  assert.equal(rig.raft.term, 1);
});

test("a node alone needs nobody", () => {
  const rig = new Rig([1], { voters: ["a"], outgoing: [], learners: [] });
  assert.deepEqual(rig.timers.get("election"), [0, 0]);
  rig.fire("election");
  rig.sync();
  rig.sync();
  assert.equal(rig.raft.role, "leader");
  assert.deepEqual(rig.committed(), ["command@1", "noop@2"]);
});

test("a hint that the leader is gone makes a follower ask around sooner, and promises nothing", () => {
  const rig = new Rig([1]);
  rig.hear("b", heartbeat(1));
  rig.raft.onUnreachable(rig, "c");
  assert.equal(rig.raft.leader, "b", "another peer is not the leader");
  rig.raft.onUnreachable(rig, "b");
  assert.equal(rig.raft.leader, undefined);
  assert.deepEqual(rig.timers.get("election"), [0, 100]);
  assert.equal(rig.raft.term, 1);
});

test("I1: a second vote in a term stops the node", () => {
  const rig = new Rig();
  rig.hear("b", ask(1, 0, 0));
  // What no message can bring about is brought about by force.
  const force = rig.raft as unknown as { voteFor(ctx: Rig, node: string): void };
  assert.throws(() => force.voteFor(rig, "c"), /I1/);
});

test("I3: a second leader in a term stops the first", () => {
  const rig = new Rig([1]);
  rig.elect("b");
  assert.throws(() => rig.hear("c", heartbeat(2)), /I3/);
});

test("recovered entries replace those from their index on", () => {
  const rig = new Rig([1, 1, 1]);
  rig.raft.recover({ type: "entries", index: 2, entries: [command("y", 2)] });
  assert.deepEqual(rig.terms, [1, 2]);
  assert.throws(
    () => rig.raft.recover({ type: "entries", index: 4, entries: [command("z", 2)] }),
    /no holes/,
  );
  assert.deepEqual(rig.raft.configuration, three);
});
