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

import type { Index, SnapshotMeta } from "../../entry.ts";
import { oldestWithin } from "../../log.ts";
import type { OrderedLog } from "../../ordered-log.ts";
import type { Progress } from "../../progress.ts";
import { Changing } from "./changes.ts";
import type { Message, MultiPaxosWords, Record, Timer } from "./messages.ts";
import type { Ctx } from "./state.ts";

export class MultiPaxos extends Changing implements OrderedLog<MultiPaxosWords> {
  override onStart(ctx: Ctx): void {
    super.onStart(ctx);
    const lost = [...this.slots.lost.keys()];
    if (lost.length === 0) return;
    ctx.note({ type: "damaged", from: Math.min(...lost), entries: lost.length });
  }

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

  protected override onCaughtUp(ctx: Ctx, peer: NodeId, progress: Progress): void {
    if (this.transfer?.to !== peer || !this.isDrained || progress.match < this.next - 1) return;
    // Also a lease that was renewed while the successor was caught up with (scenario R3).
    this.forfeitLease();
    ctx.send(peer, { type: "takeOver", ballot: this.ballot });
  }

  /** Goes on from a snapshot (M19). */
  protected override onInstall(ctx: Ctx, id: RequestId, meta: SnapshotMeta): void {
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

  get damaged(): ReadonlySet<Index> {
    return new Set(this.slots.lost.keys());
  }

  compact(meta: SnapshotMeta, keepBytes: number, keepAfter: Index): void {
    invariant(meta.index <= this.commitIndex, "J7: only decided slots are compacted");
    this.slots.compact(oldestWithin(this.slots, Math.min(meta.index, keepAfter), keepBytes));
    this.configurations.compacted(this.slots.base.index);
  }

  image(meta: SnapshotMeta): readonly Record[] {
    const { runs, lost } = this.slots.runs(this.slots.firstIndex, Infinity);
    const { commitIndex } = this;
    const accepted = runs.map(({ ballot, index, entries }) => {
      const commit = Math.min(commitIndex, index + entries.length - 1);
      return { type: "accepted", ballot, index, entries, commit } as const;
    });
    const damaged = lost.map(({ ballot, index, count }) => {
      return { type: "damaged", ballot, index, count, commit: commitIndex } as const;
    });
    return [
      { type: "base", ...this.slots.base },
      ...accepted,
      ...damaged,
      { type: "snapshot", meta },
      { type: "promised", ballot: this.promised },
    ];
  }
}
