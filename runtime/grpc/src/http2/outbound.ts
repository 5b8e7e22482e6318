/**
 * The sending half of a connection: one output buffer, flow control, and the queues behind it (RFC 9113 §5.2, §6.9).
 *
 * Frames are laid straight into the output buffer. A response whose windows allow it, which is nearly every unary one,
 * is three frames in one go. What the windows or a slow peer do not allow yet waits as bytes in its stream's queue;
 * streams that could send if the connection could stand in a line and take turns, a frame each. Bytes handed to the
 * socket and not yet written count against `limits.transportBytes`: past it no DATA is sent and the socket is not read.
 */

import type { Socket } from "node:net";
import {
  ConnectionError,
  defaultFrameBytes,
  defaultWindow,
  flag,
  frameHeaderBytes,
  frameType,
  Http2Code,
  maxWindow,
} from "./protocol.ts";
import type { Flushable, Turn } from "./turn.ts";

/** What the sender must know of a stream. */
export interface SendingStream {
  readonly id: number;
  /** What the peer still allows this stream. */
  sendWindow: number;
  /** Bytes that wait for a window, in order. */
  queue: Buffer[] | undefined;
  queuedBytes: number;
  /** Whether the stream stands in line for the connection. */
  inLine: boolean;
  /** Sent once the queue is empty. */
  trailers: Uint8Array | undefined;
  /** The queue has become empty, and the stream has not ended. */
  onWritable(): void;
  /** END_STREAM has been laid into the output. */
  onSent(): void;
}

/** Up to this many bytes, a loop copies faster than a call. */
const loopBytes = 96;

/** Lays frames into the output buffer and writes it once per turn. */
export class Outbound implements Flushable {
  private readonly socket: Socket;
  private readonly turn: Turn;
  private readonly transportLimit: number;
  /** Frames of this turn, or undefined when there are none. */
  private buffer: Buffer | undefined;
  private length = 0;
  /** What the socket is writing; there is one write at a time. */
  private writing: Buffer | undefined;
  private writingBytes = 0;
  /** Whether the turn will flush us. */
  private scheduled = false;
  /** What the peer still allows the connection. */
  private window = defaultWindow;
  /** The window of new streams, by the peer's SETTINGS. */
  initialWindow: number = defaultWindow;
  /** The largest payload the peer accepts, by its SETTINGS. */
  maxFrame: number = defaultFrameBytes;
  /** Bytes in the queues of all streams. */
  queuedBytes = 0;
  /** Streams with queued bytes and an open window, first come first served; those before `head` are done. */
  private line: SendingStream[] = [];
  /** Where the line begins. */
  private head = 0;
  private pumping = false;
  /** The next header block must begin with a table size update (RFC 7541 §4.2). */
  private emptyTable: "unannounced" | "due" | "announced" = "unannounced";
  /** Whether HEADERS or DATA have been sent since the flag was cleared; the ping policy asks. */
  sentContent = false;
  private finished = false;
  private readonly written: (error?: Error | null) => void;
  /** Called when the socket has taken a write. */
  private readonly onRoom: () => void;
  /** Bytes written in the life of the connection. */
  totalBytes = 0;

  constructor(socket: Socket, turn: Turn, transportLimit: number, onRoom: () => void) {
    this.onRoom = onRoom;
    this.socket = socket;
    this.turn = turn;
    this.transportLimit = transportLimit;
    this.written = (error) => this.onWritten(error);
  }

  /** Bytes on their way to the socket's other end. */
  get transportBytes(): number {
    return this.length + this.writingBytes;
  }

  /**
   * Sends a whole unary response: `head` and `tail` are complete HEADERS frames for stream 0 whose stream is filled in,
   * around a message with its gRPC prefix. Returns false, and sends nothing, when a window or the peer forbids.
   */
  unary(
    stream: SendingStream,
    head: Uint8Array,
    message: Uint8Array,
    start: number,
    end: number,
    tail: Uint8Array,
  ): boolean {
    const payload = end - start + 5;
    if (!this.mayLay(stream, payload) || this.emptyTable === "due") return false;
    let at = this.reserve(head.length + frameHeaderBytes + payload + tail.length);
    const out = this.buffer!;
    const id = stream.id;
    at = layFrame(out, at, head, id);
    at = layHeader(out, at, payload, frameType.data, 0, id);
    at = layMessage(out, at, message, start, end);
    layFrame(out, at, tail, id);
    this.window -= payload;
    stream.sendWindow -= payload;
    this.sentContent = true;
    stream.onSent();
    return true;
  }

  /** Sends a complete HEADERS frame made for stream 0, such as the pre-encoded response headers. */
  headersFrame(stream: SendingStream, frame: Uint8Array): void {
    this.sentContent = true;
    if (this.emptyTable === "due") {
      this.headers(stream.id, frame.subarray(frameHeaderBytes), (frame[4]! & flag.endStream) !== 0);
      return;
    }
    const at = this.reserve(frame.length);
    layFrame(this.buffer!, at, frame, stream.id);
  }

  /** Sends a header block, in as many frames as the peer's MAX_FRAME_SIZE asks. */
  headers(id: number, block: Uint8Array, endStream: boolean): void {
    this.sentContent = true;
    let rest = block;
    if (this.emptyTable === "due") {
      this.emptyTable = "announced";
      rest = Buffer.concat([Buffer.of(0x20), block]);
    }
    let type: number = frameType.headers;
    let flags: number = endStream ? flag.endStream : 0;
    for (;;) {
      const size = Math.min(rest.length, this.maxFrame);
      if (size === rest.length) flags |= flag.endHeaders;
      this.frame(type, flags, id, rest.subarray(0, size));
      if (size === rest.length) return;
      rest = rest.subarray(size);
      type = frameType.continuation;
      flags = 0;
    }
  }

  /** Sends a gRPC message of a stream, or queues what cannot be sent yet. The bytes are copied before it returns. */
  message(stream: SendingStream, message: Uint8Array, start: number, end: number): void {
    const payload = end - start + 5;
    if (this.mayLay(stream, payload)) {
      let at = this.reserve(frameHeaderBytes + payload);
      at = layHeader(this.buffer!, at, payload, frameType.data, 0, stream.id);
      layMessage(this.buffer!, at, message, start, end);
      this.window -= payload;
      stream.sendWindow -= payload;
      this.sentContent = true;
      return;
    }
    const copy = Buffer.allocUnsafe(payload);
    layMessage(copy, 0, message, start, end);
    this.enqueue(stream, copy);
  }

  /** Sends bytes of a stream as they are; they must not change afterwards. */
  bytes(stream: SendingStream, bytes: Buffer): void {
    if (bytes.length > 0) this.enqueue(stream, bytes);
  }

  /** Ends a stream, after all it has queued, with a complete HEADERS or empty DATA frame made for stream 0. */
  end(stream: SendingStream, trailers: Uint8Array): void {
    if (stream.queuedBytes > 0) {
      stream.trailers = trailers;
      return;
    }
    if (trailers[3] === frameType.headers) {
      this.headersFrame(stream, trailers);
    } else {
      const at = this.reserve(trailers.length);
      layFrame(this.buffer!, at, trailers, stream.id);
    }
    stream.onSent();
  }

  /** Forgets what a stream has queued; it was reset or its connection is gone. */
  forget(stream: SendingStream): void {
    this.queuedBytes -= stream.queuedBytes;
    stream.queuedBytes = 0;
    stream.queue = undefined;
    stream.trailers = undefined;
  }

  /** Sends a frame with a small payload. */
  frame(type: number, flags: number, id: number, payload: Uint8Array): void {
    const at = this.reserve(frameHeaderBytes + payload.length);
    const body = layHeader(this.buffer!, at, payload.length, type, flags, id);
    this.buffer!.set(payload, body);
  }

  /** Sends a frame whose payload is one number: WINDOW_UPDATE or RST_STREAM. */
  number(type: number, id: number, value: number): void {
    const at = this.reserve(frameHeaderBytes + 4);
    const body = layHeader(this.buffer!, at, 4, type, 0, id);
    this.buffer!.writeUInt32BE(value, body);
  }

  /** The peer's HEADER_TABLE_SIZE. Our table stays empty, but a smaller limit must be acknowledged in a block. */
  limitTable(size: number): void {
    if (size < 4096 && this.emptyTable === "unannounced") this.emptyTable = "due";
  }

  /** The peer widens the window of the connection. */
  widen(bytes: number): void {
    this.window += bytes;
    if (this.window > maxWindow) {
      throw new ConnectionError(Http2Code.flowControlError, "the connection's window overflows");
    }
    this.pump();
  }

  /** This stream's window is wider: it may stand in line again. */
  widened(stream: SendingStream): void {
    if (stream.queuedBytes === 0 || stream.sendWindow <= 0 || stream.inLine) return;
    stream.inLine = true;
    this.line.push(stream);
    this.pump();
  }

  /** Writes the frames of this turn, unless the socket is still busy with earlier ones: then they wait for it. */
  flush(): void {
    this.scheduled = false;
    const buffer = this.buffer;
    if (buffer === undefined || this.writing !== undefined) return;
    const length = this.length;
    this.buffer = undefined;
    this.length = 0;
    if (this.socket.destroyed || this.socket.writableEnded) {
      this.turn.give(buffer);
      return;
    }
    this.totalBytes += length;
    this.writing = buffer;
    this.writingBytes = length;
    this.socket.write(buffer.subarray(0, length), this.written);
  }

  /** Ends the socket once everything is written, which waits for the end of the turn like all output. */
  finish(): void {
    this.finished = true;
    if (this.buffer === undefined && this.writing === undefined) this.socket.end();
  }

  private onWritten(error: Error | null | undefined): void {
    const buffer = this.writing;
    if (buffer === undefined) return;
    this.writing = undefined;
    this.writingBytes = 0;
    // After a failure the kernel may still hold the buffer.
    if (error) return;
    this.turn.give(buffer);
    this.pump();
    this.onRoom();
    if (this.buffer === undefined) {
      if (this.finished) this.socket.end();
    } else if (!this.scheduled) {
      this.schedule();
    }
  }

  /** Makes room for `bytes` in the output and returns where it begins. */
  private reserve(bytes: number): number {
    const at = this.length;
    const needed = at + bytes;
    const buffer = this.buffer;
    if (buffer === undefined) {
      this.buffer = this.turn.take(needed);
      if (!this.scheduled && this.writing === undefined) this.schedule();
    } else if (needed > buffer.length) {
      const larger = this.turn.take(Math.max(needed, buffer.length * 2));
      buffer.copy(larger, 0, 0, at);
      this.turn.give(buffer);
      this.buffer = larger;
    }
    this.length = needed;
    return at;
  }

  private schedule(): void {
    this.scheduled = true;
    this.turn.add(this);
  }

  private mayLay(stream: SendingStream, payload: number): boolean {
    return (
      payload <= stream.sendWindow &&
      payload <= this.window &&
      payload <= this.maxFrame &&
      stream.queuedBytes === 0 &&
      this.length + this.writingBytes < this.transportLimit
    );
  }

  private enqueue(stream: SendingStream, bytes: Buffer): void {
    (stream.queue ??= []).push(bytes);
    stream.queuedBytes += bytes.length;
    this.queuedBytes += bytes.length;
    this.widened(stream);
  }

  /** Lets the streams in line send a frame each, round and round, while the connection allows it. */
  private pump(): void {
    if (this.pumping || this.head === this.line.length) return;
    this.pumping = true;
    while (
      this.head < this.line.length &&
      this.window > 0 &&
      this.length + this.writingBytes < this.transportLimit
    ) {
      this.sendQueued(this.line[this.head++]!);
      if (this.head >= 1024) {
        this.line = this.line.slice(this.head);
        this.head = 0;
      }
    }
    this.pumping = false;
    if (this.head === this.line.length) {
      this.line.length = 0;
      this.head = 0;
    }
  }

  private sendQueued(stream: SendingStream): void {
    const size = Math.min(stream.queuedBytes, stream.sendWindow, this.window, this.maxFrame);
    if (size <= 0) {
      stream.inLine = false;
      return;
    }
    let at = this.reserve(frameHeaderBytes + size);
    at = layHeader(this.buffer!, at, size, frameType.data, 0, stream.id);
    this.layQueued(stream.queue!, at, size);
    this.window -= size;
    stream.sendWindow -= size;
    stream.queuedBytes -= size;
    this.queuedBytes -= size;
    this.sentContent = true;
    if (stream.queuedBytes > 0) {
      this.line.push(stream);
      return;
    }
    stream.inLine = false;
    if (stream.trailers === undefined) stream.onWritable();
    else this.end(stream, stream.trailers);
  }

  private layQueued(queue: Buffer[], offset: number, size: number): void {
    let at = offset;
    let left = size;
    while (left > 0) {
      const first = queue[0]!;
      const part = Math.min(left, first.length);
      first.copy(this.buffer!, at, 0, part);
      if (part === first.length) queue.shift();
      else queue[0] = first.subarray(part);
      at += part;
      left -= part;
    }
  }
}

/** Lays a frame header and returns where its payload begins. */
function layHeader(
  out: Uint8Array,
  at: number,
  length: number,
  type: number,
  flags: number,
  id: number,
): number {
  out[at] = length >>> 16;
  out[at + 1] = length >>> 8;
  out[at + 2] = length;
  out[at + 3] = type;
  out[at + 4] = flags;
  out[at + 5] = id >>> 24;
  out[at + 6] = id >>> 16;
  out[at + 7] = id >>> 8;
  out[at + 8] = id;
  return at + frameHeaderBytes;
}

/** Lays a complete frame made for stream 0, with its stream filled in, and returns where it ends. */
function layFrame(out: Uint8Array, at: number, frame: Uint8Array, id: number): number {
  const length = frame.length;
  if (length > loopBytes) out.set(frame, at);
  else for (let i = 0; i < length; i++) out[at + i] = frame[i]!;
  out[at + 5] = id >>> 24;
  out[at + 6] = id >>> 16;
  out[at + 7] = id >>> 8;
  out[at + 8] = id;
  return at + length;
}

/** Lays a gRPC message, uncompressed, with its prefix of five bytes, and returns where it ends. */
function layMessage(
  out: Uint8Array,
  at: number,
  message: Uint8Array,
  start: number,
  end: number,
): number {
  const length = end - start;
  out[at] = 0;
  out[at + 1] = length >>> 24;
  out[at + 2] = length >>> 16;
  out[at + 3] = length >>> 8;
  out[at + 4] = length;
  const body = at + 5;
  if (length > loopBytes) out.set(message.subarray(start, end), body);
  else for (let i = 0; i < length; i++) out[body + i] = message[start + i]!;
  return body + length;
}
