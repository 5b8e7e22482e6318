/**
 * Two-phase commit (Gray 1978) with presumed abort (Mohan, Lindsay & Obermarck
 * 1986). Every node is a coordinator of transactions that its users begin, and a
 * participant in those of others. This file is the participant's half, and where
 * both meet; the coordinator's is {@link ./coordinator.ts}.
 *
 * A participant that voted yes has given up the right to decide, and waits in
 * doubt for as long as its coordinator is away: two-phase commit blocks, and this
 * is where. Only two things must survive a crash: that yes, and the coordinator's
 * commit.
 *
 * A `prepare` may arrive again long after everything is over (K3). A participant
 * therefore remembers what it has applied until the coordinator says, by a floor
 * under its sequence numbers, that it will not ask again (P4).
 */

import { type NodeId, type RequestId, unreachable } from "@quorate/kernel";

import type { AtomicCommit, CommitRequest, TxId } from "../atomic-commit.ts";
import { parseTxId, type TxName } from "../tx-id.ts";
import { TWO_PHASE_DEFAULTS, type TwoPhaseConfig } from "./config.ts";
import { Coordinator, type Ctx } from "./coordinator.ts";
import type { Message, Record, Timer, TwoPhaseWords } from "./messages.ts";

/** What a participant remembers of a coordinator. */
interface Memory {
  /** The latest life of it that was heard. */
  epoch: number;
  /** Of that life, everything below is over. */
  floor: number;
  /** What was refused or applied at or above the floor: it is not done again. */
  over: Set<number>;
}

/** In doubt. `decision`: known, and the resource has not applied it yet. */
interface Doubt {
  readonly coordinator: NodeId;
  decision: boolean | undefined;
}

export class TwoPhaseCommit extends Coordinator implements AtomicCommit<TwoPhaseWords> {
  /** Asked to prepare; the resource has not answered. Lost in a crash: nothing was promised. */
  private readonly preparing: Map<TxId, NodeId> = new Map();
  private readonly doubts: Map<TxId, Doubt> = new Map();
  private readonly memories: Map<NodeId, Memory> = new Map();
  /** Records since the last checkpoint. */
  private written = 0;

  constructor(config: TwoPhaseConfig = TWO_PHASE_DEFAULTS) {
    super(config);
  }

  get inDoubt(): ReadonlyMap<TxId, NodeId> {
    const undecided = [...this.doubts].filter(([, { decision }]) => decision === undefined);
    return new Map(undecided.map(([tx, { coordinator }]) => [tx, coordinator]));
  }

  recover(record: Record): void {
    switch (record.type) {
      case "prepared": {
        const { coordinator } = parseTxId(record.tx)!;
        this.doubts.set(record.tx, { coordinator, decision: undefined });
        this.remember(parseTxId(record.tx)!);
        return;
      }
      case "applied": {
        this.doubts.delete(record.tx);
        const name = parseTxId(record.tx)!;
        this.remember(name)?.over.add(name.sequence);
        return;
      }
      case "memory": {
        const { coordinator, epoch, floor } = record;
        this.memories.set(coordinator, { epoch, floor, over: new Set() });
        return;
      }
      case "epoch":
      case "committed":
      case "ended":
        return this.recoverCoordinator(record);
      default:
        return unreachable(record);
    }
  }

  onStart(ctx: Ctx): void {
    this.startCoordinator(ctx);
    for (const tx of this.doubts.keys()) ctx.setTimer(`doubt:${tx}`, 0);
  }

  onRequest(ctx: Ctx, id: RequestId, request: CommitRequest): void {
    switch (request.type) {
      case "begin":
        return this.onBegin(ctx, id);
      case "commit":
        return this.onCommitRequest(ctx, id, request.tx, request.participants);
      case "abort":
        return this.onAbortRequest(ctx, id, request.tx);
      case "vote":
        return this.onOwnVote(ctx, id, request.tx, request.yes);
      case "applied":
        return this.onApplied(ctx, id, request.tx);
      default:
        return unreachable(request);
    }
  }

  onMessage(ctx: Ctx, from: NodeId, message: Message): void {
    switch (message.type) {
      case "prepare":
        return this.onPrepare(ctx, from, message.tx, message.floor);
      case "vote":
        return this.onVote(ctx, from, message.tx, message.yes);
      case "decide":
        return this.onDecide(ctx, from, message.tx, message.commit);
      case "ack":
        return this.onAck(ctx, from, message.tx);
      case "inquire":
        return this.onInquire(ctx, from, message.tx);
      default:
        return unreachable(message);
    }
  }

  onTimer(ctx: Ctx, timer: Timer): void {
    const at = timer.indexOf(":");
    const tx = timer.slice(at + 1);
    // The part before the colon is one of the three that Timer has.
    const kind = timer.slice(0, at) as "votes" | "resend" | "doubt";
    switch (kind) {
      case "votes":
        return this.onVotesTimeout(ctx, tx);
      case "resend":
        return this.onResendTimeout(ctx, tx);
      case "doubt":
        return this.onDoubtTimeout(ctx, tx);
      default:
        return unreachable(kind);
    }
  }

  private onPrepare(ctx: Ctx, from: NodeId, tx: TxId, floor: number): void {
    const name = parseTxId(tx);
    if (name === undefined || name.coordinator !== from) return;
    // The vote may have been lost.
    if (this.doubts.has(tx)) return this.sayYes(ctx, tx);
    const memory = this.remember(name);
    if (memory === undefined) return;
    forgetBelow(memory, floor);
    if (name.sequence < memory.floor) return;
    // If nobody has decided yet, it was refused.
    if (memory.over.has(name.sequence)) return ctx.send(from, { type: "vote", tx, yes: false });
    this.preparing.set(tx, from);
    ctx.output({ type: "prepare", tx });
  }

  /** The memory that a transaction belongs to; undefined if it is of a life that is over. */
  private remember({ coordinator, epoch }: TxName): Memory | undefined {
    const known = this.memories.get(coordinator);
    if (known !== undefined && known.epoch >= epoch) {
      return known.epoch === epoch ? known : undefined;
    }
    // Ballots of earlier lives are lost, so nobody will ask for votes on them any more.
    const memory = { epoch, floor: 0, over: new Set<number>() };
    this.memories.set(coordinator, memory);
    return memory;
  }

  private onOwnVote(ctx: Ctx, id: RequestId, tx: TxId, yes: boolean): void {
    const coordinator = this.preparing.get(tx);
    if (coordinator === undefined) return ctx.reply(id, { type: "rejected", reason: "unknown" });
    this.preparing.delete(tx);
    ctx.reply(id, { type: "noted" });
    if (yes) {
      this.doubts.set(tx, { coordinator, decision: undefined });
      this.write(ctx, { type: "prepared", tx });
      this.sayYes(ctx, tx);
      return ctx.setTimer(`doubt:${tx}`, this.config.retryMs, this.config.retryMs);
    }
    const name = parseTxId(tx)!;
    this.remember(name)?.over.add(name.sequence);
    ctx.send(coordinator, { type: "vote", tx, yes: false });
  }

  /** Leaves once the record of it is durable (P1, K4). */
  private sayYes(ctx: Ctx, tx: TxId): void {
    ctx.send(this.doubts.get(tx)!.coordinator, { type: "vote", tx, yes: true });
  }

  private onDecide(ctx: Ctx, from: NodeId, tx: TxId, commit: boolean): void {
    const doubt = this.doubts.get(tx);
    if (doubt === undefined) {
      // An abort that came before this node's vote: the resource need not prepare.
      const asked = !commit && this.preparing.get(tx) === from;
      if (asked) this.abandon(ctx, tx);
      // A commit was applied before, or it could not have been decided (P3).
      if (commit) ctx.send(from, { type: "ack", tx });
      return;
    }
    if (doubt.decision !== undefined || doubt.coordinator !== from) return;
    doubt.decision = commit;
    ctx.cancelTimer(`doubt:${tx}`);
    ctx.output({ type: "settle", tx, outcome: commit ? "committed" : "aborted" });
  }

  private abandon(ctx: Ctx, tx: TxId): void {
    this.preparing.delete(tx);
    const name = parseTxId(tx)!;
    this.remember(name)?.over.add(name.sequence);
    ctx.output({ type: "settle", tx, outcome: "aborted" });
  }

  /** The resource has applied the outcome; only now may it be forgotten. */
  private onApplied(ctx: Ctx, id: RequestId, tx: TxId): void {
    const doubt = this.doubts.get(tx);
    if (doubt?.decision === undefined) {
      const reason = doubt === undefined ? "unknown" : "notPrepared";
      return ctx.reply(id, { type: "rejected", reason });
    }
    this.doubts.delete(tx);
    const name = parseTxId(tx)!;
    this.remember(name)?.over.add(name.sequence);
    this.write(ctx, { type: "applied", tx });
    ctx.reply(id, { type: "noted" });
    if (doubt.decision) ctx.send(doubt.coordinator, { type: "ack", tx });
  }

  private onDoubtTimeout(ctx: Ctx, tx: TxId): void {
    const doubt = this.doubts.get(tx);
    if (doubt === undefined || doubt.decision !== undefined) return;
    ctx.note({ type: "inDoubt", tx });
    ctx.send(doubt.coordinator, { type: "inquire", tx });
    ctx.setTimer(`doubt:${tx}`, this.config.retryMs, this.config.retryMs);
  }

  protected override write(ctx: Ctx, record: Record): void {
    ctx.persist(record);
    if (++this.written < this.config.checkpointRecords) return;
    this.written = 0;
    ctx.checkpoint(this.image());
  }

  /** Records that rebuild what must be remembered. */
  private image(): readonly Record[] {
    const records: Record[] = [];
    for (const [coordinator, { epoch, floor, over }] of this.memories) {
      records.push({ type: "memory", coordinator, epoch, floor });
      for (const sequence of over) {
        records.push({ type: "applied", tx: `${coordinator}:${epoch}:${sequence}` });
      }
    }
    for (const tx of this.doubts.keys()) records.push({ type: "prepared", tx });
    return [...records, ...this.coordinatorImage()];
  }
}

function forgetBelow(memory: Memory, floor: number): void {
  if (floor <= memory.floor) return;
  memory.floor = floor;
  for (const sequence of memory.over) if (sequence < floor) memory.over.delete(sequence);
}
