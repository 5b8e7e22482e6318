/**
 * Rounds of heartbeats and what they are good for: members learn who leads and
 * what they lack, the leader learns that it still leads. A read sees everything
 * decided when it was asked if an accept quorum afterwards still had promised
 * nobody else, for then no prepare quorum has (M16). A lease counts on the same
 * quorum's patience (M17).
 */

import { invariant, type NodeId, type RequestId } from "@quorate/kernel";

import { leaseMs } from "../../leader-settings.ts";
import { ReadQueue } from "../../read-queue.ts";
import { Rounds } from "../../rounds.ts";
import type { Heartbeat, HeartbeatAck } from "./messages.ts";
import { reachedByAccepting } from "./quorums.ts";
import type { Ctx } from "./state.ts";
import { Streaming } from "./streams.ts";

export abstract class Reading extends Streaming {
  private readonly reads: ReadQueue = new ReadQueue();
  private readonly rounds: Rounds = new Rounds();
  /** Until when this leader may serve lease reads, by its own clock (M17). */
  protected leaseUntil = -1;
  /** Somebody was told to take over from this ballot, whatever leases say, and may still do so. */
  protected leaseForfeited = false;

  protected override beginRounds(ctx: Ctx): void {
    this.rounds.clear();
    this.leaseUntil = -1;
    this.leaseForfeited = false;
    this.beat(ctx, false);
  }

  /**
   * Everything that may have been decided before this leader came is decided and
   * known: the prepare quorum in force has told, and its slots are done (M16).
   */
  protected get isReady(): boolean {
    return this.role === "leader" && this.isPrepared && this.commitIndex >= this.inheritedLast;
  }

  protected onRead(ctx: Ctx, id: RequestId, level: "linearizable" | "lease"): void {
    if (this.role !== "leader") return ctx.reply(id, this.rejected("notLeader", true));
    if (this.transfer !== undefined) return ctx.reply(id, this.rejected("transferring", true));
    const leased = this.config.leaseReads && ctx.now < this.leaseUntil;
    if (level === "lease" && leased && this.isReady) {
      return ctx.replyEagerly(id, { type: "readable", index: this.commitIndex });
    }
    this.reads.ask(id);
  }

  /** A round for those who have asked, one for all. */
  protected serveReads(ctx: Ctx): void {
    if (!this.reads.wantsRound || !this.isReady) return;
    this.reads.begin(this.rounds.last + 1, this.commitIndex);
    this.beat(ctx, false);
  }

  protected onHeartbeatTimeout(ctx: Ctx): void {
    if (this.role === "candidate") return this.askForPromises(ctx);
    if (!this.isPrepared) this.askForPromises(ctx);
    this.beat(ctx, true);
    ctx.setTimer("heartbeat", this.config.heartbeatMs);
  }

  /** @param late - What was sent before the last one should have arrived: whoever lacks it says so. */
  private beat(ctx: Ctx, late: boolean): void {
    const round = this.rounds.begin(ctx.now);
    const { ballot, commitIndex: commit } = this;
    for (const [peer, progress] of this.progress) {
      const sent = late ? this.sentTo(progress) : 0;
      ctx.sendEagerly(peer, { type: "heartbeat", ballot, commit, round, sent });
    }
    this.confirmRounds(ctx);
  }

  protected onHeartbeat(ctx: Ctx, from: NodeId, m: Heartbeat): void {
    if (!this.heed(ctx, from, m.ballot)) return this.refuse(ctx, from);
    this.commitTo(ctx, Math.min(m.commit, this.agreed));
    const { promised: ballot, agreed: index, slow } = this;
    // A hint, for which no disk need be waited.
    if (index < m.sent) ctx.sendEagerly(from, { type: "missing", ballot, from: index + 1 });
    ctx.send(from, { type: "heartbeatAck", ballot, round: m.round, index, slow });
  }

  protected onHeartbeatAck(ctx: Ctx, from: NodeId, m: HeartbeatAck): void {
    const progress = this.heardFrom(from, m.ballot);
    if (progress === undefined) return;
    this.agree(ctx, from, progress, m.index);
    if (this.progress.get(from) !== progress || m.round <= progress.round) return;
    invariant(m.round <= this.rounds.last, "J8: only rounds that were sent are answered");
    progress.round = m.round;
    progress.slow = m.slow;
    this.confirmRounds(ctx);
  }

  /** An accept quorum that answered a round had promised nobody else when it was sent. */
  private confirmRounds(ctx: Ctx): void {
    const confirmed = reachedByAccepting(this.configuration, this.quorums, (node) =>
      node === ctx.self ? this.rounds.last : (this.progress.get(node)?.round ?? 0),
    );
    const sentAt = this.rounds.confirm(confirmed);
    if (sentAt === undefined) return;
    if (!this.leaseForfeited) this.leaseUntil = sentAt + leaseMs(this.config);
    const readers = this.reads.confirm(confirmed);
    if (readers === undefined) return;
    for (const id of readers.ids) ctx.replyEagerly(id, { type: "readable", index: readers.index });
  }

  /** Somebody is told to take over: no lease in this ballot any more. */
  protected forfeitLease(): void {
    this.leaseForfeited = true;
    this.endLease();
  }

  /** Other members count from now on: what the old ones confirmed is no lease. */
  protected endLease(): void {
    this.leaseUntil = -1;
  }

  protected abandonReads(ctx: Ctx): void {
    this.leaseUntil = -1;
    for (const id of this.reads.abandon()) ctx.reply(id, this.rejected("lostLeadership", true));
  }

  protected override abandon(ctx: Ctx): void {
    super.abandon(ctx);
    this.abandonReads(ctx);
  }
}
