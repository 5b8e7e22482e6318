/**
 * Broadcast (phase 3 of the paper; B16–B21): the leader gives proposals their
 * zxids, sends them to each member in its session, and commits what a quorum
 * acknowledges, in order. Pings tell members that it still leads, and the leader
 * that it still has a quorum: also for reads, and leases (B23).
 *
 * One stream serves who is being synchronised and who is up to date: proposals
 * within a window, with NEWLEADER and UPTODATE in their places.
 */

import { invariant, type NodeId, type RequestId } from "@quorate/kernel";

import { type Entry, entryBytes, type Index } from "../entry.ts";
import type { Progress } from "../progress.ts";
import { reachedByQuorum } from "../quorum.ts";
import { Leading } from "./leading.ts";
import type { Ack, Pong } from "./messages.ts";
import type { Ctx } from "./state.ts";
import type { Stream } from "./stream.ts";
import { indexIn, isCounterFull, zxidIn } from "./zxid.ts";

export abstract class Broadcasting extends Leading {
  /** A leader that is established has committed all that may have been before it (B15). */
  protected override get isReady(): boolean {
    return this.role === "leader";
  }

  /** No entry can follow in this epoch (B16, scenario Z9). */
  private get isFull(): boolean {
    return this.log.lastTerm === this.epoch && isCounterFull(this.lastIndex);
  }

  /** Appends in memory; `onIdle` persists and sends everything that came in until then. */
  protected override submit(ctx: Ctx, entry: Entry, id: RequestId | undefined): void {
    if (this.isFull) {
      if (id !== undefined) ctx.reply(id, this.rejected("transferring", true));
      return;
    }
    this.uncommittedBytes += entryBytes(entry);
    if (id !== undefined) this.proposals.set(this.lastIndex + 1, id);
    this.append(ctx, [entry]);
  }

  /** A leader's turn to act on what was batched. */
  protected ship(ctx: Ctx): void {
    this.promoteLearners(ctx);
    this.persistTail(ctx);
    this.streamToAll(ctx);
    if (this.reads.wantsRound) {
      this.reads.admit(this.commitIndex);
      this.beat(ctx, false);
    }
    if (this.isFull && this.commitIndex === this.lastIndex) this.resign(ctx, "counterFull");
  }

  protected streamToAll(ctx: Ctx): void {
    for (const [peer, stream] of this.progress) this.stream(ctx, peer, stream);
  }

  private stream(ctx: Ctx, peer: NodeId, stream: Stream): void {
    const { inflightMessages, inflightBytes } = this.config;
    if (!stream.isStreaming) return;
    const horizon = this.horizon(peer);
    // Also one whose window is full: what it lacks will not be there when it has room (scenario L9).
    if (stream.next < this.log.firstIndex) return this.sendSnapshot(ctx, peer, stream);
    while (stream.next <= horizon && stream.hasRoom(inflightMessages, inflightBytes)) {
      this.sendProposals(ctx, peer, stream, horizon);
    }
    if (stream.takeNewLeader()) {
      ctx.sendEagerly(peer, { type: "newLeader", ...this.next(stream) });
    }
    if (stream.told < Math.min(this.commitIndex, stream.next - 1)) {
      this.sendCommit(ctx, peer, stream);
    }
  }

  private sendProposals(ctx: Ctx, peer: NodeId, stream: Stream, horizon: Index): void {
    const index = stream.next;
    const room = this.log.slice(index, this.config.appendBytes);
    const entries = horizon - index + 1 < room.length ? room.slice(0, horizon - index + 1) : room;
    const last = index + entries.length - 1;
    const zxid = zxidIn(this.log, index);
    stream.told = Math.min(this.commitIndex, last);
    if (this.isObserver(peer)) {
      ctx.sendEagerly(peer, { type: "inform", ...this.next(stream), zxid, entries });
    } else {
      const commit = zxidIn(this.log, stream.told);
      ctx.sendEagerly(peer, { type: "propose", ...this.next(stream), zxid, entries, commit });
    }
    let bytes = 0;
    for (const entry of entries) bytes += entryBytes(entry);
    stream.sent(last, bytes);
  }

  /** It was sent what this commits, in the same session. */
  protected sendCommit(ctx: Ctx, peer: NodeId, stream: Stream): void {
    stream.told = Math.min(this.commitIndex, stream.next - 1);
    const zxid = zxidIn(this.log, stream.told);
    ctx.sendEagerly(peer, { type: "commit", ...this.next(stream), zxid });
  }

  protected onAck(ctx: Ctx, from: NodeId, m: Ack): void {
    const stream = this.inSession(ctx, from, m);
    if (stream !== undefined) this.agree(ctx, from, stream, m);
  }

  /** A member durably has this history up to `zxid`: the same zxid is the same history up to it. */
  private agree(ctx: Ctx, from: NodeId, stream: Stream, m: Pick<Ack, "zxid" | "synced">): void {
    const index = indexIn(this.log, m.zxid);
    if (index === undefined) return;
    stream.agreed(index, this.log.base.index);
    stream.measure(this.horizon(from), ctx.now);
    if (m.synced && !stream.synced) {
      stream.synced = true;
      this.checkSynced(ctx);
      // That may have ended the leadership, or the member's part in it.
      if (this.progress.get(from) !== stream) return;
      this.letServe(ctx, from, stream);
    }
    if (this.role !== "leader") return;
    this.advance(ctx);
    if (this.progress.get(from) === stream) this.onCaughtUp(ctx, from, stream);
  }

  /** Commits what a quorum has, in order; the leader counts itself once its disk has it (B19). */
  protected override advance(ctx: Ctx): void {
    const index = reachedByQuorum(this.configuration, (node) => this.heldBy(ctx, node));
    if (index <= this.commitIndex) return;
    this.commitTo(ctx, index);
    const { transfer } = this;
    const stream = transfer === undefined ? undefined : this.progress.get(transfer.to);
    if (transfer !== undefined && stream !== undefined) this.onCaughtUp(ctx, transfer.to, stream);
  }

  /** Up to where a node has the leader's history durably, and as that of this epoch. */
  protected heldBy(ctx: Ctx, node: NodeId): Index {
    if (node === ctx.self) return this.durableIndex;
    const stream = this.progress.get(node);
    return stream?.synced === true ? stream.match : 0;
  }

  /** The other has everything, and everything is committed: goes, and names it (B22). */
  protected override onCaughtUp(ctx: Ctx, peer: NodeId, { match }: Progress): void {
    if (this.transfer?.to !== peer || match < this.lastIndex) return;
    if (this.commitIndex < this.lastIndex) return;
    this.forfeitLease();
    this.sitOut(ctx);
    this.resign(ctx, "handedOver", peer);
  }

  /** Who has not made this history its own yet would slow decisions down. */
  protected override isCaughtUp(ctx: Ctx, node: NodeId): boolean {
    return this.progress.get(node)?.synced === true && super.isCaughtUp(ctx, node);
  }

  // Pings.

  protected onHeartbeatTimeout(ctx: Ctx): void {
    if (this.followed === ctx.self) {
      this.beat(ctx, true);
      ctx.setTimer("heartbeat", this.config.heartbeatMs);
    } else if (this.followed === undefined) this.lookAgain(ctx);
    else this.askToFollow(ctx);
  }

  /** @param late - What was sent before the last but one should have arrived: who lacks it says so. */
  protected override beat(ctx: Ctx, late: boolean): void {
    const round = this.reads.begin(ctx.now);
    const { epoch } = this;
    const established = this.phase === "broadcast";
    for (const [peer, stream] of this.progress) {
      const { session } = stream;
      const sent = late ? stream.pinged() : 0;
      if (session === 0 && !established) continue;
      ctx.sendEagerly(peer, { type: "ping", epoch, session, established, round, sent });
    }
    this.confirmRounds(ctx);
  }

  protected onPong(ctx: Ctx, from: NodeId, m: Pong): void {
    const stream = this.inSession(ctx, from, m);
    if (stream === undefined) return;
    stream.slow = m.slow;
    if (m.round > stream.round) {
      invariant(m.round <= this.reads.last, "H9: only rounds that were sent are answered");
      stream.round = m.round;
      this.confirmRounds(ctx);
    }
    // Before synchronisation an end of its history means nothing yet.
    if (stream.number === 0) return;
    // A snapshot that failed is asked for again.
    if (stream.state === "probe") this.wantSnapshot(ctx, from, stream);
    else this.agree(ctx, from, stream, m);
  }

  /** A quorum that answered a round had promised no later epoch when it was sent (B23). */
  private confirmRounds(ctx: Ctx): void {
    if (this.role !== "leader") return;
    const confirmed = reachedByQuorum(this.configuration, (node) => {
      if (node === ctx.self) return this.reads.last;
      const stream = this.progress.get(node);
      return stream?.synced === true ? stream.round : 0;
    });
    this.reads.confirm(ctx, confirmed, this.config);
  }

  // Snapshots.

  /** It goes on in a session of its own making, unless it had no need of the snapshot. */
  protected override onSnapshotSent(ctx: Ctx, to: NodeId): void {
    const stream = this.followed === ctx.self ? this.progress.get(to) : undefined;
    if (stream?.state !== "snapshot") return;
    const { epoch } = this;
    ctx.sendEagerly(to, { type: "ended", epoch, session: stream.session });
    stream.close();
  }
}
