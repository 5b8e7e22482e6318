/**
 * Changes of membership and the end of a log, by stop-signs: a configuration
 * governs the slots after its entry, once that is decided; nothing is proposed
 * after it before (M14). The old configuration alone decides on it, so any two
 * may follow each other, however little they have in common. A prepare quorum of
 * the new one promises before anything is proposed under it (M15).
 *
 * Only learners that have caught up become voters (scenario P4).
 */

import { encode, type NodeId, type RequestId } from "@quorate/kernel";

import { type Configuration, configurationCodec, type Index } from "../../entry.ts";
import { changed, type ChangeProblem, promoted } from "../../membership.ts";
import type { LogRequest, PeerStatus } from "../../ordered-log.ts";
import { members } from "../../quorum.ts";
import { bestSuccessor } from "../../succession.ts";
import { Reading } from "./reads.ts";
import type { Ctx } from "./state.ts";

type Reconfigure = Extract<LogRequest, { type: "reconfigure" }>;

export abstract class Changing extends Reading {
  protected onReconfigure(ctx: Ctx, id: RequestId, { changes, basedOn }: Reconfigure): void {
    if (this.refusesToAppend(ctx, id)) return;
    const problem = this.whyNotChange(basedOn);
    if (problem !== undefined) {
      return ctx.reply(id, { type: "changeRefused", problem, node: undefined });
    }
    const next = changed(this.configuration, changes, (node) => this.isCaughtUp(ctx, node));
    if ("problem" in next) return ctx.reply(id, next);
    this.reconfigure(ctx, next, id);
  }

  protected onSeal(ctx: Ctx, id: RequestId, data: Uint8Array): void {
    if (this.refusesToAppend(ctx, id)) return;
    // Two things that end a configuration's reign do not go together.
    if (this.changing) {
      return ctx.reply(id, { type: "changeRefused", problem: "pending", node: undefined });
    }
    this.submit({ term: this.term, kind: "seal", data }, id);
  }

  /** Refuses what only an undisturbed leader of an open log does. */
  protected refusesToAppend(ctx: Ctx, id: RequestId): boolean {
    if (this.role !== "leader") ctx.reply(id, this.rejected("notLeader", true));
    else if (this.transfer !== undefined) ctx.reply(id, this.rejected("transferring", true));
    else if (this.sealIndex > 0 || this.sealing) ctx.reply(id, this.rejected("sealed", true));
    else return false;
    return true;
  }

  private whyNotChange(basedOn: Index | undefined): ChangeProblem | undefined {
    if (this.changing) return "pending";
    if (!this.isReady) return "notReady";
    return basedOn === undefined || basedOn === this.configurationIndex ? undefined : "outdated";
  }

  private reconfigure(ctx: Ctx, configuration: Configuration, id: RequestId | undefined): void {
    const { term } = this;
    ctx.note({ type: "reconfiguring", term });
    const data = encode(configurationCodec, configuration);
    this.submit({ term, kind: "configuration", data }, id);
  }

  protected isCaughtUp(ctx: Ctx, node: NodeId): boolean {
    return this.progress.get(node)?.isCaughtUp(ctx.now, this.config.electionMs) ?? false;
  }

  /** A leader's turn: learners that were added to become voters do so, one by one (M22). */
  protected promoteLearners(ctx: Ctx): void {
    const { configuration } = this;
    if (configuration.promotable.length === 0 || this.transfer !== undefined) return;
    if (this.sealIndex > 0 || this.sealing || this.whyNotChange(undefined) !== undefined) return;
    const node = configuration.promotable.find((one) => this.isCaughtUp(ctx, one));
    if (node !== undefined) this.reconfigure(ctx, promoted(configuration, node), undefined);
  }

  protected override onConfiguration(ctx: Ctx): void {
    super.onConfiguration(ctx);
    if (this.role !== "leader") return;
    const { index, configuration } = this.configurations.last;
    for (const peer of this.others(ctx)) if (!this.progress.has(peer)) this.befriend(ctx, peer);
    this.endLease();
    if (!this.isPrepared) this.askForPromises(ctx);
    const asker = this.proposals.get(index);
    this.proposals.delete(index);
    if (asker !== undefined) {
      ctx.replyEagerly(asker, { type: "reconfigured", index, configuration });
    }
    this.letGo(ctx);
    if (!this.isVoter(ctx.self)) this.leave(ctx);
  }

  /** Forgets those who left, having told them. */
  private letGo(ctx: Ctx): void {
    const staying = members(this.configuration);
    for (const [peer, progress] of this.progress) {
      if (staying.includes(peer)) continue;
      // It was sent the entry; that it is decided is the last it hears.
      this.sendDecide(ctx, peer, progress);
      this.progress.delete(peer);
    }
  }

  /** The leader itself is no voter any more: somebody else should lead, at once. */
  private leave(ctx: Ctx): void {
    if (this.transfer !== undefined) return;
    const to = this.bestSuccessor();
    if (to === undefined) return this.follow(ctx, undefined);
    this.handOver(ctx, undefined, to);
  }

  get peers(): readonly PeerStatus[] {
    if (this.role !== "leader") return [];
    return [...this.progress].map(([node, { match, isRecent, slow, state }]) => ({
      node,
      match,
      active: isRecent,
      slow,
      state,
    }));
  }

  protected bestSuccessor(): NodeId | undefined {
    return bestSuccessor(this.progress, this.configuration, (node) => this.mayLead(node));
  }

  /** Stops accepting, and summons `to` once it has everything (M18). */
  protected abstract handOver(ctx: Ctx, id: RequestId | undefined, to: NodeId): void;
}
