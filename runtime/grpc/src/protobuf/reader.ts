/**
 * Reads the wire format of Protocol Buffers out of bytes that nobody has checked.
 *
 * Every read stays within {@link Reader.limit}, the end of the innermost message; whatever does not fit is a
 * ProtobufError. Nothing is copied: bytes fields are views.
 */

import { isUtf8 } from "node:buffer";
import { ProtobufError } from "./error.ts";

const noBytes: Buffer = Buffer.alloc(0);
const twoTo32 = 0x1_0000_0000;

/** Where identifiers are turned into hex. */
const idBytes: Buffer = Buffer.alloc(8);

/** A position in a buffer. */
export class Reader {
  at = 0;
  /** Where the innermost message ends. */
  limit = 0;
  private buffer: Buffer = noBytes;
  /** The high half of the varint last read by {@link Reader.low}. */
  private high = 0;

  /** Starts on `bytes[start, end)`. */
  open(bytes: Uint8Array, start: number, end: number): void {
    this.buffer = Buffer.isBuffer(bytes)
      ? bytes
      : Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length);
    this.at = start;
    this.limit = end;
  }

  /** Lets the bytes go. */
  close(): void {
    this.buffer = noBytes;
  }

  /** A field's tag: its number and wire type. */
  tag(): number {
    const byte = this.buffer[this.at]!;
    if (byte >= 8 && byte < 0x80) {
      this.at++;
      return byte;
    }
    const tag = this.low();
    if (this.high !== 0 || tag < 8) throw new ProtobufError("bad tag", String(tag));
    return tag;
  }

  uint32(): number {
    return this.low();
  }

  int32(): number {
    return this.low() | 0;
  }

  bool(): boolean {
    const low = this.low();
    return low !== 0 || this.high !== 0;
  }

  /** An int64, or what is nearest to it among the safe integers. */
  int64(): number {
    const low = this.low();
    if (this.high === 0) return low;
    const value = (this.high | 0) * twoTo32 + low;
    return Math.min(Math.max(value, Number.MIN_SAFE_INTEGER), Number.MAX_SAFE_INTEGER);
  }

  /** A uint64, or the largest safe integer if it is larger. */
  uint64(): number {
    const low = this.low();
    return Math.min(this.high * twoTo32 + low, Number.MAX_SAFE_INTEGER);
  }

  /** 64 bits in lower-case hex without leading zeros; "" for zero. */
  id64(): string {
    const low = this.low();
    const high = this.high;
    if (high === 0) return low === 0 ? "" : low.toString(16);
    idBytes.writeUInt32BE(high, 0);
    idBytes.writeUInt32BE(low, 4);
    const hex = idBytes.toString("hex");
    return high >= 0x10000000 ? hex : hex.slice(Math.clz32(high) >> 2);
  }

  bytes(): Buffer {
    const start = this.prefix();
    const end = this.at;
    return start === end ? noBytes : this.buffer.subarray(start, end);
  }

  string(): string {
    const start = this.prefix();
    const end = this.at;
    if (start === end) return "";
    const buffer = this.buffer;
    for (let i = start; i < end; i++) {
      if (buffer[i]! < 0x80) continue;
      if (!isUtf8(buffer.subarray(start, end))) {
        throw new ProtobufError("bad utf-8", `at byte ${i}`);
      }
      return buffer.toString("utf8", start, end);
    }
    return buffer.toString("latin1", start, end);
  }

  /** Enters a nested message or a packed field; returns the limit to give to {@link Reader.leave}. */
  enter(): number {
    const start = this.prefix();
    const outer = this.limit;
    this.limit = this.at;
    this.at = start;
    return outer;
  }

  /** Leaves what was entered, which must have been read to its end. */
  leave(outer: number): void {
    this.limit = outer;
  }

  /** Skips a field that is not known, by the wire type in its tag. */
  skip(tag: number, depth: number): void {
    switch (tag & 7) {
      case 0:
        this.low();
        return;
      case 1:
        return this.advance(8);
      case 2:
        this.prefix();
        return;
      case 3:
        return this.skipGroup(tag, depth);
      case 5:
        return this.advance(4);
      default:
        throw new ProtobufError("wrong wire type", String(tag & 7));
    }
  }

  private skipGroup(tag: number, depth: number): void {
    if (depth <= 0) throw new ProtobufError("too deep", "a group");
    while (this.at < this.limit) {
      const inner = this.tag();
      if (inner === tag + 1) return;
      this.skip(inner, depth - 1);
    }
    throw new ProtobufError("truncated", "a group does not end");
  }

  /** Reads a length and moves past as many bytes; returns where they begin. */
  private prefix(): number {
    const length = this.low();
    const start = this.at;
    if (this.high !== 0 || length > this.limit - start) {
      throw new ProtobufError("truncated", `a field of ${length} bytes`);
    }
    this.at = start + length;
    return start;
  }

  private advance(bytes: number): void {
    if (bytes > this.limit - this.at) throw new ProtobufError("truncated", "a fixed field");
    this.at += bytes;
  }

  /** Reads a varint; returns its low half and leaves the other in `high`. */
  private low(): number {
    const { buffer, limit } = this;
    let at = this.at;
    this.high = 0;
    let low = 0;
    for (let shift = 0; shift < 28; shift += 7) {
      if (at >= limit) throw new ProtobufError("truncated", "a varint");
      const byte = buffer[at++]!;
      low |= (byte & 0x7f) << shift;
      if (byte < 0x80) {
        this.at = at;
        return low;
      }
    }
    this.at = at;
    return this.longVarint(low);
  }

  private longVarint(first28: number): number {
    const { buffer, limit } = this;
    let high = 0;
    let low = first28;
    for (let i = 4; i < 10; i++) {
      if (this.at >= limit) throw new ProtobufError("truncated", "a varint");
      const byte = buffer[this.at++]!;
      if (i === 4) {
        low |= (byte & 0x0f) << 28;
        high = (byte & 0x7f) >> 4;
      } else if (i < 9) {
        high |= (byte & 0x7f) << (i * 7 - 32);
      } else {
        if (byte > 1) throw new ProtobufError("bad varint", "more than 64 bits");
        high |= byte << 31;
      }
      if (byte < 0x80) {
        this.high = high >>> 0;
        return low >>> 0;
      }
    }
    throw new ProtobufError("bad varint", "more than ten bytes");
  }
}
