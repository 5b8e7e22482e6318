/**
 * Changes of membership (Ongaro & Ousterhout §6, thesis §4) and the end of a log.
 *
 * One voter more or less is a single step; anything larger goes through a joint
 * configuration, which the leader leaves by itself. Either counts from when it
 * is appended (R25), one at a time (R26), and not before an entry of the
 * leader's own term is committed (R27: the mistake found in 2015).
 */

import { encode, type NodeId, type RequestId } from "@quorate/kernel";

import { type Configuration, configurationCodec, type Index } from "../entry.ts";
import {
  changed,
  type ChangeProblem,
  isSingleStep,
  joint,
  promoted,
  settled,
} from "../membership.ts";
import type { LogRequest, PeerStatus } from "../ordered-log.ts";
import { members } from "../quorum.ts";
import { Progress } from "../progress.ts";
import { bestSuccessor } from "../succession.ts";
import { Replicating } from "./replication.ts";
import type { Ctx } from "./state.ts";

type Reconfigure = Extract<LogRequest, { type: "reconfigure" }>;

export abstract class Changing extends Replicating {
  /** A leader may still replicate to members that have left. */
  private departing = false;

  protected onReconfigure(ctx: Ctx, id: RequestId, { changes, basedOn }: Reconfigure): void {
    if (this.refusesToAppend(ctx, id)) return;
    const problem = this.whyNotChange(basedOn);
    if (problem !== undefined) {
      return ctx.reply(id, { type: "changeRefused", problem, node: undefined });
    }
    const now = this.configuration;
    const next = changed(now, changes, (node) => this.isCaughtUp(ctx, node));
    if ("problem" in next) return ctx.reply(id, next);
    const index = this.reconfigure(ctx, isSingleStep(now, next) ? next : joint(now, next));
    this.proposals.set(index, id);
  }

  protected onSeal(ctx: Ctx, id: RequestId, data: Uint8Array): void {
    if (this.refusesToAppend(ctx, id)) return;
    // Two things that end a configuration's reign do not go together.
    if (this.isChanging) {
      return ctx.reply(id, { type: "changeRefused", problem: "pending", node: undefined });
    }
    this.proposals.set(this.appendOwn(ctx, { term: this.term, kind: "seal", data }), id);
  }

  /** Refuses what only an undisturbed leader of an open log does. */
  protected refusesToAppend(ctx: Ctx, id: RequestId): boolean {
    if (this.role !== "leader") ctx.reply(id, this.rejected("notLeader", true));
    else if (this.transfer !== undefined) ctx.reply(id, this.rejected("transferring", true));
    else if (this.sealIndex > 0) ctx.reply(id, this.rejected("sealed", true));
    else return false;
    return true;
  }

  /** A change is uncommitted, or joint (R26). */
  private get isChanging(): boolean {
    return this.configurationIndex > this.commitIndex || this.configuration.outgoing.length > 0;
  }

  private whyNotChange(basedOn: Index | undefined): ChangeProblem | undefined {
    if (!this.hasCommittedOwnTerm()) return "notReady";
    if (this.isChanging) return "pending";
    return basedOn === undefined || basedOn === this.configurationIndex ? undefined : "outdated";
  }

  private reconfigure(ctx: Ctx, configuration: Configuration): Index {
    const { term } = this;
    ctx.note({ type: "reconfiguring", term, joint: configuration.outgoing.length > 0 });
    const data = encode(configurationCodec, configuration);
    return this.appendOwn(ctx, { term, kind: "configuration", data });
  }

  protected isCaughtUp(ctx: Ctx, node: NodeId): boolean {
    return this.progress.get(node)?.isCaughtUp(ctx.now, this.config.electionMs) ?? false;
  }

  /**
   * A leader's turn to go on with a change. A joint configuration that is committed
   * ends, whoever began it: both majorities have it, and the new one may rule alone
   * (R28). Learners that were added to become voters do so, one by one (R30).
   */
  protected goOnChanging(ctx: Ctx): void {
    const { configuration, configurationIndex } = this;
    const { outgoing, promotable } = configuration;
    if (outgoing.length === 0 && promotable.length === 0) return;
    if (configurationIndex > this.commitIndex || !this.hasCommittedOwnTerm()) return;
    if (outgoing.length > 0) {
      const asker = this.proposals.get(configurationIndex);
      this.proposals.delete(configurationIndex);
      const next = this.reconfigure(ctx, settled(configuration));
      if (asker !== undefined) this.proposals.set(next, asker);
      return;
    }
    if (this.transfer !== undefined || this.sealIndex > 0) return;
    const node = promotable.find((one) => this.isCaughtUp(ctx, one));
    if (node !== undefined) this.reconfigure(ctx, promoted(configuration, node));
  }

  protected override onConfiguration(ctx: Ctx): void {
    super.onConfiguration(ctx);
    if (this.role !== "leader") return;
    for (const peer of this.others(ctx)) {
      if (this.progress.has(peer)) continue;
      // The entry that adds it is the first that it is sent, and finds out where its log ends.
      this.progress.set(peer, new Progress(this.log.lastIndex, ctx.now));
    }
    // Whoever leaves is to hear of it.
    this.departing = true;
  }

  /** Entries up to `commitIndex` are committed, among them the configuration in force. */
  protected override onConfigurationCommitted(ctx: Ctx): void {
    const { index, configuration } = this.configurations.last;
    ctx.outputEagerly({ type: "configuration", index, configuration, committed: true });
    // A joint one ends in the leader's next turn.
    if (this.role !== "leader" || configuration.outgoing.length > 0) return;
    const asker = this.proposals.get(index);
    this.proposals.delete(index);
    if (asker !== undefined)
      ctx.replyEagerly(asker, { type: "reconfigured", index, configuration });
    this.letGo(ctx);
    if (!this.isVoter(ctx.self)) this.leave(ctx);
  }

  /** Forgets those who left, once they know that they have, or if they do not answer. */
  protected letGo(ctx: Ctx): void {
    if (!this.departing || this.configurationIndex > this.commitIndex) return;
    const staying = members(this.configuration);
    this.departing = false;
    for (const [peer, progress] of this.progress) {
      if (staying.includes(peer)) continue;
      const knows = progress.match >= this.configurationIndex;
      if (knows) this.farewell(ctx, peer, progress);
      if (knows || !progress.isRecent) this.progress.delete(peer);
      else this.departing = true;
    }
  }

  /** The leader itself is no voter any more: somebody else should lead, at once (R29). */
  private leave(ctx: Ctx): void {
    if (this.transfer !== undefined) return;
    const to = this.bestSuccessor();
    if (to === undefined) return this.follow(ctx, this.term, undefined);
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
    const fit = (node: NodeId) => this.isVoter(node) && this.mayLead(node);
    return bestSuccessor(this.progress, this.configuration, fit);
  }

  /** Stops accepting, and summons `to` once it has the whole log (R31). */
  protected abstract handOver(ctx: Ctx, id: RequestId | undefined, to: NodeId): void;
}
