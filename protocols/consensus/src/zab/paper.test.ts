/**
 * Sentences of the paper and of ZooKeeper's history, one node at a time. Names
 * that begin with a Z are scenarios that went wrong there, by their numbers in its
 * issue tracker.
 */

import assert from "node:assert/strict";
import { suite, test } from "node:test";

import { founded } from "../membership.ts";
import { compareVotes } from "./election.ts";
import type { Vote } from "./messages.ts";
import { disk, Rig } from "./rig.test.ts";
import { NO_ZXID, zxidOf } from "./zxid.ts";

suite("elections", () => {
  test("votes are compared by epoch, then history, then rank, then name", () => {
    const least: Vote = { peerEpoch: 1, zxid: zxidOf(1, 1), rank: 1, node: "a" };
    const ordered: readonly Vote[] = [
      least,
      { ...least, node: "b" },
      { ...least, rank: 2 },
      { ...least, zxid: zxidOf(1, 2), rank: 0 },
      { ...least, peerEpoch: 2, zxid: NO_ZXID },
    ];
    for (const [i, vote] of ordered.slice(1).entries()) {
      assert.ok(compareVotes(vote, ordered[i]!) > 0, JSON.stringify(vote));
    }
  });

  test("a candidate that does not hear this node is not voted for", () => {
    const rig = new Rig();
    const vote = { peerEpoch: 5, zxid: NO_ZXID, rank: 1, node: "c" };
    rig.notify("c", { vote, hears: false });
    assert.equal(rig.lastTo("c", "notification").vote, undefined);
    rig.notify("c", { vote });
    assert.equal(rig.lastTo("c", "notification").vote?.node, "c");
  });

  test("a node that reaches no quorum does not stand", () => {
    const five = founded({ voters: ["a", "b", "c", "d", "e"] });
    const rig = new Rig([], five);
    rig.notify("b", {});
    assert.equal(rig.lastTo("b", "notification").vote, undefined);
    rig.notify("c", {});
    assert.equal(rig.lastTo("b", "notification").vote?.node, "a");
  });

  test("E8: an observer does not stand, nor a voter of priority 0", () => {
    const traits = [{ node: "a", address: "", priority: 0 }];
    for (const members of [
      { voters: ["b", "c"], learners: ["a"] },
      { voters: ["a", "b", "c"], traits },
    ]) {
      const rig = new Rig([], founded(members));
      for (const peer of ["b", "c"]) rig.notify(peer, {});
      assert.equal(rig.lastTo("b", "notification").vote, undefined);
    }
  });

  test("a vote for less than this node has is not taken up", () => {
    const rig = new Rig(disk(2, "x@1 y@2"));
    rig.notify("c", { vote: { peerEpoch: 1, zxid: zxidOf(1, 9), rank: 9, node: "c" } });
    assert.equal(rig.lastTo("c", "notification").vote?.node, "a");
    rig.notify("c", { vote: { peerEpoch: 2, zxid: zxidOf(2, 2), rank: 1, node: "c" } });
    assert.equal(rig.lastTo("c", "notification").vote?.node, "c");
  });

  test("a quorum's votes are enough after a while, everybody's at once (B3)", () => {
    const rig = new Rig();
    rig.notify("b", {});
    const { vote } = rig.lastTo("b", "notification");
    rig.notify("b", { vote });
    assert.equal(rig.zab.phase, "election");
    assert.ok(rig.timers.has("finalize"));
    rig.notify("c", { vote });
    assert.equal(rig.zab.phase, "discovery");
  });

  test("a later round begins anew; an earlier one is told of this one (B2)", () => {
    const rig = new Rig();
    rig.notify("b", {});
    rig.notify("b", { vote: rig.lastTo("b", "notification").vote, round: 7 });
    rig.fire("finalize");
    assert.equal(rig.zab.phase, "discovery");
    const other = new Rig();
    other.notify("b", { round: 7 });
    other.notify("b", { round: 3, vote: other.lastTo("b", "notification").vote });
    assert.equal(other.lastTo("b", "notification").round, 7);
    assert.ok(!other.timers.has("finalize"));
  });

  test("Z10: who says that another leads is not believed before that one says so itself", () => {
    const rig = new Rig();
    const vote = { peerEpoch: 0, zxid: NO_ZXID, rank: 1, node: "c" };
    rig.notify("b", { vote, state: "following", round: 4 });
    assert.equal(rig.zab.followed, undefined);
    rig.notify("c", { vote, state: "leading", round: 4 });
    assert.equal(rig.zab.followed, "c");
    assert.equal(rig.lastTo("c", "followerInfo").attempt, 1);
  });

  test("Z10: one's own word that one leads is not enough without a quorum, nor words of two elections", () => {
    const rig = new Rig();
    const vote = { peerEpoch: 0, zxid: NO_ZXID, rank: 1, node: "c" };
    rig.notify("c", { vote, state: "leading", round: 4 });
    assert.equal(rig.zab.followed, undefined);
    rig.notify("b", { vote, state: "following", round: 3 });
    assert.equal(rig.zab.followed, undefined);
    rig.notify("b", { vote, state: "following", round: 4 });
    assert.equal(rig.zab.followed, "c");
  });

  test("Z10: a node with a leader tells of the vote by which it was elected, as it was (1732)", () => {
    const rig = new Rig();
    rig.followIt("c", 7);
    rig.notify("b", { round: 1 });
    const { state, vote, round } = rig.lastTo("b", "notification");
    assert.deepEqual([state, vote?.node, vote?.peerEpoch, round], ["following", "c", 99, 1]);
  });

  test("Z10: late votes do not move a node that has a leader", () => {
    const rig = new Rig();
    rig.followIt("c", 7);
    rig.notify("b", {
      round: 99,
      vote: { peerEpoch: 100, zxid: zxidOf(100, 1), rank: 9, node: "b" },
    });
    assert.equal(rig.zab.followed, "c");
  });

  test("Z11: an observer's votes and promises count for nothing", () => {
    const rig = new Rig([], founded({ voters: ["a", "b", "c"], learners: ["l"] }));
    const own = () => rig.lastTo("b", "notification").vote;
    rig.notify("l", {});
    assert.equal(own(), undefined);
    rig.notify("b", {});
    rig.notify("l", { vote: own() });
    assert.ok(!rig.timers.has("finalize"));
    rig.notify("b", { vote: own() });
    rig.fire("finalize");
    rig.hear("l", { type: "followerInfo", attempt: 1, acceptedEpoch: 0, acceptedFrom: "" });
    assert.equal(rig.zab.acceptedEpoch, 0);
    rig.hear("b", { type: "followerInfo", attempt: 1, acceptedEpoch: 0, acceptedFrom: "" });
    assert.equal(rig.zab.acceptedEpoch, 1);
    rig.promise("l", 0, 0, NO_ZXID);
    assert.equal(rig.zab.phase, "discovery");
    rig.promise("b", 0, 0, NO_ZXID);
    rig.sync();
    rig.ack("l", 0);
    assert.equal(rig.zab.role, "candidate");
    rig.ack("b", 0);
    assert.equal(rig.zab.role, "leader");
    rig.propose("x");
    rig.sync();
    assert.equal(rig.allTo("l", "propose").length, 0);
    rig.ack("l", 1);
    assert.equal(rig.zab.commitIndex, 0, "an observer acknowledges for the window only");
    rig.ack("b", 1);
    assert.equal(rig.zab.commitIndex, 1);
    rig.propose("y");
    rig.ack("b", 2);
    rig.sync();
    assert.deepEqual(rig.lastTo("l", "inform").zxid, zxidOf(1, 2), "it is told when that is so");
  });
});

suite("discovery", () => {
  test("the new epoch is later than any that a quorum has promised, and on the disk before it is told", () => {
    const rig = new Rig();
    for (const peer of ["b", "c"]) rig.notify(peer, {});
    for (const peer of ["b", "c"]) {
      rig.notify(peer, { vote: rig.lastTo("b", "notification").vote });
    }
    rig.hear("b", { type: "followerInfo", attempt: 1, acceptedEpoch: 6, acceptedFrom: "x" });
    const said = rig.said.find(({ message }) => message.type === "leaderInfo");
    assert.ok(said !== undefined && !said.eager && said.after === rig.written);
    assert.equal(rig.lastTo("b", "leaderInfo").epoch, 7);
    assert.deepEqual(rig.records.at(-1), { type: "acceptedEpoch", epoch: 7, from: "a" });
  });

  test("an epoch is promised to one leader: a second one of that epoch is not followed", () => {
    const rig = new Rig([{ type: "acceptedEpoch", epoch: 4, from: "b" }]);
    rig.followIt("c", 4);
    assert.equal(rig.allTo("c", "ackEpoch").length, 0);
    const { attempt } = rig.lastTo("c", "followerInfo");
    rig.hear("c", { type: "leaderInfo", epoch: 5, session: 2, attempt });
    assert.equal(rig.lastTo("c", "ackEpoch").epoch, 5);
  });

  test("a leader whose epoch a follower cannot promise finds another one", () => {
    const rig = new Rig();
    rig.lead("b", "c");
    const taken = {
      type: "followerInfo",
      attempt: 2,
      acceptedEpoch: 1,
      acceptedFrom: "x",
    } as const;
    rig.hear("c", taken);
    assert.equal(rig.zab.phase, "election");
    assert.equal(rig.lastTo("b", "resigned").epoch, 1);
  });

  test("a leader that sees a newer history among those it counts gives up (B8)", () => {
    for (const [epoch, index] of [
      [2, 1],
      [1, 3],
    ] as const) {
      const rig = new Rig(disk(1, "x y"));
      rig.discover("b", "c");
      rig.promise("b", epoch, index, zxidOf(epoch, index));
      assert.equal(rig.zab.phase, "election");
      assert.deepEqual(rig.zab.currentEpoch, 1);
    }
  });

  test("a history is told in short: where it is committed, and where each epoch after that ends", () => {
    const rig = new Rig(disk(4, "u@1 v@1 w@2 x@4 y@4", "b"));
    rig.followIt("c", 5);
    const { currentEpoch, index, ends } = rig.lastTo("c", "ackEpoch");
    const words = ends.map(({ epoch, counter }) => `${epoch}:${counter}`);
    assert.deepEqual([currentEpoch, index, words], [4, 5, ["0:0", "1:2", "2:3", "4:5"]]);
  });

  test("Z7: what was not committed at a restart is kept, and told of (2845)", () => {
    const rig = new Rig(disk(1, "x y"));
    rig.followIt("c", 2);
    assert.deepEqual(rig.held, ["x@1", "y@1"]);
    assert.deepEqual(rig.lastTo("c", "ackEpoch").ends.at(-1), zxidOf(1, 2));
    assert.equal(rig.zab.commitIndex, 0, "and not taken for committed");
  });

  test("Z8: a disk whose accepted epoch is below its current one is understood (2307, 4269)", () => {
    const rig = new Rig([
      { type: "acceptedEpoch", epoch: 2, from: "b" },
      { type: "currentEpoch", epoch: 3 },
    ]);
    assert.deepEqual([rig.zab.acceptedEpoch, rig.zab.currentEpoch], [3, 3]);
    rig.followIt("c", 3);
    assert.equal(rig.allTo("c", "ackEpoch").length, 0, "epoch 3 was somebody's already");
  });
});
