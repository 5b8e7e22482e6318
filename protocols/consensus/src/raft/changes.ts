/**
 * Changes of membership (Ongaro & Ousterhout §6, thesis §4) and the end of a log.
 *
 * One voter more or less is a single step; anything larger goes through a joint
 * configuration, which the leader leaves by itself. Either counts from when it
 * is appended (R25), one at a time (R26), and not before an entry of the
 * leader's own term is committed (R27: the mistake found in 2015).
 */

import { encode, type RequestId } from "@quorate/kernel";

import { type Configuration, configurationCodec, type Entry, type Index } from "../entry.ts";
import { type ChangeProblem, isSingleStep, joint, settled } from "../membership.ts";
import { Progress } from "../progress.ts";
import { members } from "../quorum.ts";
import { Replicating } from "./replication.ts";
import type { Ctx } from "./state.ts";

export abstract class Changing extends Replicating {
  /** A leader may still replicate to members that have left. */
  private departing = false;

  /** A change is uncommitted, or joint (R26). */
  protected override get isChanging(): boolean {
    return this.configurationIndex > this.commitIndex || this.configuration.outgoing.length > 0;
  }

  protected override whyNotChange(basedOn: Index | undefined): ChangeProblem | undefined {
    if (!this.isReady) return "notReady";
    if (this.isChanging) return "pending";
    return basedOn === undefined || basedOn === this.configurationIndex ? undefined : "outdated";
  }

  protected override submit(ctx: Ctx, entry: Entry, id: RequestId | undefined): void {
    const index = this.appendOwn(ctx, entry);
    if (id !== undefined) this.proposals.set(index, id);
  }

  protected override reconfigure(ctx: Ctx, next: Configuration, id: RequestId | undefined): void {
    const { term, configuration: now } = this;
    const configuration = isSingleStep(now, next) ? next : joint(now, next);
    ctx.note({ type: "reconfiguring", term, joint: configuration.outgoing.length > 0 });
    const data = encode(configurationCodec, configuration);
    this.submit(ctx, { term, kind: "configuration", data }, id);
  }

  /**
   * A leader's turn to go on with a change. A joint configuration that is committed
   * ends, whoever began it: both majorities have it, and the new one may rule alone
   * (R28). Learners that were added to become voters do so, one by one (R30).
   */
  protected goOnChanging(ctx: Ctx): void {
    const { configuration, configurationIndex } = this;
    if (configuration.outgoing.length === 0) return this.promoteLearners(ctx);
    if (configurationIndex > this.commitIndex || !this.isReady) return;
    const asker = this.proposals.get(configurationIndex);
    this.proposals.delete(configurationIndex);
    this.reconfigure(ctx, settled(configuration), asker);
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
    this.answerChange(ctx);
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
}
