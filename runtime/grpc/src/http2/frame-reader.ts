/**
 * Cuts a stream of chunks into frames (RFC 9113 §4.1).
 *
 * A frame that lies within one chunk is handed on in place. One that does not is gathered in a buffer of exactly its
 * size, so that at most one frame is held, and that buffer is never used again: whoever gets a view of a frame's payload
 * may keep it.
 */

import { ConnectionError, frameHeaderBytes, Http2Code } from "./protocol.ts";

/** Gets the frames; may throw {@link ConnectionError}. */
export interface FrameSink {
  /** False once the connection is over: what follows is not read. */
  readonly reading: boolean;
  onFrame(type: number, flags: number, id: number, chunk: Buffer, start: number, end: number): void;
}

/** Feeds a {@link FrameSink}. */
export class FrameReader {
  private readonly sink: FrameSink;
  private readonly maxFrame: number;
  /** The frame that is not complete: its header, then the whole of it. */
  private frame: Buffer | undefined;
  private filled = 0;

  constructor(sink: FrameSink, maxFrame: number) {
    this.sink = sink;
    this.maxFrame = maxFrame;
  }

  /** Bytes held back for the frame that is not complete. */
  get heldBytes(): number {
    return this.frame?.length ?? 0;
  }

  /** Reads on from `chunk[offset]`. */
  push(chunk: Buffer, offset: number): void {
    let at = offset;
    while (this.frame !== undefined && at < chunk.length) at = this.fill(chunk, at);
    const limit = chunk.length - frameHeaderBytes;
    while (at <= limit && this.sink.reading) {
      const end = at + frameHeaderBytes + this.lengthAt(chunk, at);
      if (end > chunk.length) break;
      this.emit(chunk, at, end);
      at = end;
    }
    if (at < chunk.length && this.sink.reading) this.keep(chunk, at);
  }

  private keep(chunk: Buffer, at: number): void {
    const rest = chunk.length - at;
    const whole = rest < frameHeaderBytes ? 0 : this.lengthAt(chunk, at);
    this.frame = Buffer.allocUnsafe(frameHeaderBytes + whole);
    this.filled = chunk.copy(this.frame, 0, at);
  }

  /** Adds to the held frame and emits it when complete; returns where the chunk goes on. */
  private fill(chunk: Buffer, at: number): number {
    let frame = this.frame!;
    const part = chunk.copy(frame, this.filled, at);
    this.filled += part;
    if (this.filled < frame.length) return at + part;
    const whole = frameHeaderBytes + this.lengthAt(frame, 0);
    if (whole > frame.length) {
      const larger = Buffer.allocUnsafe(whole);
      frame.copy(larger);
      frame = this.frame = larger;
      return at + part;
    }
    this.frame = undefined;
    this.filled = 0;
    if (this.sink.reading) this.emit(frame, 0, whole);
    return at + part;
  }

  private lengthAt(chunk: Buffer, at: number): number {
    const length = (chunk[at]! << 16) | (chunk[at + 1]! << 8) | chunk[at + 2]!;
    if (length > this.maxFrame) {
      throw new ConnectionError(
        Http2Code.frameSizeError,
        `a frame of ${length} bytes is too large`,
      );
    }
    return length;
  }

  private emit(chunk: Buffer, at: number, end: number): void {
    const id =
      ((chunk[at + 5]! & 0x7f) << 24) |
      (chunk[at + 6]! << 16) |
      (chunk[at + 7]! << 8) |
      chunk[at + 8]!;
    this.sink.onFrame(chunk[at + 3]!, chunk[at + 4]!, id, chunk, at + frameHeaderBytes, end);
  }
}
