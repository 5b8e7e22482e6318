/**
 * Zab (Junqueira, Reed & Serafini 2011), as an {@link OrderedLog}.
 *
 * This file is where its parts meet: what each message, timer and finished write
 * leads to, and what concerns more than one part: snapshots. Election, what
 * followers do, the way to leadership, broadcast and changes have files of their
 * own, which this class extends; what a log is asked is the same for every engine
 * (../leader).
 */

import {
  invariant,
  type NodeId,
  type Position,
  type RequestId,
  unreachable,
} from "@quorate/kernel";

import type { Index, SnapshotMeta } from "../entry.ts";
import { oldestWithin } from "../log.ts";
import type { OrderedLog } from "../ordered-log.ts";
import { Changing } from "./changes.ts";
import type { Message, Record, Timer, ZabWords } from "./messages.ts";
import type { Ctx } from "./state.ts";

export class Zab extends Changing implements OrderedLog<ZabWords> {
  onMessage(ctx: Ctx, from: NodeId, message: Message): void {
    switch (message.type) {
      case "notification":
        return this.onNotification(ctx, from, message);
      case "followerInfo":
        return this.onFollowerInfo(ctx, from, message);
      case "leaderInfo":
        return this.onLeaderInfo(ctx, from, message);
      case "ackEpoch":
        return this.onAckEpoch(ctx, from, message);
      case "sync":
      case "propose":
      case "inform":
      case "commit":
      case "newLeader":
      case "upToDate":
        return this.onStreamed(ctx, from, message);
      case "ack":
        return this.onAck(ctx, from, message);
      case "ping":
        return this.onPing(ctx, from, message);
      case "pong":
        return this.onPong(ctx, from, message);
      case "ended":
        return this.onEnded(ctx, from, message);
      case "resigned":
        return this.onResigned(ctx, from, message);
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
      case "finalize":
        return this.onFinalize(ctx);
      case "stand":
        return this.onStandTimeout(ctx);
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
    this.countOwnDisk(ctx, position);
    this.checkSynced(ctx);
  }

  onIdle(ctx: Ctx): void {
    if (this.role === "leader") return this.ship(ctx);
    if (this.followed === ctx.self) return this.streamToAll(ctx);
    this.acknowledge(ctx);
  }

  /** Goes on from a snapshot, if it tells of more than is known to be committed. */
  protected override onInstall(ctx: Ctx, id: RequestId, meta: SnapshotMeta): void {
    if (meta.index <= this.commitIndex || this.role === "leader") {
      return ctx.reply(id, this.rejected("stale", true));
    }
    // Somebody knows of more than whom this node would have followed it.
    if (this.followed === ctx.self) this.resign(ctx, "surpassed");
    this.persistTail(ctx);
    const record = { type: "snapshot", meta } as const;
    const { configurationIndex, isChanging } = this;
    this.recover(record);
    ctx.persist(record);
    if (isChanging || this.configurationIndex !== configurationIndex) this.onConfiguration(ctx);
    ctx.output({ type: "installed", meta });
    ctx.reply(id, { type: "installed" });
    this.beginAgain(ctx);
  }

  compact(meta: SnapshotMeta, keepBytes: number, keepAfter: Index): void {
    invariant(meta.index <= this.commitIndex, "H6: only what is committed is compacted");
    const index = oldestWithin(this.log, Math.min(meta.index, keepAfter), keepBytes);
    this.log.compact(index);
    this.configurations.compacted(this.log.base.index);
  }

  image(meta: SnapshotMeta): readonly Record[] {
    const { log, acceptedEpoch, acceptedFrom, settledIndex } = this;
    const { index, term } = log.base;
    const history = log.stretches().map(({ index: from, entries, lost }): Record => {
      if (!lost) return { type: "history", index: from, entries };
      return { type: "damaged", index: from, terms: entries.map((entry) => entry.term) };
    });
    return [
      { type: "base", index, term },
      ...history,
      { type: "snapshot", meta },
      { type: "committed", index: Math.max(meta.index, settledIndex) },
      { type: "acceptedEpoch", epoch: acceptedEpoch, from: acceptedFrom },
      { type: "currentEpoch", epoch: this.currentEpoch },
    ];
  }
}
