/** Replication: one test for each sentence of the paper and each rule R11–R20 of PROTOCOL.md. */

import assert from "node:assert/strict";
import { test } from "node:test";

import type { Entry, Index, Term } from "../entry.ts";
import { command, entriesOf, five, Rig } from "./rig.test.ts";

function append(
  term: Term,
  prevIndex: Index,
  prevTerm: Term,
  entries: readonly Entry[] = [],
  commit: Index = 0,
) {
  return { type: "append", term, prevIndex, prevTerm, commit, entries } as const;
}

/** A leader of term 2 whose log is [1 2], which b holds. */
function leader(settings: ConstructorParameters<typeof Rig>[2] = {}, members = five): Rig {
  const rig = new Rig([1], members, settings);
  rig.elect("b", "c");
  rig.agree("b", 2);
  rig.clear();
  return rig;
}

test("§5.3: a follower appends what follows an entry that it has", () => {
  const rig = new Rig([1, 1]);
  rig.hear("b", append(1, 2, 1, [command("x", 1)]));
  assert.deepEqual(rig.terms, [1, 1, 1]);
  assert.deepEqual(rig.lastTo("b", "appended"), { type: "appended", term: 1, index: 3 });
});

for (const [prevIndex, prevTerm, hintIndex, hintTerm] of [
  [5, 2, 4, 2],
  [4, 1, 2, 1],
  [3, 3, 3, 2],
  [9, 1, 2, 1],
] as const) {
  test(`R11, §5.3: a log [1 1 2 2] refuses what follows ${prevIndex}@${prevTerm}, with hint ${hintIndex}@${hintTerm} (R17)`, () => {
    const rig = new Rig([1, 1, 2, 2]);
    rig.hear("b", append(3, prevIndex, prevTerm, [command("x", 3)]));
    assert.deepEqual(rig.terms, [1, 1, 2, 2], "and stays as it was");
    const answer = rig.lastTo("b", "refused");
    assert.deepEqual(answer, { type: "refused", term: 3, prevIndex, hintIndex, hintTerm });
  });
}

test("R11: what precedes the commit index agrees and is answered with it", () => {
  const rig = new Rig([1, 1, 1]);
  rig.hear("b", append(1, 3, 1, [], 3));
  rig.hear("b", append(1, 1, 1, [command("other", 1)]));
  assert.deepEqual(rig.lastTo("b", "appended").index, 3);
  assert.deepEqual(rig.terms, [1, 1, 1]);
});

test("R12, §5.3: a conflicting entry goes, with all that follow it, in one record", () => {
  const rig = new Rig([1, 1, 1, 1]);
  rig.clear();
  rig.hear("b", append(2, 1, 1, [command("2", 1), command("y", 2)]));
  assert.deepEqual(rig.terms, [1, 1, 2]);
  assert.deepEqual(rig.records.at(-1), {
    type: "entries",
    index: 3,
    entries: [command("y", 2)],
  });
});

test("R12, §5.3: a message that says less than the log has truncates nothing", () => {
  const rig = new Rig([1, 1, 1, 1]);
  rig.clear();
  rig.hear("b", append(1, 1, 1, entriesOf(1, 1).slice(1)));
  assert.deepEqual(rig.terms, [1, 1, 1, 1]);
  assert.deepEqual(rig.records, []);
  assert.equal(rig.lastTo("b", "appended").index, 2, "and is answered for what it says");
});

test("R12, I5: who would replace a committed entry stops", () => {
  const rig = new Rig([1, 1]);
  rig.hear("b", append(1, 2, 1, [], 2));
  const force = rig.raft as unknown as { replace(ctx: Rig, i: number, e: []): void };
  assert.throws(() => force.replace(rig, 2, []), /I5/);
});

test("R13: a follower commits no further than what the message shows to agree", () => {
  const rig = new Rig([1, 1, 1, 1]);
  rig.hear("b", append(2, 1, 1, [command("2", 1)], 4));
  assert.equal(rig.raft.commitIndex, 2);
});

test("R13: a heartbeat says no more than what its receiver is known to hold", () => {
  const rig = leader();
  rig.agree("c", 2);
  assert.equal(rig.raft.commitIndex, 2);
  rig.clear();
  rig.fire("heartbeat");
  assert.equal(rig.lastTo("b", "heartbeat").commit, 2);
  assert.equal(rig.lastTo("d", "heartbeat").commit, 0);
});

test("I4: a follower told to commit what it lacks stops", () => {
  const rig = new Rig([1]);
  const message = { type: "heartbeat", term: 1, round: 1, commit: 2 } as const;
  assert.throws(() => rig.hear("b", message), /I4/);
});

test("R14: a follower's answer waits for its disk", () => {
  const rig = new Rig([1]);
  rig.hear("b", append(1, 1, 1, [command("x", 1)]));
  const answer = rig.said.at(-1)!;
  assert.equal(answer.eager, false);
  assert.equal(answer.after, rig.written);
});

test("R15: an answer of another term, of a stranger or by a follower counts for nothing", () => {
  const rig = leader();
  rig.propose("x");
  rig.hear("c", { type: "appended", term: 1, index: 3 });
  rig.hear("z", { type: "appended", term: 2, index: 3 });
  assert.equal(rig.raft.progress.get("c")!.match, 0);
  assert.equal(rig.raft.progress.has("z"), false);
  const follower = new Rig([1]);
  follower.hear("b", { type: "appended", term: 1, index: 1 });
  assert.equal(follower.raft.commitIndex, 0);
});

test("R15: what a member agrees with never falls", () => {
  const rig = leader();
  rig.agree("b", 2);
  rig.agree("b", 1);
  assert.equal(rig.raft.progress.get("b")!.match, 2);
});

test("I6: who is said to hold more than the leader has stops it", () => {
  const rig = leader();
  assert.throws(() => rig.agree("b", 9), /I6/);
});

test("R16, §5.3: an entry is committed when a majority has it, and all before it", () => {
  const rig = leader();
  assert.deepEqual(rig.committed(), []);
  rig.agree("c", 2);
  assert.deepEqual(rig.committed(), ["command@1", "noop@2"]);
});

test("R16, §5.4.2: an entry of an earlier term is not committed by counting", () => {
  const rig = leader();
  for (const from of ["b", "c", "d", "e"]) rig.agree(from, 1);
  assert.equal(rig.raft.commitIndex, 0);
});

test("R16, thesis §10.2.1: a leader counts itself when its disk has the entry, and sends before", () => {
  const rig = leader();
  rig.agree("c", 2);
  rig.clear();
  rig.propose("x");
  const sent = rig.said.find(({ message }) => message.type === "append")!;
  assert.equal(sent.eager, true);
  rig.agree("b", 3);
  rig.agree("c", 3);
  assert.deepEqual(rig.raft.commitIndex, 2);
  rig.sync();
  assert.deepEqual(rig.raft.commitIndex, 3);
});

test("R16: followers alone are enough, if they are a majority", () => {
  const rig = leader();
  rig.propose("x");
  for (const from of ["b", "c", "d"]) rig.agree(from, 3);
  assert.equal(rig.raft.commitIndex, 3);
});

test("scenario L12: writes that finish late, twice or together count once each", () => {
  const rig = leader();
  rig.agree("c", 2);
  const before = rig.written;
  for (const text of ["x", "y", "z"]) rig.propose(text);
  rig.agree("b", 5);
  rig.agree("c", 5);
  rig.sync(before);
  assert.equal(rig.raft.commitIndex, 2);
  rig.sync(before + 2);
  rig.sync(before + 2);
  assert.equal(rig.raft.commitIndex, 4);
  rig.sync();
  assert.equal(rig.raft.commitIndex, 5);
});

test("R17: a refusal takes the leader past all entries of a term", () => {
  const rig = new Rig([1, 1, 2, 2, 2, 3]);
  rig.elect("b");
  rig.clear();
  const refused = { type: "refused", term: 4, prevIndex: 6, hintIndex: 5, hintTerm: 1 } as const;
  rig.hear("b", refused);
  assert.equal(rig.lastTo("b", "append").prevIndex, 2);
});

test("R17: a refusal of anything but the last probe is ignored", () => {
  const rig = new Rig([1, 1, 1]);
  rig.elect("b");
  rig.clear();
  rig.hear("b", { type: "refused", term: 2, prevIndex: 2, hintIndex: 1, hintTerm: 1 });
  assert.deepEqual(rig.allTo("b", "append"), []);
});

test("R18: a probe is one message, and a heartbeat allows another", () => {
  const rig = new Rig([1]);
  rig.elect("b");
  rig.clear();
  rig.propose("x");
  rig.propose("y");
  assert.equal(rig.allTo("b", "append").length, 0);
  rig.fire("heartbeat");
  assert.equal(rig.allTo("b", "append").length, 1);
});

test("R18: appends are pipelined up to a number of messages", () => {
  const rig = leader({ inflightMessages: 2 });
  for (const text of ["v", "x", "y", "z"]) rig.propose(text);
  assert.equal(rig.allTo("b", "append").length, 2);
  rig.agree("b", 3);
  assert.equal(rig.allTo("b", "append").at(-1)!.entries.length, 2, "and what waited goes together");
});

test("R18: and up to a number of bytes", () => {
  const rig = leader({ inflightBytes: 40 });
  for (const text of ["a".repeat(30), "x", "y"]) rig.propose(text);
  assert.equal(rig.allTo("b", "append").length, 1);
});

test("R18: a message holds at most its bytes, but one entry at least", () => {
  const rig = leader({ appendBytes: 40, inflightMessages: 1 });
  rig.propose("x".repeat(100));
  assert.equal(rig.allTo("b", "append").at(-1)!.entries.length, 1);
  for (const text of ["x", "y", "z"]) rig.propose(text);
  rig.agree("b", 3);
  assert.equal(rig.allTo("b", "append").at(-1)!.entries.length, 2);
});

test("R18: when the window is full, a heartbeat finds out what was lost", () => {
  const rig = leader({ inflightMessages: 1 });
  rig.propose("x");
  rig.clear();
  rig.fire("heartbeat");
  const nudge = rig.lastTo("b", "append");
  assert.deepEqual([nudge.prevIndex, nudge.entries.length], [3, 0]);
  rig.hear("b", { type: "refused", term: 2, prevIndex: 3, hintIndex: 2, hintTerm: 2 });
  assert.equal(rig.lastTo("b", "append").entries.length, 1);
});

test("R19: what waits to be committed is bounded, but one entry is always admitted", () => {
  const rig = leader({ uncommittedBytes: 10 });
  rig.agree("c", 2);
  const first = rig.propose("x");
  const second = rig.propose("y");
  assert.equal(rig.answers.has(first), false);
  const leader_ = { reason: "overloaded", leader: "a", definite: true };
  assert.deepEqual(rig.answers.get(second), { type: "rejected", ...leader_ });
  rig.sync();
  rig.agree("b", 3);
  rig.agree("c", 3);
  assert.equal(rig.answers.has(rig.propose("z")), false);
});

test("R20: committed entries come out once each, in order", () => {
  const rig = leader();
  rig.propose("x");
  rig.sync();
  rig.agree("c", 2);
  rig.agree("b", 3);
  rig.agree("c", 3);
  rig.agree("d", 3);
  const seen = rig.outputs.flatMap((output) =>
    output.type === "committed" ? output.entries.map((_, i) => output.index + i) : [],
  );
  assert.deepEqual(seen, [1, 2, 3]);
});

test("R20: who proposed is told index and term once the entry is committed", () => {
  const rig = leader();
  const id = rig.propose("x");
  rig.sync();
  rig.agree("b", 3);
  assert.equal(rig.answers.has(id), false);
  rig.agree("c", 3);
  assert.deepEqual(rig.answers.get(id), { type: "committed", index: 3, term: 2 });
});

test("R20: a proposal that its leader did not see committed has an unknown outcome", () => {
  const rig = leader();
  const id = rig.propose("x");
  rig.hear("b", { type: "heartbeat", term: 3, round: 1, commit: 0 });
  const answer = rig.answers.get(id)!;
  assert.equal(answer.type === "rejected" && answer.reason, "lostLeadership");
  assert.equal(answer.type === "rejected" && answer.definite, false);
});

test("R20: what was never appended certainly had no effect", () => {
  const rig = new Rig([1]);
  rig.hear("b", { type: "heartbeat", term: 1, round: 1, commit: 0 });
  const id = rig.propose("x");
  const expected = { type: "rejected", reason: "notLeader", leader: "b", definite: true };
  assert.deepEqual(rig.answers.get(id), expected);
});

test("a batch of one turn is one record and one message", () => {
  const rig = leader();
  rig.agree("c", 2);
  rig.clear();
  for (const text of ["x", "y", "z"]) {
    rig.raft.onRequest(rig, text.charCodeAt(0), {
      type: "propose",
      data: new TextEncoder().encode(text),
    });
  }
  rig.raft.onIdle(rig);
  assert.equal(rig.records.length, 1);
  assert.equal(rig.allTo("b", "append").length, 1);
});

test("scenario L14: who steps down persists what it had appended", () => {
  const rig = leader();
  rig.clear();
  rig.raft.onRequest(rig, 1000, { type: "propose", data: new Uint8Array(1) });
  rig.raft.onMessage(rig, "b", { type: "heartbeat", term: 3, round: 1, commit: 0 });
  assert.deepEqual(
    rig.records.map(({ type }) => type),
    ["entries", "state"],
  );
});
