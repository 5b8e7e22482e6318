/**
 * Changes of membership (Shraer, Reed, Malkhi & Junqueira 2012, as ZooKeeper has
 * them; B22). A configuration is an entry like others. From when it is appended
 * decisions need a quorum of the one before and one of its own; once it is
 * committed it counts alone. One at a time. Who leads and is not in it hands over.
 */

import { encode, type RequestId } from "@quorate/kernel";

import { type Configuration, configurationCodec, type Index } from "../entry.ts";
import type { ChangeProblem } from "../membership.ts";
import { members } from "../quorum.ts";
import { Broadcasting } from "./broadcast.ts";
import type { Ctx } from "./state.ts";

export abstract class Changing extends Broadcasting {
  protected override get isChanging(): boolean {
    return this.configurationIndex > this.commitIndex;
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
    this.answerChange(ctx);
    this.letGo(ctx);
    if (!this.isVoter(ctx.self)) this.leave(ctx);
  }

  /** Forgets those who left, having told those who were sent the entry that it is committed. */
  private letGo(ctx: Ctx): void {
    const staying = members(this.configuration);
    for (const [peer, stream] of this.progress) {
      if (staying.includes(peer)) continue;
      if (stream.isStreaming) this.sendCommit(ctx, peer, stream);
      this.progress.delete(peer);
    }
  }
}
