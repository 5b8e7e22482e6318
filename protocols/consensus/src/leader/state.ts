/**
 * A log with a leader, whatever its engine: what a node knows of the leader and
 * of the other members, and what follows from that alone. How leaders are elected
 * and what makes an entry committed are each engine's own.
 *
 * An engine is a class in layers, each a file for one concern, each extending the
 * one before. The first three are the same for all: state ← {@link
 * ./handing-over.ts handing over} ← {@link ./serving.ts serving}. Rules are those
 * of the engines' PROTOCOL.md: R1… of Raft, M1… of Multi-Paxos.
 */

import {
  type Context,
  invariant,
  type NodeId,
  type Position,
  type RequestId,
  type Speaks,
} from "@quorate/kernel";

import { Configurations } from "../configurations.ts";
import type { Configuration, Entry, Index, SnapshotMeta, Term } from "../entry.ts";
import type { LeaderSettings } from "../leader-settings.ts";
import type { Log } from "../log.ts";
import { founded, type Founding } from "../membership.ts";
import type {
  LogOutput,
  LogResponse,
  PeerStatus,
  Rejected,
  Role,
  SnapshotRecord,
} from "../ordered-log.ts";
import type { Progress } from "../progress.ts";
import { votes } from "../quorum.ts";
import { outranked } from "../succession.ts";
import { ReadRounds } from "./read-rounds.ts";
import { type Stretch, useful } from "./repair.ts";

/** An engine may have more. */
export type LeaderTimer = "election" | "heartbeat" | "quorum" | "transfer";

type LeaderNote =
  | { readonly type: "elected"; readonly term: Term }
  | { readonly type: "lagging"; readonly peer: NodeId };

/** What all engines say alike; messages and most records are their own. */
type LeaderWords = Speaks<{
  Timer: LeaderTimer;
  Record: SnapshotRecord;
  Response: LogResponse;
  Output: LogOutput;
  Note: LeaderNote;
}>;

export type LeaderContext = Context<LeaderWords>;

/** Of engines whose disks know which entries they have lost (./repair.ts). */
type MendingContext = Context<
  Omit<LeaderWords, "Record" | "Note"> & {
    Record: LeaderWords["Record"] | ({ readonly type: "mended" } & Stretch);
    Note:
      | LeaderWords["Note"]
      | { readonly type: "mended"; readonly from: Index; readonly to: Index };
  }
>;

/** Longer ago than any election timeout. */
export const NEVER: number = -Infinity;

export abstract class LeaderState {
  protected abstract readonly config: LeaderSettings;

  // On all nodes.
  abstract readonly term: Term;
  abstract readonly lastIndex: Index;
  role: Role = "follower";
  leader: NodeId | undefined;
  /** Every entry up to here is committed. */
  commitIndex: Index = 0;
  readonly configurations: Configurations;
  /** Of the first `seal` in the log or in the snapshot before it; 0 if there is none. */
  protected sealIndex: Index = 0;
  /** Local time of a leader's last word; `NEVER` if none was heard, or it is believed to be gone. */
  protected heardAt: number = NEVER;
  /** The driver says that this node's disk or event loop has become slow. */
  protected slow = false;
  /** A leader was heard in this life, or this node was one. */
  protected acquainted = false;

  // While a leader.
  readonly progress: Map<NodeId, Progress> = new Map();
  protected readonly reads: ReadRounds = new ReadRounds();
  /** The own disk has what counts for this leadership up to here. */
  protected durableIndex: Index = 0;
  /** Last index of each write on its way to the disk. */
  protected writes: { readonly position: Position; readonly index: Index }[] = [];
  /** The first entry not yet persisted; `onIdle` persists a batch at once. */
  protected unpersisted: Index = 1;
  /** Bytes of entries that wait to be committed. */
  protected uncommittedBytes = 0;
  /** Who proposed the entries that wait to be committed. */
  protected readonly proposals: Map<Index, RequestId> = new Map();

  constructor(initial: Founding) {
    this.configurations = new Configurations(founded(initial));
  }

  /** In force, as the engine counts it: from when it is appended (R25), or decided (M14). */
  get configuration(): Configuration {
    return this.configurations.last.configuration;
  }

  get configurationIndex(): Index {
    return this.configurations.last.index;
  }

  protected isVoter(node: NodeId): boolean {
    return votes(this.configuration, node);
  }

  /** Everyone who receives the log but this node. */
  protected others(ctx: LeaderContext): readonly NodeId[] {
    const { voters, outgoing, learners } = this.configuration;
    return [...new Set([...voters, ...outgoing, ...learners])].filter((id) => id !== ctx.self);
  }

  protected announce(ctx: LeaderContext): void {
    const { role, term, leader } = this;
    ctx.outputEagerly({ type: "role", role, term, leader });
  }

  protected rejected(reason: Rejected["reason"], definite: boolean): Rejected {
    return { type: "rejected", reason, leader: this.leader, definite };
  }

  // Waiting for a leader.

  /** Waits for a leader's word, or else stands for election (R7). */
  protected awaitLeader(ctx: LeaderContext): void {
    const { electionMs } = this.config;
    // Whoever should lead rather than this node gets the first try.
    const holdsBack = this.slow || outranked(this.configuration, ctx.self);
    ctx.setTimer("election", holdsBack ? 2 * electionMs : electionMs, electionMs);
  }

  /**
   * A node that has just started may be one of many that have: it asks around
   * soon and often until it has heard a leader. If there is one, it is told so and
   * no harm is done.
   */
  protected lookAround(ctx: LeaderContext): void {
    const { heartbeatMs } = this.config;
    ctx.setTimer("election", heartbeatMs, heartbeatMs);
  }

  /**
   * Whether a leader was heard so recently that nobody should be standing for
   * election (R5, M11). That it is no longer followed changes nothing: leases
   * count on everyone who answered it (scenario R3).
   */
  protected hearsLeader(ctx: LeaderContext): boolean {
    return this.role === "leader" || ctx.now - this.heardAt < this.config.electionMs;
  }

  /**
   * This node has never run this log before: no life of it has promised anybody
   * its patience, so there is none to keep after its start (R5, M17, B21).
   */
  promisesNothing(): void {
    this.heardAt = NEVER;
  }

  /** The driver believes that a peer is gone: if it led, look for another leader at once. */
  onUnreachable(ctx: LeaderContext, peer: NodeId): void {
    // A lease may outlive the connection: its holder relies on everyone's patience (R5, R33).
    if (peer !== this.leader || this.config.leaseReads) return;
    this.leader = undefined;
    this.heardAt = NEVER;
    this.announce(ctx);
    ctx.setTimer("election", 0, this.config.heartbeatMs);
  }

  // Leading.

  /** This node leads from now on; what it knows of the others is in `progress`. */
  protected takeOffice(ctx: LeaderContext): void {
    this.role = "leader";
    this.leader = ctx.self;
    this.acquainted = true;
    ctx.cancelTimer("election");
    ctx.setTimer("heartbeat", this.config.heartbeatMs);
    ctx.setTimer("quorum", this.config.electionMs);
    ctx.note({ type: "elected", term: this.term });
    this.announce(ctx);
  }

  /** A leader that has not heard from a quorum for an election timeout stops leading (R10, M13). */
  protected onQuorumTimeout(ctx: LeaderContext): void {
    const reached = this.suffices(
      (node) => node === ctx.self || this.progress.get(node)?.active === true,
    );
    if (!reached) return this.stepDown(ctx);
    for (const progress of this.progress.values()) progress.beginPeriod();
    ctx.setTimer("quorum", this.config.electionMs);
  }

  /** A leader counts itself only once its own disk has what it appended (R16, M6). */
  protected countOwnDisk(ctx: LeaderContext, position: Position): void {
    let written = 0;
    while (written < this.writes.length && this.writes[written]!.position <= position) {
      this.durableIndex = Math.max(this.durableIndex, this.writes[written++]!.index);
    }
    if (written === 0) return;
    this.writes.splice(0, written);
    if (this.role === "leader") this.advance(ctx);
  }

  /** Refuses the reads that a leader can no longer confirm. */
  protected abandonReads(ctx: LeaderContext): void {
    this.reads.endLease();
    for (const id of this.reads.abandon()) ctx.reply(id, this.rejected("lostLeadership", true));
  }

  /** A learner or voter would not slow decisions down. */
  protected isCaughtUp(ctx: LeaderContext, node: NodeId): boolean {
    return this.progress.get(node)?.isCaughtUp(ctx.now, this.config.electionMs) ?? false;
  }

  get peers(): readonly PeerStatus[] {
    if (this.role !== "leader") return [];
    return [...this.progress].map(([node, { match, isRecent, slow, state }]) => ({
      node,
      match,
      active: isRecent,
      slow,
      state,
    }));
  }

  // Damage.

  /** Puts entries in their places in a log that had lost them. Returns whether another configuration may be in force now. */
  protected mendLog(log: Log, { index, entries }: Stretch): boolean {
    let reconfigured = false;
    for (const [i, entry] of entries.entries()) {
      const at = index + i;
      if (!log.lost.has(at)) continue;
      log.mend(at, entry);
      if (entry.kind === "seal" && !(this.sealIndex > 0 && this.sealIndex < at))
        this.sealIndex = at;
      if (this.configurations.mended(at, entry)) reconfigured = true;
    }
    return reconfigured;
  }

  /** Of entries, the first of them at `index`, takes those that a log had lost, durably. Returns whether there are any. */
  protected takeBack(
    ctx: MendingContext,
    log: Log,
    index: Index,
    entries: readonly Entry[],
  ): boolean {
    const mended = useful(log, index, entries);
    if (mended === undefined) return false;
    const reconfigured = this.mendLog(log, mended);
    ctx.persist({ type: "mended", ...mended });
    ctx.note({ type: "mended", from: mended.index, to: mended.index + mended.entries.length - 1 });
    if (reconfigured) this.onConfiguration(ctx);
    return true;
  }

  /** Another configuration is in force. */
  protected abstract onConfiguration(ctx: LeaderContext): void;

  // Snapshots.

  protected wantSnapshot(ctx: LeaderContext, peer: NodeId, progress: Progress): void {
    // Reading a whole state for a member that does not answer would be in vain.
    if (!progress.isRecent) return;
    progress.awaitSnapshot();
    ctx.note({ type: "lagging", peer });
    const { index: atLeast } = this.held.base;
    const sources = this.snapshotSources(ctx, peer);
    ctx.outputEagerly({ type: "snapshotWanted", to: peer, atLeast, sources });
  }

  /** Who holds all that this node has forgotten, and answers: others first, they have less to do. */
  private snapshotSources(ctx: LeaderContext, to: NodeId): readonly NodeId[] {
    const { index } = this.held.base;
    const able = [...this.progress].filter(
      ([peer, { isRecent, slow, match }]) => peer !== to && isRecent && !slow && match > index,
    );
    return [...able.map(([peer]) => peer), ctx.self];
  }

  protected onSnapshotFailed(to: NodeId): void {
    const progress = this.progress.get(to);
    // It is asked about again with the next answer of the member's.
    if (progress?.state === "snapshot") progress.probeFrom(progress.match + 1);
  }

  entries(first: Index, last: Index): readonly Entry[] {
    return this.held.range(first, last);
  }

  snapshotMeta(index: Index): SnapshotMeta {
    invariant(index <= this.commitIndex, "snapshots hold committed entries");
    const term = this.held.termAt(index);
    invariant(term !== undefined, "the entry a snapshot ends with is held");
    const { configuration, index: configurationIndex } = this.configurations.at(index);
    const sealed = this.sealIndex > 0 && this.sealIndex <= index;
    return { index, term, configuration, configurationIndex, sealed };
  }

  /** The entries in memory. */
  protected abstract get held(): Pick<Log, "base" | "termAt" | "range">;

  /** Whether the nodes for which `holds` is true suffice to commit an entry. */
  protected abstract suffices(holds: (node: NodeId) => boolean): boolean;

  /** A leader stops leading of its own accord. */
  protected abstract stepDown(ctx: LeaderContext): void;

  /** A leader commits what may be committed by now. */
  protected abstract advance(ctx: LeaderContext): void;
}
