/** Sentences of the paper and of ZooKeeper's history about synchronisation and broadcast. */

import assert from "node:assert/strict";
import { suite, test } from "node:test";

import { disk, entriesOf, Rig } from "./rig.test.ts";
import { founded } from "../membership.ts";
import { NO_ZXID, type Zxid, zxidOf } from "./zxid.ts";

const diff = (index: number, epoch: number) =>
  ({ type: "sync", mode: "diff", zxid: zxidOf(epoch, index) }) as const;
const propose = (index: number, words: string, commit: Zxid = NO_ZXID) => {
  const entries = entriesOf(words);
  return { type: "propose", zxid: zxidOf(entries[0]!.term, index), entries, commit } as const;
};
const newLeader = { type: "newLeader" } as const;

suite("synchronisation, the follower", () => {
  test("Z1: NEWLEADER is acknowledged after the history before it is durable (3911, 4646)", () => {
    const rig = new Rig();
    rig.followIt("c", 2);
    rig.sync();
    rig.stream("c", diff(0, 0), 2);
    rig.stream("c", propose(1, "x@1 y@1"), 2);
    rig.clear();
    rig.stream("c", newLeader, 2);
    const acks = rig.said.filter(({ message }) => message.type === "ack");
    assert.equal(acks.length, 1);
    assert.ok(!acks[0]!.eager && acks[0]!.after === rig.written, "the ack waits for the disk");
    assert.deepEqual(rig.lastTo("c", "ack").zxid, zxidOf(1, 2));
    assert.ok(rig.lastTo("c", "ack").synced);
  });

  test("Z2: the history goes to the disk before the epoch that it is of (4643, 4785)", () => {
    const rig = new Rig();
    rig.followIt("c", 2);
    rig.clear();
    // In one turn, so that nothing was written in between.
    rig.zab.onMessage(rig, "c", { ...diff(0, 0), epoch: 2, session: 1, number: 1 });
    rig.zab.onMessage(rig, "c", { ...propose(1, "x@1"), epoch: 2, session: 1, number: 2 });
    rig.zab.onMessage(rig, "c", { ...newLeader, epoch: 2, session: 1, number: 3 });
    rig.zab.onIdle(rig);
    assert.deepEqual(rig.recordTypes, ["history", "currentEpoch"]);
    const torn = new Rig(rig.records.slice(0, 1));
    assert.equal(torn.zab.currentEpoch, 0);
  });

  for (const [what, zxid] of [
    ["a counter left out", zxidOf(1, 3)],
    ["a counter again", zxidOf(1, 1)],
    ["an epoch that is over", zxidOf(0, 2)],
  ] as const) {
    test(`Z3, Z13: ${what} is no history: the session ends, and nothing is appended (2418, 4925)`, () => {
      const rig = new Rig();
      rig.followIt("c", 2);
      rig.stream("c", diff(0, 0), 2);
      rig.stream("c", propose(1, "x@1"), 2);
      const entries = entriesOf(`y@${zxid.epoch}`);
      rig.stream("c", { type: "propose", zxid, entries, commit: NO_ZXID }, 2);
      assert.deepEqual(rig.held, ["x@1"]);
      assert.equal(rig.lastTo("c", "followerInfo").attempt, 2);
    });
  }

  test("Z4: a commit between NEWLEADER and UPTODATE is taken (4394)", () => {
    const rig = new Rig();
    rig.followIt("c", 2);
    rig.stream("c", diff(0, 0), 2);
    rig.stream("c", propose(1, "x@1 y@1"), 2);
    rig.stream("c", newLeader, 2);
    rig.stream("c", { type: "commit", zxid: zxidOf(1, 1) }, 2);
    assert.equal(rig.zab.commitIndex, 1);
    rig.stream("c", { type: "upToDate", zxid: zxidOf(1, 2) }, 2);
    assert.equal(rig.zab.commitIndex, 2, "and UPTODATE carries the latest one");
    assert.deepEqual([rig.zab.phase, rig.zab.leader], ["broadcast", "c"]);
  });

  test("Z6: who waits for a snapshot takes no proposals, and goes on from the whole one (2872, 3642)", () => {
    const rig = new Rig();
    rig.followIt("c", 2);
    rig.stream("c", { type: "sync", mode: "snap", zxid: zxidOf(1, 5) }, 2);
    rig.stream("c", propose(6, "z@1"), 2);
    assert.deepEqual(rig.held, []);
    const meta = {
      index: 5,
      term: 1,
      configuration: founded({ voters: ["a", "b", "c"] }),
      configurationIndex: 0,
      sealed: false,
    };
    rig.ask({ type: "install", meta });
    assert.equal(rig.zab.commitIndex, 5);
    rig.beginSession("c", 2, 2);
    assert.deepEqual(rig.lastTo("c", "ackEpoch").ends, [zxidOf(1, 5)]);
  });

  test("Z12: a TRUNC drops what lies beyond, and no more; never what is committed (1154)", () => {
    const rig = new Rig(disk(2, "u@1 v@1 w@2"));
    rig.followIt("c", 3);
    rig.clear();
    rig.stream("c", { type: "sync", mode: "trunc", zxid: zxidOf(1, 1) }, 3);
    assert.deepEqual(rig.held, ["u@1"]);
    assert.deepEqual(rig.records, [{ type: "history", index: 2, entries: [] }]);
    rig.stream("c", propose(2, "x@3", zxidOf(3, 2)), 3);
    assert.deepEqual(rig.held, ["u@1", "x@3"]);
    const bad = { type: "sync", mode: "trunc", zxid: zxidOf(1, 1) } as const;
    assert.throws(() => rig.stream("c", bad, 3), /H5/);
  });

  test("B11: who has entered an epoch drops nothing in it, whatever a TRUNC of its last life says", () => {
    const rig = new Rig(disk(2, "u@1 y@2"));
    rig.followIt("c", 2);
    rig.clear();
    rig.stream("c", { type: "sync", mode: "trunc", zxid: zxidOf(1, 1) }, 2);
    assert.deepEqual([rig.held, rig.records], [["u@1", "y@2"], []]);
    assert.equal(rig.lastTo("c", "followerInfo").attempt, 2, "that session is over");
  });

  for (const [what, epoch, session] of [
    ["of an earlier epoch with the same number", 3, 1],
    ["of the same epoch", 2, 2],
  ] as const) {
    test(`B17: what came early in a session ${what} is no part of the next one`, () => {
      const rig = new Rig();
      rig.followIt("c", 2);
      rig.hear("c", { ...propose(1, "x@1"), epoch: 2, session: 1, number: 2 });
      rig.hear("c", { ...newLeader, epoch: 2, session: 1, number: 3 });
      rig.beginSession("c", epoch, session);
      rig.stream("c", diff(0, 0), epoch, session);
      assert.deepEqual([rig.held, rig.zab.currentEpoch], [[], 0]);
    });
  }

  test("a session of which a message is missing for two pings is over (D9)", () => {
    const rig = new Rig();
    rig.followIt("c", 2);
    rig.stream("c", diff(0, 0), 2);
    rig.hear("c", { ...propose(2, "y@1"), epoch: 2, session: 1, number: 3 });
    assert.deepEqual(rig.held, [], "it came early, and waits");
    const ping = { type: "ping", epoch: 2, session: 1, established: true, round: 1 } as const;
    rig.hear("c", { ...ping, sent: 3 });
    assert.equal(rig.lastTo("c", "followerInfo").attempt, 1);
    rig.hear("c", { ...ping, sent: 3, round: 2 });
    assert.equal(rig.lastTo("c", "followerInfo").attempt, 2);
  });

  test("messages that come early wait for those before them; those that come twice are taken once", () => {
    const rig = new Rig();
    rig.followIt("c", 2);
    const at = (number: number) => ({ epoch: 2, session: 1, number }) as const;
    rig.hear("c", { ...propose(2, "y@1"), ...at(3) });
    rig.hear("c", { ...propose(1, "x@1"), ...at(2) });
    rig.hear("c", { ...diff(0, 0), ...at(1) });
    rig.hear("c", { ...propose(1, "x@1"), ...at(2) });
    assert.deepEqual(rig.held, ["x@1", "y@1"]);
  });

  test("what belongs to another session is not taken", () => {
    const rig = new Rig();
    rig.followIt("c", 2, 5);
    rig.hear("c", { ...diff(0, 0), epoch: 2, session: 4, number: 1 });
    rig.hear("c", { ...propose(1, "x@1"), epoch: 2, session: 4, number: 2 });
    assert.deepEqual(rig.held, []);
    assert.equal(rig.zab.phase, "discovery");
  });
});

suite("synchronisation, the leader", () => {
  test("Z12: it finds where histories part, across epochs, without a snapshot (1154, 1156)", () => {
    for (const [told, index, mode, common] of [
      // What the other has of epoch 2 nobody else has, nor the second of epoch 1.
      [[NO_ZXID, zxidOf(1, 3), zxidOf(2, 4)], 4, "trunc", zxidOf(1, 2)],
      [[NO_ZXID, zxidOf(1, 1), zxidOf(2, 2)], 2, "trunc", zxidOf(1, 1)],
      [[NO_ZXID, zxidOf(1, 2), zxidOf(3, 3)], 3, "diff", zxidOf(3, 3)],
      [[NO_ZXID, zxidOf(1, 2), zxidOf(3, 5)], 5, "trunc", zxidOf(3, 4)],
      [[NO_ZXID], 0, "diff", NO_ZXID],
    ] as const) {
      const rig = new Rig(disk(5, "u@1 v@1 x@3 y@3", "a"));
      rig.discover("b", "c");
      rig.promise("b", 4, index, ...told);
      const sync = rig.lastTo("b", "sync");
      assert.deepEqual([sync.mode, sync.zxid], [mode, common], JSON.stringify(told));
    }
  });

  test("Z5: NEWLEADER comes after the whole initial history, however small the window (3104)", () => {
    const rig = new Rig(disk(1, "x y"), undefined, { inflightMessages: 1, appendBytes: 1 });
    rig.discover("b", "c");
    rig.promise("b", 0, 0, NO_ZXID);
    rig.sync();
    assert.equal(rig.allTo("b", "propose").length, 1);
    assert.equal(rig.allTo("b", "newLeader").length, 0);
    rig.ack("b", 1, false);
    assert.equal(rig.allTo("b", "propose").length, 2);
    assert.equal(rig.lastTo("b", "newLeader").number, rig.lastTo("b", "propose").number + 1);
  });

  test("acknowledgements before NEWLEADER count for nothing", () => {
    const rig = new Rig(disk(1, "x y"));
    rig.discover("b", "c");
    rig.promise("b", 0, 0, NO_ZXID);
    rig.sync();
    rig.ack("b", 2, false);
    assert.deepEqual([rig.zab.role, rig.zab.commitIndex], ["candidate", 0]);
    rig.ack("b", 2);
    assert.deepEqual([rig.zab.role, rig.zab.commitIndex], ["leader", 2]);
  });

  test("the leader counts itself once its disk has its epoch", () => {
    const rig = new Rig();
    rig.discover("b", "c");
    rig.promise("b", 0, 0, NO_ZXID);
    rig.ack("b", 0);
    assert.equal(rig.zab.role, "candidate");
    rig.sync();
    assert.equal(rig.zab.role, "leader");
  });

  test("Z-b: who has promised, acknowledged or not, is sent proposals; UPTODATE brings the latest commit", () => {
    const rig = new Rig();
    rig.lead("b", "c");
    rig.hear("c", { type: "followerInfo", attempt: 2, acceptedEpoch: 1, acceptedFrom: "a" });
    rig.promise("c", 1, 0, NO_ZXID);
    rig.propose("x");
    assert.equal(rig.lastTo("c", "propose").entries.length, 1, "c has not accepted NEWLEADER yet");
    rig.ack("b", 1);
    rig.sync();
    rig.ack("c", 1);
    assert.deepEqual(rig.lastTo("c", "upToDate").zxid, zxidOf(1, 1));
  });
});

suite("broadcast", () => {
  test("a proposal is committed when a quorum's disks have it, the leader's counted when it has", () => {
    const rig = new Rig();
    rig.lead("b", "c");
    const id = rig.propose("x");
    assert.ok(rig.said.every(({ message, eager }) => message.type !== "propose" || eager));
    rig.sync();
    assert.equal(rig.zab.commitIndex, 0);
    rig.ack("c", 1);
    assert.deepEqual(rig.answers.get(id), { type: "committed", index: 1, term: 1 });
    assert.deepEqual(rig.lastTo("b", "commit").zxid, zxidOf(1, 1));
  });

  test("a follower writes one record and acknowledges once for what came in a turn", () => {
    const rig = new Rig();
    rig.followIt("c", 1);
    rig.stream("c", diff(0, 0), 1);
    rig.stream("c", newLeader, 1);
    rig.clear();
    const at = (number: number) => ({ epoch: 1, session: 1, number }) as const;
    rig.zab.onMessage(rig, "c", { ...propose(1, "x"), ...at(3) });
    rig.zab.onMessage(rig, "c", { ...propose(2, "y z"), ...at(4) });
    rig.zab.onIdle(rig);
    assert.deepEqual(rig.recordTypes, ["history"]);
    assert.deepEqual(
      rig.allTo("c", "ack").map(({ zxid }) => zxid),
      [zxidOf(1, 3)],
    );
  });

  test("Z9: when the counter is full the leader gives way to a new epoch (1277)", () => {
    const full = 2 ** 32 - 2;
    const meta = {
      index: full,
      term: 1,
      configuration: founded({ voters: ["a", "b", "c"] }),
      configurationIndex: 0,
      sealed: false,
    };
    const rig = new Rig([{ type: "snapshot", meta }]);
    rig.discover("b", "c");
    rig.promise("b", 1, full, zxidOf(1, full));
    rig.sync();
    rig.ack("b", full);
    assert.equal(rig.zab.role, "leader");
    rig.propose("last");
    assert.deepEqual(rig.lastTo("b", "propose").zxid, { epoch: 2, counter: 2 ** 32 - 1 });
    const refused = rig.propose("one too many");
    assert.equal(rig.answers.get(refused)?.type, "rejected");
    rig.sync();
    rig.ack("b", full + 1);
    assert.equal(rig.zab.commitIndex, full + 1, "what was accepted is committed first");
    assert.equal(rig.zab.phase, "election");
    assert.deepEqual(rig.notes.at(-2), {
      type: "steppedDown",
      term: 2,
      reason: "counterFull",
    });
    rig.discover("b", "c");
    rig.promise("b", 2, full + 1, zxidOf(2, full + 1));
    rig.sync();
    rig.ack("b", full + 1);
    rig.propose("first");
    assert.deepEqual(rig.lastTo("b", "propose").zxid, { epoch: 3, counter: 0 });
    assert.ok(rig.zab.lastIndex === 2 ** 32);
  });

  test("Z14: a proposal that is refused takes no zxid (3127)", () => {
    const rig = new Rig([], undefined, { uncommittedBytes: 1 });
    rig.lead("b", "c");
    rig.propose("x");
    const refused = rig.propose("y");
    const answer = rig.answers.get(refused);
    assert.ok(answer?.type === "rejected" && answer.reason === "overloaded" && answer.definite);
    assert.equal(rig.zab.lastIndex, 1);
    rig.ack("b", 1);
    rig.sync();
    rig.propose("z");
    assert.deepEqual(rig.lastTo("b", "propose").zxid, zxidOf(1, 2));
  });

  test("a leader that no quorum answers steps down, and tells", () => {
    const rig = new Rig();
    rig.lead("b", "c");
    rig.fire("quorum");
    assert.equal(rig.zab.role, "leader");
    rig.fire("quorum");
    assert.equal(rig.zab.role, "candidate");
    assert.equal(rig.lastTo("c", "resigned").epoch, 1);
  });

  test("reads wait for a round of pings that begins after them (B23, scenario R2)", () => {
    const rig = new Rig();
    rig.lead("b", "c");
    const { session, round } = rig.lastTo("b", "ping");
    const read = rig.ask({ type: "read", level: "linearizable" });
    const pong = {
      type: "pong",
      epoch: 1,
      session,
      slow: false,
      zxid: NO_ZXID,
      synced: true,
    } as const;
    rig.hear("b", { ...pong, round });
    assert.equal(rig.answers.has(read), false, "that answer is to an earlier round");
    rig.hear("b", { ...pong, round: rig.lastTo("b", "ping").round });
    assert.deepEqual(rig.answers.get(read), { type: "readable", index: 0 });
  });
});
