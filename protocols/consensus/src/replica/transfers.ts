/**
 * Moving snapshots between replicas: the leader reads its present state piece by
 * piece, the receiver keeps the pieces on disk and builds a state beside its
 * own, and its log decides whether to go on from it (Raft rules R21–R23).
 */

import { type Context, MalformedInput, type NodeId } from "@quorate/kernel";

import type { Index } from "../entry.ts";
import type { LogWords } from "../ordered-log.ts";
import type { Replica } from "./replica.ts";
import { PieceSink, type Receiving, Sending } from "./snapshots.ts";
import type { PlainMessage, ReplicaWords } from "./words.ts";

type Ctx<L extends LogWords, R> = Context<ReplicaWords<L, R>>;
type Piece = Extract<PlainMessage, { type: "piece" }>;

/** After so many resends without an answer the receiver is given up, until it is heard again. */
const ATTEMPTS = 20;
/** Pieces on their way, unacknowledged. */
const WINDOW = 8;

export class Transfers {
  private readonly sending: Map<NodeId, Sending> = new Map();
  private receiving: Receiving | undefined;
  private received: PieceSink | undefined;
  /** The last stream that was received whole: its end may have to be told again. */
  private finished: { readonly term: number; readonly stream: number } | undefined;
  private streams = 0;

  /** Begins to send the present state to a replica that lags too far for the log. */
  begin<L extends LogWords, R>(ctx: Ctx<L, R>, replica: Replica<L, R>, to: NodeId): void {
    this.drop(to);
    const { meta, source } = replica.image();
    const sending = new Sending(++this.streams, meta, source);
    this.sending.set(to, sending);
    ctx.note({ type: "snapshotSending", to, index: meta.index });
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
    replica: Replica<L, R>,
    to: NodeId,
    sending: Sending,
    piece: (typeof sending.unacknowledged)[number],
  ): void {
    const { sequence, data, checksum } = piece;
    const last = piece.last ? { meta: sending.meta, checksum } : undefined;
    const { term } = replica.log;
    // Committed state: no disk need be waited for.
    ctx.sendEagerly(to, { type: "piece", term, stream: sending.stream, sequence, data, last });
  }

  /** Sends again what was not acknowledged; gives up on who never answers. */
  repeat<L extends LogWords, R>(ctx: Ctx<L, R>, replica: Replica<L, R>): void {
    for (const [to, sending] of this.sending) {
      if (++sending.attempts > ATTEMPTS) this.fail(ctx, replica, to, "it does not answer");
      else if (sending.attempts > 1) {
        for (const piece of sending.unacknowledged) this.send(ctx, replica, to, sending, piece);
      }
    }
  }

  onPiece<L extends LogWords, R>(
    ctx: Ctx<L, R>,
    replica: Replica<L, R>,
    from: NodeId,
    piece: Piece,
  ): void {
    if (piece.term < replica.log.term) return;
    const { term, stream, sequence, data } = piece;
    if (this.finished?.term === term && this.finished.stream === stream) {
      return this.done(ctx, replica, from, stream);
    }
    // A leader leads once in a term, so its streams are told apart even after it restarts.
    const known = this.receiving?.term === term && this.receiving.stream === stream;
    if (!known && sequence === 0) {
      this.receiving = { term, stream, sink: new PieceSink(replica.machine.receive()) };
    }
    const { receiving } = this;
    if (receiving === undefined || receiving.term !== term || receiving.stream !== stream) {
      // Not from its beginning: this replica restarted meanwhile.
      return ctx.send(from, { type: "pieceAck", stream, next: 0 });
    }
    const { sink } = receiving;
    if (sequence === sink.next) {
      try {
        sink.write(data);
      } catch (error) {
        if (!(error instanceof MalformedInput)) throw error;
        this.receiving = undefined;
        return ctx.send(from, { type: "pieceAck", stream, next: 0 });
      }
      ctx.persist({ type: "piece", first: sequence === 0, data });
    }
    ctx.send(from, { type: "pieceAck", stream, next: sink.next });
    if (piece.last === undefined || sequence !== sink.next - 1) return;
    this.receiving = undefined;
    if (piece.last.checksum !== sink.checksum) return;
    this.received = sink;
    replica.tell(ctx, { type: "install", meta: piece.last.meta });
    this.received = undefined;
    this.finished = { term, stream };
    this.done(ctx, replica, from, stream);
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

  /** The log after this entry is still needed, by whoever is being sent a snapshot up to it. */
  get oldestIndex(): Index {
    let oldest = Infinity;
    for (const { meta } of this.sending.values()) oldest = Math.min(oldest, meta.index);
    return oldest;
  }

  /** Pieces of a snapshot are on disk whose record is still to come. */
  get isReceiving(): boolean {
    return this.receiving !== undefined;
  }

  /** Forgets a half-received snapshot; its sender begins again. */
  interrupt(): void {
    this.receiving = undefined;
  }

  /** The state whose installation the log has just decided on. */
  takeReceived(): PieceSink | undefined {
    const { received } = this;
    this.received = undefined;
    return received;
  }

  onPieceAck<L extends LogWords, R>(
    ctx: Ctx<L, R>,
    replica: Replica<L, R>,
    from: NodeId,
    { stream, next }: Extract<PlainMessage, { type: "pieceAck" }>,
  ): void {
    const sending = this.sending.get(from);
    if (sending === undefined || sending.stream !== stream) return;
    if (!sending.acknowledge(next)) return this.fail(ctx, replica, from, "it lost its pieces");
    this.fill(ctx, replica, from, sending);
  }

  onSnapshotDone<L extends LogWords, R>(
    ctx: Ctx<L, R>,
    replica: Replica<L, R>,
    from: NodeId,
    { stream, index }: Extract<PlainMessage, { type: "snapshotDone" }>,
  ): void {
    if (this.sending.get(from)?.stream !== stream) return;
    this.drop(from);
    ctx.note({ type: "snapshotSent", to: from, index });
    replica.tell(ctx, { type: "snapshotSent", to: from, index });
  }

  /** Leadership is over, and with it everyone's transfers. */
  abandon(): void {
    for (const to of this.sending.keys()) this.drop(to);
  }

  private fail<L extends LogWords, R>(
    ctx: Ctx<L, R>,
    replica: Replica<L, R>,
    to: NodeId,
    reason: string,
  ): void {
    this.drop(to);
    ctx.note({ type: "snapshotFailed", to, reason });
    replica.tell(ctx, { type: "snapshotFailed", to });
  }

  private drop(to: NodeId): void {
    this.sending.get(to)?.close();
    this.sending.delete(to);
  }
}
