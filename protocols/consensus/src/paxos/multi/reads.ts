/**
 * Rounds of heartbeats and what they are good for: members learn who leads and
 * what they lack, the leader learns that it still leads. A read sees everything
 * decided when it was asked if an accept quorum afterwards still had promised
 * nobody else, for then no prepare quorum has (M16). A lease counts on the same
 * quorum's patience (M17).
 */

import { invariant, type NodeId } from "@quorate/kernel";

import type { Heartbeat, HeartbeatAck } from "./messages.ts";
import { reachedByAccepting } from "./quorums.ts";
import type { Ctx } from "./state.ts";
import { Streaming } from "./streams.ts";

export abstract class Reading extends Streaming {
  protected override beginRounds(ctx: Ctx): void {
    this.reads.clear();
    this.beat(ctx, false);
  }

  /**
   * Everything that may have been decided before this leader came is decided and
   * known: the prepare quorum in force has told, and its slots are done (M16).
   */
  protected override get isReady(): boolean {
    return this.role === "leader" && this.isPrepared && this.commitIndex >= this.inheritedLast;
  }

  /** A round for those who have asked, one for all. */
  protected serveReads(ctx: Ctx): void {
    if (!this.reads.wantsRound || !this.isReady) return;
    this.reads.admit(this.commitIndex);
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
    const round = this.reads.begin(ctx.now);
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
    invariant(m.round <= this.reads.last, "J8: only rounds that were sent are answered");
    progress.round = m.round;
    progress.slow = m.slow;
    this.confirmRounds(ctx);
  }

  /** An accept quorum that answered a round had promised nobody else when it was sent. */
  private confirmRounds(ctx: Ctx): void {
    const confirmed = reachedByAccepting(this.configuration, this.quorums, (node) =>
      node === ctx.self ? this.reads.last : (this.progress.get(node)?.round ?? 0),
    );
    this.reads.confirm(ctx, confirmed, this.config);
  }

  protected override abandon(ctx: Ctx): void {
    super.abandon(ctx);
    this.abandonReads(ctx);
  }
}
