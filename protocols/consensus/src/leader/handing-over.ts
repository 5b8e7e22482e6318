/**
 * Leadership is handed over: because somebody asks (Ongaro 2014, §3.10), because
 * another member should lead rather than this one, or because this one is no
 * voter any more. A leader that hands over accepts nothing, waits until the other
 * has everything, and summons it (R31, M18); how, the engine knows.
 */

import type { NodeId, RequestId } from "@quorate/kernel";

import { traitsOf } from "../membership.ts";
import type { Progress } from "../progress.ts";
import { bestSuccessor } from "../succession.ts";
import { type LeaderContext, LeaderState, NEVER } from "./state.ts";

/** After a transfer that failed a leader gives none of its own accord for so many election timeouts. */
const PATIENCE = 10;

/** Leadership on its way to another member. */
interface Transfer {
  /** Who asked; nobody if the leader hands over of its own accord. */
  readonly id: RequestId | undefined;
  readonly to: NodeId;
}

export abstract class HandingOver extends LeaderState {
  /** Leadership is being handed over; nothing new is accepted meanwhile. */
  protected transfer: Transfer | undefined;
  /** Local time before which leadership is not given away unasked. */
  private yieldAfter = NEVER;

  protected onTransfer(ctx: LeaderContext, id: RequestId, wanted: NodeId | undefined): void {
    if (this.role !== "leader") return ctx.reply(id, this.rejected("notLeader", true));
    if (this.transfer !== undefined) return ctx.reply(id, this.rejected("transferring", true));
    const to = wanted ?? this.bestSuccessor();
    if (to === ctx.self) return ctx.reply(id, { type: "transferred", leader: to });
    if (to === undefined || !this.progress.has(to) || !this.isVoter(to)) {
      return ctx.reply(id, this.rejected("stale", true));
    }
    this.handOver(ctx, id, to);
  }

  /** Stops accepting, and summons `to` once it has everything. */
  protected handOver(ctx: LeaderContext, id: RequestId | undefined, to: NodeId): void {
    this.transfer = { id, to };
    this.abandonReads(ctx);
    ctx.setTimer("transfer", this.config.electionMs);
    this.onCaughtUp(ctx, to, this.progress.get(to)!);
  }

  /** The driver's word on this node's disk and event loop. */
  protected onHealth(ctx: LeaderContext, slow: boolean): void {
    this.slow = slow;
    this.yieldToBetter(ctx);
  }

  /**
   * Hands over of its own accord to a member that should lead rather than this
   * one: it is well and this one slow, or its priority is higher.
   */
  protected yieldToBetter(ctx: LeaderContext): void {
    if (!this.isReady || this.transfer !== undefined || ctx.now < this.yieldAfter) return;
    const to = this.bestSuccessor();
    if (to === undefined || !this.isCaughtUp(ctx, to)) return;
    const other = this.progress.get(to)!;
    const rank = (node: NodeId) => traitsOf(this.configuration, node).priority;
    const better = this.slow === other.slow ? rank(to) > rank(ctx.self) : this.slow;
    if (better) this.handOver(ctx, undefined, to);
  }

  /** The leader itself is no voter any more: somebody else should lead, at once (R29, M23). */
  protected leave(ctx: LeaderContext): void {
    if (this.transfer !== undefined) return;
    const to = this.bestSuccessor();
    if (to === undefined) return this.stepDown(ctx);
    this.handOver(ctx, undefined, to);
  }

  /** The transfer took too long: go on leading, or leave it to the others. */
  protected onTransferTimeout(ctx: LeaderContext): void {
    if (this.transfer === undefined) return;
    const { id } = this.transfer;
    this.transfer = undefined;
    this.yieldAfter = ctx.now + PATIENCE * this.config.electionMs;
    // The target may still receive its summons and be elected.
    if (id !== undefined) ctx.reply(id, this.rejected("timeout", false));
    if (this.role === "leader" && !this.isVoter(ctx.self)) this.stepDown(ctx);
  }

  /** Knowing a leader settles a transfer, one way or the other. */
  protected override announce(ctx: LeaderContext): void {
    super.announce(ctx);
    if (this.transfer === undefined || this.role === "leader" || this.leader === undefined) return;
    const { id } = this.transfer;
    this.transfer = undefined;
    ctx.cancelTimer("transfer");
    if (id !== undefined) ctx.reply(id, { type: "transferred", leader: this.leader });
  }

  private bestSuccessor(): NodeId | undefined {
    const fit = (node: NodeId) => this.isVoter(node) && this.mayLead(node);
    return bestSuccessor(this.progress, this.configuration, fit);
  }

  /** Somebody is summoned: no lease counts any more in this leadership (scenario R3). */
  protected forfeitLease(): void {
    this.reads.forfeitLease();
  }

  /** Whether `node` may ever lead. */
  protected abstract mayLead(node: NodeId): boolean;

  /** This node leads, and knows everything that may have been committed before it did. */
  protected abstract get isReady(): boolean;

  /** A member may now have everything: a transfer waits for that. */
  protected abstract onCaughtUp(ctx: LeaderContext, peer: NodeId, progress: Progress): void;
}
