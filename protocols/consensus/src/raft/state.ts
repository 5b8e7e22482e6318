/**
 * Raft (Ongaro & Ousterhout 2014): the state of a server and what every part of
 * the protocol does with it.
 *
 * The class is written in layers, each a file for one concern, each extending
 * the one before: state ← {@link ./election.ts election} ← {@link
 * ./replication.ts replication} ← {@link ./raft.ts Raft}. Rule numbers (R1–R36)
 * and invariants (I1…) are those of PROTOCOL.md.
 */

import {
  type Context,
  invariant,
  type NodeId,
  type Position,
  type RequestId,
  unreachable,
} from "@quorate/kernel";

import type { Configuration, Entry, Index, SnapshotMeta, Term } from "../entry.ts";
import { Log } from "../log.ts";
import { founded, traitsOf } from "../membership.ts";
import type { Rejected, Role } from "../ordered-log.ts";
import { isQuorum, votes } from "../quorum.ts";
import { checkConfig, type RaftConfig } from "./config.ts";
import { Configurations } from "../configurations.ts";
import type { RaftWords, Record } from "./messages.ts";
import type { Progress } from "../progress.ts";

export type Ctx = Context<RaftWords>;

/** Longer ago than any election timeout. */
export const NEVER: number = -Infinity;

/** Leadership on its way to another member. */
interface Transfer {
  /** Who asked; nobody if the leader hands over of its own accord. */
  readonly id: RequestId | undefined;
  readonly to: NodeId;
}

export abstract class RaftState {
  protected readonly config: RaftConfig;

  // Durable.
  term: Term = 0;
  protected votedFor: NodeId | undefined;
  readonly log: Log = new Log();
  readonly configurations: Configurations;
  /** Of the first `seal` in the log or in the snapshot before it; 0 if there is none. */
  protected sealIndex: Index = 0;

  /**
   * Entries that the disk has lost: their index and term are known and their
   * bytes are not. Unknown is not absent (R36).
   */
  readonly damaged: Set<Index> = new Set();

  // Volatile, on all servers.
  role: Role = "follower";
  leader: NodeId | undefined;
  commitIndex: Index = 0;
  /** Local time of a leader's last word; `NEVER` if none was heard, or it is believed to be gone. */
  protected heardAt: number = NEVER;
  /** The driver says that this node's disk or event loop has become slow. */
  protected slow = false;
  /** A leader was heard in this life, or this node was one. */
  protected acquainted = false;

  // Volatile, while a candidate.
  protected phase: "pre" | "real" = "pre";
  /** Counts campaigns; tells their replies apart. */
  protected round = 0;
  protected votes: Set<NodeId> = new Set();
  /** The own vote counts once this position is durable (R4). */
  protected votePosition: Position = 0;

  // Volatile, while a leader.
  readonly progress: Map<NodeId, Progress> = new Map();
  /** The own log is durable up to here; 0 until an entry of this term is. */
  protected durableIndex: Index = 0;
  /** Last index of each write on its way to the disk. */
  protected writes: { readonly position: Position; readonly index: Index }[] = [];
  /** The first entry appended but not yet persisted; `onIdle` persists a batch at once. */
  protected unpersisted: Index = 1;
  /** Bytes of entries that wait to be committed. */
  protected uncommittedBytes = 0;
  /** Who proposed the entries that wait to be committed. */
  protected readonly proposals: Map<Index, RequestId> = new Map();
  /** Leadership is being handed over; nothing new is accepted meanwhile (R31). */
  protected transfer: Transfer | undefined;

  constructor(config: RaftConfig) {
    checkConfig(config);
    this.config = Object.freeze(config);
    this.configurations = new Configurations(founded(config.initial));
  }

  /** In force since its entry was appended, committed or not (R25). */
  get configuration(): Configuration {
    return this.configurations.last.configuration;
  }

  get configurationIndex(): Index {
    return this.configurations.last.index;
  }

  get lastIndex(): Index {
    return this.log.lastIndex;
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
        for (const term of record.terms) this.pushDamaged(term);
        break;
      case "mended":
        for (const [i, entry] of record.entries.entries()) {
          if (this.damaged.has(record.index + i)) this.mend(record.index + i, entry);
        }
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
    let lastLost = 0;
    for (const lost of this.damaged) {
      if (keeps && lost > index) continue;
      this.damaged.delete(lost);
      if (keeps) lastLost = Math.max(lastLost, lost);
    }
    // The snapshot stands for what is lost before its end. Nobody must be sent what only holds its place (R36).
    if (lastLost > this.log.base.index) {
      this.log.compact(lastLost);
      this.configurations.compacted(lastLost);
    }
    if (sealed) this.sealIndex = Math.min(this.sealIndex || index, index);
    else if (!keeps) this.sealIndex = 0;
  }

  /** Appends to the log in memory. Returns whether another configuration is in force now. */
  protected push(entry: Entry): boolean {
    const index = this.log.append(entry);
    if (entry.kind === "seal" && this.sealIndex === 0) this.sealIndex = index;
    return this.configurations.appended(index, entry);
  }

  /** Holds the place of an entry whose bytes are lost. */
  private pushDamaged(term: Term): void {
    this.damaged.add(this.log.append({ term, kind: "noop", data: new Uint8Array(0) }));
  }

  /** Puts an entry in its place again. Returns whether another configuration may be in force now. */
  protected mend(index: Index, entry: Entry): boolean {
    this.log.mend(index, entry);
    this.damaged.delete(index);
    if (entry.kind === "seal" && !(this.sealIndex > 0 && this.sealIndex < index)) {
      this.sealIndex = index;
    }
    return this.configurations.mended(index, entry);
  }

  /** The entries before this one are known; `Infinity` if all are. */
  protected get firstDamaged(): Index {
    let first = Infinity;
    for (const index of this.damaged) first = Math.min(first, index);
    return first;
  }

  /** Drops `index` and everything after it from memory. Returns the same as {@link push}. */
  private cut(index: Index): boolean {
    this.log.truncateFrom(index);
    if (this.sealIndex >= index) this.sealIndex = 0;
    for (const lost of this.damaged) if (lost >= index) this.damaged.delete(lost);
    return this.configurations.truncated(index);
  }

  protected isVoter(node: NodeId): boolean {
    return votes(this.configuration, node);
  }

  /**
   * Whether `node` may stand for election. A voter whose removal is not committed
   * may: it can be the only one whose log is long enough (thesis §4.2.2).
   */
  protected mayLead(node: NodeId): boolean {
    const { index, configuration } = this.configurations.last;
    if (traitsOf(configuration, node).priority === 0) return false;
    if (votes(configuration, node)) return true;
    const before = this.configurations.before(index);
    return index > this.commitIndex && before !== undefined && votes(before, node);
  }

  protected isQuorum(holds: (node: NodeId) => boolean): boolean {
    return isQuorum(this.configuration, holds);
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
    for (const id of this.proposals.values()) {
      ctx.reply(id, this.rejected("lostLeadership", false));
    }
    this.proposals.clear();
    this.progress.clear();
    this.writes = [];
    const reason = term > this.term ? "higherTerm" : "quorumLost";
    ctx.note({ type: "steppedDown", term: this.term, reason });
    this.abandonReads(ctx);
  }

  /** Waits for a leader's word, or else campaigns (R7). */
  protected awaitLeader(ctx: Ctx): void {
    const { electionMs } = this.config;
    // Whoever should lead rather than this node gets the first try.
    const delayMs = this.holdsBack(ctx.self) ? 2 * electionMs : electionMs;
    ctx.setTimer("election", delayMs, electionMs);
  }

  private holdsBack(self: NodeId): boolean {
    if (this.slow) return true;
    const { traits } = this.configuration;
    if (traits.length === 0) return false;
    const { priority } = traitsOf(this.configuration, self);
    return this.configuration.voters.some(
      (node) => traitsOf(this.configuration, node).priority > priority,
    );
  }

  protected announce(ctx: Ctx): void {
    const { role, term, leader } = this;
    ctx.outputEagerly({ type: "role", role, term, leader });
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

  protected rejected(reason: Rejected["reason"], definite: boolean): Rejected {
    return { type: "rejected", reason, leader: this.leader, definite };
  }

  /** Refuses the reads that a leader can no longer confirm. */
  protected abstract abandonReads(ctx: Ctx): void;
}
