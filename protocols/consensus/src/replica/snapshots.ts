/**
 * Snapshots as streams of pieces: read from a state machine, put into a
 * checkpoint, or sent to a replica that lags (Raft §7). The first piece holds
 * the sessions, the others are the machine's own.
 *
 * Pieces go in order within a window and are acknowledged cumulatively, so a
 * lost one is sent again, soon if others come after it, and memory is bounded
 * on both sides.
 */

import {
  bytes,
  type Codec,
  crc32c,
  int,
  MalformedInput,
  type NodeId,
  option,
  Reader,
  struct,
  uint,
  Writer,
} from "@quorate/kernel";

import type { SnapshotMeta } from "../entry.ts";
import type { Sessions } from "../sessions.ts";
import type { SnapshotSink, SnapshotSource, StateMachine } from "../state-machine.ts";
import type { Outcome, Seal, SnapshotEnd } from "./words.ts";

/** What a replica holds besides its machine's state. */
export interface ReplicaState<Result> {
  /** Of the members, whose batches are executed once; never forgotten, there is one for each. */
  readonly nodes: Sessions<Outcome<Result>>;
  /** Of clients that asked for one; the least recently used are forgotten. */
  readonly clients: Sessions<Outcome<Result>>;
  /** The cluster's clock, as of the last entry. */
  timeMs: number;
  /** The end of the log, once it was seen. */
  seal: Seal | undefined;
}

const sealCodec: Codec<Seal | undefined> = option(struct<Seal>({ index: uint, data: bytes }));

/** The pieces of one image, the replica's own first. */
export class PieceSource {
  /** Bytes read so far. */
  bytes = 0;
  private head: Uint8Array | undefined;
  private readonly source: SnapshotSource;

  constructor(head: Uint8Array, source: SnapshotSource) {
    this.head = head;
    this.source = source;
  }

  next(): Uint8Array | undefined {
    const piece = this.head ?? this.source.next();
    this.head = undefined;
    this.bytes += piece?.length ?? 0;
    return piece;
  }

  close(): void {
    this.source.close();
  }
}

export function readPieces<Result>(
  machine: StateMachine<Result>,
  state: ReplicaState<Result>,
  outcome: Codec<Outcome<Result>>,
): PieceSource {
  const writer = new Writer();
  int.write(writer, state.timeMs);
  sealCodec.write(writer, state.seal);
  state.nodes.write(writer, outcome);
  state.clients.write(writer, outcome);
  return new PieceSource(writer.finish(), machine.snapshot());
}

/** Takes the pieces of one image, in order, and keeps what they hold until it is installed. */
export class PieceSink {
  next = 0;
  checksum = 0;
  private head: Uint8Array | undefined;
  private readonly sink: SnapshotSink;

  constructor(sink: SnapshotSink) {
    this.sink = sink;
  }

  write(piece: Uint8Array): void {
    this.checksum = crc32c(piece, 0, piece.length, this.checksum);
    if (this.next++ === 0) this.head = piece;
    else this.sink.write(piece);
  }

  /** Puts the image in place of the present state. */
  install<Result>(
    machine: StateMachine<Result>,
    state: ReplicaState<Result>,
    outcome: Codec<Outcome<Result>>,
  ): void {
    if (this.head === undefined) throw new MalformedInput("a snapshot without pieces");
    const reader = new Reader(this.head);
    state.timeMs = int.read(reader);
    state.seal = sealCodec.read(reader);
    state.nodes.read(reader, outcome);
    state.clients.read(reader, outcome);
    if (reader.left > 0) throw new MalformedInput("a snapshot's first piece has a tail");
    machine.install(this.sink);
  }
}

interface Piece {
  readonly sequence: number;
  readonly data: Uint8Array;
  readonly checksum: number;
  readonly last: boolean;
}

/** After so many acknowledgements that lack the same piece it is taken for lost, not overtaken (RFC 5681 §3.2). */
const MISSED = 3;

/** Names a snapshot on its way, for ever: who sends it, in which life, and its number in that. */
export interface Origin {
  readonly node: NodeId;
  readonly epoch: number;
  readonly stream: number;
}

/** A snapshot on its way to one replica. */
export class Sending {
  readonly stream: number;
  readonly meta: SnapshotMeta;
  /** Who asked for it, if another node did. */
  readonly asker: NodeId | undefined;
  /** Attempts since the receiver last acknowledged anything new. */
  attempts = 0;
  /** The receiver takes another snapshot first. */
  waits = false;
  private readonly source: PieceSource;
  private readonly window: Piece[] = [];
  /** The piece that the receiver lacked last, and how often it said so again. */
  private lacked = 0;
  private repeats = 0;
  /** Pieces before this one were on their way when one of them was last taken for lost. */
  private suspected = 0;
  private sequence = 0;
  private checksum = 0;
  private ended = false;
  private held: Uint8Array | undefined;

  constructor(
    stream: number,
    asker: NodeId | undefined,
    { meta, source }: { readonly meta: SnapshotMeta; readonly source: PieceSource },
  ) {
    this.stream = stream;
    this.asker = asker;
    this.meta = meta;
    this.source = source;
    this.held = source.next();
  }

  /** The next piece to send, while the window has room for one. */
  next(pieces: number): Piece | undefined {
    if (this.ended || this.window.length >= pieces || this.held === undefined) return undefined;
    const data = this.held;
    this.held = this.source.next();
    this.ended = this.held === undefined;
    this.checksum = crc32c(data, 0, data.length, this.checksum);
    const { checksum, ended: last } = this;
    const piece = { sequence: this.sequence++, data, checksum, last };
    this.window.push(piece);
    return piece;
  }

  /** Pieces sent and not acknowledged. */
  get unacknowledged(): readonly Piece[] {
    return this.waits ? this.window.slice(0, 1) : this.window;
  }

  /**
   * The receiver has everything before `next`. Returns false if it keeps asking
   * for what is gone: it lost its disk. Once is not enough, it may be an old answer.
   */
  acknowledge(next: number): boolean {
    if (next < (this.window[0]?.sequence ?? this.sequence)) return this.attempts < 2;
    this.waits = false;
    // The last one stays, to be answered by the end of it all: that answer may be lost too.
    while (this.window[0] !== undefined && this.window[0].sequence < next && !this.window[0].last) {
      this.window.shift();
      this.attempts = 0;
    }
    return true;
  }

  /**
   * The piece to send again at once after an acknowledgement (S9): later ones
   * arrive without it. When it is there and the next is lacking that was sent
   * before it was missed, that one is lost too (RFC 6582).
   */
  missed(next: number): Piece | undefined {
    const [first] = this.window;
    if (first?.sequence !== next) return undefined;
    if (next !== this.lacked) {
      this.lacked = next;
      this.repeats = 0;
      return next < this.suspected ? first : undefined;
    }
    if (++this.repeats % MISSED !== 0) return undefined;
    this.suspected = this.sequence;
    return first;
  }

  close(): void {
    this.source.close();
  }
}

/** A snapshot on its way here. */
export class Receiving {
  readonly origin: Origin;
  readonly sink: PieceSink;
  /** Turns of the retry timer since the last piece. */
  quiet = 0;
  /** Pieces that came before their turn. */
  readonly early: Map<number, Uint8Array> = new Map();
  /** What the last piece said. */
  end: SnapshotEnd | undefined;

  constructor(origin: Origin, sink: PieceSink) {
    this.origin = origin;
    this.sink = sink;
  }

  isOf({ node, epoch, stream }: Origin): boolean {
    const { origin } = this;
    return origin.node === node && origin.epoch === epoch && origin.stream === stream;
  }
}
