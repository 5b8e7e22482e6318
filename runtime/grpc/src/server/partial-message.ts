/**
 * A gRPC message that arrives in pieces: five bytes of prefix, then the body.
 *
 * The body's buffer starts small and doubles as bytes arrive, so that a length alone reserves no memory.
 */

const prefixBytes = 5;
const firstBytes = 32_768;

/** Gathers one message. */
export class PartialMessage {
  /** The compression flag, once the prefix is complete. */
  compressed = 0;
  /** Length of the body, or -1 until the prefix is complete. */
  length = -1;
  private readonly prefix: Buffer = Buffer.alloc(prefixBytes);
  private body: Buffer = this.prefix;
  private filled = 0;

  /** Memory held. */
  get heldBytes(): number {
    return this.body.length;
  }

  /** The body, when complete. */
  get message(): Buffer | undefined {
    if (this.length < 0 || this.filled < this.length) return undefined;
    return this.body.subarray(0, this.length);
  }

  /** Takes bytes of the prefix, or when that is complete of the body; returns where the chunk goes on. */
  push(chunk: Buffer, start: number, end: number): number {
    if (this.length < 0) return this.pushPrefix(chunk, start, end);
    const part = Math.min(this.length - this.filled, end - start);
    if (this.filled + part > this.body.length) {
      const size = Math.max(this.filled + part, this.body.length * 2);
      const larger = Buffer.allocUnsafeSlow(Math.min(this.length, size));
      this.body.copy(larger, 0, 0, this.filled);
      this.body = larger;
    }
    chunk.copy(this.body, this.filled, start, start + part);
    this.filled += part;
    return start + part;
  }

  private pushPrefix(chunk: Buffer, start: number, end: number): number {
    const part = chunk.copy(this.prefix, this.filled, start, end);
    this.filled += part;
    if (this.filled === prefixBytes) {
      this.compressed = this.prefix[0]!;
      this.length = this.prefix.readUInt32BE(1);
      this.body = Buffer.allocUnsafeSlow(Math.min(this.length, firstBytes));
      this.filled = 0;
    }
    return start + part;
  }
}
