/**
 * Multi-Paxos (Lamport 1998, 2001), as an {@link OrderedLog}.
 *
 * This file is where its parts meet: what each message, timer, request and
 * finished write leads to, and the requests that concern more than one part.
 * Election, the two phases, streams, reads and changes have files of their own,
 * which this class extends.
 */

import {
  invariant,
  type NodeId,
  type Position,
  type RequestId,
  unreachable,
} from "@quorate/kernel";

import { type Entry, entryBytes, type Index, type SnapshotMeta } from "../../entry.ts";
import { traitsOf } from "../../membership.ts";
import type { LogRequest, OrderedLog } from "../../ordered-log.ts";
import type { Progress } from "../../progress.ts";
import { Changing } from "./changes.ts";
import type { Message, MultiPaxosWords, Record, Timer } from "./messages.ts";
import { type Ctx, NEVER } from "./state.ts";

/** After a transfer that failed a leader gives none of its own accord for so many election timeouts. */
const PATIENCE = 10;

export class MultiPaxos extends Changing implements OrderedLog<MultiPaxosWords> {
  /** Local time before which leadership is not given away unasked. */
  private yieldAfter = NEVER;

  onMessage(ctx: Ctx, from: NodeId, message: Message): void {
    switch (message.type) {
      case "poll":
        return this.onPoll(ctx, from, message);
      case "polled":
        return this.onPolled(ctx, from, message);
      case "prepare":
        return this.onPrepare(ctx, from, message);
      case "promise":
        return this.onPromise(ctx, from, message);
      case "behind":
        return this.onBehind(ctx, from, message);
      case "nack":
        return this.onNack(ctx, message);
      case "accept":
        return this.onAccept(ctx, from, message);
      case "accepted":
        return this.onAccepted(ctx, from, message);
      case "decide":
        return this.onDecide(ctx, from, message);
      case "heartbeat":
        return this.onHeartbeat(ctx, from, message);
      case "heartbeatAck":
        return this.onHeartbeatAck(ctx, from, message);
      case "missing":
        return this.onMissing(ctx, from, message);
      case "takeOver":
        return this.onTakeOver(ctx, message);
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
    this.countOwnPromise(ctx, position);
    this.countOwnDisk(ctx, position);
  }

  /** The leader's turn to act on what came in. */
  onIdle(ctx: Ctx): void {
    if (this.role !== "leader") return;
    this.promoteLearners(ctx);
    this.proposeWaiting(ctx);
    this.persistTail(ctx);
    this.streamToAll(ctx);
    this.serveReads(ctx);
  }

  private onPropose(ctx: Ctx, id: RequestId, data: Uint8Array): void {
    if (this.refusesToAppend(ctx, id)) return;
    const entry = { term: this.ballot.round, kind: "command", data } as const;
    // One entry is always admitted, or a cap below its size would refuse it for ever (M21).
    const full = this.uncommittedBytes + entryBytes(entry) > this.config.uncommittedBytes;
    if (full && this.uncommittedBytes > 0) return ctx.reply(id, this.rejected("overloaded", true));
    this.submit(entry, id);
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
    if (this.transfer?.to !== peer || !this.isDrained || progress.match < this.next - 1) return;
    // Also a lease that was renewed while the successor was caught up with (scenario R3).
    this.forfeitLease();
    ctx.send(peer, { type: "takeOver", ballot: this.ballot });
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
    if (!this.isReady || this.transfer !== undefined || ctx.now < this.yieldAfter) return;
    const to = this.bestSuccessor();
    if (to === undefined || !this.isCaughtUp(ctx, to)) return;
    const other = this.progress.get(to)!;
    const rank = (node: NodeId) => traitsOf(this.configuration, node).priority;
    const better = this.slow === other.slow ? rank(to) > rank(ctx.self) : this.slow;
    if (better) this.handOver(ctx, undefined, to);
  }

  /** The transfer took too long: go on leading, or leave it to the others. */
  private onTransferTimeout(ctx: Ctx): void {
    if (this.transfer === undefined) return;
    const { id } = this.transfer;
    this.transfer = undefined;
    this.yieldAfter = ctx.now + PATIENCE * this.config.electionMs;
    // The target may still receive its summons and take over.
    if (id !== undefined) ctx.reply(id, this.rejected("timeout", false));
    if (this.role === "leader" && !this.isVoter(ctx.self)) this.follow(ctx, undefined);
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

  /** Goes on from a snapshot (M19). */
  private onInstall(ctx: Ctx, id: RequestId, meta: SnapshotMeta): void {
    if (meta.index <= this.commitIndex || this.role === "leader") {
      return ctx.reply(id, this.rejected("stale", true));
    }
    const record = { type: "snapshot", meta } as const;
    const before = this.configurationIndex;
    this.recover(record);
    this.agreed = Math.max(this.agreed, this.commitIndex);
    this.extendAgreed();
    ctx.persist(record);
    if (this.configurationIndex !== before) this.onConfiguration(ctx);
    ctx.output({ type: "installed", meta });
    ctx.reply(id, { type: "installed" });
    this.goOnPreparing(ctx);
  }

  entries(first: Index, last: Index): readonly Entry[] {
    return this.slots.range(first, last);
  }

  snapshotMeta(index: Index): SnapshotMeta {
    invariant(index <= this.commitIndex, "snapshots hold decided entries");
    const term = this.slots.termAt(index);
    invariant(term !== undefined, "the entry a snapshot ends with is held");
    const { configuration, index: configurationIndex } = this.configurations.at(index);
    const sealed = this.sealIndex > 0 && this.sealIndex <= index;
    return { index, term, configuration, configurationIndex, sealed };
  }

  compact(meta: SnapshotMeta, keepBytes: number, keepAfter: Index): void {
    invariant(meta.index <= this.commitIndex, "J7: only decided slots are compacted");
    this.slots.compact(this.slots.oldestWithin(Math.min(meta.index, keepAfter), keepBytes));
    this.configurations.compacted(this.slots.base.index);
  }

  image(meta: SnapshotMeta): readonly Record[] {
    const { runs } = this.slots.runs(this.slots.firstIndex, Infinity);
    const accepted = runs.map(({ ballot, index, entries }) => {
      const commit = Math.min(this.commitIndex, index + entries.length - 1);
      return { type: "accepted", ballot, index, entries, commit } as const;
    });
    return [
      { type: "base", ...this.slots.base },
      ...accepted,
      { type: "snapshot", meta },
      { type: "promised", ballot: this.promised },
    ];
  }
}
