/**
 * Lays out a Protocol Buffers message from its end to its beginning.
 *
 * A nested message is prefixed with its length, which is known only once it is written. Written backwards, it is known
 * when it is needed: nothing is computed twice and nothing is moved. The result lies at the end of a buffer that is
 * used again and again: {@link Writer.start} to {@link Writer.end} of {@link Writer.buffer}, until the next reset.
 */

const firstBytes = 4_096;
/** A buffer that has grown past this is not kept. */
const keptBytes = 1 << 20;

/** A reusable buffer that is filled from its end. */
export class Writer {
  buffer: Buffer = Buffer.allocUnsafeSlow(firstBytes);
  /** Where the written bytes begin. */
  start: number = firstBytes;

  /** Where the written bytes end, which is where the buffer does. */
  get end(): number {
    return this.buffer.length;
  }

  /** How many bytes are written. */
  get length(): number {
    return this.buffer.length - this.start;
  }

  /** Forgets what is written; returns itself. */
  reset(): this {
    if (this.buffer.length > keptBytes) this.buffer = Buffer.allocUnsafeSlow(firstBytes);
    this.start = this.buffer.length;
    return this;
  }

  /** A view of what is written, good until the next write or reset. */
  view(): Buffer {
    return this.buffer.subarray(this.start);
  }

  /** A copy of what is written. */
  copy(): Buffer {
    return Buffer.from(this.view());
  }

  /** Writes a varint below 2^32; tags and lengths too. */
  uint32(value: number): void {
    if (value < 0x80) {
      if (this.start < 1) this.grow(1);
      this.buffer[--this.start] = value;
      return;
    }
    const size = value < 0x4000 ? 2 : value < 0x200000 ? 3 : value < 0x10000000 ? 4 : 5;
    if (this.start < size) this.grow(size);
    const buffer = this.buffer;
    let at = (this.start -= size);
    let rest = value;
    for (; rest >= 0x80; rest >>>= 7) buffer[at++] = rest | 0x80;
    buffer[at] = rest;
  }

  /** Writes a varint of 64 bits, given as two unsigned halves. */
  varint64(low: number, high: number): void {
    if (high === 0) {
      this.uint32(low);
      return;
    }
    const size = Math.ceil((64 - Math.clz32(high)) / 7);
    if (this.start < size) this.grow(size);
    const buffer = this.buffer;
    let at = (this.start -= size);
    buffer[at++] = low | 0x80;
    buffer[at++] = (low >>> 7) | 0x80;
    buffer[at++] = (low >>> 14) | 0x80;
    buffer[at++] = (low >>> 21) | 0x80;
    let rest = high;
    // Four bits of the low half, and three of the high one.
    const fifth = (low >>> 28) | ((rest & 7) << 4);
    rest >>>= 3;
    if (size === 5) {
      buffer[at] = fifth;
      return;
    }
    buffer[at++] = fifth | 0x80;
    for (; rest >= 0x80; rest >>>= 7) buffer[at++] = rest | 0x80;
    buffer[at] = rest;
  }

  /** Writes an int64 or int32 or enum: any safe integer, negative ones in ten bytes. */
  int64(value: number): void {
    if (value >>> 0 === value) {
      this.uint32(value);
      return;
    }
    if (!Number.isSafeInteger(value)) throw new RangeError(`${value} is not a safe integer`);
    this.varint64(value >>> 0, Math.floor(value / 0x1_0000_0000) >>> 0);
  }

  /** Writes a uint64: a safe integer, not negative. */
  uint64(value: number): void {
    if (value < 0) throw new RangeError(`${value} is negative`);
    this.int64(value);
  }

  /** Writes 64 bits given in lower-case hex, "" for zero. */
  id64(hex: string): void {
    const length = hex.length;
    if (length > 16) throw new RangeError(`${JSON.stringify(hex)} is longer than 64 bits`);
    let low = 0;
    let high = 0;
    for (let i = 0; i < length; i++) {
      const c = hex.charCodeAt(i);
      const digit = c >= 48 && c <= 57 ? c - 48 : c >= 97 && c <= 102 ? c - 87 : -1;
      if (digit < 0) throw new RangeError(`${JSON.stringify(hex)} is not lower-case hex`);
      high = (high << 4) | (low >>> 28);
      low = (low << 4) | digit;
    }
    this.varint64(low >>> 0, high >>> 0);
  }

  int32(value: number): void {
    this.int64(value);
  }

  bool(value: boolean): void {
    this.uint32(value ? 1 : 0);
  }

  /** Writes bytes after their length. */
  bytes(value: Uint8Array): void {
    const length = value.length;
    if (this.start < length) this.grow(length);
    const at = (this.start -= length);
    if (length > 64) {
      this.buffer.set(value, at);
    } else {
      const buffer = this.buffer;
      for (let i = 0; i < length; i++) buffer[at + i] = value[i]!;
    }
    this.uint32(length);
  }

  /** Writes a string in UTF-8 after its length. */
  string(value: string): void {
    const length = Buffer.byteLength(value, "utf8");
    if (this.start < length) this.grow(length);
    this.start -= length;
    this.buffer.write(value, this.start, length, "utf8");
    this.uint32(length);
  }

  private grow(bytes: number): void {
    const written = this.length;
    const larger = Buffer.allocUnsafeSlow(Math.max(this.buffer.length * 2, written + bytes));
    this.buffer.copy(larger, larger.length - written, this.start);
    this.buffer = larger;
    this.start = larger.length - written;
  }
}
