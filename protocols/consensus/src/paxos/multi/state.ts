/**
 * Multi-Paxos (Lamport 1998, 2001; van Renesse & Altinbuken 2015): the state of
 * a node and what every part of the protocol does with it. A node is acceptor,
 * learner and, if it is a voter, may become the leader, Lamport's distinguished
 * proposer.
 *
 * The class is written in layers, each a file for one concern, each extending
 * the one before, of which the first are the same for every engine ({@link
 * ../../leader/state.ts}): state ← {@link ./election.ts election} ← {@link
 * ./phase-one.ts phase one} ← {@link ./phase-two.ts phase two} ← {@link
 * ./streams.ts streams to members} ← {@link ./reads.ts reads} ← {@link
 * ./changes.ts changes} ← {@link ./multi-paxos.ts MultiPaxos}. Rules (M1–M26) and
 * invariants (J1–J9) are those of paxos/PROTOCOL.md.
 */

import { type Context, invariant, type NodeId, type Position, unreachable } from "@quorate/kernel";

import type { Entry, Index, SnapshotMeta, Term } from "../../entry.ts";
import { Serving } from "../../leader/serving.ts";
import { traitsOf } from "../../membership.ts";
import { type Ballot, isHigher, isSame, makeBallot, NO_BALLOT } from "./ballot.ts";
import { checkConfig, type MultiPaxosConfig } from "./config.ts";
import type { MultiPaxosWords, Record } from "./messages.ts";
import { isQuorumFor, MAJORITIES, type QuorumSizes } from "./quorums.ts";
import { Slots } from "./slots.ts";

export type Ctx = Context<MultiPaxosWords>;

export abstract class MultiPaxosState extends Serving {
  protected readonly config: MultiPaxosConfig;

  // Durable: the acceptor.
  /** Nothing is accepted in a lower ballot any more. */
  promised: Ballot = NO_BALLOT;
  /** What was accepted, decided slots included. */
  readonly slots: Slots = new Slots();

  // Volatile, on all nodes.
  /** Every slot up to here is decided, or accepted in the ballot now promised. */
  protected agreed: Index = 0;
  /** Up to here the layer above was told what is decided. */
  private told: Index = 0;
  /** The highest round heard of, promised or not. */
  protected seenRound = 0;

  // Volatile, while a candidate or a leader.
  /** The ballot of this node's last attempt to lead. */
  protected ballot: Ballot = NO_BALLOT;

  constructor(config: MultiPaxosConfig) {
    super(config.initial);
    checkConfig(config);
    this.config = Object.freeze(config);
  }

  get term(): Term {
    return this.promised.round;
  }

  get lastIndex(): Index {
    return Math.max(this.slots.lastIndex, this.commitIndex);
  }

  protected override get held(): Slots {
    return this.slots;
  }

  recover(record: Record): void {
    switch (record.type) {
      case "promised":
        this.raise(record.ballot);
        break;
      case "accepted": {
        this.raise(record.ballot);
        const ballot = this.shared(record.ballot);
        for (const [i, entry] of record.entries.entries()) {
          const index = record.index + i;
          if (index > this.slots.base.index) this.slots.put(index, ballot, entry);
        }
        this.learnUpTo(record.commit);
        break;
      }
      case "base":
        this.slots.forget(record.index, record.term);
        this.commitIndex = Math.max(this.commitIndex, record.index);
        break;
      case "snapshot":
        this.goOnFrom(record.meta);
        break;
      default:
        unreachable(record);
    }
  }

  private goOnFrom(meta: SnapshotMeta): void {
    const { index, term, configuration, configurationIndex, sealed } = meta;
    const isNews = index > this.commitIndex;
    // What was accepted beyond the snapshot was promised to leaders, and stays (M19).
    if (isNews) this.slots.forget(index, term);
    this.commitIndex = Math.max(this.commitIndex, index);
    this.told = Math.max(this.told, index);
    this.configurations.restored({ index: configurationIndex, configuration }, index, !isNews);
    if (sealed) this.sealIndex = Math.min(this.sealIndex || index, index);
    // A snapshot of another engine's log, or of a later round than any seen: lead above it.
    if (term > this.promised.round) this.raise(makeBallot(term, ""));
  }

  /** Promises `ballot` in memory, unless it has promised a higher one. */
  private raise(ballot: Ballot): void {
    if (isHigher(ballot, this.promised)) this.promised = makeBallot(ballot.round, ballot.node);
  }

  /** The same ballot as a frozen value, the one promised if it is that. */
  protected shared(ballot: Ballot): Ballot {
    return isSame(ballot, this.promised) ? this.promised : makeBallot(ballot.round, ballot.node);
  }

  /** Slots up to `index` are known to be decided, without anybody being told yet. */
  private learnUpTo(index: Index): boolean {
    let reconfigured = false;
    while (this.commitIndex < index) {
      const entry = this.slots.at(++this.commitIndex);
      if (entry.kind === "seal") this.sealIndex ||= this.commitIndex;
      if (this.configurations.appended(this.commitIndex, entry)) reconfigured = true;
    }
    return reconfigured;
  }

  /** Slots up to `index` are decided: learns them and tells (M9). */
  protected commitTo(ctx: Ctx, index: Index): void {
    if (index <= this.commitIndex) return;
    const before = this.configurationIndex;
    this.learnUpTo(index);
    this.agreed = Math.max(this.agreed, index);
    this.tell(ctx);
    if (this.configurationIndex !== before) this.onConfiguration(ctx);
  }

  /** Tells the layer above of what is decided and it does not know. */
  protected tell(ctx: Ctx): void {
    if (this.told >= this.commitIndex) return;
    const index = this.told + 1;
    const entries = this.slots.range(index, this.commitIndex);
    this.told = this.commitIndex;
    // A quorum's disks have these, so the own one need not be waited for.
    ctx.outputEagerly({ type: "committed", index, entries });
    this.onCommitted(ctx, index, entries);
  }

  protected extendAgreed(): void {
    for (;;) {
      const ballot = this.slots.ballotAt(this.agreed + 1);
      if (ballot === undefined || !isSame(ballot, this.promised)) return;
      this.agreed++;
    }
  }

  /** Whether `node` should ever lead. */
  protected override mayLead(node: NodeId): boolean {
    return this.isVoter(node) && traitsOf(this.configuration, node).priority > 0;
  }

  protected get quorums(): QuorumSizes {
    return this.config.quorums ?? MAJORITIES;
  }

  protected isQuorumFor(phase: keyof QuorumSizes, holds: (node: NodeId) => boolean): boolean {
    return isQuorumFor(phase, this.configuration, this.quorums, holds);
  }

  protected override suffices(holds: (node: NodeId) => boolean): boolean {
    return this.isQuorumFor("accept", holds);
  }

  /** Promises a higher ballot; whatever this node was doing in a lower one is over (M2, M10). */
  protected adopt(ctx: Ctx, ballot: Ballot): Position {
    invariant(isHigher(ballot, this.promised), "J2: promises never fall");
    if (this.role === "leader") this.resign(ctx, "higherBallot");
    this.promised = makeBallot(ballot.round, ballot.node);
    this.seenRound = Math.max(this.seenRound, ballot.round);
    this.agreed = this.commitIndex;
    return ctx.persist({ type: "promised", ballot: this.promised });
  }

  /** Becomes a follower of `leader`, or of nobody known yet. */
  protected follow(ctx: Ctx, leader: NodeId | undefined): void {
    const was = this.role;
    if (was === "leader") this.resign(ctx, "quorumLost");
    this.role = this.isVoter(ctx.self) ? "follower" : "learner";
    const news = this.role !== was || leader !== this.leader;
    this.leader = leader;
    if (leader !== undefined) this.awaitLeader(ctx);
    if (was === "candidate") ctx.cancelTimer("heartbeat");
    if (news) this.announce(ctx);
  }

  protected resign(ctx: Ctx, reason: "higherBallot" | "quorumLost"): void {
    this.persistTail(ctx);
    this.role = this.isVoter(ctx.self) ? "follower" : "learner";
    this.leader = undefined;
    ctx.cancelTimer("heartbeat");
    ctx.cancelTimer("quorum");
    this.progress.clear();
    this.writes = [];
    this.agreed = this.commitIndex;
    this.extendAgreed();
    ctx.note({ type: "steppedDown", term: this.ballot.round, reason });
    this.abandon(ctx);
    this.announce(ctx);
    this.awaitLeader(ctx);
  }

  protected override stepDown(ctx: Ctx): void {
    this.follow(ctx, undefined);
  }

  /** Another configuration is in force, for ever decided: tell, and take one's place in it. */
  protected onConfiguration(ctx: Ctx): void {
    const { index, configuration } = this.configurations.last;
    ctx.outputEagerly({ type: "configuration", index, configuration, committed: true });
    if (this.role === "leader") return;
    if (this.role === "candidate" && this.mayLead(ctx.self)) return;
    this.follow(ctx, this.leader);
  }

  /** Persists what a leader has proposed since the last time, as one record. */
  protected abstract persistTail(ctx: Ctx): void;

  /** Slots were decided, from `first` on. */
  protected abstract onCommitted(ctx: Ctx, first: Index, entries: readonly Entry[]): void;

  /** Leadership is over: answers everyone who waits for this leader. */
  protected abstract abandon(ctx: Ctx): void;
}
