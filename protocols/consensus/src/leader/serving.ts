/**
 * What a log is asked: where each request leads, and those that every engine
 * answers alike once it can append: proposals, reads, changes of membership and
 * the end of the log.
 */

import { type NodeId, type RequestId, unreachable } from "@quorate/kernel";

import {
  type Configuration,
  type Entry,
  entryBytes,
  type Index,
  type SnapshotMeta,
} from "../entry.ts";
import { changed, type ChangeProblem, promoted } from "../membership.ts";
import type { LogRequest } from "../ordered-log.ts";
import { HandingOver } from "./handing-over.ts";
import type { LeaderContext } from "./state.ts";

type Request<T extends LogRequest["type"]> = Extract<LogRequest, { readonly type: T }>;

export abstract class Serving extends HandingOver {
  onRequest(ctx: LeaderContext, id: RequestId, request: LogRequest): void {
    switch (request.type) {
      case "propose":
        return this.onPropose(ctx, id, request.data);
      case "read":
        return this.onRead(ctx, id, request.level);
      case "transfer":
        return this.onTransfer(ctx, id, request.to);
      case "reconfigure":
        return this.onReconfigure(ctx, id, request);
      case "seal":
        return this.onSeal(ctx, id, request.data);
      case "health":
        return this.onHealth(ctx, request.slow);
      case "install":
        return this.onInstall(ctx, id, request.meta);
      case "snapshotSent":
        return this.onSnapshotSent(ctx, request.to, request.index);
      case "snapshotFailed":
        return this.onSnapshotFailed(request.to);
      default:
        unreachable(request);
    }
  }

  private onPropose(ctx: LeaderContext, id: RequestId, data: Uint8Array): void {
    if (this.refusesToAppend(ctx, id)) return;
    const entry = { term: this.term, kind: "command", data } as const;
    // One entry is always admitted, or a cap below its size would refuse it for ever (R19, M21).
    const full = this.uncommittedBytes + entryBytes(entry) > this.config.uncommittedBytes;
    if (full && this.uncommittedBytes > 0) return ctx.reply(id, this.rejected("overloaded", true));
    this.submit(ctx, entry, id);
  }

  /** A read waits for a round of heartbeats that begins after it was asked (R32, M16), or for none under a lease. */
  protected onRead(ctx: LeaderContext, id: RequestId, level: Request<"read">["level"]): void {
    if (this.role !== "leader") return ctx.reply(id, this.rejected("notLeader", true));
    if (this.transfer !== undefined) return ctx.reply(id, this.rejected("transferring", true));
    const leased = this.config.leaseReads && ctx.now < this.reads.leaseUntil;
    if (level === "lease" && leased && this.isReady) {
      return ctx.replyEagerly(id, { type: "readable", index: this.commitIndex });
    }
    this.reads.ask(id);
  }

  private onReconfigure(
    ctx: LeaderContext,
    id: RequestId,
    { changes, basedOn }: Request<"reconfigure">,
  ): void {
    if (this.refusesToAppend(ctx, id)) return;
    const problem = this.whyNotChange(basedOn);
    if (problem !== undefined) {
      return ctx.reply(id, { type: "changeRefused", problem, node: undefined });
    }
    const next = changed(this.configuration, changes, (node) => this.isCaughtUp(ctx, node));
    if ("problem" in next) return ctx.reply(id, next);
    this.reconfigure(ctx, next, id);
  }

  private onSeal(ctx: LeaderContext, id: RequestId, data: Uint8Array): void {
    if (this.refusesToAppend(ctx, id)) return;
    // Two things that end a configuration's reign do not go together.
    if (this.isChanging) {
      return ctx.reply(id, { type: "changeRefused", problem: "pending", node: undefined });
    }
    this.submit(ctx, { term: this.term, kind: "seal", data }, id);
  }

  /** Refuses what only an undisturbed leader of an open log does. */
  private refusesToAppend(ctx: LeaderContext, id: RequestId): boolean {
    if (this.role !== "leader") ctx.reply(id, this.rejected("notLeader", true));
    else if (this.transfer !== undefined) ctx.reply(id, this.rejected("transferring", true));
    else if (this.isSealed) ctx.reply(id, this.rejected("sealed", true));
    else return false;
    return true;
  }

  /** Nothing is accepted any more. */
  protected get isSealed(): boolean {
    return this.sealIndex > 0;
  }

  /** A leader's turn: learners that were added to become voters do so, one by one (R30, M22). */
  protected promoteLearners(ctx: LeaderContext): void {
    const { configuration } = this;
    if (configuration.promotable.length === 0 || this.transfer !== undefined) return;
    if (this.isSealed || this.whyNotChange(undefined) !== undefined) return;
    const node = configuration.promotable.find((one) => this.isCaughtUp(ctx, one));
    if (node !== undefined) this.reconfigure(ctx, promoted(configuration, node), undefined);
  }

  /** Tells the proposers of committed entries, all but those of a configuration. */
  protected answer(ctx: LeaderContext, first: Index, entries: readonly Entry[]): void {
    for (const [i, entry] of entries.entries()) {
      this.uncommittedBytes -= entryBytes(entry);
      const index = first + i;
      const id = this.proposals.get(index);
      if (id === undefined || entry.kind === "configuration") continue;
      this.proposals.delete(index);
      const type = entry.kind === "seal" ? "sealed" : "committed";
      ctx.replyEagerly(id, { type, index, term: entry.term });
    }
  }

  /** The configuration in force is committed, and no other counts beside it. */
  protected answerChange(ctx: LeaderContext): void {
    const { index, configuration } = this.configurations.last;
    const asker = this.proposals.get(index);
    this.proposals.delete(index);
    if (asker === undefined) return;
    ctx.replyEagerly(asker, { type: "reconfigured", index, configuration });
  }

  /** Leadership is over: what was proposed may be committed by another, or not. */
  protected abandonProposals(ctx: LeaderContext): void {
    for (const id of this.proposals.values()) {
      ctx.reply(id, this.rejected("lostLeadership", false));
    }
    this.proposals.clear();
  }

  /** Takes an entry from a client, or from this leader itself. */
  protected abstract submit(ctx: LeaderContext, entry: Entry, id: RequestId | undefined): void;

  /** Begins to go from the configuration in force to `next`. */
  protected abstract reconfigure(
    ctx: LeaderContext,
    next: Configuration,
    id: RequestId | undefined,
  ): void;

  /** A change of membership is under way. */
  protected abstract get isChanging(): boolean;

  protected abstract whyNotChange(basedOn: Index | undefined): ChangeProblem | undefined;

  /** Goes on from a snapshot that was received. */
  protected abstract onInstall(ctx: LeaderContext, id: RequestId, meta: SnapshotMeta): void;

  /** A member has received a snapshot. */
  protected abstract onSnapshotSent(ctx: LeaderContext, to: NodeId, index: Index): void;
}
