import assert from "node:assert/strict";
import { test } from "node:test";

import { decodeRun, play, type Subject } from "@quorate/lab";

import { standsTrial } from "../log/trials.test.ts";
import { zab } from "./subject.ts";

const subject: Subject = zab;

const examSeeds = {
  "Z2-epoch-before-history": 96,
  "B15-counts-any-epoch": 54,
  "R3-hasty-restart": 9,
  "impatient-follower": 92,
};

const longSeeds = { "B21-loyal-follower": 3 };

standsTrial("Zab", subject, "zab", { examSeeds, longSeeds });

// Links that take two messages at once lost the third of every session: sync, proposal, NEWLEADER.
for (const text of [
  "zab@1,nodes=5,seed=1356,scenario=swarm",
  "zab@1,inflightMessages=1,uncommittedBytes=200,leaseReads=0,seed=4251,scenario=swarm",
]) {
  test(`a session that a narrow link has cut short is followed by a careful one (${text})`, () => {
    assert.equal(play(subject, decodeRun(text, subject)).finding, undefined);
  });
}

test("a checkpoint that was faster than the record of its epoch is as good", () => {
  const text =
    "zab@1,appendBytes=64,uncommittedBytes=200,leaseReads=0,keepEntries=5,seed=400384,scenario=swarm";
  assert.equal(play(subject, decodeRun(text, subject)).finding, undefined);
});
