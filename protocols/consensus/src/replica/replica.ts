/**
 * A replica: an ordered log, a state machine that follows it, and what their
 * users need around them, whatever protocol keeps the log: batching, forwarding
 * to the leader, exactly-once execution, reads at three levels, snapshots.
 *
 * It is a process made of a process (kernel K8): the log inside is the class that
 * is model-checked alone. Its rules are those of PROTOCOL.md (S1, S2, …).
 */

import {
  type Context,
  decode,
  Embedded,
  type Embedding,
  invariant,
  MalformedInput,
  type NodeId,
  type Position,
  type Process,
  type RequestId,
  unreachable,
} from "@quorate/kernel";

import type { Entry, Index, SnapshotMeta } from "../entry.ts";
import type { LogOutput, LogResponse, LogWords, OrderedLog, Rejected } from "../ordered-log.ts";
import type { StateMachine } from "../state-machine.ts";
import { checkReplicaConfig, type ReplicaConfig } from "./config.ts";
import { Intake } from "./intake.ts";
import { Outbox } from "./outbox.ts";
import { Reads } from "./reads.ts";
import { Errands } from "./errands.ts";
import { CheckpointRecords, isSnapshot } from "./checkpoint.ts";
import { Execution } from "./execution.ts";
import { type Origin, PieceSink, type PieceSource } from "./snapshots.ts";
import { Transfers } from "./transfers.ts";
import {
  type Batch,
  batchCodec,
  batchHead,
  type Item,
  OPEN_SESSION,
  type Outcome,
  type ReplicaMessage,
  type ReplicaRecord,
  type ReplicaRequest,
  type ReplicaWords,
  type Seal,
} from "./words.ts";

type Ctx<L extends LogWords, R> = Context<ReplicaWords<L, R>>;

/** The log's requests are numbered by purpose: batches need no answer but a refusal. */
const BATCH_REQUEST: RequestId = 0;

export class Replica<L extends LogWords, R>
  implements Process<ReplicaWords<L, R>>, Embedding<ReplicaWords<L, R>, L>
{
  readonly log: OrderedLog<L>;
  /** The last entry that the machine has seen. */
  applied: Index = 0;

  private readonly config: ReplicaConfig;
  private readonly execution: Execution<R>;
  private readonly outbox: Outbox = new Outbox();
  private readonly intake: Intake = new Intake();
  private readonly reads: Reads = new Reads();
  private readonly transfers: Transfers = new Transfers();
  /** The boot record; nothing is sent under its epoch before it is durable, lest another life reuse it. */
  private bootPosition: Position = 0;
  private booted = false;
  /** Committed entries that the machine has not seen yet. */
  private backlog: Entry[] = [];
  /** Bytes of entries applied since the last checkpoint. */
  private loggedBytes = 0;
  /** The state as it was last checkpointed, for its size. */
  private lastImage: PieceSource | undefined;
  private readonly checkpointsAsked: RequestId[] = [];
  private readonly errands: Errands = new Errands();
  private requests: RequestId = BATCH_REQUEST;
  /** Pieces of a checkpoint, while recovering. */
  private recovering: { readonly origin: Origin | undefined; readonly sink: PieceSink } | undefined;

  constructor(log: OrderedLog<L>, machine: StateMachine<R>, config: ReplicaConfig) {
    checkReplicaConfig(config);
    this.log = log;
    this.config = Object.freeze(config);
    this.execution = new Execution(machine, config.sessions);
  }

  get machine(): StateMachine<R> {
    return this.execution.machine;
  }

  /** The end of the log, once the machine has seen it. */
  get seal(): Seal | undefined {
    return this.execution.seal;
  }

  /** Counts this replica's lives. */
  get epoch(): number {
    return this.outbox.epoch;
  }

  get leader(): NodeId | undefined {
    return this.log.leader;
  }

  recover(record: ReplicaRecord<L>): void {
    switch (record.type) {
      case "boot":
        this.outbox.epoch = record.epoch;
        break;
      case "piece":
        if (record.first) {
          const sink = new PieceSink(this.machine.receive());
          this.recovering = { origin: record.origin, sink };
        }
        invariant(this.recovering !== undefined, "the first piece of a snapshot says so");
        this.recovering.sink.write(record.data);
        break;
      case "log": {
        this.log.recover?.(record.record);
        if (isSnapshot(record.record)) this.restore(record.record.meta, this.recovering?.sink);
        break;
      }
      default:
        unreachable(record);
    }
  }

  onStart(ctx: Ctx<L, R>): void {
    const { origin, sink } = this.recovering ?? {};
    // Pieces without a record behind them were on their way here when the last life ended.
    if (origin !== undefined && sink !== undefined) this.transfers.resume(origin, sink);
    this.recovering = undefined;
    this.outbox.epoch++;
    this.bootPosition = ctx.persist({ type: "boot", epoch: this.outbox.epoch });
    this.log.onStart(this.below(ctx));
    ctx.setTimer("retry", this.config.retryMs, this.config.retryMs);
  }

  onMessage(ctx: Ctx<L, R>, from: NodeId, message: ReplicaMessage<L>): void {
    switch (message.type) {
      case "log":
        return this.log.onMessage(this.below(ctx), from, message.message);
      case "forward":
        return this.propose(ctx, message.batch);
      case "readIndex":
        // Whoever asks the wrong node, or too often, asks again by itself.
        if (this.log.role !== "leader" || this.reads.isFull) return;
        return this.reads.askFor({ peer: from, epoch: message.epoch, round: message.round });
      case "readAt":
        // An answer to an earlier life of this replica says nothing about now (scenario R2).
        if (message.epoch !== this.outbox.epoch) return;
        return this.reads.answered(message.round, message.index);
      case "errand":
        return this.errands.onErrand(ctx, this, from, message);
      case "errandDone":
        return this.errands.onErrandDone(ctx, this, message);
      default:
        return this.transfers.onMessage(ctx, this, from, message);
    }
  }

  onTimer(ctx: Ctx<L, R>, timer: ReplicaWords<L, R>["Timer"]): void {
    if (timer === "apply") return this.applyBacklog(ctx);
    if (timer === "retry") {
      this.outbox.repeatIfStuck();
      this.reads.repeatIfStuck();
      this.transfers.repeat(ctx, this);
      return ctx.setTimer("retry", this.config.retryMs, this.config.retryMs);
    }
    this.log.onTimer?.(this.below(ctx), timer.slice("log:".length));
  }

  onRequest(ctx: Ctx<L, R>, id: RequestId, request: ReplicaRequest): void {
    switch (request.type) {
      case "execute": {
        const { once, command, timeMs } = request;
        const session = once?.session ?? "";
        // Names that mean something else here never came from `open`.
        if (once !== undefined && (session === "" || session === OPEN_SESSION)) {
          return ctx.replyEagerly(id, { type: "sessionLost" });
        }
        return this.enqueue(ctx, id, { session, sequence: once?.sequence ?? 0, command }, timeMs);
      }
      case "open": {
        const item = { session: OPEN_SESSION, sequence: 0, command: new Uint8Array(0) };
        return this.enqueue(ctx, id, item, request.timeMs);
      }
      case "read": {
        if (request.level === "local") {
          return ctx.replyEagerly(id, { type: "readable", index: this.applied });
        }
        if (this.reads.size >= this.config.waitingReads) return this.refuse(ctx, id, "overloaded");
        return this.reads.ask(id, request.level);
      }
      case "transfer":
      case "reconfigure":
      case "seal":
        return this.errands.ask(ctx, this, id, request);
      case "health":
        this.tell(ctx, request);
        return ctx.replyEagerly(id, { type: "noted" });
      case "checkpoint":
        return void this.checkpointsAsked.push(id);
      default:
        unreachable(request);
    }
  }

  onDurable(ctx: Ctx<L, R>, position: Position): void {
    this.booted ||= position >= this.bootPosition;
    this.log.onDurable?.(this.below(ctx), position);
  }

  onUnreachable(ctx: Ctx<L, R>, peer: NodeId): void {
    this.log.onUnreachable?.(this.below(ctx), peer);
  }

  onIdle(ctx: Ctx<L, R>): void {
    this.outbox.close(ctx.self);
    if (this.booted) {
      this.pump(ctx);
      this.startReads(ctx);
    }
    this.log.onIdle?.(this.below(ctx));
    this.answerReads(ctx);
    // Writing a large state for little log would be most of the writing there is.
    const worth = Math.max(this.config.checkpointBytes, this.lastImage?.bytes ?? 0);
    const due = this.loggedBytes >= worth || this.checkpointsAsked.length > 0;
    // Whoever receives a snapshot waits: its first pieces would be lost with the log they are in.
    if (due && this.backlog.length === 0 && !this.transfers.isReceiving) this.checkpointNow(ctx);
  }

  private enqueue(ctx: Ctx<L, R>, id: RequestId, item: Item, timeMs: number): void {
    if (this.seal !== undefined) return this.refuse(ctx, id, "sealed");
    if (item.command.length > this.config.commandBytes) return this.refuse(ctx, id, "tooLarge");
    const full = this.outbox.bytes + item.command.length > this.config.queuedBytes;
    if (full && !this.outbox.isEmpty) return this.refuse(ctx, id, "overloaded");
    if (this.outbox.add(id, item, timeMs, this.config.batchBytes)) this.outbox.close(ctx.self);
  }

  private refuse(ctx: Ctx<L, R>, id: RequestId, reason: Rejected["reason"]): void {
    ctx.replyEagerly(id, { type: "rejected", reason, leader: this.leader, definite: true });
  }

  /** Sends batches to the leader, or proposes them if this node leads. */
  private pump(ctx: Ctx<L, R>): void {
    const { leader } = this;
    if (leader === undefined) return;
    for (;;) {
      const batch = this.outbox.nextToSend(this.config.windowBytes);
      if (batch === undefined) return;
      if (leader === ctx.self) this.propose(ctx, batch.data);
      // The batch is not a promise of this node's: nothing on its disk backs it.
      else ctx.sendEagerly(leader, { type: "forward", batch: batch.data });
    }
  }

  private propose(ctx: Ctx<L, R>, data: Uint8Array): void {
    const { client, ...head } = batchHead(data);
    if (!this.intake.admits(client, head, this.execution.lastOf(client, head.epoch))) return;
    this.log.onRequest?.(this.below(ctx), BATCH_REQUEST, { type: "propose", data });
  }

  /** Asks the log, or the leader, on behalf of all who want to read (S4). */
  private startReads(ctx: Ctx<L, R>): void {
    const { leader } = this;
    if (leader === undefined || !this.reads.wantsRound(leader === ctx.self)) return;
    if (leader !== ctx.self) {
      const { epoch } = this.outbox;
      const round = this.reads.beginRound();
      return ctx.sendEagerly(leader, { type: "readIndex", epoch, round });
    }
    for (const level of ["lease", "linearizable"] as const) {
      if (!this.reads.hasAsked(level)) continue;
      const request = ++this.requests;
      this.reads.begin(request, level);
      this.log.onRequest?.(this.below(ctx), request, { type: "read", level });
    }
  }

  private answerReads(ctx: Ctx<L, R>): void {
    const index = this.applied;
    for (const id of this.reads.takeReadable(index)) {
      ctx.replyEagerly(id, { type: "readable", index });
    }
  }

  // What the log says (Embedding).

  output(ctx: Ctx<L, R>, value: LogOutput): void {
    switch (value.type) {
      case "committed":
        invariant(
          value.index === this.applied + this.backlog.length + 1,
          "S1: the machine sees every entry, once and in order",
        );
        for (const entry of value.entries) this.backlog.push(entry);
        return this.applyBacklog(ctx);
      case "role":
        this.outbox.rewind();
        this.intake.clear();
        this.reads.repeat();
        this.errands.abandon(ctx, value.leader);
        if (value.role !== "leader") this.transfers.abandon();
        return ctx.outputEagerly(value);
      case "configuration":
        return ctx.outputEagerly(value);
      case "snapshotWanted":
        return this.transfers.begin(ctx, this, value);
      case "installed": {
        this.backlog = [];
        this.restore(value.meta, this.transfers.takeReceived());
        // The pieces are in the log on disk; a checkpoint soon frees them.
        this.loggedBytes = Infinity;
        this.settleFromSessions(ctx);
        this.tellEnd(ctx);
        ctx.note({ type: "restored", index: this.applied });
        return ctx.outputEagerly({ type: "restored", index: this.applied });
      }
      default:
        unreachable(value);
    }
  }

  reply(ctx: Ctx<L, R>, id: RequestId, response: LogResponse): void {
    if (response.type === "readable") return this.reads.readable(ctx, id, response.index);
    // A refused batch stays in the outbox; a timer or the next leader sends it again.
    if (id === BATCH_REQUEST) return response.type === "rejected" ? this.intake.clear() : undefined;
    if (!this.errands.settle(ctx, id, response)) this.reads.refused(id);
  }

  message(message: L["Message"]): ReplicaMessage<L> {
    return { type: "log", message };
  }

  timer(timer: L["Timer"]): `log:${L["Timer"]}` {
    return `log:${timer}`;
  }

  record(record: L["Record"]): ReplicaRecord<L> {
    return { type: "log", record };
  }

  note(note: L["Note"]): ReplicaWords<L, R>["Note"] {
    return { type: "log", note };
  }

  checkpoint(): void {
    invariant(false, "the replica decides when to checkpoint, not its log");
  }

  // Applying.

  /** Applies what is committed, in bounded steps so that heartbeats are not delayed. */
  private applyBacklog(ctx: Ctx<L, R>): void {
    let budget = this.config.applyBytes;
    let done = 0;
    while (done < this.backlog.length && budget > 0) {
      const entry = this.backlog[done++]!;
      budget -= entry.data.length + 1;
      this.applied++;
      this.loggedBytes += entry.data.length;
      this.applyEntry(ctx, entry);
    }
    if (done === 0) return;
    this.backlog = done === this.backlog.length ? [] : this.backlog.slice(done);
    if (this.backlog.length > 0) ctx.setTimer("apply", 0);
    ctx.outputEagerly({ type: "applied", index: this.applied });
  }

  private applyEntry(ctx: Ctx<L, R>, entry: Entry): void {
    if (this.seal !== undefined) return;
    if (entry.kind === "seal") return this.end(ctx, entry.data);
    if (entry.kind !== "command") return;
    let batch: Batch;
    try {
      batch = decode(batchCodec, entry.data);
    } catch (error) {
      // Bytes that are no batch change nothing, on every replica alike: stopping would stop them all.
      if (error instanceof MalformedInput) return;
      throw error;
    }
    this.applyBatch(ctx, batch);
  }

  /** Nothing that comes after has any effect: whoever waits for it learns that it never will. */
  private end(ctx: Ctx<L, R>, data: Uint8Array): void {
    this.execution.end({ index: this.applied, data });
    this.tellEnd(ctx);
  }

  private tellEnd(ctx: Ctx<L, R>): void {
    const { seal } = this;
    if (seal === undefined) return;
    this.outbox.close(ctx.self);
    for (const { sequence, ids } of this.outbox.unsettled()) {
      this.outbox.settle(sequence);
      for (const id of ids) this.refuse(ctx, id, "sealed");
    }
    ctx.outputEagerly({ type: "sealed", ...seal });
  }

  private applyBatch(ctx: Ctx<L, R>, batch: Batch): void {
    const { client, epoch, sequence } = batch;
    const admission = this.execution.admit(batch);
    const own = client === ctx.self && epoch === this.outbox.epoch;
    switch (admission.type) {
      case "next": {
        const outcomes = this.execution.run(batch, this.applied);
        if (own) this.settle(ctx, sequence, outcomes);
        return;
      }
      case "repeated":
        return;
      case "early":
        // An earlier batch was lost on the way: send again from there, in order (S3).
        if (own) this.outbox.reportGap();
        return;
      case "outlived":
        if (own) this.settle(ctx, sequence, undefined);
        return;
      default:
        unreachable(admission);
    }
  }

  /** Answers everyone whose command was in an applied batch of this node. */
  private settle(
    ctx: Ctx<L, R>,
    sequence: number,
    outcomes: readonly Outcome<R>[] | undefined,
  ): void {
    const batch = this.outbox.settle(sequence);
    if (batch === undefined) return;
    // The entry is on a quorum's disks: the own one need not be waited for.
    for (const [i, id] of batch.ids.entries()) {
      ctx.replyEagerly(id, outcomes?.[i] ?? { type: "sessionLost" });
    }
  }

  // Snapshots.

  /** A snapshot replaced entries that held own batches: their results came with it. */
  private settleFromSessions(ctx: Ctx<L, R>): void {
    const { self } = ctx;
    for (const { sequence } of this.outbox.unsettled()) {
      const outcomes = this.execution.outcomesOf(self, this.outbox.epoch, sequence);
      if (outcomes !== undefined) this.settle(ctx, sequence, outcomes);
    }
  }

  private restore(meta: SnapshotMeta, image: PieceSink | undefined): void {
    this.execution.restore(image);
    this.applied = meta.index;
    this.recovering = undefined;
  }

  /** Offers the present state in place of the log so far (S5). */
  private checkpointNow(ctx: Ctx<L, R>): void {
    this.loggedBytes = 0;
    if (this.applied > 0) {
      const { meta, source } = this.image(ctx);
      this.log.compact(meta, this.config.keepBytes, this.transfers.oldestIndex);
      this.lastImage = source;
      ctx.note({ type: "checkpoint", index: meta.index });
      ctx.checkpoint(new CheckpointRecords<L>(this.outbox.epoch, source, this.log.image(meta)));
    }
    const checkpointed = { type: "checkpointed", index: this.applied } as const;
    for (const id of this.checkpointsAsked.splice(0)) ctx.reply(id, checkpointed);
  }

  /** The present state as a stream, and what it is called. */
  image(ctx: Ctx<L, R>): { readonly meta: SnapshotMeta; readonly source: PieceSource } {
    // A log that has moved on can describe no state before it did (PROTOCOL.md G7).
    while (this.backlog.length > 0) this.applyBacklog(ctx);
    const meta = this.log.snapshotMeta(this.applied);
    return { meta, source: this.execution.read() };
  }

  /** For the transfers: a request to the log that nobody waits for. */
  tell(ctx: Ctx<L, R>, request: L["Request"]): void {
    this.askLog(ctx, this.nextRequest(), request);
  }

  /** For the errands: a number for {@link askLog}. */
  nextRequest(): RequestId {
    return ++this.requests;
  }

  askLog(ctx: Ctx<L, R>, id: RequestId, request: L["Request"]): void {
    this.log.onRequest?.(this.below(ctx), id, request);
  }

  private below(ctx: Ctx<L, R>): Context<L> {
    return new Embedded<ReplicaWords<L, R>, L>(ctx, this);
  }
}
