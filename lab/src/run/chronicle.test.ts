import assert from "node:assert/strict";
import { test } from "node:test";

import { maximum } from "../example/maximum-subject.ts";
import type { Subject } from "../subject.ts";
import { Chronicle, decisionsOf, leaveOut, type Stretch } from "./chronicle.ts";
import { runOfSeed } from "./fleet.ts";
import { token } from "./intervention.ts";
import { play } from "./play.ts";

function tokens(chronicle: Chronicle, without: Stretch): readonly string[] {
  return decisionsOf(leaveOut(chronicle.entries, without)).map(token);
}

test("what comes after a stretch is counted on from where the stretch began", () => {
  const chronicle = new Chronicle();
  chronicle.answer(5, "message", "n1.n2", 7, false);
  chronicle.answer(12, "message", "n1.n2", 8, false);
  chronicle.answer(29, "message", "n1.n2", 9, false);
  chronicle.answer(31, "message", "n1.n2", 1, true);
  chronicle.answer(32, "message", "n1.n2", 4, false);
  chronicle.act(40, { type: "heal" });
  const expected = ["message.n1.n2.0.7", "message.n1.n2.2.4", "20.heal"];
  assert.deepEqual(tokens(chronicle, { from: 10, to: 30 }), expected);
});

test("what is in force at the end of a stretch is done at its beginning", () => {
  const chronicle = new Chronicle();
  chronicle.act(1, { type: "crash", node: "n1" });
  chronicle.act(2, { type: "stall", node: "n2" });
  chronicle.act(11, { type: "start", node: "n1" });
  chronicle.act(12, { type: "crash", node: "n3" });
  chronicle.act(13, { type: "partition", way: "in", side: ["n2"] });
  chronicle.act(14, { type: "pause", node: "n1" });
  chronicle.act(15, { type: "resume", node: "n1" });
  chronicle.act(20, { type: "clog", node: "n1", ms: 25 });
  chronicle.act(31, { type: "release", node: "n2" });
  assert.deepEqual(tokens(chronicle, { from: 10, to: 30 }), [
    "1.crash.n1",
    "2.stall.n2",
    "10.partition.in.n2",
    "10.crash.n3",
    "10.start.n1",
    "10.clog.n1.15",
    "11.release.n2",
  ]);
});

test("a stretch in which nothing was written down changes nothing", () => {
  const subject: Subject = maximum;
  const run = runOfSeed(subject, 3, { given: {}, scenario: "swarm" });
  const { decisions, entries } = play(subject, run, { record: true });
  assert.ok(decisions.length > 100);
  assert.deepEqual(decisionsOf(leaveOut(entries, { from: 1e9, to: 2e9 })), decisions);
});

test("what is gone is left out, and the others keep their numbers", () => {
  const chronicle = new Chronicle();
  chronicle.answer(1, "message", "n1.n2", 5, false);
  chronicle.answer(2, "message", "n1.n2", 1, true);
  chronicle.act(3, { type: "crash", node: "n2" });
  chronicle.answer(4, "message", "n1.n2", 6, false);
  const [first, , crash] = chronicle.entries;
  assert.ok(first !== undefined && crash !== undefined);
  const left = decisionsOf(chronicle.entries, new Set([first, crash]));
  assert.deepEqual(left.map(token), ["message.n1.n2.2.6"]);
});
