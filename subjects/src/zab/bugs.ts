/**
 * Zab with one mistake at a time: the production class, one line of it changed.
 * Each is named after the rule that it breaks (B1–B26 of zab/PROTOCOL.md) or after
 * what happened to ZooKeeper (Z1–Z14) and others.
 */

import { Zab, type ZabConfig, type ZabWords } from "@quorate/consensus";
import type { Context, NodeId } from "@quorate/kernel";
import { Hasty } from "@quorate/lab";

import { type Planted, planted } from "../log/planted.ts";
import { damageBugs } from "./damage-bugs.ts";
import { DISAGREEMENT } from "./witness.ts";

type Ctx = Context<ZabWords>;
type Message<K extends ZabWords["Message"]["type"]> = Extract<
  ZabWords["Message"],
  { readonly type: K }
>;

// Discovery.

class HastyPromise extends Zab {
  protected override onLeaderInfo(ctx: Ctx, from: NodeId, m: Message<"leaderInfo">): void {
    super.onLeaderInfo(new Hasty(ctx, "ackEpoch"), from, m);
  }
}

class HastyProposal extends Zab {
  protected override onFollowerInfo(ctx: Ctx, from: NodeId, m: Message<"followerInfo">): void {
    super.onFollowerInfo(new Hasty(ctx, "leaderInfo"), from, m);
  }
}

class ForgetsItsPromise extends Zab {
  override recover(record: ZabWords["Record"]): void {
    if (record.type !== "acceptedEpoch") super.recover(record);
  }
}

class ForgetsItsEpoch extends Zab {
  override recover(record: ZabWords["Record"]): void {
    if (record.type !== "currentEpoch") super.recover(record);
  }
}

/** Elections look for the newest history and discovery makes sure of it: both must be wrong to do harm. */
class LeadsOutdated extends Zab {
  protected override onNotification(ctx: Ctx, from: NodeId, m: Message<"notification">): void {
    const own = { peerEpoch: this.currentEpoch, zxid: this.lastZxid };
    super.onNotification(ctx, from, { ...m, vote: m.vote && { ...m.vote, ...own } });
  }

  protected override isOutdatedBy(): boolean {
    return false;
  }
}

class HalfIsEnough extends Zab {
  protected override suffices(holds: (node: NodeId) => boolean): boolean {
    const { voters } = this.configuration;
    return voters.filter((node) => holds(node)).length * 2 >= voters.length;
  }
}

// Synchronisation.

class HastySync extends Zab {
  protected override acknowledge(ctx: Ctx): void {
    super.acknowledge(this.phase === "broadcast" ? ctx : new Hasty(ctx, "ack"));
  }
}

/** Keeps what it is sent in memory until NEWLEADER comes, and writes the epoch first then. */
class EpochBeforeHistory extends Zab {
  protected override acknowledge(ctx: Ctx): void {
    if (this.currentEpoch === this.acceptedEpoch) super.acknowledge(ctx);
  }

  protected override enterEpoch(ctx: Ctx, epoch: number): void {
    const { unpersisted } = this;
    this.unpersisted = this.lastIndex + 1;
    super.enterEpoch(ctx, epoch);
    this.unpersisted = unpersisted;
    this.persistTail(ctx);
  }
}

class EpochInMemory extends Zab {
  protected override enterEpoch(ctx: Ctx, epoch: number): void {
    if (this.followed === ctx.self) return super.enterEpoch(ctx, epoch);
    this.persistTail(ctx);
    this.currentEpoch = epoch;
  }
}

class EarlyNewLeader extends Zab {
  protected override synchronise(...[ctx, peer, stream]: Parameters<Zab["synchronise"]>): void {
    super.synchronise(ctx, peer, stream);
    ctx.sendEagerly(peer, { type: "newLeader", ...this.next(stream) });
  }
}

class KeepsItsTail extends Zab {
  protected override truncate(): void {
    // What it has it will not need to be sent.
  }
}

class TellsItsEndOnly extends Zab {
  protected override onAckEpoch(ctx: Ctx, from: NodeId, m: Message<"ackEpoch">): void {
    super.onAckEpoch(ctx, from, { ...m, ends: m.ends.slice(-1) });
  }
}

class ServesOnPromises extends Zab {
  protected override isSyncedWith(ctx: Ctx, node: NodeId): boolean {
    return super.isSyncedWith(ctx, node) || this.progress.get(node)?.promise !== undefined;
  }
}

class SyncedByItself extends Zab {
  protected override isSyncedWith(ctx: Ctx, node: NodeId): boolean {
    return node === ctx.self || super.isSyncedWith(ctx, node);
  }
}

class CountsAnyEpoch extends Zab {
  protected override onAck(ctx: Ctx, from: NodeId, m: Message<"ack">): void {
    const session = this.progress.get(from)?.session ?? 0;
    super.onAck(ctx, from, { ...m, epoch: this.epoch, session });
  }
}

class CommitsOnPromises extends Zab {
  protected override checkPromises(ctx: Ctx): void {
    super.checkPromises(ctx);
    if (this.phase === "synchronisation") this.commitTo(ctx, this.firstOwn - 1);
  }
}

class TakesItsLogForCommitted extends Zab {
  override onStart(ctx: Ctx): void {
    this.commitTo(ctx, this.lastIndex);
    super.onStart(ctx);
  }
}

class DropsItsTailAtRestart extends Zab {
  override onStart(ctx: Ctx): void {
    this.truncate(ctx, this.commitIndex);
    super.onStart(ctx);
  }
}

// Broadcast.

class HastyAck extends Zab {
  protected override acknowledge(ctx: Ctx): void {
    super.acknowledge(this.phase === "broadcast" ? new Hasty(ctx, "ack") : ctx);
  }
}

class HastyPong extends Zab {
  protected override onPing(ctx: Ctx, from: NodeId, m: Message<"ping">): void {
    super.onPing(new Hasty(ctx, "pong"), from, m);
  }
}

class CountsItselfFirst extends Zab {
  protected override heldBy(ctx: Ctx, node: NodeId): number {
    return node === ctx.self ? this.lastIndex : super.heldBy(ctx, node);
  }
}

class CountsTheUnsynced extends Zab {
  protected override heldBy(ctx: Ctx, node: NodeId): number {
    return this.progress.get(node)?.match ?? super.heldBy(ctx, node);
  }
}

class DeliversOnReceipt extends Zab {
  protected override acknowledge(ctx: Ctx): void {
    if (this.phase === "broadcast") this.commitTo(ctx, this.lastIndex);
    super.acknowledge(ctx);
  }
}

class IgnoresGaps extends Zab {
  protected override lookForGap(): void {
    // What was lost will surely arrive one day.
  }
}

class PersistentLeader extends Zab {
  protected override onQuorumTimeout(ctx: Ctx): void {
    ctx.setTimer("quorum", this.config.electionMs);
  }
}

class LoyalFollower extends Zab {
  protected override onElectionTimeout(ctx: Ctx): void {
    if (this.phase === "broadcast") this.awaitLeader(ctx);
    else super.onElectionTimeout(ctx);
  }
}

// Reads.

class ReadsWithoutAsking extends Zab {
  protected override onRead(...[ctx, id, level]: Parameters<Zab["onRead"]>): void {
    if (this.isReady) ctx.replyEagerly(id, { type: "readable", index: this.commitIndex });
    else super.onRead(ctx, id, level);
  }
}

class LongLease extends Zab {
  protected override onPong(ctx: Ctx, from: NodeId, m: Message<"pong">): void {
    const before = this.reads.leaseUntil;
    super.onPong(ctx, from, m);
    // From when the answer came, and longer than the most patient voter waits.
    if (this.reads.leaseUntil > before)
      this.reads.leaseUntil = ctx.now + 3 * this.config.electionMs;
  }
}

class HastyRestart extends Zab {
  override onStart(ctx: Ctx): void {
    super.onStart(ctx);
    this.heardAt = -Infinity;
  }
}

class ImpatientFollower extends Zab {
  protected override hearsLeader(): boolean {
    return this.role === "leader";
  }
}

export const zabBugs: readonly Planted<ZabConfig, Zab>[] = [
  planted(
    "promises-before-durable",
    "the promise of an epoch is on stable storage before ACK-E (2011, §V)",
    ["B7", "B18", ...DISAGREEMENT],
    ["disturbed-elections", "crash-unsynced"],
    (config) => new HastyPromise(config),
  ),
  planted(
    "proposes-before-durable",
    "a leader's epoch is on its disk before NEWEPOCH (B6)",
    ["B7", ...DISAGREEMENT],
    ["disturbed-elections", "slow-disks"],
    (config) => new HastyProposal(config),
  ),
  planted(
    "Z8-forgets-its-promise",
    "the accepted epoch is stable, and never below the current one (ZOOKEEPER-2307)",
    ["H2", "H3", "B7", ...DISAGREEMENT],
    ["disturbed-elections", "crash-unsynced"],
    (config) => new ForgetsItsPromise(config),
  ),
  planted(
    "forgets-its-epoch",
    "the current epoch is stable (2011, §V)",
    ["H3", ...DISAGREEMENT],
    ["crash-unsynced", "disturbed-elections"],
    (config) => new ForgetsItsEpoch(config),
  ),
  planted(
    "B8-leads-outdated",
    "the leader's history is the newest among those that promise (2011, §IV.A)",
    ["liveness", ...DISAGREEMENT],
    ["swarm", "cut-new-leaders", "leader-and-friend"],
    (config) => new LeadsOutdated(config),
  ),
  planted(
    "B6-half-is-enough",
    "every phase needs a quorum (2011, §IV)",
    ["H10", "B16", ...DISAGREEMENT],
    ["partitions"],
    (config) => new HalfIsEnough(config),
    { nodes: 4 },
  ),
  planted(
    "Z1-acks-newleader-before-durable",
    "NEWLEADER is acknowledged when the history is durable (ZOOKEEPER-3911, 4646)",
    ["B14", "B18", ...DISAGREEMENT],
    ["slow-disks", "crash-unsynced"],
    (config) => new HastySync(config),
  ),
  planted(
    "Z2-epoch-before-history",
    "the history is on the disk before the current epoch (ZOOKEEPER-4643, 4785)",
    ["B14", ...DISAGREEMENT],
    ["swarm"],
    (config) => new EpochBeforeHistory(config),
  ),
  planted(
    "B14-epoch-in-memory",
    "who accepts NEWLEADER writes the epoch before it says so (B14)",
    ["B14", ...DISAGREEMENT],
    ["swarm"],
    (config) => new EpochInMemory(config),
  ),
  planted(
    "Z5-newleader-too-early",
    "NEWLEADER comes after the whole initial history (ZOOKEEPER-3104)",
    ["B14", ...DISAGREEMENT],
    ["swarm", "leader-and-friend"],
    (config) => new EarlyNewLeader(config),
  ),
  planted(
    "Z12-keeps-its-tail",
    "a follower drops what its leader does not have (B10)",
    ["liveness", ...DISAGREEMENT],
    ["cut-new-leaders", "leader-and-friend"],
    (config) => new KeepsItsTail(config),
  ),
  planted(
    "B10-tells-its-end-only",
    "two histories may part in an epoch that one of them does not have (B10)",
    ["liveness"],
    ["cut-new-leaders", "leader-and-friend", "swarm"],
    (config) => new TellsItsEndOnly(config),
  ),
  planted(
    "B15-serves-on-promises",
    "a leader is established when a quorum has its history, not when it has promised (2011, §IV.B)",
    DISAGREEMENT,
    ["swarm", "slow-disks"],
    (config) => new ServesOnPromises(config),
  ),
  planted(
    "B15-synced-by-itself",
    "a leader's own history counts once its disk has it (B15)",
    DISAGREEMENT,
    ["slow-disks", "crash-unsynced"],
    (config) => new SyncedByItself(config),
  ),
  planted(
    "B15-counts-any-epoch",
    "an acknowledgement is of the epoch that it names (2011, §IV.B)",
    DISAGREEMENT,
    ["swarm", "disturbed-elections", "partitions"],
    (config) => new CountsAnyEpoch(config),
  ),
  planted(
    "B15-commits-on-promises",
    "the initial history is committed when a quorum has acknowledged NEWLEADER (2011, §IV.B)",
    DISAGREEMENT,
    ["swarm"],
    (config) => new CommitsOnPromises(config),
  ),
  planted(
    "Z7-takes-its-log-for-committed",
    "after a restart the end of a history may not be committed (ZOOKEEPER-2845)",
    DISAGREEMENT,
    ["crash-unsynced", "swarm"],
    (config) => new TakesItsLogForCommitted(config),
  ),
  planted(
    "Z7-drops-its-tail-at-restart",
    "what was acknowledged stays, known to be committed or not (ZOOKEEPER-2845)",
    DISAGREEMENT,
    ["crash-unsynced", "swarm"],
    (config) => new DropsItsTailAtRestart(config),
  ),
  planted(
    "L7-acks-before-durable",
    "a follower acknowledges a proposal once it is on stable storage (2011, §IV.C)",
    ["B18", ...DISAGREEMENT],
    ["crash-unsynced", "slow-disks"],
    (config) => new HastyAck(config),
  ),
  planted(
    "L7-pongs-before-durable",
    "whatever tells of a history waits for the disk (B18)",
    ["B18", "B14", ...DISAGREEMENT],
    ["slow-disks", "crash-unsynced"],
    (config) => new HastyPong(config),
  ),
  planted(
    "L6-leader-counts-itself-first",
    "the leader's own acknowledgement comes by its disk (B19)",
    DISAGREEMENT,
    ["slow-disks", "swarm"],
    (config) => new CountsItselfFirst(config),
  ),
  planted(
    "B19-counts-the-unsynced",
    "only who has accepted NEWLEADER counts (B19)",
    DISAGREEMENT,
    ["swarm", "partitions", "leader-and-friend"],
    (config) => new CountsTheUnsynced(config),
  ),
  planted(
    "B18-delivers-on-receipt",
    "a follower delivers what was committed, not what was proposed (2011, §IV.C)",
    DISAGREEMENT,
    ["swarm"],
    (config) => new DeliversOnReceipt(config),
  ),
  planted(
    "D9-ignores-gaps",
    "what is missing in a session ends it (D9)",
    ["liveness"],
    ["swarm"],
    (config) => new IgnoresGaps(config),
  ),
  planted(
    "E12-persistent-leader",
    "a leader without a quorum looks for a leader (B21)",
    ["liveness"],
    ["partitions", "swarm"],
    (config) => new PersistentLeader(config),
  ),
  planted(
    "B21-loyal-follower",
    "a follower without a leader looks for another (B21)",
    ["liveness"],
    ["swarm", "partitions"],
    (config) => new LoyalFollower(config),
  ),
  ...damageBugs,
  planted(
    "reads-without-asking",
    "a leader asks a quorum before it answers a read (B23)",
    ["L3"],
    ["partitions", "pause-lease-holder"],
    (config) => new ReadsWithoutAsking(config),
  ),
  planted(
    "lease-too-long",
    "a lease ends before any follower's patience does (B23)",
    ["L3"],
    ["pause-lease-holder", "partitions"],
    (config) => new LongLease(config),
    { leaseReads: 1 },
  ),
  planted(
    "R3-hasty-restart",
    "a restart does not end the patience promised to a leader (B21, B23)",
    ["L3"],
    ["leader-and-friend", "crash-unsynced"],
    (config) => new HastyRestart(config),
    { leaseReads: 1, nodes: 3 },
  ),
  planted(
    "impatient-follower",
    "who hears a leader votes for nobody else (B21, B23)",
    ["L3"],
    ["leader-and-friend"],
    (config) => new ImpatientFollower(config),
    { leaseReads: 1 },
  ),
];
