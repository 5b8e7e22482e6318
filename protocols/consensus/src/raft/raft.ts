/**
 * Raft (Ongaro & Ousterhout 2014; Ongaro 2014), as an {@link OrderedLog}.
 *
 * This file is where its parts meet: what each message, timer, request and
 * finished write leads to, and what concerns more than one part: the summons of
 * a successor, and snapshots. Elections, replication, changes and repair have
 * files of their own, which this class extends; what a log is asked is the same
 * for every engine (../leader).
 */

import {
  invariant,
  type NodeId,
  type Position,
  type RequestId,
  unreachable,
} from "@quorate/kernel";

import type { Entry, Index, SnapshotMeta } from "../entry.ts";
import { oldestWithin } from "../log.ts";
import type { OrderedLog } from "../ordered-log.ts";
import type { Progress } from "../progress.ts";
import type { Message, RaftWords, Record, Timer } from "./messages.ts";
import { Repairing } from "./repair.ts";
import type { Ctx } from "./state.ts";

export class Raft extends Repairing implements OrderedLog<RaftWords> {
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

  onDurable(ctx: Ctx, position: Position): void {
    this.countOwnVote(ctx, position);
    this.countOwnDisk(ctx, position);
  }

  onIdle(ctx: Ctx): void {
    if (this.role === "leader") this.ship(ctx);
  }

  protected override onCaughtUp(ctx: Ctx, peer: NodeId, progress: Progress): void {
    this.letGo(ctx);
    if (this.transfer?.to !== peer || progress.match < this.log.lastIndex) return;
    const { term } = this;
    // Also a lease that a round has renewed since the transfer began.
    this.forfeitLease();
    ctx.send(peer, { type: "timeoutNow", term, lastIndex: this.log.lastIndex });
  }

  /** Goes on from a snapshot that a leader sent (R22). */
  protected override onInstall(ctx: Ctx, id: RequestId, meta: SnapshotMeta): void {
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

  protected override onSnapshotSent(ctx: Ctx, to: NodeId, index: Index): void {
    const progress = this.progress.get(to);
    if (this.role !== "leader" || progress === undefined) return;
    // Whoever sent it may follow a later leader: beyond what is committed here its log may be another.
    const agreed = Math.min(index, this.commitIndex);
    this.agree(ctx, to, progress, agreed, agreed);
  }

  override entries(first: Index, last: Index): readonly Entry[] {
    invariant(this.firstDamaged > last, "what the disk has lost is asked for once it is mended");
    return super.entries(first, last);
  }

  compact(meta: SnapshotMeta, keepBytes: number, keepAfter: Index): void {
    invariant(meta.index <= this.commitIndex, "I7: only committed entries are compacted");
    const index = oldestWithin(this.log, Math.min(meta.index, keepAfter), keepBytes);
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
