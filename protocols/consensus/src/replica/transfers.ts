/**
 * Moving snapshots between replicas: a node reads its present state piece by
 * piece, the receiver keeps the pieces on disk and builds a state beside its
 * own, and its log decides whether to go on from it (Raft rules R21–R23).
 *
 * A snapshot holds what is committed, so it stays good whoever leads: transfers
 * outlive their leader, a restart of the receiver, and a while without links.
 * The leader lets a follower send where one can; it has less to do.
 */

import { type Context, MalformedInput, type NodeId, unreachable } from "@quorate/kernel";

import type { Index } from "../entry.ts";
import type { LogOutput, LogWords } from "../ordered-log.ts";
import type { Replica } from "./replica.ts";
import { type Origin, PieceSink, Receiving, Sending } from "./snapshots.ts";
import type { PlainMessage, ReplicaWords } from "./words.ts";

type Ctx<L extends LogWords, R> = Context<ReplicaWords<L, R>>;
type TransferMessage = Said<
  "piece" | "pieceAck" | "snapshotDone" | "sendSnapshot" | "snapshotNews"
>;
type Said<T extends PlainMessage["type"]> = Extract<PlainMessage, { type: T }>;

/** After so many turns of the retry timer without an answer a peer is given up. */
const ATTEMPTS = 20;
/** After so many turns without a piece another sender may take over. */
const STALLED = 4;
/** Pieces on their way, unacknowledged. */
const WINDOW = 8;

/** A follower sends on this leader's behalf. */
interface Delegated {
  readonly source: NodeId;
  /** The log after this is still needed. */
  index: Index;
  /** Turns of the retry timer since it last told how it goes. */
  quiet: number;
}

export class Transfers {
  private readonly sending: Map<NodeId, Sending> = new Map();
  private readonly delegated: Map<NodeId, Delegated> = new Map();
  private receiving: Receiving | undefined;
  private received: PieceSink | undefined;
  private streams = 0;

  onMessage<L extends LogWords, R>(
    ctx: Ctx<L, R>,
    replica: Replica<L, R>,
    from: NodeId,
    message: TransferMessage,
  ): void {
    switch (message.type) {
      case "piece":
        return this.onPiece(ctx, replica, from, message);
      case "pieceAck":
        return this.onPieceAck(ctx, replica, from, message);
      case "snapshotDone":
        return this.onSnapshotDone(ctx, replica, from, message);
      case "sendSnapshot":
        return this.onSendSnapshot(ctx, replica, from, message);
      case "snapshotNews":
        return this.onSnapshotNews(ctx, replica, from, message);
      default:
        unreachable(message);
    }
  }

  // The leader.

  /** A replica lags too far for the log: somebody who can sends it a snapshot. */
  begin<L extends LogWords, R>(
    ctx: Ctx<L, R>,
    replica: Replica<L, R>,
    { to, atLeast, sources }: Extract<LogOutput, { type: "snapshotWanted" }>,
  ): void {
    if (this.sending.has(to)) return;
    // The others are asked only where it has not failed before: their news may be lost as well.
    const [source = ctx.self] = this.delegated.has(to) ? [ctx.self] : sources;
    this.delegated.delete(to);
    if (source === ctx.self) return this.start(ctx, replica, to, undefined);
    this.delegated.set(to, { source, index: atLeast, quiet: 0 });
    ctx.sendEagerly(source, { type: "sendSnapshot", to, atLeast });
  }

  private onSnapshotNews<L extends LogWords, R>(
    ctx: Ctx<L, R>,
    replica: Replica<L, R>,
    from: NodeId,
    { to, state, index }: Said<"snapshotNews">,
  ): void {
    const delegated = this.delegated.get(to);
    if (delegated === undefined || delegated.source !== from) return;
    delegated.quiet = 0;
    if (state === "sending") delegated.index = index;
    else if (state === "failed") replica.tell(ctx, { type: "snapshotFailed", to });
    else {
      this.delegated.delete(to);
      replica.tell(ctx, { type: "snapshotSent", to, index });
    }
  }

  /** Leadership is over, and with it what it was owed. What is on its way goes on. */
  abandon(): void {
    this.delegated.clear();
  }

  /** The log after this entry is still needed, by whoever is being sent a snapshot up to it. */
  get oldestIndex(): Index {
    let oldest = Infinity;
    for (const { meta } of this.sending.values()) oldest = Math.min(oldest, meta.index);
    for (const { index } of this.delegated.values()) oldest = Math.min(oldest, index);
    return oldest;
  }

  // The sender.

  private onSendSnapshot<L extends LogWords, R>(
    ctx: Ctx<L, R>,
    replica: Replica<L, R>,
    from: NodeId,
    { to, atLeast }: Said<"sendSnapshot">,
  ): void {
    const underway = this.sending.get(to);
    if (underway === undefined && replica.applied >= atLeast) {
      return this.start(ctx, replica, to, from);
    }
    const state = underway === undefined ? "failed" : "sending";
    const index = underway?.meta.index ?? 0;
    ctx.sendEagerly(from, { type: "snapshotNews", to, state, index });
  }

  private start<L extends LogWords, R>(
    ctx: Ctx<L, R>,
    replica: Replica<L, R>,
    to: NodeId,
    asker: NodeId | undefined,
  ): void {
    this.drop(to);
    const sending = new Sending(++this.streams, asker, replica.image(ctx));
    this.sending.set(to, sending);
    ctx.note({ type: "snapshotSending", to, index: sending.meta.index });
    this.report(ctx, to, sending, "sending", sending.meta.index);
    this.fill(ctx, replica, to, sending);
  }

  private fill<L extends LogWords, R>(
    ctx: Ctx<L, R>,
    replica: Replica<L, R>,
    to: NodeId,
    sending: Sending,
  ): void {
    for (let piece = sending.next(WINDOW); piece; piece = sending.next(WINDOW)) {
      this.send(ctx, replica, to, sending, piece);
    }
  }

  private send<L extends LogWords, R>(
    ctx: Ctx<L, R>,
    { epoch }: Replica<L, R>,
    to: NodeId,
    { stream, meta }: Sending,
    { sequence, data, checksum, last: isLast }: Sending["unacknowledged"][number],
  ): void {
    const last = isLast ? { meta, pieces: sequence + 1, checksum } : undefined;
    const { index } = meta;
    // Committed state: no disk need be waited for.
    ctx.sendEagerly(to, { type: "piece", epoch, stream, index, sequence, data, last });
  }

  private onPieceAck<L extends LogWords, R>(
    ctx: Ctx<L, R>,
    replica: Replica<L, R>,
    from: NodeId,
    { stream, next, busy }: Said<"pieceAck">,
  ): void {
    const sending = this.sending.get(from);
    if (sending === undefined || sending.stream !== stream) return;
    if (busy) {
      sending.waits = true;
      sending.attempts = 0;
      return;
    }
    if (!sending.acknowledge(next)) return this.fail(ctx, replica, from, "it lost its pieces");
    const missed = sending.missed(next);
    if (missed !== undefined) this.send(ctx, replica, from, sending, missed);
    this.fill(ctx, replica, from, sending);
  }

  private onSnapshotDone<L extends LogWords, R>(
    ctx: Ctx<L, R>,
    replica: Replica<L, R>,
    from: NodeId,
    { stream, index }: Said<"snapshotDone">,
  ): void {
    const sending = this.sending.get(from);
    if (sending === undefined || sending.stream !== stream) return;
    this.drop(from);
    ctx.note({ type: "snapshotSent", to: from, index });
    this.report(ctx, from, sending, "done", index);
    replica.tell(ctx, { type: "snapshotSent", to: from, index });
  }

  private fail<L extends LogWords, R>(
    ctx: Ctx<L, R>,
    replica: Replica<L, R>,
    to: NodeId,
    reason: string,
  ): void {
    const sending = this.sending.get(to);
    this.drop(to);
    ctx.note({ type: "snapshotFailed", to, reason });
    if (sending !== undefined) this.report(ctx, to, sending, "failed", sending.meta.index);
    replica.tell(ctx, { type: "snapshotFailed", to });
  }

  private report<L extends LogWords, R>(
    ctx: Ctx<L, R>,
    to: NodeId,
    { asker }: Sending,
    state: Said<"snapshotNews">["state"],
    index: Index,
  ): void {
    if (asker !== undefined) ctx.sendEagerly(asker, { type: "snapshotNews", to, state, index });
  }

  private drop(to: NodeId): void {
    this.sending.get(to)?.close();
    this.sending.delete(to);
  }

  /** A turn of the retry timer: sends again what was not acknowledged, gives up on who never answers. */
  repeat<L extends LogWords, R>(ctx: Ctx<L, R>, replica: Replica<L, R>): void {
    for (const [to, sending] of this.sending) {
      if (++sending.attempts > ATTEMPTS) {
        this.fail(ctx, replica, to, "it does not answer");
        continue;
      }
      this.report(ctx, to, sending, "sending", sending.meta.index);
      if (sending.attempts === 1) continue;
      for (const piece of sending.unacknowledged) this.send(ctx, replica, to, sending, piece);
    }
    for (const [to, delegated] of this.delegated) {
      if (++delegated.quiet <= STALLED) continue;
      replica.tell(ctx, { type: "snapshotFailed", to });
    }
    if (this.receiving !== undefined && ++this.receiving.quiet > ATTEMPTS) {
      // Its sender begins again, if there still is one.
      this.receiving = undefined;
    }
  }

  // The receiver.

  private onPiece<L extends LogWords, R>(
    ctx: Ctx<L, R>,
    replica: Replica<L, R>,
    from: NodeId,
    piece: Said<"piece">,
  ): void {
    const { epoch, stream, sequence, index } = piece;
    if (index <= replica.log.commitIndex) return this.done(ctx, replica, from, stream);
    const origin = { node: from, epoch, stream };
    const receiving = this.admit(replica, origin, sequence);
    if (receiving === undefined) {
      // Another is coming, or this one's beginning is not known here.
      const busy = this.receiving !== undefined;
      return ctx.send(from, { type: "pieceAck", stream, next: 0, busy });
    }
    receiving.quiet = 0;
    if (sequence >= receiving.sink.next && sequence < receiving.sink.next + WINDOW) {
      receiving.early.set(sequence, piece.data);
    }
    receiving.end ??= piece.last;
    const whole = this.take(ctx, receiving);
    // What was taken is on disk when this leaves, so a restart goes on from here.
    ctx.send(from, { type: "pieceAck", stream, next: receiving.sink.next, busy: false });
    if (whole) this.finish(ctx, replica, receiving);
  }

  /** The transfer that a piece belongs to, begun or replaced if it is time for that. */
  private admit<L extends LogWords, R>(
    replica: Replica<L, R>,
    origin: Origin,
    sequence: number,
  ): Receiving | undefined {
    if (this.receiving?.isOf(origin) === true) return this.receiving;
    if (this.receiving !== undefined && this.receiving.quiet < STALLED) {
      // A sender that has begun anew does not go on with what it sent before.
      const { node, epoch, stream } = this.receiving.origin;
      const successor = epoch < origin.epoch || (epoch === origin.epoch && stream < origin.stream);
      if (node !== origin.node || !successor) return undefined;
    }
    // Only a beginning takes the place of what came before, stalled or not.
    if (sequence !== 0) return undefined;
    this.receiving = new Receiving(origin, new PieceSink(replica.machine.receive()));
    return this.receiving;
  }

  /** Takes the pieces whose turn it is. Returns whether the snapshot is whole. */
  private take<L extends LogWords, R>(ctx: Ctx<L, R>, receiving: Receiving): boolean {
    const { sink, early, origin } = receiving;
    for (;;) {
      const sequence = sink.next;
      const data = early.get(sequence);
      if (data === undefined) break;
      early.delete(sequence);
      try {
        sink.write(data);
      } catch (error) {
        if (!(error instanceof MalformedInput)) throw error;
        this.receiving = undefined;
        return false;
      }
      const first = sequence === 0;
      ctx.persist({ type: "piece", first, origin: first ? origin : undefined, data });
    }
    return receiving.end !== undefined && receiving.end.pieces === sink.next;
  }

  private finish<L extends LogWords, R>(
    ctx: Ctx<L, R>,
    replica: Replica<L, R>,
    { origin, sink, end }: Receiving,
  ): void {
    this.receiving = undefined;
    if (end === undefined || end.checksum !== sink.checksum) return;
    this.received = sink;
    replica.tell(ctx, { type: "install", meta: end.meta });
    this.received = undefined;
    this.done(ctx, replica, origin.node, origin.stream);
  }

  /** Whether it was installed or is older than what this replica has: the log goes on from there. */
  private done<L extends LogWords, R>(
    ctx: Ctx<L, R>,
    replica: Replica<L, R>,
    to: NodeId,
    stream: number,
  ): void {
    ctx.send(to, { type: "snapshotDone", stream, index: replica.log.commitIndex });
  }

  /** What a former life had received of a snapshot. */
  resume(origin: Origin, sink: PieceSink): void {
    this.receiving = new Receiving(origin, sink);
  }

  /** Pieces of a snapshot are on disk whose record is still to come. */
  get isReceiving(): boolean {
    return this.receiving !== undefined;
  }

  /** The state whose installation the log has just decided on. */
  takeReceived(): PieceSink | undefined {
    const { received } = this;
    this.received = undefined;
    return received;
  }
}
