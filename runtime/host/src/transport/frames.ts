/**
 * Length-prefixed frames over a byte stream: four bytes big-endian, then the
 * body. Bodies handed out are views of what arrived, whole and in order.
 */

import type { Writer } from "@quorate/kernel";

const HEADER_BYTES = 4;

/** Begins a frame in `writer`; returns where, for {@link endFrame}. */
export function beginFrame(writer: Writer): number {
  writer.reserve(HEADER_BYTES);
  const start = writer.length;
  writer.length += HEADER_BYTES;
  return start;
}

export function endFrame(writer: Writer, start: number): void {
  const length = writer.length - start - HEADER_BYTES;
  const { bytes } = writer;
  bytes[start] = length >>> 24;
  bytes[start + 1] = length >>> 16;
  bytes[start + 2] = length >>> 8;
  bytes[start + 3] = length;
}

/** Cuts a stream into frames. Holds at most one unfinished frame. */
export class FrameReader {
  private rest: Uint8Array = new Uint8Array(0);
  /** A large frame on its way: its body so far, in a buffer of its final size. */
  private large: Uint8Array | undefined;
  private filled = 0;
  private readonly limit: number;

  /** @param limit - The largest body in bytes; a longer one is an error before any of it is kept. */
  constructor(limit: number) {
    this.limit = limit;
  }

  /**
   * Calls `visit` for every frame that `chunk` completes.
   * @returns The length of a frame beyond the limit, which ends the stream, or 0.
   */
  push(chunk: Uint8Array, visit: (body: Uint8Array) => void): number {
    let bytes = this.large === undefined ? this.join(chunk) : this.fill(chunk, visit);
    let at = 0;
    while (bytes.length - at >= HEADER_BYTES) {
      const length =
        ((bytes[at]! << 24) | (bytes[at + 1]! << 16) | (bytes[at + 2]! << 8) | bytes[at + 3]!) >>>
        0;
      if (length > this.limit) return length;
      const start = at + HEADER_BYTES;
      if (bytes.length - start < length) {
        this.large = new Uint8Array(length);
        this.large.set(bytes.subarray(start));
        this.filled = bytes.length - start;
        at = bytes.length;
        break;
      }
      at = start + length;
      visit(bytes.subarray(start, at));
    }
    this.rest = bytes = bytes.subarray(at);
    return 0;
  }

  private join(chunk: Uint8Array): Uint8Array {
    if (this.rest.length === 0) return chunk;
    const joined = new Uint8Array(this.rest.length + chunk.length);
    joined.set(this.rest);
    joined.set(chunk, this.rest.length);
    return joined;
  }

  /** Adds to a large frame; returns what follows it. */
  private fill(chunk: Uint8Array, visit: (body: Uint8Array) => void): Uint8Array {
    const large = this.large!;
    const wanted = large.length - this.filled;
    large.set(chunk.subarray(0, wanted), this.filled);
    this.filled += Math.min(wanted, chunk.length);
    if (this.filled < large.length) return new Uint8Array(0);
    this.large = undefined;
    visit(large);
    return chunk.subarray(wanted);
  }
}
