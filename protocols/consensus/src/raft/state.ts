/**
 * Raft (Ongaro & Ousterhout 2014): the state of a server and what every part of
 * the protocol does with it.
 *
 * The class is written in layers, each a file for one concern, each extending
 * the one before: state ← {@link ./election.ts election} ← {@link
 * ./replication.ts replication} ← {@link ./raft.ts Raft}. Rule numbers (R1–R36)
 * and invariants (I1…) are those of PROTOCOL.md.
 */

import { type Context, invariant, type NodeId, type Position, unreachable } from "@quorate/kernel";

import type { Entry, Index, SnapshotMeta, Term } from "../entry.ts";
import { Serving } from "../leader/serving.ts";
import { Log } from "../log.ts";
import { traitsOf } from "../membership.ts";
import { isQuorum, votes } from "../quorum.ts";
import { checkConfig, type RaftConfig } from "./config.ts";
import type { RaftWords, Record } from "./messages.ts";

export type Ctx = Context<RaftWords>;

export abstract class RaftState extends Serving {
  protected readonly config: RaftConfig;

  // Durable.
  term: Term = 0;
  protected votedFor: NodeId | undefined;
  readonly log: Log = new Log();

  // Volatile, while a candidate.
  protected phase: "pre" | "real" = "pre";
  /** Counts campaigns; tells their replies apart. */
  protected round = 0;
  protected votes: Set<NodeId> = new Set();
  /** The own vote counts once this position is durable (R4). */
  protected votePosition: Position = 0;

  constructor(config: RaftConfig) {
    super(config.initial);
    checkConfig(config);
    this.config = Object.freeze(config);
  }

  get lastIndex(): Index {
    return this.log.lastIndex;
  }

  protected override get held(): Log {
    return this.log;
  }

  recover(record: Record): void {
    switch (record.type) {
      case "state":
        this.term = record.term;
        this.votedFor = record.votedFor;
        break;
      case "base":
        this.log.reset(record.index, record.term);
        break;
      case "entries":
        invariant(record.index <= this.log.lastIndex + 1, "the log on disk has no holes");
        if (record.index <= this.log.lastIndex) this.cut(record.index);
        for (const entry of record.entries) this.push(entry);
        break;
      case "damaged":
        if (record.index <= this.log.lastIndex) this.cut(record.index);
        for (const term of record.terms) this.log.appendLost(term);
        break;
      case "mended":
        this.mendLog(this.log, record);
        break;
      case "snapshot":
        this.goOnFrom(record.meta);
        break;
      default:
        unreachable(record);
    }
    this.unpersisted = this.log.lastIndex + 1;
  }

  private goOnFrom(meta: SnapshotMeta): void {
    const { index, term, configuration, configurationIndex, sealed } = meta;
    const keeps = this.log.matches(index, term);
    if (!keeps) this.log.reset(index, term);
    this.commitIndex = Math.max(this.commitIndex, index);
    // A snapshot of another engine's log, or of a later term than any seen: lead above it.
    if (term > this.term) {
      this.term = term;
      this.votedFor = undefined;
    }
    this.configurations.restored({ index: configurationIndex, configuration }, index, keeps);
    this.configurations.compacted(this.log.cover(index));
    if (sealed) this.sealIndex = Math.min(this.sealIndex || index, index);
    else if (!keeps) this.sealIndex = 0;
  }

  /** Appends to the log in memory. Returns whether another configuration is in force now. */
  protected push(entry: Entry): boolean {
    const index = this.log.append(entry);
    if (entry.kind === "seal" && this.sealIndex === 0) this.sealIndex = index;
    return this.configurations.appended(index, entry);
  }

  /** Unknown is not absent (R36). */
  get damaged(): ReadonlySet<Index> {
    return this.log.lost;
  }

  /** The entries before this one are known; `Infinity` if all are. */
  protected get firstDamaged(): Index {
    return this.log.firstLost;
  }

  /** Drops `index` and everything after it from memory. Returns the same as {@link push}. */
  private cut(index: Index): boolean {
    this.log.truncateFrom(index);
    if (this.sealIndex >= index) this.sealIndex = 0;
    return this.configurations.truncated(index);
  }

  /**
   * Whether `node` may stand for election. A voter whose removal is not committed
   * may: it can be the only one whose log is long enough (thesis §4.2.2).
   */
  protected override mayLead(node: NodeId): boolean {
    const { index, configuration } = this.configurations.last;
    if (traitsOf(configuration, node).priority === 0) return false;
    if (votes(configuration, node)) return true;
    const before = this.configurations.before(index);
    return index > this.commitIndex && before !== undefined && votes(before, node);
  }

  protected isQuorum(holds: (node: NodeId) => boolean): boolean {
    return isQuorum(this.configuration, holds);
  }

  protected override suffices(holds: (node: NodeId) => boolean): boolean {
    return this.isQuorum(holds);
  }

  /** Term and vote go to disk together, before anything that depends on them (R1). */
  protected persistState(ctx: Ctx): Position {
    return ctx.persist({ type: "state", term: this.term, votedFor: this.votedFor });
  }

  /** Votes once in a term: from nobody to somebody, never from one to another (R2). */
  protected voteFor(ctx: Ctx, candidate: NodeId): Position {
    invariant(
      this.votedFor === undefined || this.votedFor === candidate,
      "I1: a node votes for one candidate in a term",
    );
    this.votedFor = candidate;
    return this.persistState(ctx);
  }

  /** Becomes a follower, in a later term or because a quorum is out of reach (R10). */
  protected follow(ctx: Ctx, term: Term, leader: NodeId | undefined): void {
    invariant(term >= this.term, "I2: terms never fall");
    const was = this.role;
    if (was === "leader") this.resign(ctx, term);
    if (term > this.term) {
      this.term = term;
      this.votedFor = undefined;
      this.persistState(ctx);
    }
    const role = this.isVoter(ctx.self) ? "follower" : "learner";
    const news = role !== was || leader !== this.leader;
    this.role = role;
    this.leader = leader;
    // A later term alone does not make the node more patient (R7).
    if (was === "leader" || leader !== undefined) this.awaitLeader(ctx);
    if (news) this.announce(ctx);
  }

  private resign(ctx: Ctx, term: Term): void {
    this.persistTail(ctx);
    ctx.cancelTimer("heartbeat");
    ctx.cancelTimer("quorum");
    this.abandonProposals(ctx);
    this.progress.clear();
    this.writes = [];
    const reason = term > this.term ? "higherTerm" : "quorumLost";
    ctx.note({ type: "steppedDown", term: this.term, reason });
    this.abandonReads(ctx);
  }

  protected override stepDown(ctx: Ctx): void {
    this.follow(ctx, this.term, undefined);
  }

  /** Persists what a leader has appended since the last time, as one record. */
  protected persistTail(ctx: Ctx): void {
    if (this.unpersisted > this.log.lastIndex) return;
    const entries = this.log.slice(this.unpersisted, Infinity);
    const position = ctx.persist({ type: "entries", index: this.unpersisted, entries });
    this.unpersisted = this.log.lastIndex + 1;
    this.writes.push({ position, index: this.log.lastIndex });
  }

  /** Replaces everything from `index` on. Committed entries are never replaced (R12). */
  protected replace(ctx: Ctx, index: Index, entries: readonly Entry[]): void {
    invariant(index > this.commitIndex, "I5: committed entries are never replaced");
    let reconfigured = false;
    if (index <= this.log.lastIndex) {
      ctx.note({ type: "truncated", from: index, to: this.log.lastIndex });
      reconfigured = this.cut(index);
    }
    for (const entry of entries) if (this.push(entry)) reconfigured = true;
    ctx.persist({ type: "entries", index, entries });
    this.unpersisted = this.log.lastIndex + 1;
    if (reconfigured) this.onConfiguration(ctx);
  }

  /** Another configuration is in force: tell, and take one's place in it. */
  protected onConfiguration(ctx: Ctx): void {
    const { index, configuration } = this.configurations.last;
    const committed = index <= this.commitIndex;
    ctx.outputEagerly({ type: "configuration", index, configuration, committed });
    if (this.role === "leader" || (this.role === "candidate" && this.isVoter(ctx.self))) return;
    const role = this.isVoter(ctx.self) ? "follower" : "learner";
    if (role === this.role) return;
    this.role = role;
    this.announce(ctx);
  }
}
