/** Who goes first (M25), as a single node shows it. */

import assert from "node:assert/strict";
import { test } from "node:test";

import { MAJORITIES } from "./quorums.ts";
import { b1, c2, Rig, value } from "./rig.test.ts";

test("M25: who is polled says from where on one message tells all that it knows", () => {
  const rig = new Rig({ appendBytes: 40 });
  rig.accept(b1, 1, 3, "v", "w", "x", "y");
  rig.hear("c", { type: "poll", round: 1, quorums: MAJORITIES });
  const { near } = rig.lastTo("c", "polled");
  assert.equal(near, 1);
  const told = (from: number): number => rig.paxos.slots.runs(from, 40).through;
  assert.deepEqual([told(near + 1), told(near)], [3, 2], "one slot more does not fit");
});

test("M25: a candidate far behind lets others go first, a few times, and leads if nobody does", () => {
  const rig = new Rig();
  const attempts = (): number => rig.allTo("b", "prepare").length;
  const poll = (near: number): void => {
    rig.fire("election");
    rig.polled("b", rig.lastTo("b", "poll").round, { near });
  };
  for (let i = 0; i < 4; i++) poll(1);
  assert.equal(attempts(), 0);
  poll(1);
  assert.equal(attempts(), 1);
  // A leader was heard: the others get their turn again.
  rig.heartbeat(b1);
  rig.heartbeat(c2);
  rig.now = 1000;
  poll(1);
  assert.equal(attempts(), 1);
});

test("M25: nobody waits for who is near, or could not lead", () => {
  const near = new Rig({}, undefined, [
    { type: "accepted", ballot: b1, index: 1, entries: [value("x")], commit: 1 },
  ]);
  near.fire("election");
  near.polled("b", near.lastTo("b", "poll").round, { near: 1 });
  assert.equal(near.allTo("b", "prepare").length, 1);
  const b = { node: "b", priority: 0, address: "" };
  const rig = new Rig({}, { voters: ["a", "b", "c"], traits: [b] });
  rig.fire("election");
  rig.polled("b", rig.lastTo("b", "poll").round, { near: 9 });
  assert.equal(rig.allTo("b", "prepare").length, 1);
});
