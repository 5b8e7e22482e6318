/**
 * Changes of membership and the end of a log, by stop-signs: a configuration
 * governs the slots after its entry, once that is decided; nothing is proposed
 * after it before (M14). The old configuration alone decides on it, so any two
 * may follow each other, however little they have in common. A prepare quorum of
 * the new one promises before anything is proposed under it (M15).
 *
 * Only learners that have caught up become voters (scenario P4).
 */

import { encode, type RequestId } from "@quorate/kernel";

import { type Configuration, configurationCodec, type Index } from "../../entry.ts";
import type { ChangeProblem } from "../../membership.ts";
import { members } from "../../quorum.ts";
import { Reading } from "./reads.ts";
import type { Ctx } from "./state.ts";

export abstract class Changing extends Reading {
  protected override whyNotChange(basedOn: Index | undefined): ChangeProblem | undefined {
    if (this.isChanging) return "pending";
    if (!this.isReady) return "notReady";
    return basedOn === undefined || basedOn === this.configurationIndex ? undefined : "outdated";
  }

  protected override reconfigure(ctx: Ctx, next: Configuration, id: RequestId | undefined): void {
    const { term } = this;
    ctx.note({ type: "reconfiguring", term });
    this.submit(ctx, { term, kind: "configuration", data: encode(configurationCodec, next) }, id);
  }

  protected override onConfiguration(ctx: Ctx): void {
    super.onConfiguration(ctx);
    if (this.role !== "leader") return;
    for (const peer of this.others(ctx)) if (!this.progress.has(peer)) this.befriend(ctx, peer);
    // Other members count from now on: what the old ones confirmed is no lease.
    this.reads.endLease();
    if (!this.isPrepared) this.askForPromises(ctx);
    this.answerChange(ctx);
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
}
