/** Entries that the disk has lost (B24–B26), one node and one sentence at a time. */

import assert from "node:assert/strict";
import { test } from "node:test";

import type { Record, Vote } from "./messages.ts";
import { standIn } from "./repair.ts";
import { disk, entriesOf, Rig } from "./rig.test.ts";
import { NO_ZXID, zxidOf } from "./zxid.ts";

/** In epoch 1: w, two that are lost, and z. */
function damaged(...more: readonly Record[]): readonly Record[] {
  return [
    { type: "acceptedEpoch", epoch: 1, from: "c" },
    { type: "currentEpoch", epoch: 1 },
    { type: "history", index: 1, entries: entriesOf("w") },
    { type: "damaged", index: 2, terms: [1, 1] },
    { type: "history", index: 4, entries: entriesOf("z") },
    ...more,
  ];
}

/** What b says of an entry that a has lost. */
function absent(index: number, beyond: number) {
  return { type: "absent", index, zxid: zxidOf(1, index), beyond } as const;
}

test("what stands in for a record tells the terms of its entries, and nothing does for an epoch", () => {
  const instead = { type: "damaged", index: 4, terms: [1, 2] } as const;
  assert.deepEqual(standIn({ type: "history", index: 4, entries: entriesOf("x y@2") }), instead);
  assert.deepEqual(standIn(instead), instead);
  assert.equal(standIn({ type: "acceptedEpoch", epoch: 1, from: "c" }), undefined);
  assert.equal(standIn({ type: "currentEpoch", epoch: 1 }), undefined);
  assert.equal(standIn({ type: "committed", index: 1 }), undefined);
});

test("B24: a lost entry keeps its place: who has less is not voted for, and nothing is committed from it on", () => {
  const rig = new Rig(damaged({ type: "committed", index: 4 }));
  assert.deepEqual([...rig.zab.damaged], [2, 3]);
  assert.equal(rig.zab.commitIndex, 1);
  const vote: Vote = { peerEpoch: 1, zxid: zxidOf(1, 3), rank: 1, node: "b" };
  rig.notify("b", { vote, commit: zxidOf(1, 3) });
  rig.notify("b", { vote, commit: zxidOf(1, 3) });
  assert.equal(rig.lastTo("b", "notification").vote, undefined, "b has less, and a does not stand");
  assert.equal(rig.zab.commitIndex, 1);
  rig.notify("b", { vote: { ...vote, zxid: zxidOf(1, 4) } });
  assert.equal(rig.lastTo("b", "notification").vote?.node, "b");
});

test("B25: who has lost entries does not stand, and does once it has them again", () => {
  const rig = new Rig(damaged());
  for (const peer of ["b", "c"]) rig.notify(peer, {});
  assert.equal(rig.lastTo("b", "notification").vote, undefined);
  rig.fire("heartbeat");
  assert.deepEqual(rig.lastTo("b", "fetch"), {
    type: "fetch",
    index: 2,
    zxid: zxidOf(1, 2),
    beyond: undefined,
  });
  rig.hear("b", { type: "fetched", index: 2, entries: entriesOf("x") });
  assert.equal(rig.lastTo("b", "fetch").index, 3, "the next one is asked for at once");
  rig.hear("c", { type: "fetched", index: 3, entries: entriesOf("other@2") });
  assert.deepEqual([...rig.zab.damaged], [3], "another entry is not taken for it");
  rig.hear("c", { type: "fetched", index: 3, entries: entriesOf("y z") });
  assert.deepEqual(rig.held, ["w@1", "x@1", "y@1", "z@1"]);
  rig.fire("heartbeat");
  assert.equal(rig.lastTo("b", "notification").vote?.node, "a");
  const mended = rig.records.filter(({ type }) => type === "mended");
  const again = new Rig([...damaged(), ...mended]);
  assert.deepEqual(again.held, rig.held, "what was mended is on the disk");
});

test("B25: a follower is sent what it has lost, keeps what follows, and acknowledges what it holds", () => {
  const rig = new Rig(damaged());
  rig.followIt("c", 2);
  rig.sync();
  const { index, held, ends } = rig.lastTo("c", "ackEpoch");
  assert.deepEqual({ index, held, ends }, { index: 4, held: 1, ends: [NO_ZXID, zxidOf(1, 4)] });
  rig.stream("c", { type: "sync", mode: "diff", zxid: zxidOf(1, 4) }, 2);
  assert.equal(rig.zab.lastIndex, 4, "nothing is dropped");
  const propose = { type: "propose", commit: NO_ZXID } as const;
  rig.stream("c", { ...propose, zxid: zxidOf(1, 2), entries: entriesOf("x") }, 2);
  rig.sync();
  assert.deepEqual(rig.lastTo("c", "ack").zxid, zxidOf(1, 2));
  const rest = {
    ...propose,
    zxid: zxidOf(1, 3),
    entries: entriesOf("y z v@2"),
    commit: zxidOf(1, 3),
  };
  rig.stream("c", rest, 2);
  rig.sync();
  assert.deepEqual(rig.lastTo("c", "ack").zxid, zxidOf(2, 5));
  assert.equal(rig.zab.commitIndex, 3);
  rig.stream("c", { type: "newLeader" }, 2);
  assert.equal(rig.zab.currentEpoch, 2);
});

test("B25: no epoch is entered with an entry lost, whatever a leader says", () => {
  const rig = new Rig(damaged());
  rig.followIt("c", 2);
  rig.sync();
  rig.stream("c", { type: "sync", mode: "diff", zxid: zxidOf(1, 4) }, 2);
  rig.stream("c", { type: "newLeader" }, 2);
  assert.equal(rig.zab.currentEpoch, 1);
  assert.equal(rig.zab.phase, "discovery", "the session is over");
});

test("B25: an observer commits what it is sent, and not what it has beyond", () => {
  const rig = new Rig(damaged(), { voters: ["b", "c"], learners: ["a"] });
  rig.followIt("c", 2);
  rig.sync();
  rig.stream("c", { type: "sync", mode: "diff", zxid: zxidOf(1, 4) }, 2);
  rig.stream("c", { type: "inform", zxid: zxidOf(1, 2), entries: entriesOf("x y") }, 2);
  assert.equal(rig.zab.commitIndex, 3);
});

test("B25: a leader sends from where a member knows its history, or a snapshot if that is gone", () => {
  const rig = new Rig(disk(1, "w x y z"));
  rig.discover("b");
  const { epoch, session } = rig.lastTo("b", "leaderInfo");
  const ends = [NO_ZXID, zxidOf(1, 4)];
  rig.hear("b", { type: "ackEpoch", epoch, session, currentEpoch: 1, index: 4, held: 1, ends });
  const { mode, zxid } = rig.lastTo("b", "sync");
  assert.deepEqual({ mode, zxid }, { mode: "diff", zxid: zxidOf(1, 4) });
  const { zxid: first, entries } = rig.lastTo("b", "propose");
  assert.deepEqual(first, zxidOf(1, 2));
  assert.equal(entries.length, 3);
});

test("B26: an entry is dropped once a quorum says that it does not have it, in answer to this question", () => {
  const rig = new Rig(damaged());
  rig.fire("election");
  assert.equal(rig.lastTo("b", "fetch").beyond, 1);
  rig.hear("b", absent(2, 1));
  rig.hear("b", absent(2, 1));
  rig.hear("c", absent(3, 1));
  rig.hear("c", absent(2, 0));
  assert.equal(
    rig.zab.lastIndex,
    4,
    "one of three is no quorum, and others are asked about something else",
  );
  rig.hear("c", absent(2, 1));
  assert.deepEqual(rig.held, ["w@1"]);
  assert.equal(rig.zab.damaged.size, 0);
});

test("B26: who does not have an entry promises a later epoch before it says so, and nothing while it follows", () => {
  const fetch = { type: "fetch", index: 2, zxid: zxidOf(1, 2) } as const;
  const rig = new Rig(disk(1, "w"));
  rig.hear("b", { ...fetch, beyond: undefined });
  rig.hear("b", { ...fetch, beyond: 3 });
  assert.equal(rig.zab.acceptedEpoch, 4);
  assert.deepEqual(rig.recordTypes.at(-1), "acceptedEpoch");
  assert.deepEqual(rig.allTo("b", "absent"), [absent(2, 3)]);
  const follower = new Rig(disk(1, "w"));
  follower.followIt("c", 2);
  follower.hear("b", { ...fetch, beyond: 3 });
  assert.equal(follower.allTo("b", "absent").length, 0);
});

test("B26: what a node has lost itself, or holds in a snapshot only, it does not call absent", () => {
  const fetch = { type: "fetch", beyond: 3 } as const;
  const rig = new Rig(damaged());
  rig.hear("b", { ...fetch, index: 2, zxid: zxidOf(1, 2) });
  assert.equal(rig.allTo("b", "absent").length + rig.allTo("b", "fetched").length, 0);
  rig.hear("b", { ...fetch, index: 4, zxid: zxidOf(1, 4) });
  assert.equal(rig.lastTo("b", "fetched").entries.length, 1);
  const { zab } = new Rig(damaged({ type: "committed", index: 1 }));
  const meta = zab.snapshotMeta(1);
  const compacted = new Rig([{ type: "snapshot", meta: { ...meta, index: 3 } }]);
  compacted.hear("b", { ...fetch, index: 2, zxid: zxidOf(1, 2) });
  assert.equal(compacted.allTo("b", "absent").length, 0);
  assert.deepEqual(compacted.outputs.at(-1), {
    type: "snapshotWanted",
    to: "b",
    atLeast: 3,
    sources: ["a"],
  });
});

test("lost entries outlive a checkpoint, unless its snapshot covers them", () => {
  const { zab } = new Rig(damaged({ type: "committed", index: 1 }));
  const image = zab.image(zab.snapshotMeta(1));
  assert.deepEqual([...new Rig(image).zab.damaged], [2, 3]);
  const meta = { ...zab.snapshotMeta(1), index: 3 };
  const covered = new Rig([...image, { type: "snapshot", meta }]).zab;
  assert.equal(covered.damaged.size, 0);
  assert.equal(covered.log.firstIndex, 4, "nobody is sent what only holds its place");
  assert.equal(covered.commitIndex, 3);
});
