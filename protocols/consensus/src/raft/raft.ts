/**
 * Raft (Ongaro & Ousterhout 2014; Ongaro 2014), as an {@link OrderedLog}.
 *
 * This file is where its parts meet: what each message, timer, request and
 * finished write leads to, and the requests that concern more than one part:
 * proposals, reads, transfer of leadership, snapshots. Elections, replication
 * and state have files of their own, which this class extends.
 */

import {
  invariant,
  type NodeId,
  type Position,
  type RequestId,
  unreachable,
} from "@quorate/kernel";

import { type Entry, entryBytes, type Index, type SnapshotMeta } from "../entry.ts";
import { traitsOf } from "../membership.ts";
import type { LogRequest, OrderedLog } from "../ordered-log.ts";
import type { Message, RaftWords, Record, Timer } from "./messages.ts";
import type { Progress } from "../progress.ts";
import { Repairing } from "./repair.ts";
import { type Ctx, NEVER } from "./state.ts";

/** After a transfer that failed a leader gives none of its own accord for so many election timeouts. */
const PATIENCE = 10;

export class Raft extends Repairing implements OrderedLog<RaftWords> {
  /** Local time before which leadership is not given away unasked. */
  private yieldAfter = NEVER;

  onMessage(ctx: Ctx, from: NodeId, message: Message): void {
    // Votes decide for themselves whether a term is adopted; for all else a later term rules.
    const { type } = message;
    const vote = type === "requestVote" || type === "vote" || type === "fetch";
    if (!vote && message.term > this.term) this.follow(ctx, message.term, undefined);
    switch (message.type) {
      case "requestVote":
        return this.onRequestVote(ctx, from, message);
      case "vote":
        return this.onVote(ctx, from, message);
      case "append":
        return this.onAppend(ctx, from, message);
      case "appended":
        return this.onAppended(ctx, from, message);
      case "refused":
        return this.onRefused(ctx, from, message);
      case "heartbeat":
        return this.onHeartbeat(ctx, from, message);
      case "heartbeatAck":
        return this.onHeartbeatAck(ctx, from, message);
      case "timeoutNow":
        return this.onTimeoutNow(ctx, message);
      case "lost":
        return this.onLost(ctx, from, message);
      case "fetch":
        return this.onFetch(ctx, from, message);
      case "fetched":
        return this.onFetched(ctx, message);
      case "absent":
        return this.onAbsent(ctx, from, message);
      default:
        unreachable(message);
    }
  }

  onTimer(ctx: Ctx, timer: Timer): void {
    switch (timer) {
      case "election":
        return this.onElectionTimeout(ctx);
      case "heartbeat":
        return this.onHeartbeatTimeout(ctx);
      case "quorum":
        this.yieldToBetter(ctx);
        this.letGo(ctx);
        return this.onQuorumTimeout(ctx);
      case "transfer":
        return this.onTransferTimeout(ctx);
      default:
        unreachable(timer);
    }
  }

  onRequest(ctx: Ctx, id: RequestId, request: LogRequest): void {
    switch (request.type) {
      case "propose":
        return this.onPropose(ctx, id, request.data);
      case "read":
        return this.onRead(ctx, id, request.level);
      case "transfer":
        return this.onTransfer(ctx, id, request.to);
      case "reconfigure":
        return this.onReconfigure(ctx, id, request);
      case "seal":
        return this.onSeal(ctx, id, request.data);
      case "health":
        return this.onHealth(ctx, request.slow);
      case "install":
        return this.onInstall(ctx, id, request.meta);
      case "snapshotSent":
        return this.onSnapshotSent(ctx, request.to, request.index);
      case "snapshotFailed":
        return this.onSnapshotFailed(request.to);
      default:
        unreachable(request);
    }
  }

  onDurable(ctx: Ctx, position: Position): void {
    this.countOwnVote(ctx, position);
    this.countOwnDisk(ctx, position);
  }

  onIdle(ctx: Ctx): void {
    if (this.role === "leader") this.ship(ctx);
  }

  private onPropose(ctx: Ctx, id: RequestId, data: Uint8Array): void {
    if (this.refusesToAppend(ctx, id)) return;
    const entry = { term: this.term, kind: "command", data } as const;
    // One entry is always admitted, or a cap below its size would refuse it for ever (R19).
    const full = this.uncommittedBytes + entryBytes(entry) > this.config.uncommittedBytes;
    if (full && this.commitIndex < this.log.lastIndex) {
      return ctx.reply(id, this.rejected("overloaded", true));
    }
    this.proposals.set(this.appendOwn(ctx, entry), id);
  }

  private onRead(ctx: Ctx, id: RequestId, level: "linearizable" | "lease"): void {
    if (this.role !== "leader") return ctx.reply(id, this.rejected("notLeader", true));
    if (this.transfer !== undefined) return ctx.reply(id, this.rejected("transferring", true));
    const leased = this.config.leaseReads && ctx.now < this.leaseUntil;
    if (level === "lease" && leased && this.hasCommittedOwnTerm()) {
      return ctx.replyEagerly(id, { type: "readable", index: this.commitIndex });
    }
    this.reads.ask(id);
  }

  private onTransfer(ctx: Ctx, id: RequestId, wanted: NodeId | undefined): void {
    if (this.role !== "leader") return ctx.reply(id, this.rejected("notLeader", true));
    if (this.transfer !== undefined) return ctx.reply(id, this.rejected("transferring", true));
    const to = wanted ?? this.bestSuccessor();
    if (to === ctx.self) return ctx.reply(id, { type: "transferred", leader: to });
    if (to === undefined || !this.progress.has(to) || !this.isVoter(to)) {
      return ctx.reply(id, this.rejected("stale", true));
    }
    this.handOver(ctx, id, to);
  }

  protected override handOver(ctx: Ctx, id: RequestId | undefined, to: NodeId): void {
    this.transfer = { id, to };
    this.abandonReads(ctx);
    ctx.setTimer("transfer", this.config.electionMs);
    this.onCaughtUp(ctx, to, this.progress.get(to)!);
  }

  protected override onCaughtUp(ctx: Ctx, peer: NodeId, progress: Progress): void {
    this.letGo(ctx);
    if (this.transfer?.to !== peer || progress.match < this.log.lastIndex) return;
    const { term } = this;
    this.leaseForfeited = true;
    // A round may have renewed it since the transfer began.
    this.leaseUntil = -1;
    ctx.send(peer, { type: "timeoutNow", term, lastIndex: this.log.lastIndex });
  }

  /** The driver's word on this node's disk and event loop. */
  private onHealth(ctx: Ctx, slow: boolean): void {
    this.slow = slow;
    this.yieldToBetter(ctx);
  }

  /**
   * Hands over of its own accord to a member that should lead rather than this
   * one: it is well and this one slow, or its priority is higher.
   */
  private yieldToBetter(ctx: Ctx): void {
    if (this.role !== "leader" || this.transfer !== undefined || ctx.now < this.yieldAfter) return;
    const to = this.bestSuccessor();
    if (to === undefined || !this.hasCommittedOwnTerm() || !this.isCaughtUp(ctx, to)) return;
    const other = this.progress.get(to)!;
    const rank = (node: NodeId) => traitsOf(this.configuration, node).priority;
    const better = this.slow === other.slow ? rank(to) > rank(ctx.self) : this.slow;
    if (better) this.handOver(ctx, undefined, to);
  }

  /** The transfer took too long: go on leading, or leave it to the others (R31). */
  private onTransferTimeout(ctx: Ctx): void {
    if (this.transfer === undefined) return;
    const { id } = this.transfer;
    this.transfer = undefined;
    this.yieldAfter = ctx.now + PATIENCE * this.config.electionMs;
    // The target may still receive its summons and be elected.
    if (id !== undefined) ctx.reply(id, this.rejected("timeout", false));
    if (this.role === "leader" && !this.isVoter(ctx.self)) this.follow(ctx, this.term, undefined);
  }

  /** Knowing a leader settles a transfer, one way or the other. */
  protected override announce(ctx: Ctx): void {
    super.announce(ctx);
    if (this.transfer === undefined || this.role === "leader" || this.leader === undefined) return;
    const { id } = this.transfer;
    this.transfer = undefined;
    ctx.cancelTimer("transfer");
    if (id !== undefined) ctx.reply(id, { type: "transferred", leader: this.leader });
  }

  /** Goes on from a snapshot that a leader sent (R22). */
  private onInstall(ctx: Ctx, id: RequestId, meta: SnapshotMeta): void {
    if (meta.index <= this.commitIndex || this.role === "leader") {
      return ctx.reply(id, this.rejected("stale", true));
    }
    // Whoever sent it may know of a later term.
    if (meta.term > this.term) this.follow(ctx, meta.term, undefined);
    const record = { type: "snapshot", meta } as const;
    const before = this.configurationIndex;
    this.recover(record);
    ctx.persist(record);
    if (this.configurationIndex !== before) this.onConfiguration(ctx);
    ctx.output({ type: "installed", meta });
    ctx.reply(id, { type: "installed" });
  }

  private onSnapshotSent(ctx: Ctx, to: NodeId, index: Index): void {
    const progress = this.progress.get(to);
    if (this.role !== "leader" || progress === undefined) return;
    this.agree(ctx, to, progress, index, index);
  }

  private onSnapshotFailed(to: NodeId): void {
    const progress = this.progress.get(to);
    if (progress?.state === "snapshot") progress.probeFrom(progress.match + 1);
  }

  entries(first: Index, last: Index): readonly Entry[] {
    invariant(this.firstDamaged > last, "what the disk has lost is asked for once it is mended");
    return this.log.range(first, last);
  }

  snapshotMeta(index: Index): SnapshotMeta {
    invariant(index <= this.commitIndex, "snapshots hold committed entries");
    const term = this.log.termAt(index);
    invariant(term !== undefined, "the entry a snapshot ends with is in the log");
    const { configuration, index: configurationIndex } = this.configurations.at(index);
    const sealed = this.sealIndex > 0 && this.sealIndex <= index;
    return { index, term, configuration, configurationIndex, sealed };
  }

  compact(meta: SnapshotMeta, keepBytes: number, keepAfter: Index): void {
    invariant(meta.index <= this.commitIndex, "I7: only committed entries are compacted");
    let index = Math.min(meta.index, keepAfter);
    let kept = 0;
    while (index > this.log.base.index) {
      kept += entryBytes(this.log.at(index));
      if (kept > keepBytes) break;
      index--;
    }
    this.log.compact(index);
    this.configurations.compacted(this.log.base.index);
  }

  image(meta: SnapshotMeta): readonly Record[] {
    const { index, term } = this.log.base;
    return [
      { type: "base", index, term },
      ...this.entryRecords(),
      { type: "snapshot", meta },
      { type: "state", term: this.term, votedFor: this.votedFor },
    ];
  }
}
