/**
 * Zab (Junqueira, Reed & Serafini, "Zab: High-performance broadcast for
 * primary-backup systems", DSN 2011), in the form that ZooKeeper gave it: the
 * state of a node and what every part of the protocol does with it.
 *
 * A node looks for a leader (fast leader election). Then leader and followers go
 * through three phases: discovery (a quorum promises an epoch to the leader),
 * synchronisation (a quorum makes the leader's history its own) and broadcast.
 *
 * The class is written in layers, each a file for one concern, each extending the
 * one before: what logs with leaders share (../leader) ← state ← {@link
 * ./repair.ts repair} ← {@link ./election.ts election} ← {@link ./following.ts following} ← {@link
 * ./leading.ts leading} ← {@link ./broadcast.ts broadcast} ← {@link
 * ./changes.ts changes} ← {@link ./zab.ts Zab}. Rules (B1–B26) and invariants
 * (H1–H10) are those of zab/PROTOCOL.md.
 */

import { type Context, invariant, type NodeId, unreachable } from "@quorate/kernel";

import type { Configuration, Entry, Index, SnapshotMeta, Term } from "../entry.ts";
import { Serving } from "../leader/serving.ts";
import { Log } from "../log.ts";
import { joint, traitsOf } from "../membership.ts";
import { isQuorum } from "../quorum.ts";
import { checkConfig, type ZabConfig } from "./config.ts";
import type { Reason, Record, ZabWords } from "./messages.ts";
import type { Stream } from "./stream.ts";
import { type Zxid, zxidIn } from "./zxid.ts";

export type Ctx = Context<ZabWords>;

export type Phase = "election" | "discovery" | "synchronisation" | "broadcast";

export abstract class ZabState extends Serving {
  protected readonly config: ZabConfig;

  // Durable.
  /** No earlier epoch, and this one from nobody but `acceptedFrom`, is followed any more. */
  acceptedEpoch: Term = 0;
  protected acceptedFrom: NodeId = "";
  /** Of the leader whose initial history this node has made its own. Never above the accepted one. */
  currentEpoch: Term = 0;
  readonly log: Log = new Log();
  /** Known to be committed on the disk, and so to count alone (B22). */
  protected settledIndex: Index = 0;

  // On all nodes.
  phase: Phase = "election";
  /** Whom this node follows, or itself if it leads or is about to; nobody while it looks. */
  followed: NodeId | undefined;
  /** The highest epoch heard of, accepted or not. */
  protected seenEpoch: Term = 0;
  /** Up to here the layer above was told what is committed. */
  private told: Index = 0;
  /** In which epoch the layer above was told last who leads. */
  private announcedIn: Term = 0;
  /** {@link configuration}, kept since it is asked for with every acknowledgement. */
  private counted: Configuration;

  // While leading, or about to.
  declare readonly progress: Map<NodeId, Stream>;

  constructor(config: ZabConfig) {
    checkConfig(config);
    super(config.initial);
    this.config = Object.freeze(config);
    this.counted = this.configurations.last.configuration;
  }

  override get term(): Term {
    return this.currentEpoch;
  }

  override get lastIndex(): Index {
    return this.log.lastIndex;
  }

  protected override get held(): Log {
    return this.log;
  }

  /**
   * What decisions need: the last configuration, and while it is not known to be
   * committed the one before it as well, each by a quorum of its own (B22). That
   * one is committed: no leader proposes another before.
   */
  override get configuration(): Configuration {
    return this.counted;
  }

  private recount(): void {
    const { index, configuration } = this.configurations.last;
    const isOpen = index > Math.max(this.commitIndex, this.settledIndex);
    const before = isOpen ? this.configurations.before(index) : undefined;
    this.counted = before === undefined ? configuration : joint(before, configuration);
  }

  recover(record: Record): void {
    switch (record.type) {
      case "acceptedEpoch":
        this.acceptedEpoch = record.epoch;
        this.acceptedFrom = record.from;
        break;
      case "currentEpoch":
        this.goOnIn(record.epoch);
        break;
      case "history":
        this.recoverHistory(record.index, record.entries);
        break;
      case "damaged":
        this.recoverLost(record.index, record.terms);
        break;
      case "mended":
        this.mendLog(this.log, record);
        break;
      case "committed":
        this.settledIndex = Math.max(this.settledIndex, record.index);
        // What is committed and lost is told of once it is known again (B24).
        this.commitIndex = Math.max(
          this.commitIndex,
          Math.min(record.index, this.log.firstLost - 1),
        );
        break;
      case "base":
        this.log.reset(record.index, record.term);
        this.commitIndex = record.index;
        break;
      case "snapshot":
        this.goOnFrom(record.meta);
        break;
      default:
        unreachable(record);
    }
    this.seenEpoch = Math.max(this.seenEpoch, this.acceptedEpoch);
    this.unpersisted = this.log.lastIndex + 1;
    this.recount();
  }

  /** What is committed already was written before, if not in this record. */
  private recoverHistory(index: Index, entries: readonly Entry[]): void {
    invariant(index <= this.log.lastIndex + 1, "the history on disk has no holes");
    const from = Math.max(index, this.commitIndex + 1);
    if (from <= this.log.lastIndex) this.cut(from);
    for (const entry of entries.slice(from - index)) this.push(entry);
  }

  private recoverLost(index: Index, terms: readonly Term[]): void {
    invariant(index <= this.log.lastIndex + 1, "the history on disk has no holes");
    const from = Math.max(index, this.commitIndex + 1);
    if (from <= this.log.lastIndex) this.cut(from);
    for (const term of terms.slice(from - index)) this.log.appendLost(term);
  }

  /** An epoch whose beginning this node has in its history, on whatever way (scenario Z8). */
  private goOnIn(epoch: Term): void {
    this.currentEpoch = Math.max(this.currentEpoch, epoch);
    if (this.acceptedEpoch >= this.currentEpoch) return;
    this.acceptedEpoch = this.currentEpoch;
    this.acceptedFrom = "";
  }

  private goOnFrom(meta: SnapshotMeta): void {
    const { index, term, configuration, configurationIndex, sealed } = meta;
    const keeps = this.log.matches(index, term);
    if (!keeps) this.log.reset(index, term);
    this.commitIndex = Math.max(this.commitIndex, index);
    this.settledIndex = Math.max(this.settledIndex, index);
    this.told = Math.max(this.told, index);
    this.configurations.restored({ index: configurationIndex, configuration }, index, keeps);
    this.configurations.compacted(this.log.cover(index));
    if (sealed) this.sealIndex = Math.min(this.sealIndex || index, index);
    else if (!keeps) this.sealIndex = 0;
    // It ends in that epoch, so it holds the beginning of it. It may be another engine's, too.
    this.goOnIn(term);
  }

  // History.

  /** Appends in memory; {@link persistTail} writes what has come together. */
  protected push(entry: Entry): boolean {
    const index = this.log.append(entry);
    if (entry.kind === "seal" && this.sealIndex === 0) this.sealIndex = index;
    return this.configurations.appended(index, entry);
  }

  get damaged(): ReadonlySet<Index> {
    return this.log.lost;
  }

  private cut(index: Index): boolean {
    this.log.truncateFrom(index);
    if (this.sealIndex >= index) this.sealIndex = 0;
    return this.configurations.truncated(index);
  }

  protected append(ctx: Ctx, entries: readonly Entry[]): void {
    let reconfigured = false;
    for (const entry of entries) if (this.push(entry)) reconfigured = true;
    if (reconfigured) this.onConfiguration(ctx);
  }

  /** Writes what was appended since the last time, as one record. */
  protected persistTail(ctx: Ctx): void {
    if (this.unpersisted > this.log.lastIndex) return;
    const index = this.unpersisted;
    const entries = this.log.slice(index, Infinity);
    const position = ctx.persist({ type: "history", index, entries });
    this.unpersisted = this.log.lastIndex + 1;
    if (this.role === "leader") this.writes.push({ position, index: this.log.lastIndex });
  }

  /** Drops everything after `last`, which no quorum can have (B10). */
  protected truncate(ctx: Ctx, last: Index): void {
    if (last >= this.log.lastIndex) return;
    invariant(last >= this.commitIndex, "H5: what is committed is never dropped");
    this.persistTail(ctx);
    ctx.note({ type: "truncated", from: last + 1, to: this.log.lastIndex });
    const reconfigured = this.cut(last + 1);
    ctx.persist({ type: "history", index: last + 1, entries: [] });
    this.unpersisted = last + 1;
    if (reconfigured) this.onConfiguration(ctx);
  }

  get lastZxid(): Zxid {
    return zxidIn(this.log, this.log.lastIndex);
  }

  // Epochs.

  /** Promises to follow no leader of an earlier epoch, nor another one of this epoch (B7). */
  protected acceptEpoch(ctx: Ctx, epoch: Term, from: NodeId): void {
    invariant(epoch > this.acceptedEpoch, "H2: accepted epochs grow");
    this.acceptedEpoch = epoch;
    this.acceptedFrom = from;
    this.seenEpoch = Math.max(this.seenEpoch, epoch);
    ctx.persist({ type: "acceptedEpoch", epoch, from });
    ctx.note({ type: "acceptedEpoch", epoch, from });
  }

  /** The history up to here is that of the epoch's leader: it goes to disk before this does (B14, Z2). */
  protected enterEpoch(ctx: Ctx, epoch: Term): void {
    invariant(epoch === this.acceptedEpoch, "H3: the current epoch has been accepted");
    this.persistTail(ctx);
    if (this.currentEpoch === epoch) return;
    this.currentEpoch = epoch;
    const position = ctx.persist({ type: "currentEpoch", epoch });
    if (this.followed === ctx.self) this.writes.push({ position, index: this.log.lastIndex });
  }

  // Committing.

  protected commitTo(ctx: Ctx, upTo: Index): void {
    const index = Math.min(upTo, this.log.firstLost - 1);
    if (index <= this.commitIndex) return;
    invariant(index <= this.log.lastIndex, "H4: what is committed is in the history");
    this.commitIndex = index;
    this.tell(ctx);
    const { configurationIndex } = this;
    if (configurationIndex > this.settledIndex && configurationIndex <= index) {
      this.settle(ctx, configurationIndex);
    }
  }

  /** Tells the layer above of what is committed and it does not know. */
  protected tell(ctx: Ctx): void {
    if (this.told >= this.commitIndex) return;
    const index = this.told + 1;
    const entries = this.log.range(index, this.commitIndex);
    this.told = this.commitIndex;
    // A quorum's disks have these, so the own one need not be waited for.
    ctx.outputEagerly({ type: "committed", index, entries });
    if (this.role === "leader") this.answer(ctx, index, entries);
  }

  /** The configuration made at `index` counts alone from now on, also after a restart. */
  private settle(ctx: Ctx, index: Index): void {
    this.persistTail(ctx);
    ctx.persist({ type: "committed", index });
    this.settledIndex = index;
    this.recount();
    const { configuration } = this.configurations.last;
    ctx.outputEagerly({ type: "configuration", index, configuration, committed: true });
    this.takePlace(ctx);
    this.onConfigurationCommitted(ctx);
  }

  // Membership.

  /** Another configuration is in force beside the one before: tells of it. */
  protected onConfiguration(ctx: Ctx): void {
    this.recount();
    const { configurationIndex: index, configuration } = this;
    const committed = index <= this.commitIndex;
    ctx.outputEagerly({ type: "configuration", index, configuration, committed });
    this.takePlace(ctx);
  }

  /** Voter or not: takes one's place in the configuration. */
  private takePlace(ctx: Ctx): void {
    if (this.role !== "leader") this.takeRole(ctx, this.leader);
  }

  /** The role of a node that does not lead. Tells of it if it is news. */
  protected takeRole(ctx: Ctx, leader: NodeId | undefined): void {
    const { role, leader: before } = this;
    const looks = this.followed === undefined || this.followed === ctx.self;
    const voting = looks ? "candidate" : "follower";
    this.role = this.isVoter(ctx.self) ? voting : "learner";
    this.leader = leader;
    const isLater = leader !== undefined && this.term > this.announcedIn;
    if (role !== this.role || before !== leader || isLater) this.announce(ctx);
  }

  protected override announce(ctx: Ctx): void {
    this.announcedIn = this.term;
    super.announce(ctx);
  }

  protected override suffices(holds: (node: NodeId) => boolean): boolean {
    return isQuorum(this.configuration, holds);
  }

  protected override mayLead(node: NodeId): boolean {
    return this.isVoter(node) && traitsOf(this.configuration, node).priority > 0;
  }

  /** Looks for another leader. */
  protected abstract look(ctx: Ctx): void;

  /** Stops leading, or trying to. */
  protected abstract resign(ctx: Ctx, reason: Reason, successor?: NodeId): void;

  /** The configuration in force is committed. */
  protected abstract onConfigurationCommitted(ctx: Ctx): void;
}
