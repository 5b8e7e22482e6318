/** Named scenarios that a single node shows. */

import assert from "node:assert/strict";
import { test } from "node:test";

import { encode } from "@quorate/kernel";

import { configurationCodec, type Entry } from "../../entry.ts";
import { founded } from "../../membership.ts";
import { b1, Rig, value } from "./rig.test.ts";

function electorate(...voters: readonly string[]): Entry {
  const data = encode(configurationCodec, founded({ voters }));
  return { term: 1, kind: "configuration", data };
}

test("L5-io-reorder: no value reaches the disk before the ballot that it came with", () => {
  const rig = new Rig();
  rig.accept(b1, 1, 0, "x");
  const accepted = { type: "accepted", ballot: b1, index: 1, entries: [value("x")], commit: 0 };
  // A leader's word raises the promise first; what of this a crash leaves is the first, or both.
  assert.deepEqual(rig.records, [{ type: "promised", ballot: b1 }, accepted]);
  const [first] = rig.records;
  assert.ok(first !== undefined);
  assert.deepEqual(new Rig({}, undefined, [first]).held, []);
});

test("S3-configuration-index: a snapshot tells where the configuration was made, and where it ends", () => {
  const rig = new Rig({}, undefined, [
    {
      type: "accepted",
      ballot: b1,
      index: 1,
      entries: [electorate("a", "b"), value("x"), value("y")],
      commit: 3,
    },
  ]);
  const meta = rig.paxos.snapshotMeta(3);
  assert.deepEqual([meta.index, meta.configurationIndex], [3, 1]);
  rig.paxos.compact(meta, 1, Infinity);
  assert.equal(rig.paxos.snapshotMeta(3).configurationIndex, 1, "the slot itself is gone");
  const again = new Rig({}, undefined, rig.paxos.image(meta));
  assert.equal(again.paxos.configurationIndex, 1);
  assert.deepEqual(again.paxos.configuration.voters, ["a", "b"]);
});

test("C6-scan-to-the-end: the last decided configuration on the disk is in force, and none beyond", () => {
  const rig = new Rig({}, undefined, [
    { type: "accepted", ballot: b1, index: 1, entries: [electorate("a", "b")], commit: 1 },
    { type: "accepted", ballot: b1, index: 2, entries: [electorate("a")], commit: 2 },
    { type: "accepted", ballot: b1, index: 3, entries: [electorate("c")], commit: 2 },
  ]);
  assert.deepEqual([rig.paxos.configurationIndex, rig.paxos.configuration.voters], [2, ["a"]]);
});
