/**
 * Fast leader election, after ZooKeeper's: nodes without a leader tell each other
 * whom they vote for, and change to a better vote when they hear of one, until
 * somebody has a quorum's (B1–B5). Zab needs a leader with the newest history
 * among a quorum; a vote tells of it.
 *
 * Links may fail one by one and in one direction, which connections do not. So a
 * candidate is believed only by who hears it and is heard by it, and only a node
 * that reaches a quorum so stands. Of all candidates the best one is voted for by
 * all that it reaches, which is a quorum.
 *
 * Elections are about speed. Whatever happens here, discovery decides.
 */

import type { NodeId } from "@quorate/kernel";

import { NEVER } from "../leader/state.ts";
import { traitsOf } from "../membership.ts";
import { voters } from "../quorum.ts";
import type { Notification, Vote } from "./messages.ts";
import { Repairing } from "./repair.ts";
import type { Ctx } from "./state.ts";
import { compareZxids, indexIn, zxidIn } from "./zxid.ts";

/** Rank of who was named by the leader before: above all priorities. */
const NAMED: number = 2 ** 32;

/** Elections are given so many election timeouts, and up to as many more. */
const PATIENCE = 2;

/** When two nodes heard each other last. */
interface Contact {
  heard: number;
  /** A word of the other's that it hears this node came then. */
  mutual: number;
}

export abstract class Electing extends Repairing {
  /** The electionEpoch: votes of one round are counted together. */
  protected round = 0;
  protected vote: Vote | undefined;
  /** The vote by which there came to be a leader, as it was in its round. */
  protected electedBy: Vote | undefined;
  /** Whom each node votes for in this round. */
  private tally: Map<NodeId, NodeId> = new Map();
  /** What nodes with a leader say: the leader and the round. */
  private settled: Map<NodeId, Notification> = new Map();
  private readonly contacts: Map<NodeId, Contact> = new Map();
  /** Lets others try first for a while, having failed. */
  private sitsOut = false;
  /** The leader before has named this node. */
  protected named = false;
  private resendMs = 0;
  /** It has a quorum's votes, and waits for a better one to come (B3). */
  private finalizing = false;

  override onStart(ctx: Ctx): void {
    super.onStart(ctx);
    // In its last life, if it had one, this node may have promised a leader its patience (B21).
    if (this.config.leaseReads && this.acceptedEpoch > 0) this.heardAt = ctx.now;
    this.look(ctx);
  }

  protected override look(ctx: Ctx): void {
    // Candidates tell only of what is durable, so all of it is on its way to the disk (scenario E14).
    this.persistTail(ctx);
    this.phase = "election";
    this.followed = undefined;
    this.electedBy = undefined;
    this.startRound(this.round + 1);
    this.settled = new Map();
    this.takeRole(ctx, undefined);
    ctx.note({ type: "looking", round: this.round });
    const { electionMs } = this.config;
    ctx.setTimer("election", PATIENCE * electionMs, PATIENCE * electionMs);
    this.stand(ctx);
    this.tellAll(ctx);
    this.count(ctx);
  }

  private startRound(round: number): void {
    this.round = round;
    this.vote = undefined;
    this.tally = new Map();
    this.resendMs = 0;
    this.finalizing = false;
  }

  /** What this node says goes to everyone, and again and again, ever more rarely (B5). */
  protected tellAll(ctx: Ctx): void {
    for (const peer of this.others(ctx)) this.notify(ctx, peer);
    if (this.phase !== "election") return;
    const { heartbeatMs, electionMs } = this.config;
    this.resendMs = Math.min(Math.max(2 * this.resendMs, heartbeatMs), electionMs);
    ctx.setTimer("heartbeat", this.resendMs, heartbeatMs);
  }

  private notify(ctx: Ctx, peer: NodeId): void {
    const { round, acceptedEpoch } = this;
    const state = this.stateFor(ctx);
    const vote = state === "looking" ? this.vote : this.electedBy;
    const commit = zxidIn(this.log, this.commitIndex);
    const hears = this.isRecent(ctx, this.contacts.get(peer)?.heard);
    ctx.send(peer, { type: "notification", round, state, vote, acceptedEpoch, commit, hears });
  }

  private stateFor(ctx: Ctx): Notification["state"] {
    if (this.followed === undefined) return "looking";
    return this.followed === ctx.self ? "leading" : "following";
  }

  private isRecent(ctx: Ctx, at: number = NEVER): boolean {
    return ctx.now - at <= PATIENCE * this.config.electionMs;
  }

  private reaches(ctx: Ctx, node: NodeId): boolean {
    return node === ctx.self || this.isRecent(ctx, this.contacts.get(node)?.mutual);
  }

  /** A looking node's turn to say again where it stands. */
  protected lookAgain(ctx: Ctx): void {
    this.seekRepair(ctx, false);
    this.stand(ctx);
    this.tellAll(ctx);
    this.count(ctx);
  }

  protected onNotification(ctx: Ctx, from: NodeId, m: Notification): void {
    this.seenEpoch = Math.max(this.seenEpoch, m.acceptedEpoch);
    const contact = this.contacts.get(from) ?? { heard: NEVER, mutual: NEVER };
    const knew = this.isRecent(ctx, contact.heard);
    this.contacts.set(from, contact);
    contact.heard = ctx.now;
    if (m.hears) contact.mutual = ctx.now;
    this.learnCommit(ctx, m);
    if (this.phase !== "election") return this.answerLooking(ctx, from, m);
    if (m.state === "looking") this.onLooking(ctx, from, m, knew);
    else this.onSettled(ctx, from, m);
  }

  /** What is committed is so for ever, whoever says it and however long ago. */
  private learnCommit(ctx: Ctx, { commit }: Notification): void {
    if (this.followed === ctx.self) return;
    const index = indexIn(this.log, commit);
    if (index !== undefined) this.commitTo(ctx, index);
  }

  /** With a leader, or as one: says so to who looks for one. */
  private answerLooking(ctx: Ctx, from: NodeId, m: Notification): void {
    if (m.state !== "looking") return;
    if (from === this.followed && this.isOver(from, m)) return this.look(ctx);
    if (this.followed === ctx.self) this.onDeparted(from, m);
    this.notify(ctx, from);
  }

  /** Whom this node follows looks itself, since it was elected or has proposed its epoch: it leads no more. */
  private isOver(leader: NodeId, { round, acceptedEpoch }: Notification): boolean {
    const proposed = leader === this.acceptedFrom && acceptedEpoch >= this.acceptedEpoch;
    return round > this.round || proposed;
  }

  private onLooking(ctx: Ctx, from: NodeId, m: Notification, knew: boolean): void {
    this.settled.delete(from);
    if (m.round > this.round) {
      this.startRound(m.round);
      this.stand(ctx);
      this.tellAll(ctx);
    } else if (m.round < this.round) return this.notify(ctx, from);
    if (m.vote !== undefined) this.tally.set(from, m.vote.node);
    else this.tally.delete(from);
    const before = this.vote;
    this.consider(ctx, from, m.vote);
    this.stand(ctx);
    if (this.vote !== before) this.tellAll(ctx);
    else if (!m.hears || !knew) this.notify(ctx, from);
    this.count(ctx);
  }

  /** Votes for a candidate that tells of itself, if it is better than the one before (B1). */
  private consider(ctx: Ctx, from: NodeId, vote: Vote | undefined): void {
    if (vote?.node !== from || !this.reaches(ctx, from) || this.isBound(ctx)) return;
    // Who has less than this node could not lead it.
    const { currentEpoch: peerEpoch, lastZxid: zxid } = this;
    if (compareVotes(vote, { peerEpoch, zxid, rank: 0, node: "" }) < 0) return;
    if (this.vote === undefined || compareVotes(vote, this.vote) > 0) this.vote = vote;
  }

  /** Votes for itself if it may and could lead, and knows nobody better. */
  private stand(ctx: Ctx): void {
    if (this.sitsOut || !this.mayLead(ctx.self) || this.isBound(ctx)) return;
    // Who does not know its own history cannot lead by it (B25).
    if (!this.isWhole) return;
    if (!this.suffices((node) => this.reaches(ctx, node))) return;
    const { currentEpoch: peerEpoch, lastZxid: zxid } = this;
    const own = { peerEpoch, zxid, rank: this.rank(ctx), node: ctx.self };
    if (this.vote === undefined || compareVotes(own, this.vote) > 0) this.vote = own;
  }

  private rank(ctx: Ctx): number {
    if (this.named) return NAMED;
    if (this.slow) return 0;
    return Math.min(traitsOf(this.configuration, ctx.self).priority, NAMED - 1);
  }

  /** A leader counts on this node's patience for its lease (B21). */
  private isBound(ctx: Ctx): boolean {
    return this.config.leaseReads && this.hearsLeader(ctx);
  }

  /** Whether a quorum votes for this node, and no better vote is to be expected (B3). */
  private count(ctx: Ctx): void {
    const before = this.finalizing;
    this.finalizing = this.hasQuorum(ctx);
    if (!this.finalizing) return;
    const all = voters(this.configuration);
    if (this.named || all.every((node) => this.isFor(ctx, node))) return this.lead(ctx);
    if (!before) ctx.setTimer("finalize", this.config.heartbeatMs);
  }

  private hasQuorum(ctx: Ctx): boolean {
    return this.vote?.node === ctx.self && this.suffices((node) => this.isFor(ctx, node));
  }

  private isFor(ctx: Ctx, node: NodeId): boolean {
    return node === ctx.self || this.tally.get(node) === ctx.self;
  }

  protected onFinalize(ctx: Ctx): void {
    if (this.phase === "election" && this.finalizing && this.hasQuorum(ctx)) this.lead(ctx);
  }

  /** A node has a leader, or is one. */
  private onSettled(ctx: Ctx, from: NodeId, m: Notification): void {
    this.settled.set(from, m);
    this.tally.delete(from);
    if (this.isBound(ctx)) return;
    const candidate = m.vote?.node;
    if (candidate === undefined || candidate === ctx.self) return;
    const word = this.settled.get(candidate);
    // Only who says itself that it leads is followed, however many say that it does (scenario Z10).
    if (word?.state !== "leading" || word.vote === undefined) return;
    const elected = word.round === this.round && this.vote?.node === candidate;
    if (elected || this.isFollowedByQuorum(word)) this.join(ctx, candidate, word);
  }

  private isFollowedByQuorum({ vote, round }: Notification): boolean {
    return this.suffices((node) => {
      const other = this.settled.get(node);
      return other?.round === round && other.vote?.node === vote?.node;
    });
  }

  private join(ctx: Ctx, leader: NodeId, { vote, round }: Notification): void {
    this.round = round;
    this.electedBy = vote;
    this.follow(ctx, leader);
  }

  /** A leader that a quorum follows may be followed on its own word (B4). */
  protected accept(ctx: Ctx, leader: NodeId): void {
    const word = this.settled.get(leader);
    if (word?.state === "leading") return this.join(ctx, leader, word);
    this.electedBy = undefined;
    this.follow(ctx, leader);
  }

  /** Nobody was elected, or the leader is silent (B21): looks anew. */
  protected onElectionTimeout(ctx: Ctx): void {
    // Its own patience is over; but leases hold as long as time does.
    if (!this.config.leaseReads) this.heardAt = NEVER;
    if (this.vote?.node === ctx.self && this.phase === "election") this.sitOut(ctx);
    this.named = false;
    // Rounds grow by elections that failed, not by the time that somebody is alone.
    if (this.phase === "election" && this.vote === undefined) this.round--;
    if (this.phase === "election") this.seekRepair(ctx, true);
    this.look(ctx);
  }

  /** Lets others go first: whoever it was that did not follow, may follow them. */
  protected sitOut(ctx: Ctx): void {
    const { electionMs } = this.config;
    this.sitsOut = true;
    ctx.setTimer("stand", electionMs, PATIENCE * electionMs);
  }

  protected onStandTimeout(ctx: Ctx): void {
    this.sitsOut = false;
    if (this.phase === "election") this.lookAgain(ctx);
  }

  /** Has been elected: tries to lead. */
  protected abstract lead(ctx: Ctx): void;

  /** A node looks for a leader while this one leads, or is about to. */
  protected abstract onDeparted(peer: NodeId, m: Notification): void;

  /** Follows a node that says it leads. */
  protected abstract follow(ctx: Ctx, leader: NodeId): void;
}

/** Positive if `a` is the better one. */
export function compareVotes(a: Vote, b: Vote): number {
  if (a.peerEpoch !== b.peerEpoch) return a.peerEpoch - b.peerEpoch;
  const zxids = compareZxids(a.zxid, b.zxid);
  if (zxids !== 0) return zxids;
  if (a.rank !== b.rank) return a.rank - b.rank;
  if (a.node === b.node) return 0;
  return a.node > b.node ? 1 : -1;
}
