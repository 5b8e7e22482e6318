/**
 * Changes of membership (Shraer, Reed, Malkhi & Junqueira 2012, as ZooKeeper has
 * them; B22). A configuration is an entry like others. From when it is appended
 * decisions need a quorum of the one before and one of its own; for whoever knows
 * that it is committed it counts alone.
 *
 * Those who do not know need the members before it, who may be switched off as soon
 * as the change is done. So the leader appends a no-op after it: whoever has that
 * on its disk has been told. The change is over when a quorum of the new members
 * has; then a leader that is not among them hands over.
 */

import { encode, type RequestId } from "@quorate/kernel";

import { type Configuration, configurationCodec, type Index } from "../entry.ts";
import type { ChangeProblem } from "../membership.ts";
import { members } from "../quorum.ts";
import { Broadcasting } from "./broadcast.ts";
import type { Ctx } from "./state.ts";

/** A configuration that is committed, and not known to a quorum of its own yet. */
interface Spreading {
  /** Of the no-op after it. */
  readonly index: Index;
  readonly asker: RequestId | undefined;
}

export abstract class Changing extends Broadcasting {
  private spreading: Spreading | undefined;

  protected override get isChanging(): boolean {
    return this.configurationIndex > this.commitIndex || this.spreading !== undefined;
  }

  protected override whyNotChange(basedOn: Index | undefined): ChangeProblem | undefined {
    if (this.isChanging) return "pending";
    return basedOn === undefined || basedOn === this.configurationIndex ? undefined : "outdated";
  }

  protected override reconfigure(ctx: Ctx, next: Configuration, id: RequestId | undefined): void {
    const { term } = this;
    ctx.note({ type: "reconfiguring", term });
    const data = encode(configurationCodec, next);
    this.submit(ctx, { term, kind: "configuration", data }, id);
  }

  protected override onConfiguration(ctx: Ctx): void {
    super.onConfiguration(ctx);
    if (this.followed !== ctx.self) return;
    for (const peer of this.others(ctx)) if (!this.progress.has(peer)) this.befriend(ctx, peer);
  }

  protected override onConfigurationCommitted(ctx: Ctx): void {
    if (this.role !== "leader") return;
    // Other members count from now on: what the old ones confirmed is no lease.
    this.reads.endLease();
    this.letGo(ctx);
    const asker = this.proposals.get(this.configurationIndex);
    this.proposals.delete(this.configurationIndex);
    this.spreading = { index: this.lastIndex + 1, asker };
    this.submit(ctx, { term: this.term, kind: "noop", data: new Uint8Array(0) }, undefined);
  }

  protected override advance(ctx: Ctx): void {
    super.advance(ctx);
    const { spreading } = this;
    if (spreading === undefined || spreading.index > this.commitIndex) return;
    this.spreading = undefined;
    const { index, configuration } = this.configurations.last;
    if (spreading.asker !== undefined) {
      ctx.replyEagerly(spreading.asker, { type: "reconfigured", index, configuration });
    }
    if (!this.isVoter(ctx.self)) this.leave(ctx);
  }

  protected override abandonProposals(ctx: Ctx): void {
    super.abandonProposals(ctx);
    const asker = this.spreading?.asker;
    this.spreading = undefined;
    // It is committed; but somebody may not know, and count others beside it.
    if (asker !== undefined) ctx.reply(asker, this.rejected("lostLeadership", false));
  }

  /** Forgets those who left, having told those who were sent the entry that it is committed. */
  private letGo(ctx: Ctx): void {
    const staying = members(this.configuration);
    for (const [peer, stream] of this.progress) {
      if (staying.includes(peer)) continue;
      const wasSent = stream.isStreaming && stream.next > this.configurationIndex;
      if (wasSent) this.sendCommit(ctx, peer, stream);
      this.progress.delete(peer);
    }
  }
}
