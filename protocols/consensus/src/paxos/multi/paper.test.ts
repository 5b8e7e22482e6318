/** One test for each sentence of the papers and each rule M1–M24 of PROTOCOL.md that a single node shows. */

import assert from "node:assert/strict";
import { test } from "node:test";

import fc from "fast-check";

import { founded } from "../../membership.ts";
import { makeBallot } from "./ballot.ts";
import { checkConfig, multiPaxosDefaults } from "./config.ts";
import { MAJORITIES, reachedByAccepting, sizesAmong } from "./quorums.ts";
import { b1, c2, Rig, run, value } from "./rig.test.ts";

test("M1: a ballot is on the disk before anybody hears of it", () => {
  const rig = new Rig();
  rig.prepare("b");
  const said = rig.said.find(({ message }) => message.type === "prepare")!;
  assert.deepEqual(rig.records.at(-1), { type: "promised", ballot: makeBallot(1, "a") });
  assert.equal(said.eager, false);
  assert.equal(said.after, rig.written);
});

test("M1: the proposer's own promise counts when it is durable", () => {
  const rig = new Rig();
  rig.prepare("b");
  rig.promise("b");
  assert.equal(rig.paxos.role, "candidate");
  rig.sync();
  assert.equal(rig.paxos.role, "leader");
});

test("M1: the next ballot is above all that was promised, here or by who was polled", () => {
  const rig = new Rig({}, undefined, [{ type: "promised", ballot: makeBallot(4, "a") }]);
  rig.fire("election");
  rig.polled("b", rig.lastTo("b", "poll").round, { ballot: makeBallot(7, "c") });
  assert.deepEqual(rig.lastTo("b", "prepare").ballot, makeBallot(8, "a"));
});

test("M2, P1a: an acceptor accepts a proposal unless it has promised a higher ballot", () => {
  const rig = new Rig();
  rig.asks("c", c2);
  rig.accept(b1, 1, 0, "x");
  assert.deepEqual(rig.held, []);
  assert.deepEqual(rig.lastTo("b", "nack").ballot, c2);
  rig.accept(c2, 1, 0, "y");
  assert.deepEqual(rig.held, ["y"]);
});

test("M2: promise and acceptance are one record, and said when it is durable", () => {
  const rig = new Rig();
  rig.asks("b", b1);
  rig.accept(b1, 1, 0, "x", "y");
  const record = { ballot: b1, index: 1, entries: [value("x"), value("y")], commit: 0 };
  assert.deepEqual(rig.records.at(-1), { type: "accepted", ...record });
  const said = rig.said.at(-1)!;
  assert.deepEqual(said.message, { type: "accepted", ballot: b1, index: 2 });
  assert.deepEqual([said.eager, said.after], [false, rig.written]);
});

test("M2, §2.2: an acceptor remembers what it promised and accepted, also after a restart", () => {
  const rig = new Rig({}, undefined, [
    { type: "accepted", ballot: c2, index: 1, entries: [value("x", 2)], commit: 0 },
  ]);
  rig.asks("b", b1);
  assert.deepEqual(rig.lastTo("b", "nack").ballot, c2);
  rig.asks("b", makeBallot(3, "b"));
  assert.deepEqual(rig.lastTo("b", "promise").runs, [run(c2, 1, "x")]);
});

test("M3: a promise tells every value accepted from the slot on, with its ballot", () => {
  const rig = new Rig();
  rig.accept(b1, 1, 1, "x", "y");
  rig.asks("c", c2, 2, b1);
  const { runs, commit, last } = rig.lastTo("c", "promise");
  assert.deepEqual([runs, commit, last], [[run(b1, 2, "y")], 1, 2]);
});

test("M3: a promise in parts counts when it is complete, and parts are asked for", () => {
  const rig = new Rig();
  rig.prepare("b");
  rig.sync();
  rig.promise("b", [run(b1, 1, "x")], { through: 1, last: 2 });
  assert.equal(rig.paxos.role, "candidate");
  assert.equal(rig.lastTo("b", "prepare").from, 2);
  rig.promise("b", [run(b1, 2, "y")], { from: 2 });
  assert.equal(rig.paxos.role, "leader");
  assert.deepEqual(rig.held, ["x", "y"]);
});

test("M3, scenario P1: a part whose predecessor was lost is asked for again", () => {
  const rig = new Rig();
  rig.prepare("b");
  rig.sync();
  rig.promise("b", [run(b1, 2, "y")], { from: 2 });
  assert.equal(rig.paxos.role, "candidate");
  rig.fire("heartbeat");
  assert.equal(rig.lastTo("b", "prepare").from, 1);
});

test("M3: what an acceptor knows to be decided is learned at once", () => {
  const rig = new Rig();
  rig.prepare("b");
  rig.promise("b", [run(b1, 1, "x", "y", "z")], { commit: 2 });
  assert.equal(rig.paxos.commitIndex, 2);
  assert.deepEqual(rig.committed(), ["command@1", "command@1"]);
});

test("M4, P2c: the value of the highest ballot told of is proposed, whoever tells it first", () => {
  for (const order of [
    ["b", "c"],
    ["c", "b"],
  ] as const) {
    const rig = new Rig({}, { voters: ["a", "b", "c", "d", "e"] });
    rig.prepare("b", "c");
    rig.sync();
    const told = { b: run(b1, 1, "old"), c: run(c2, 1, "new") };
    for (const peer of order) rig.promise(peer, [told[peer]]);
    assert.deepEqual(rig.held, ["new"]);
  }
});

test("M4: the leader's own acceptances are among those told", () => {
  const rig = new Rig();
  rig.accept(c2, 1, 0, "mine");
  rig.prepare("b");
  rig.sync();
  rig.promise("b", [run(b1, 1, "older")]);
  assert.deepEqual(rig.held, ["mine"]);
});

test("M4, §3: gaps below the last slot told of are filled with no-ops, then come new values", () => {
  const rig = new Rig();
  rig.prepare("b");
  rig.sync();
  rig.promise("b", [run(b1, 2, "x")]);
  rig.propose("y");
  assert.deepEqual(rig.held, ["noop", "x", "y"]);
});

test("M5: a value keeps the round in which it was first proposed", () => {
  const rig = new Rig();
  rig.prepare("b");
  rig.sync();
  rig.promise("b", [run(makeBallot(1, "c"), 1, "x")]);
  rig.propose("y");
  assert.deepEqual(
    rig.lastTo("b", "accept").entries.map(({ term }) => term),
    [rig.paxos.term],
  );
  assert.equal(rig.paxos.slots.termAt(1), 1);
});

test("M6: what an accept quorum has accepted in the ballot is decided, the leader counted when durable", () => {
  const rig = new Rig({}, { voters: ["a", "b", "c", "d", "e"] });
  rig.elect("b", "c");
  const id = rig.propose("x");
  rig.accepted("b", 1);
  rig.accepted("b", 1);
  rig.accepted("c", 1);
  assert.equal(rig.paxos.commitIndex, 0, "acceptors are counted, not messages");
  rig.sync();
  assert.deepEqual(rig.answers.get(id), { type: "committed", index: 1, term: 1 });
});

test("M6: an answer in another ballot is not counted", () => {
  const rig = new Rig();
  rig.elect("b");
  rig.propose("x");
  rig.sync();
  rig.hear("b", { type: "accepted", ballot: makeBallot(1, "b"), index: 1 });
  assert.equal(rig.paxos.commitIndex, 0);
});

test("M6: an acceptor says up to where it has everything, whatever lies beyond", () => {
  const rig = new Rig();
  rig.accept(b1, 2, 0, "y");
  assert.equal(rig.lastTo("b", "accepted").index, 0);
  rig.accept(b1, 1, 0, "x");
  assert.equal(rig.lastTo("b", "accepted").index, 2);
});

test("M7: any prepare quorum and any accept quorum meet, whoever votes", () => {
  const size = fc.integer({ min: 1, max: 9 });
  fc.assert(
    fc.property(size, size, size, (count, prepare, accept) => {
      const sizes = sizesAmong(count, { prepare, accept });
      assert.ok(sizes.prepare + sizes.accept > count, "any two have a node in common");
      assert.ok(sizes.prepare <= count && sizes.accept <= count, "there are so many");
    }),
  );
});

test("M7: what accept quorums have reached is what so many nodes have reached", () => {
  const levels = fc.array(fc.nat(20), { minLength: 1, maxLength: 9 });
  fc.assert(
    fc.property(levels, fc.integer({ min: 0, max: 9 }), (reached, accept) => {
      const voters = reached.map((_, i) => `n${i}`);
      const wanted = accept === 0 ? MAJORITIES : { prepare: 1, accept };
      const level = (node: string) => reached[Number(node.slice(1))]!;
      const found = reachedByAccepting({ voters, outgoing: [] }, wanted, level);
      const needed = sizesAmong(voters.length, wanted).accept;
      const at = (index: number) => reached.filter((one) => one >= index).length;
      assert.ok(at(found) >= needed && at(found + 1) < needed);
    }),
  );
});

test("M7: nodes with other quorums are not answered", () => {
  const rig = new Rig();
  const quorums = { prepare: 3, accept: 1 };
  rig.hear("b", { type: "poll", round: 1, quorums });
  rig.hear("b", { type: "prepare", ballot: b1, from: 1, summons: undefined, quorums });
  assert.deepEqual(rig.said, []);
  assert.deepEqual(rig.notes.at(-1), { type: "quorumsDiffer", peer: "b" });
});

test("M8: slot n gets a value once slot n - α is decided", () => {
  const rig = new Rig({ window: 2 });
  rig.elect("b");
  for (const text of ["x", "y", "z"]) rig.propose(text);
  assert.deepEqual(rig.held, ["x", "y"]);
  rig.sync();
  rig.accepted("b", 1);
  assert.deepEqual(rig.held, ["x", "y", "z"]);
});

test("M8: what had no slot when leadership was lost certainly had no effect", () => {
  const rig = new Rig({ window: 1 });
  rig.elect("b");
  const [inSlot, waiting] = [rig.propose("x"), rig.propose("y")];
  rig.heartbeat(makeBallot(9, "c"));
  const definite = (id: number) => {
    const answer = rig.answers.get(id);
    return answer?.type === "rejected" ? answer.definite : undefined;
  };
  assert.deepEqual([definite(inSlot), definite(waiting)], [false, true]);
});

test("M9, scenario L3: a follower decides only what it accepted in the leader's ballot", () => {
  const rig = new Rig();
  rig.accept(b1, 1, 0, "x");
  rig.now = 1000;
  rig.heartbeat(c2, 1, 1);
  assert.equal(rig.paxos.commitIndex, 0);
  rig.accept(c2, 1, 1, "y");
  assert.deepEqual([rig.paxos.commitIndex, rig.held], [1, ["y"]]);
});

test("M9: what is missing of what was sent is said, and sent again", () => {
  const follower = new Rig();
  follower.heartbeat(b1, 1, 0, 2);
  assert.equal(follower.lastTo("b", "missing").from, 1);
  const leader = new Rig();
  leader.elect("b");
  leader.propose("x");
  leader.propose("y");
  leader.clear();
  leader.hear("b", { type: "missing", ballot: leader.paxos.promised, from: 1 });
  assert.equal(leader.lastTo("b", "accept").index, 1);
});

test("M10: a leader that hears of a higher ballot stops, and promises nothing by that", () => {
  const rig = new Rig();
  rig.elect("b");
  rig.hear("b", { type: "nack", ballot: makeBallot(5, "c") });
  assert.equal(rig.paxos.role, "follower");
  assert.deepEqual(rig.paxos.promised, makeBallot(1, "a"));
});

test("M11: who hears a leader promises nobody else, unless the leader asks for it", () => {
  const rig = new Rig();
  rig.heartbeat(b1);
  rig.clear();
  rig.asks("c", c2);
  assert.deepEqual([rig.paxos.promised, rig.said], [b1, []]);
  rig.asks("c", c2, 1, makeBallot(1, "a"));
  assert.deepEqual(rig.paxos.promised, b1, "a summons by another leader is none of its concern");
  rig.asks("c", c2, 1, b1);
  assert.deepEqual(rig.paxos.promised, c2);
});

test("M12: a poll changes nothing, and says whether a leader is heard", () => {
  const rig = new Rig();
  rig.heartbeat(b1);
  rig.clear();
  rig.hear("c", { type: "poll", round: 4, quorums: MAJORITIES });
  assert.deepEqual(rig.lastTo("c", "polled"), {
    type: "polled",
    round: 4,
    happy: true,
    ballot: b1,
    base: 0,
  });
  assert.deepEqual(rig.records, []);
});

test("M12: nobody takes over while too many are happy", () => {
  const rig = new Rig();
  rig.fire("election");
  const { round } = rig.lastTo("b", "poll");
  rig.polled("b", round, { happy: true });
  assert.deepEqual(rig.allTo("b", "prepare"), []);
  rig.polled("c", round - 1);
  assert.deepEqual(rig.allTo("b", "prepare"), [], "answers to an earlier poll do not count");
  rig.polled("c", round);
  assert.equal(rig.allTo("b", "prepare").length, 1);
});

test("M13: a leader that hears no accept quorum for an election timeout is silent", () => {
  const rig = new Rig();
  rig.elect("b");
  rig.fire("quorum");
  rig.fire("quorum");
  assert.equal(rig.paxos.role, "follower");
  assert.ok(!rig.timers.has("heartbeat"));
});

test("M14, M15: nothing is proposed after a configuration before it is decided, and promised", () => {
  const rig = new Rig({}, { voters: ["a"], learners: ["b", "c"] });
  rig.fire("election");
  rig.sync();
  const caught = (peer: string) => {
    const { promised: ballot } = rig.paxos;
    rig.hear(peer, { type: "heartbeatAck", ballot, round: 1, index: 0, slow: false });
  };
  caught("b");
  caught("c");
  const changes = ["b", "c"].map((node) => ({ type: "promote", node }) as const);
  const id = rig.ask({ type: "reconfigure", changes, basedOn: undefined });
  rig.propose("x");
  assert.deepEqual(rig.held, ["configuration"], "the stop-sign is not decided");
  rig.sync();
  assert.equal(rig.answers.get(id)?.type, "reconfigured");
  assert.deepEqual(rig.held, ["configuration"], "the new voters have not promised");
  rig.promise("b", [], { from: 2, through: 1, last: 1 });
  assert.deepEqual(rig.held, ["configuration", "x"]);
});

test("M16: a new leader answers reads once everything it inherited is decided", () => {
  const rig = new Rig();
  rig.prepare("b");
  rig.sync();
  rig.promise("b", [run(b1, 1, "x")]);
  const id = rig.ask({ type: "read", level: "linearizable" });
  rig.sync();
  rig.accepted("b", 1);
  assert.equal(rig.answers.get(id), undefined, "a round has to be answered");
  const { round } = rig.lastTo("b", "heartbeat");
  const { promised: ballot } = rig.paxos;
  rig.hear("b", { type: "heartbeatAck", ballot, round, index: 1, slow: false });
  assert.deepEqual(rig.answers.get(id), { type: "readable", index: 1 });
});

test("M17: a lease counts from when the round was sent, less the drift of clocks", () => {
  const rig = new Rig({ leaseReads: true });
  rig.elect("b");
  const { promised: ballot } = rig.paxos;
  rig.now = 100;
  rig.hear("b", { type: "heartbeatAck", ballot, round: 1, index: 0, slow: false });
  rig.now = 453;
  assert.equal(rig.answers.get(rig.ask({ type: "read", level: "lease" }))?.type, "readable");
  rig.now = 454;
  assert.equal(rig.answers.get(rig.ask({ type: "read", level: "lease" })), undefined);
});

test("M17: a node that has restarted is bound by what its last life may have promised, to itself too", () => {
  const rig = new Rig({ leaseReads: true }, undefined, [{ type: "promised", ballot: b1 }]);
  rig.fire("election");
  assert.deepEqual(rig.allTo("b", "poll"), []);
  rig.asks("c", c2);
  assert.deepEqual(rig.said, []);
  rig.now = 500;
  rig.fire("election");
  assert.equal(rig.allTo("b", "poll").length, 1);
});

test("M18: the successor is summoned when it has everything, and prepares without a poll", () => {
  const rig = new Rig();
  rig.elect("b");
  rig.propose("x");
  rig.ask({ type: "transfer", to: "b" });
  assert.deepEqual(rig.allTo("b", "takeOver"), []);
  rig.accepted("b", 1);
  assert.equal(rig.allTo("b", "takeOver").length, 1);
  const other = new Rig();
  other.heartbeat(b1);
  other.hear("b", { type: "takeOver", ballot: b1 });
  assert.deepEqual(other.lastTo("b", "prepare").summons, b1);
});

test("M19, scenario S1: a snapshot leaves what was accepted beyond it", () => {
  const rig = new Rig();
  rig.accept(b1, 3, 0, "z");
  const configuration = founded({ voters: ["a", "b", "c"] });
  const meta = { index: 2, term: 1, configuration, configurationIndex: 0, sealed: false };
  rig.ask({ type: "install", meta });
  assert.deepEqual([rig.paxos.commitIndex, rig.paxos.slots.ballotAt(3)], [2, b1]);
});

test("M19: who is asked about what is compacted away promises, says so, and has a snapshot sent", () => {
  const rig = new Rig();
  rig.accept(b1, 1, 2, "x", "y");
  rig.paxos.compact(rig.paxos.snapshotMeta(2), 1, Infinity);
  rig.asks("c", c2, 1, b1);
  assert.deepEqual(rig.lastTo("c", "behind"), { type: "behind", ballot: c2, base: 2 });
  const wanted = { type: "snapshotWanted", to: "c", atLeast: 2, sources: ["a"] };
  assert.deepEqual(rig.outputs.at(-1), wanted);
});

test("M20: an image recovers the slots as they are, holes and ballots included", () => {
  const rig = new Rig();
  rig.accept(b1, 1, 2, "v", "w", "x");
  rig.accept(b1, 5, 2, "z");
  rig.now = 1000;
  rig.accept(c2, 4, 2, "y");
  rig.paxos.compact(rig.paxos.snapshotMeta(1), 1, Infinity);
  const again = new Rig({}, undefined, rig.paxos.image(rig.paxos.snapshotMeta(2)));
  assert.deepEqual(again.paxos.slots, rig.paxos.slots);
  assert.deepEqual(again.paxos.promised, c2);
  assert.equal(again.paxos.commitIndex, 2);
});

test("M21: while too much waits to be decided proposals are refused, but one is let in", () => {
  const rig = new Rig({ uncommittedBytes: 1 });
  rig.elect("b");
  const [first, second] = [rig.propose("x"), rig.propose("y")];
  assert.equal(rig.answers.get(first), undefined);
  const overloaded = { type: "rejected", reason: "overloaded", leader: "a", definite: true };
  assert.deepEqual(rig.answers.get(second), overloaded);
  rig.sync();
  rig.accepted("b", 1);
  assert.equal(rig.answers.get(rig.propose("y")), undefined);
});

test("M24: after a snapshot of a later round ballots go on above it", () => {
  const configuration = founded({ voters: ["a", "b", "c"] });
  const meta = { index: 9, term: 6, configuration, configurationIndex: 0, sealed: true };
  const rig = new Rig({}, undefined, [{ type: "snapshot", meta }]);
  rig.prepare("b");
  assert.equal(rig.lastTo("b", "prepare").ballot.round, 7);
  rig.sync();
  rig.promise("b", [], { commit: 9 });
  const sealed = rig.answers.get(rig.propose("x"));
  assert.equal(sealed?.type === "rejected" && sealed.reason, "sealed");
});

test("settings that make no sense are refused by name", () => {
  const three = { voters: ["a", "b", "c"] };
  checkConfig(multiPaxosDefaults(three));
  checkConfig({ ...multiPaxosDefaults(three), quorums: { prepare: 3, accept: 1 } });
  for (const [wrong, message] of [
    [{ window: 0 }, /paxos\.window is 0/],
    [{ electionMs: 1 }, /paxos\.electionMs/],
    [{ quorums: { prepare: 2, accept: 1 } }, /2 \+ 1 must exceed the 3 voters/],
    [{ quorums: { prepare: 4, accept: 1 } }, /quorums\.prepare is 4/],
    [{ quorums: { prepare: 3, accept: 0 } }, /quorums\.accept is 0/],
  ] as const) {
    assert.throws(() => checkConfig({ ...multiPaxosDefaults(three), ...wrong }), message);
  }
});
