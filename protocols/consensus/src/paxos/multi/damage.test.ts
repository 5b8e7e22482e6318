/** Values that the disk has lost (M27, M28), one node and one sentence at a time. */

import assert from "node:assert/strict";
import { test } from "node:test";

import { makeBallot } from "./ballot.ts";
import { standIn } from "./damage.ts";
import type { Record } from "./messages.ts";
import { b1, c2, Rig, run, value } from "./rig.test.ts";
import type { LostRun } from "./slots.ts";

const FIVE = { voters: ["a", "b", "c", "d", "e"] };

/** Slots 1 to 3 were accepted from b, and the disk has lost the second. */
const HOLE: readonly Record[] = [
  { type: "accepted", ballot: b1, index: 1, entries: [value("x")], commit: 1 },
  { type: "damaged", ballot: b1, index: 2, count: 1, commit: 2 },
  { type: "accepted", ballot: b1, index: 3, entries: [value("z")], commit: 3 },
];

function lost(index: number, ballot = b1): LostRun {
  return { ballot, index, count: 1 };
}

test("what stands in for a record tells its ballot and its slots, and nothing does for a promise", () => {
  const accepted = { ballot: c2, index: 4, entries: [value("x"), value("y")], commit: 3 };
  const instead = { type: "damaged", ballot: c2, index: 4, count: 2, commit: 3 } as const;
  assert.deepEqual(standIn({ type: "accepted", ...accepted }), instead);
  assert.deepEqual(standIn(instead), instead);
  assert.equal(standIn({ type: "promised", ballot: c2 }), undefined);
});

test("a lost slot is neither decided, acknowledged nor told as a value, and its ballot is promised", () => {
  const rig = new Rig({}, undefined, [...HOLE.slice(0, 1), { ...HOLE[1]!, ballot: c2 } as Record]);
  assert.deepEqual([...rig.paxos.damaged], [2]);
  assert.equal(rig.paxos.commitIndex, 1);
  assert.deepEqual(rig.paxos.promised, c2);
  rig.heartbeat(c2, 1, 2);
  rig.sync();
  assert.equal(rig.lastTo("c", "heartbeatAck").index, 1);
  rig.now += 2_000;
  rig.asks("b", makeBallot(3, "b"), 2);
  rig.sync();
  const { runs, lost: told, through, last } = rig.lastTo("b", "promise");
  assert.deepEqual(
    { runs, told, through, last },
    { runs: [], told: [lost(2, c2)], through: 2, last: 2 },
  );
});

test("what is told in parts tells of lost slots in the part that they are in", () => {
  const rig = new Rig({ appendBytes: 1 }, undefined, HOLE);
  for (const [from, expected] of [
    [1, { runs: [run(b1, 1, "x")], told: [], through: 1 }],
    [2, { runs: [], told: [lost(2)], through: 2 }],
    [3, { runs: [run(b1, 3, "z")], told: [], through: 3 }],
  ] as const) {
    rig.asks("b", makeBallot(3, "b"), from);
    rig.sync();
    const { runs, lost: told, through } = rig.lastTo("b", "promise");
    assert.deepEqual({ runs, told, through }, expected);
  }
});

test("the same ballot's value mends a slot, and a higher one outweighs it, in whatever order they come", () => {
  for (const [first, second] of [
    ["b", "c"],
    ["c", "b"],
  ] as const) {
    const rig = new Rig({}, FIVE);
    rig.prepare("b", "c", "d");
    rig.sync();
    rig.promise(first, first === "b" ? [] : [run(b1, 1, "x")], {
      lost: first === "b" ? [lost(1)] : [],
    });
    rig.promise(second, second === "b" ? [] : [run(b1, 1, "x")], {
      lost: second === "b" ? [lost(1)] : [],
    });
    assert.equal(rig.paxos.role, "leader");
    assert.deepEqual(rig.held, ["x"]);
  }
  const rig = new Rig({}, FIVE);
  rig.prepare("b", "c", "d");
  rig.sync();
  rig.promise("b", [], { lost: [lost(1)] });
  rig.promise("c", [run(c2, 1, "y")]);
  assert.deepEqual(rig.held, ["y"]);
});

test("a lower ballot's value does not stand for a lost one: of five, three must never have accepted in that", () => {
  const rig = new Rig({}, FIVE);
  rig.prepare("b", "c", "d");
  rig.sync();
  rig.promise("b", [], { lost: [lost(1, c2)] });
  rig.promise("c", [run(b1, 1, "x")]);
  assert.equal(rig.paxos.role, "candidate", "b, d and e may have chosen something in c's ballot");
  rig.promise("d");
  assert.equal(rig.paxos.role, "leader");
  assert.deepEqual(rig.held, ["x"], "what was chosen before is found below");
});

test("with small accept quorums fewer losses keep a slot in doubt", () => {
  const rig = new Rig({ quorums: { prepare: 4, accept: 2 } }, FIVE);
  rig.prepare("b", "c", "d");
  rig.sync();
  rig.promise("b", [], { lost: [lost(1)] });
  rig.promise("c");
  rig.promise("d");
  assert.equal(rig.paxos.role, "candidate", "b and e are an accept quorum");
  rig.promise("e");
  assert.equal(rig.paxos.role, "leader");
  assert.deepEqual(rig.held, ["noop"]);
});

test("a learner is asked for what voters have lost, and is not counted", () => {
  const rig = new Rig({}, { voters: ["a", "b", "c"], learners: ["d"] });
  rig.prepare("b");
  rig.sync();
  assert.equal(rig.allTo("d", "prepare").length, 0);
  rig.promise("b", [], { lost: [lost(1)] });
  rig.fire("heartbeat");
  assert.equal(rig.allTo("d", "prepare").length, 1);
  rig.promise("d", [run(b1, 1, "x")], { commit: 1 });
  assert.equal(rig.paxos.commitIndex, 1);
  assert.equal(rig.paxos.role, "leader");
});

test("lost slots outlive a checkpoint, unless its snapshot covers them", () => {
  const before = new Rig({}, undefined, HOLE);
  const { paxos } = before;
  const image = paxos.image(paxos.snapshotMeta(1));
  const after = new Rig({}, undefined, image).paxos;
  assert.deepEqual([...after.damaged], [2]);
  assert.deepEqual(after.promised, b1);
  const meta = { ...paxos.snapshotMeta(1), index: 2 };
  const covered = new Rig({}, undefined, [...image, { type: "snapshot", meta }]).paxos;
  assert.equal(covered.damaged.size, 0);
  assert.equal(covered.commitIndex, 2);
});

test("a value that was learned as decided is not lost with a later record of the slot", () => {
  const again: Record = { type: "damaged", ballot: c2, index: 1, count: 1, commit: 1 };
  const rig = new Rig({}, undefined, [HOLE[0]!, again]);
  assert.equal(rig.paxos.damaged.size, 0);
  assert.equal(rig.paxos.commitIndex, 1);
});
