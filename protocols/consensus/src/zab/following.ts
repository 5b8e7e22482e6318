/**
 * A follower's part, and an observer's: it makes itself known to the leader,
 * promises the leader's epoch, makes the leader's history its own and goes on
 * from there (phases 1 to 3 of the paper; B6–B8, B10–B14, B17, B18, B20).
 *
 * What the leader says in a session is taken in its order. A message that comes
 * early waits; if one is missing for two pings the session is over, and this node
 * asks for another (D9). Promises and acknowledgements are facts that stay true
 * whatever session they were given in, so safety does not depend on sessions.
 */

import { invariant, type NodeId, unreachable } from "@quorate/kernel";

import type { Entry, Index } from "../entry.ts";
import { NEVER } from "../leader/state.ts";
import { Electing } from "./election.ts";
import type { Ended, LeaderInfo, Ping, Resigned, Streamed, Sync } from "./messages.ts";
import type { Ctx } from "./state.ts";
import { continues, indexIn, type Zxid, zxidIn, zxidOf } from "./zxid.ts";

/** The most messages kept that come early, beyond a leader's window of proposals. */
const EARLY_SLACK = 64;

export abstract class Following extends Electing {
  /** Counts attempts to follow somebody; tells the answers to them apart. */
  private attempt = 0;
  /** 0 while there is none. */
  protected session = 0;
  /** The last message of the session that was taken. */
  private taken = 0;
  /** Messages of the session that came before others were there. */
  private early: Map<number, Streamed> = new Map();
  /** The last message taken when a ping showed that more were sent; -1 if it did not. */
  private stuckAt = -1;
  /** Pings in a row that were for another session. */
  private strays = 0;
  /** NEWLEADER was accepted in this session. */
  private isSynced = false;
  /** Something was received that is to be acknowledged. */
  private owesAck = false;
  /** When the session began something was lost: the leader sends from there, and what follows is here. */
  private isMending = false;

  protected override follow(ctx: Ctx, leader: NodeId): void {
    this.followed = leader;
    this.named = false;
    ctx.cancelTimer("finalize");
    ctx.note({ type: "following", leader, round: this.round });
    this.takeRole(ctx, undefined);
    this.awaitLeader(ctx);
    this.enrol(ctx);
  }

  /** Asks the leader for a session (B6). */
  private enrol(ctx: Ctx): void {
    this.phase = "discovery";
    this.attempt++;
    this.session = 0;
    this.taken = 0;
    this.early = new Map();
    this.stuckAt = -1;
    this.strays = 0;
    this.isSynced = false;
    this.owesAck = false;
    this.askToFollow(ctx);
  }

  /** Asks, and asks again until something was received. */
  protected askToFollow(ctx: Ctx): void {
    const { followed, attempt, acceptedEpoch, acceptedFrom } = this;
    if (followed === undefined || this.taken > 0) return;
    ctx.send(followed, { type: "followerInfo", attempt, acceptedEpoch, acceptedFrom });
    ctx.setTimer("heartbeat", this.config.heartbeatMs);
  }

  /** Waits for a word of the leader's: all followers alike, since votes say who should be next. */
  protected override awaitLeader(ctx: Ctx): void {
    ctx.setTimer("election", this.config.electionMs, this.config.heartbeatMs);
  }

  /** Whom this node follows has said something. */
  private hearLeader(ctx: Ctx): void {
    this.heardAt = ctx.now;
    this.acquainted = true;
    this.awaitLeader(ctx);
  }

  override onUnreachable(ctx: Ctx, peer: NodeId): void {
    // A lease may outlive the connection: its holder relies on everyone's patience (B21).
    if (peer !== this.followed || this.config.leaseReads) return;
    this.heardAt = NEVER;
    this.look(ctx);
  }

  protected onLeaderInfo(ctx: Ctx, from: NodeId, m: LeaderInfo): void {
    if (from !== this.followed || m.attempt !== this.attempt || this.taken > 0) return;
    // An epoch that is promised to another cannot be followed; the leader finds another one (B7).
    if (!this.mayAccept(from, m.epoch)) return;
    // What came early in another session is no part of this one (B17).
    if (m.epoch > this.acceptedEpoch || m.session !== this.session) this.early = new Map();
    if (m.epoch > this.acceptedEpoch) this.acceptEpoch(ctx, m.epoch, from);
    this.hearLeader(ctx);
    this.session = m.session;
    this.isMending = !this.isWhole;
    this.persistTail(ctx);
    const { currentEpoch } = this;
    // `send` waits until the promise, and the history it tells of, are durable.
    ctx.send(from, {
      type: "ackEpoch",
      epoch: m.epoch,
      session: m.session,
      currentEpoch,
      index: this.lastIndex,
      held: this.heldIndex,
      ends: this.ends(),
    });
  }

  /** A later epoch than any promised; or the very one that this leader was promised already (B7). */
  protected mayAccept(from: NodeId, epoch: number): boolean {
    if (epoch !== this.acceptedEpoch) return epoch > this.acceptedEpoch;
    return from === this.acceptedFrom;
  }

  /** The history in short: what is known to be committed, and the end of each epoch after that. */
  private ends(): readonly Zxid[] {
    const { log } = this;
    const ends: Zxid[] = [];
    for (let index = this.commitIndex; index < log.lastIndex; index++) {
      const isEnd = log.termAt(index) !== log.termAt(index + 1);
      if (index === this.commitIndex || isEnd) ends.push(zxidIn(log, index));
    }
    return [...ends, this.lastZxid];
  }

  /** What a leader says in a session is taken in its order. */
  protected onStreamed(ctx: Ctx, from: NodeId, m: Streamed): void {
    if (!this.isIn(from, m)) return;
    this.hearLeader(ctx);
    if (m.number <= this.taken) return;
    const { inflightMessages } = this.config;
    if (this.early.size < inflightMessages + EARLY_SLACK) this.early.set(m.number, m);
    const { session } = this;
    for (let next = this.early.get(this.taken + 1); next; next = this.early.get(this.taken + 1)) {
      this.early.delete(++this.taken);
      this.take(ctx, from, next);
      if (this.session !== session) return;
    }
  }

  /** Whether that is said in the present session. */
  private isIn(from: NodeId, m: { readonly epoch: number; readonly session: number }): boolean {
    if (from !== this.followed || this.session === 0) return false;
    return m.session === this.session && m.epoch === this.acceptedEpoch;
  }

  private take(ctx: Ctx, from: NodeId, m: Streamed): void {
    switch (m.type) {
      case "sync":
        return this.onSync(ctx, m);
      case "propose":
        if (this.takeProposals(ctx, m.zxid, m.entries) > 0) this.takeCommit(ctx, m.commit);
        return;
      case "inform":
        // All of it is committed.
        return this.commitTo(ctx, this.takeProposals(ctx, m.zxid, m.entries));
      case "commit":
        return this.takeCommit(ctx, m.zxid);
      case "newLeader":
        return this.onNewLeader(ctx, m.epoch);
      case "upToDate":
        this.takeCommit(ctx, m.zxid);
        return this.onUpToDate(ctx, from);
      default:
        unreachable(m);
    }
  }

  /** Synchronisation begins: drops what the leader does not have (B10). */
  protected onSync(ctx: Ctx, m: Sync): void {
    this.phase = "synchronisation";
    ctx.cancelTimer("heartbeat");
    if (m.mode === "snap") return;
    const common = indexIn(this.log, m.zxid);
    if (common === undefined) return this.endSession(ctx);
    // Who has entered the epoch has nothing but what its leader has: that was said in another life (B11).
    if (m.mode === "trunc" && this.currentEpoch < m.epoch) this.truncate(ctx, common);
    // What is sent next continues this history, or it is not for this node as it is now.
    if (common !== this.lastIndex) this.endSession(ctx);
  }

  /**
   * Appends in order, with nothing left out (B12, B18; scenarios Z3, Z13). Returns the index of the
   * last one; 0 if that could not be.
   */
  private takeProposals(ctx: Ctx, first: Zxid, entries: readonly Entry[]): Index {
    // What is sent again is here, or its place is (B25).
    const at = this.isMending ? indexIn(this.log, first) : undefined;
    if (at !== undefined) return this.takeAgain(ctx, at, entries);
    if (!this.isWhole || !continues(this.log, first, entries)) {
      this.endSession(ctx);
      return 0;
    }
    this.append(ctx, entries);
    this.owesAck = true;
    return this.lastIndex;
  }

  /** The first of these has its place in the history, and maybe all have. */
  private takeAgain(ctx: Ctx, first: Index, entries: readonly Entry[]): Index {
    const known = this.log.countSame(first, entries);
    this.takeBack(ctx, this.log, first, entries);
    this.owesAck = true;
    const news = entries.slice(known);
    const [next] = news;
    if (next === undefined) return first + known - 1;
    return this.takeProposals(ctx, zxidOf(next.term, first + known), news);
  }

  /** Commits come after what they commit (B18). */
  private takeCommit(ctx: Ctx, zxid: Zxid): void {
    const index = indexIn(this.log, zxid);
    if (index === undefined) return this.endSession(ctx);
    this.commitTo(ctx, index);
  }

  /** All of the leader's initial history is here: makes it its own, durably, and says so (B14, scenario Z1). */
  protected onNewLeader(ctx: Ctx, epoch: number): void {
    if (!this.isWhole) return this.endSession(ctx);
    this.enterEpoch(ctx, epoch);
    this.isSynced = true;
    this.owesAck = true;
  }

  private onUpToDate(ctx: Ctx, leader: NodeId): void {
    this.phase = "broadcast";
    this.takeRole(ctx, leader);
  }

  /** A follower's turn: one write and one acknowledgement for all that has come. */
  protected acknowledge(ctx: Ctx): void {
    if (!this.owesAck || this.followed === undefined) return;
    this.owesAck = false;
    this.persistTail(ctx);
    const { acceptedEpoch: epoch, session, isSynced: synced, heldZxid: zxid } = this;
    // `send` waits until all of it is durable (B18).
    ctx.send(this.followed, { type: "ack", epoch, session, zxid, synced });
  }

  protected onPing(ctx: Ctx, from: NodeId, m: Ping): void {
    if (this.phase === "election") return this.onInvitation(ctx, from, m);
    if (from !== this.followed || m.epoch < this.acceptedEpoch) return;
    this.hearLeader(ctx);
    if (!this.isIn(from, m)) return this.onStray(ctx);
    this.strays = 0;
    this.lookForGap(ctx, m.sent);
    if (this.session === 0) return;
    this.owesAck = false;
    this.persistTail(ctx);
    const { epoch, session, round } = m;
    const { slow, heldZxid: zxid, isSynced: synced } = this;
    ctx.send(from, { type: "pong", epoch, session, round, slow, zxid, synced });
  }

  /** One such ping may be late; but a leader that knows of another session goes on in that. */
  private onStray(ctx: Ctx): void {
    if (this.session > 0 && ++this.strays > 1) this.endSession(ctx);
  }

  private onInvitation(ctx: Ctx, from: NodeId, m: Ping): void {
    if (m.established && m.epoch >= this.acceptedEpoch) return this.accept(ctx, from);
    const { epoch, session } = m;
    // A hint: who looks is in no session.
    if (session > 0) ctx.sendEagerly(from, { type: "ended", epoch, session });
  }

  /** What was sent well before the last two pings and is not here was lost. */
  protected lookForGap(ctx: Ctx, sent: number): void {
    if (sent === 0) return;
    if (sent <= this.taken) this.stuckAt = -1;
    else if (this.stuckAt === this.taken) this.endSession(ctx);
    else this.stuckAt = this.taken;
  }

  protected onEnded(ctx: Ctx, from: NodeId, m: Ended): void {
    if (this.isIn(from, m)) this.endSession(ctx);
  }

  /** The session is over; the leader may go on in another one. */
  protected endSession(ctx: Ctx): void {
    invariant(this.followed !== undefined, "a session is with a leader");
    ctx.note({ type: "sessionEnded", leader: this.followed, session: this.session });
    this.persistTail(ctx);
    this.enrol(ctx);
  }

  /** The leader's epoch is over, on its own word; nobody need be patient any more. */
  protected onResigned(ctx: Ctx, from: NodeId, m: Resigned): void {
    if (from !== this.followed || m.epoch !== this.acceptedEpoch) return;
    this.heardAt = NEVER;
    this.named = m.successor === ctx.self;
    this.look(ctx);
  }

  /** The history has changed under a session, or a vote. */
  protected beginAgain(ctx: Ctx): void {
    if (this.followed === undefined) this.look(ctx);
    else this.enrol(ctx);
  }
}
