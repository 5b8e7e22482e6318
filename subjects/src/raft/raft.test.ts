import assert from "node:assert/strict";
import { test } from "node:test";

import { decodeRun, encodeRun, examine, play, runOfSeed, type Subject } from "@quorate/lab";
import { judge } from "@quorate/lab/judge";

import { standsTrial } from "../log/trials.test.ts";
import { raft } from "./subject.ts";

const subject: Subject = raft;

const examSeeds = {
  "E1-torn-vote": 79,
  "E2-same-term-stepdown": 79,
  "votes-before-durable": 13,
  "E14-unsynced-tail": 85,
  "E12-persistent-leader": 8,
};

const longSeeds = { "E14-unsynced-tail": 85, "votes-before-durable": 13 };

standsTrial("Raft", subject, "raft", { examSeeds, longSeeds });

test("what clients of Raft see is linearizable, as the judge has it too", () => {
  for (const scenario of ["swarm", "pause-lease-holder", "partitions"]) {
    const run = runOfSeed(subject, 5, { given: { leaseReads: 1 }, scenario });
    const { history = "", served } = play(subject, run, { history: true });
    assert.ok(served > 0);
    assert.equal(judge(history).verdict, "linearizable", scenario);
  }
});

test("the judge finds the stale read of a leader that does not ask, too", () => {
  const bug = subject.bugs.find(({ name }) => name === "reads-without-asking")!;
  const { found } = examine(subject, bug);
  const { history = "" } = play(subject, found!.run, { history: true });
  assert.equal(judge(history).verdict, "illegal");
});

test("a run in which disks lose sectors is made small, and replays from its line", () => {
  const bug = subject.bugs.find(({ name }) => name === "D4-unknown-is-absent")!;
  const { found } = examine(subject, bug, { shrinkBudget: 1_000_000 });
  const { run, finding, to } = found!.shrunk!;
  const line = encodeRun(run, subject);
  assert.match(line, /\.corrupt\.n\d\.\d+/);
  assert.ok(to <= 30, `still ${to} decisions`);
  const replayed = decodeRun(line, subject);
  assert.deepEqual(play(subject, replayed).finding, finding);
  assert.equal(play(subject, { ...replayed, bug: undefined }).finding, undefined);
});

test("Raft's exam has at least fifteen bugs, and those that random search misses", () => {
  const names = subject.bugs.map(({ name }) => name);
  assert.ok(names.length >= 15);
  for (const wanted of [
    "E14-unsynced-tail",
    "commits-earlier-terms",
    "L6-leader-counts-itself-first",
  ]) {
    assert.ok(names.includes(wanted), wanted);
  }
});
