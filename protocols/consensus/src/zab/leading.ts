/**
 * The way to leadership: a node that was elected has a quorum promise it a new
 * epoch (discovery), makes sure that nobody among them has a newer history than
 * itself, and has a quorum make its history theirs (synchronisation). Then it is
 * established: its history is committed, and it serves (B6–B15; paper §IV.A–B).
 *
 * Later members go the same way, without being counted.
 */

import { invariant, type NodeId } from "@quorate/kernel";

import type { Index, Term } from "../entry.ts";
import type { Log } from "../log.ts";
import { NEVER } from "../leader/state.ts";
import { votes } from "../quorum.ts";
import { Following } from "./following.ts";
import type { AckEpoch, FollowerInfo, Notification, Reason } from "./messages.ts";
import type { Ctx } from "./state.ts";
import { Stream } from "./stream.ts";
import { compareZxids, indexAtOrBelow, zxidIn } from "./zxid.ts";

export abstract class Leading extends Following {
  /** The epoch that this node proposes, or leads; 0 until it has chosen one. */
  protected epoch: Term = 0;
  /** The first index that the epoch may have: what comes before is the initial history. */
  protected firstOwn: Index = 1;
  /** Counts the sessions of this leadership. */
  private sessions = 0;

  protected override lead(ctx: Ctx): void {
    this.phase = "discovery";
    this.followed = ctx.self;
    this.electedBy = this.vote;
    this.named = false;
    this.epoch = 0;
    this.sessions = 0;
    this.durableIndex = 0;
    this.writes = [];
    this.progress.clear();
    for (const peer of this.others(ctx)) this.befriend(ctx, peer);
    this.reads.clear();
    ctx.note({ type: "discovering", round: this.round });
    ctx.cancelTimer("election");
    ctx.cancelTimer("finalize");
    ctx.setTimer("heartbeat", this.config.heartbeatMs);
    ctx.setTimer("quorum", this.config.electionMs);
    this.tellAll(ctx);
    this.chooseEpoch(ctx);
  }

  protected befriend(ctx: Ctx, peer: NodeId): void {
    this.progress.set(peer, new Stream(this.lastIndex + 1, ctx.now));
  }

  // Discovery.

  protected onFollowerInfo(ctx: Ctx, from: NodeId, m: FollowerInfo): void {
    this.seenEpoch = Math.max(this.seenEpoch, m.acceptedEpoch);
    const stream = this.followed === ctx.self ? this.progress.get(from) : undefined;
    if (stream === undefined) return;
    stream.active = true;
    stream.reported = true;
    if (this.epoch > 0 && !this.mayPromise(ctx, m)) return this.resign(ctx, "epochTaken");
    if (stream.session === 0 || stream.attempt !== m.attempt) {
      stream.open(++this.sessions, m.attempt);
    }
    if (this.epoch === 0) this.chooseEpoch(ctx);
    else this.proposeEpoch(ctx, from, stream);
  }

  /** It has promised a later epoch, or this one to another: only with a new one will it follow (B7). */
  private mayPromise(ctx: Ctx, { acceptedEpoch, acceptedFrom }: FollowerInfo): boolean {
    if (acceptedEpoch !== this.epoch) return acceptedEpoch < this.epoch;
    return acceptedFrom === ctx.self;
  }

  /** With a quorum at hand: an epoch later than any of theirs (B6). */
  protected chooseEpoch(ctx: Ctx): void {
    const reported = (node: NodeId) => node === ctx.self || this.progress.get(node)?.reported;
    if (!this.suffices((node) => reported(node) === true)) return;
    this.epoch = Math.max(this.acceptedEpoch, this.seenEpoch) + 1;
    this.acceptEpoch(ctx, this.epoch, ctx.self);
    for (const [peer, stream] of this.progress) this.proposeEpoch(ctx, peer, stream);
    this.checkPromises(ctx);
  }

  private proposeEpoch(ctx: Ctx, peer: NodeId, { session, attempt }: Stream): void {
    if (session === 0) return;
    // `send`: an epoch is proposed once, also across lives, so it is on the disk first.
    ctx.send(peer, { type: "leaderInfo", attempt, epoch: this.epoch, session });
  }

  protected onAckEpoch(ctx: Ctx, from: NodeId, m: AckEpoch): void {
    const stream = this.inSession(ctx, from, m);
    // What was begun already was asked for twice.
    if (stream === undefined || stream.promise !== undefined) return;
    stream.promise = m;
    if (this.phase !== "discovery") return this.synchronise(ctx, from, stream);
    if (votes(this.configuration, from) && this.isOutdatedBy(m)) {
      this.sitOut(ctx);
      return this.resign(ctx, "outdated");
    }
    this.checkPromises(ctx);
  }

  /** Whether a follower's history is newer than this node's own (B8). */
  protected isOutdatedBy({ currentEpoch, ends }: AckEpoch): boolean {
    const last = ends.at(-1);
    if (last === undefined || currentEpoch !== this.currentEpoch) {
      return currentEpoch > this.currentEpoch;
    }
    return compareZxids(last, this.lastZxid) > 0;
  }

  /** A quorum has promised: this epoch's history is the leader's own (B9). */
  protected checkPromises(ctx: Ctx): void {
    const promised = (node: NodeId) =>
      node === ctx.self || this.progress.get(node)?.promise !== undefined;
    if (!this.suffices(promised)) return;
    this.phase = "synchronisation";
    ctx.note({ type: "synchronising", epoch: this.epoch });
    this.durableIndex = 0;
    this.writes = [];
    this.enterEpoch(ctx, this.epoch);
    this.firstOwn = this.lastIndex + 1;
    for (const [peer, stream] of this.progress) {
      if (stream.promise !== undefined) this.synchronise(ctx, peer, stream);
    }
  }

  // Synchronisation.

  /** Finds out where the member's history and this one part, and goes on from there (B10). */
  protected synchronise(ctx: Ctx, peer: NodeId, stream: Stream): void {
    const { promise } = stream;
    invariant(promise !== undefined, "who is synchronised has promised");
    const common = commonEnd(this.log, promise);
    // What a member has lost it is sent again, and nothing after it dropped for that (B25).
    const from = Math.min(common ?? 0, promise.held);
    if (common === undefined || from < this.log.base.index)
      return this.sendSnapshot(ctx, peer, stream);
    const mode = common < promise.index ? "trunc" : "diff";
    const zxid = zxidIn(this.log, common);
    ctx.sendEagerly(peer, { type: "sync", ...this.next(stream), mode, zxid });
    stream.begin(from, this.horizon(peer), this.log.base.index);
    ctx.note({ type: "synchronised", peer, mode });
  }

  /** What the member needs next is compacted away. */
  protected sendSnapshot(ctx: Ctx, peer: NodeId, stream: Stream): void {
    const zxid = zxidIn(this.log, this.log.base.index);
    ctx.sendEagerly(peer, { type: "sync", ...this.next(stream), mode: "snap", zxid });
    this.wantSnapshot(ctx, peer, stream);
    ctx.note({ type: "synchronised", peer, mode: "snap" });
  }

  /** Whether a quorum has made the initial history its own, durably (B15). */
  protected checkSynced(ctx: Ctx): void {
    if (this.followed !== ctx.self || this.phase !== "synchronisation") return;
    if (!this.suffices((node) => this.isSyncedWith(ctx, node))) return;
    this.phase = "broadcast";
    this.uncommittedBytes = 0;
    this.takeOffice(ctx);
    const initial = this.firstOwn - 1;
    ctx.note({ type: "established", epoch: this.epoch, initial });
    this.commitTo(ctx, initial);
    for (const [peer, stream] of this.progress) this.letServe(ctx, peer, stream);
    this.beat(ctx, true);
  }

  /** The leader counts itself once its disk has its history and its epoch. */
  protected isSyncedWith(ctx: Ctx, node: NodeId): boolean {
    return node === ctx.self ? this.writes.length === 0 : this.progress.get(node)?.synced === true;
  }

  /** A member that is synchronised learns that a quorum is (Z-b). */
  protected letServe(ctx: Ctx, peer: NodeId, stream: Stream): void {
    if (!stream.synced || stream.upToDate || this.phase !== "broadcast") return;
    stream.upToDate = true;
    stream.told = Math.min(this.commitIndex, stream.next - 1);
    const zxid = zxidIn(this.log, stream.told);
    ctx.sendEagerly(peer, { type: "upToDate", ...this.next(stream), zxid });
  }

  /**
   * Names the next message of a session. All of them are sent without waiting for
   * the own disk: whoever receives them keeps them on its own.
   */
  protected next(stream: Stream): { epoch: Term; session: number; number: number } {
    return { epoch: this.epoch, session: stream.session, number: stream.take() };
  }

  /** Up to where a member is sent the history: observers only what is committed (B20). */
  protected horizon(peer: NodeId): Index {
    return this.isObserver(peer) ? this.commitIndex : this.lastIndex;
  }

  /** One that is leaving is not: it has to have the entry that says so when that is committed. */
  protected isObserver(peer: NodeId): boolean {
    if (votes(this.configuration, peer)) return false;
    return this.configurations.last.configuration.learners.includes(peer);
  }

  // The end.

  protected override resign(ctx: Ctx, reason: Reason, successor?: NodeId): void {
    const { epoch, role } = this;
    this.persistTail(ctx);
    for (const [peer, { session }] of this.progress) {
      // Its epoch is over, whatever a crash takes back.
      if (session > 0 && epoch > 0) ctx.sendEagerly(peer, { type: "resigned", epoch, successor });
    }
    this.progress.clear();
    this.writes = [];
    this.epoch = 0;
    this.heardAt = NEVER;
    ctx.cancelTimer("quorum");
    ctx.note({ type: "steppedDown", term: epoch, reason });
    if (role === "leader") {
      this.abandonProposals(ctx);
      this.abandonReads(ctx);
    }
    // Whoever could not follow this node may follow another.
    else this.sitOut(ctx);
    this.look(ctx);
  }

  protected override stepDown(ctx: Ctx): void {
    this.resign(ctx, "quorumLost");
  }

  /** Having promised this epoch a member looks for a leader: it has left its session, by a restart perhaps. */
  protected override onDeparted(peer: NodeId, { acceptedEpoch }: Notification): void {
    if (this.epoch > 0 && acceptedEpoch >= this.epoch) this.progress.get(peer)?.close();
  }

  /** What is known of a member that speaks in its present session; any other it is told is over (D9). */
  protected inSession(
    ctx: Ctx,
    from: NodeId,
    m: { readonly epoch: Term; readonly session: number },
  ): Stream | undefined {
    if (this.followed !== ctx.self || m.epoch !== this.epoch) return undefined;
    const stream = this.progress.get(from);
    if (stream === undefined) return undefined;
    if (stream.session !== m.session) {
      const { epoch, session } = m;
      ctx.sendEagerly(from, { type: "ended", epoch, session });
      return undefined;
    }
    stream.active = true;
    return stream;
  }

  /** Says to everyone that this node leads. */
  protected abstract beat(ctx: Ctx, late: boolean): void;
}

/**
 * Up to where the history that is told of in short and `log` are the same;
 * `undefined` if that lies before what is held. Histories that hold the same
 * epoch agree up to where the shorter one's part of it ends.
 */
function commonEnd(log: Log, { index, ends }: AckEpoch): Index | undefined {
  let near = index;
  for (const { epoch, counter } of ends.toReversed()) {
    near = indexAtOrBelow(near, counter);
    const own = log.lastAtOrBelow(log.lastIndex, epoch);
    if (log.termAt(own) === epoch) {
      const common = Math.min(near, own);
      return common < log.base.index ? undefined : common;
    }
  }
  // The first of them is known to be committed, so the leader has it, in a snapshot if nowhere else.
  return undefined;
}
