/**
 * What a leader sends to each member: values within a window, from where the
 * member's own decided prefix ends. Decided values are sent like new ones: to
 * propose again, in a higher ballot, what is decided can change nothing. So one
 * stream serves those who are up to date, those who lag, and learners; who lags
 * beyond what is held needs a snapshot.
 */

import type { NodeId } from "@quorate/kernel";

import { entryBytes, type Index } from "../../entry.ts";
import { Progress } from "../../progress.ts";
import type { Missing } from "./messages.ts";
import { PhaseTwo } from "./phase-two.ts";
import type { Ctx } from "./state.ts";

export abstract class Streaming extends PhaseTwo {
  protected override lead(ctx: Ctx): void {
    this.beginProposing();
    this.progress.clear();
    for (const peer of this.others(ctx)) this.befriend(ctx, peer);
    this.takeOffice(ctx);
    this.beginRounds(ctx);
  }

  /** Begins to send to `peer`: from what it promised, or when its first answer says where. */
  protected befriend(ctx: Ctx, peer: NodeId): void {
    const progress = new Progress(this.next, ctx.now);
    progress.probing = true;
    this.progress.set(peer, progress);
    const told = this.promises.get(peer);
    if (told === undefined) return;
    progress.agreed(Math.min(told.commit, this.next - 1), this.slots.base.index);
  }

  protected streamToAll(ctx: Ctx): void {
    for (const [peer, progress] of this.progress) this.stream(ctx, peer, progress);
  }

  private stream(ctx: Ctx, peer: NodeId, progress: Progress): void {
    if (progress.state === "snapshot") return;
    const { inflightMessages, inflightBytes, appendBytes } = this.config;
    while (progress.next < this.next && progress.hasRoom(inflightMessages, inflightBytes)) {
      if (progress.next < this.slots.firstIndex) return this.wantSnapshot(ctx, peer, progress);
      this.sendAccept(ctx, peer, progress, appendBytes);
    }
    const commit = Math.min(progress.match, this.commitIndex);
    if (progress.state === "replicate" && progress.told < commit)
      this.sendDecide(ctx, peer, progress);
  }

  /** Sends without waiting for the own disk: acceptors keep their own. */
  private sendAccept(ctx: Ctx, peer: NodeId, progress: Progress, most: number): void {
    const index = progress.next;
    const entries = this.slots.slice(index, this.next - 1, most);
    const { ballot, commitIndex: commit } = this;
    ctx.sendEagerly(peer, { type: "accept", ballot, index, entries, commit });
    const last = index + entries.length - 1;
    progress.told = Math.min(commit, last);
    let bytes = 0;
    for (const entry of entries) bytes += entryBytes(entry);
    progress.sent(last, bytes);
  }

  protected sendDecide(ctx: Ctx, peer: NodeId, progress: Progress): void {
    const { ballot, commitIndex: commit } = this;
    progress.told = Math.min(progress.match, commit);
    // What is decided is on a quorum's disks already.
    ctx.sendEagerly(peer, { type: "decide", ballot, commit });
  }

  /** Up to where a member was sent everything; 0 if it is not being sent anything now. */
  protected sentTo(progress: Progress): Index {
    return progress.state === "replicate" ? progress.next - 1 : 0;
  }

  protected onMissing(_ctx: Ctx, from: NodeId, m: Missing): void {
    const progress = this.heardFrom(from, m.ballot);
    if (progress?.state === "replicate" && m.from < progress.next) progress.rewind(m.from);
  }

  protected override onSnapshotSent(ctx: Ctx, to: NodeId, index: Index): void {
    const progress = this.progress.get(to);
    if (this.role !== "leader" || progress === undefined) return;
    // Beyond what is decided here a later leader may have decided what this one did not propose.
    const agreed = Math.min(index, this.commitIndex);
    if (progress.agreed(agreed, agreed)) this.advance(ctx);
  }

  /** The first word of a leader, by which the others know it. */
  protected abstract beginRounds(ctx: Ctx): void;
}
