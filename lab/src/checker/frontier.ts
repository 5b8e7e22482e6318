/** The states of one depth, packed one behind the other in chunks of integers. */

import type { Body } from "./space.ts";

const CHUNK = 1 << 16;
/** Number of the state, length, and the two lanes of its fingerprint. */
const HEAD = 4;
const READ = new Int32Array(0);

export class Frontier {
  count = 0;
  private readonly chunks: Int32Array[] = [];
  /** How much of the last chunk is used. */
  private used = 0;
  private readingChunk = 0;
  private readingAt = 0;

  push(number: number, { data, at, length, low, high }: Body): void {
    const room = HEAD + length;
    let chunk = this.chunks.at(-1);
    if (chunk === undefined || this.used + room > chunk.length) {
      // A record of length -1 ends a chunk.
      if (chunk !== undefined && this.used < chunk.length) chunk[this.used] = -1;
      chunk = new Int32Array(Math.max(CHUNK, room));
      this.chunks.push(chunk);
      this.used = 0;
    }
    chunk[this.used] = number;
    chunk[this.used + 1] = length;
    chunk[this.used + 2] = low;
    chunk[this.used + 3] = high;
    for (let i = 0; i < length; i++) chunk[this.used + HEAD + i] = data[at + i]!;
    this.used += room;
    this.count++;
  }

  /** Reads the next state into `body`, which is good until the next one is read. Returns its number. */
  read(body: Body): number {
    let chunk = this.chunks[this.readingChunk]!;
    if (this.readingAt >= chunk.length || chunk[this.readingAt] === -1) {
      // What was read is not held any longer.
      this.chunks[this.readingChunk] = READ;
      chunk = this.chunks[++this.readingChunk]!;
      this.readingAt = 0;
    }
    const at = this.readingAt;
    body.data = chunk;
    body.at = at + HEAD;
    body.length = chunk[at + 1]!;
    body.low = chunk[at + 2]!;
    body.high = chunk[at + 3]!;
    this.readingAt = at + HEAD + body.length;
    return chunk[at]!;
  }
}
