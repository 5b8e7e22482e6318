/**
 * Protocol Buffers by hand, for the messages of the hot path: no object per
 * field, no table look-ups. The rest goes through the combinators of
 * `@quorate/grpc`; tests hold that both agree.
 */

import { MalformedInput, type Writer } from "@quorate/kernel";
import { type Binary, binaryOf, writeBinary } from "./binary.ts";

const TWO_32 = 0x1_0000_0000;

/** Reads fields of one message: a window of some bytes. */
export class ProtoReader {
  private readonly bytes: Uint8Array;
  private at: number;
  private readonly end: number;
  /** Halves of the last 64-bit integer read. */
  private low = 0;
  private high = 0;

  constructor(bytes: Uint8Array, start: number, end: number) {
    this.bytes = bytes;
    this.at = start;
    this.end = end;
  }

  /** The next field's number and wire type, as `number << 3 | type`; 0 at the end of the message. */
  tag(): number {
    if (this.at >= this.end) return 0;
    const first = this.bytes[this.at]!;
    let tag = first;
    if (first < 0x80) this.at++;
    else {
      this.varint();
      if (this.high !== 0) throw new MalformedInput("field number out of range");
      tag = this.low;
    }
    if (tag >>> 3 === 0) throw new MalformedInput("field number 0");
    return tag;
  }

  /** A signed 64-bit integer; beyond 2^53 the nearest number. */
  int64(): number {
    const first = this.bytes[this.at]!;
    if (first < 0x80 && this.at < this.end) {
      this.at++;
      return first;
    }
    this.varint();
    return (this.high | 0) * TWO_32 + this.low;
  }

  /** An enumeration: a signed 32-bit integer. */
  enumeration(): number {
    this.varint();
    return this.low | 0;
  }

  bool(): boolean {
    this.varint();
    return this.low !== 0 || this.high !== 0;
  }

  /** A 64-bit id as lower-case hexadecimal, "" for 0. */
  id(): string {
    this.varint();
    if (this.high !== 0) return this.high.toString(16) + this.low.toString(16).padStart(8, "0");
    return this.low === 0 ? "" : this.low.toString(16);
  }

  /** Bytes, as a view. */
  view(): Uint8Array {
    const length = this.length();
    const { bytes, at } = this;
    this.at = at + length;
    // Not `subarray`: of a `Buffer` that would make a `Buffer`, at twice the cost.
    return new Uint8Array(bytes.buffer, bytes.byteOffset + at, length);
  }

  /** Bytes as a binary string. */
  binary(): Binary {
    const length = this.length();
    this.at += length;
    return binaryOf(this.bytes, this.at - length, this.at);
  }

  /** A message within this one. */
  message(): ProtoReader {
    const length = this.length();
    this.at += length;
    return new ProtoReader(this.bytes, this.at - length, this.at);
  }

  /** Passes over a field that nobody here knows. */
  skip(tag: number): void {
    switch (tag & 7) {
      case 0:
        this.varint();
        break;
      case 1:
        this.advance(8);
        break;
      case 2:
        this.advance(this.length());
        break;
      case 5:
        this.advance(4);
        break;
      default:
        throw new MalformedInput("unknown wire type");
    }
  }

  private advance(length: number): void {
    if (this.at + length > this.end)
      throw new MalformedInput("field beyond the end of the message");
    this.at += length;
  }

  private length(): number {
    this.varint();
    if (this.high !== 0 || this.low > this.end - this.at) {
      throw new MalformedInput("field beyond the end of the message");
    }
    return this.low;
  }

  private varint(): void {
    const { bytes, end } = this;
    let { at } = this;
    let low = 0;
    let high = 0;
    for (let shift = 0; shift < 70; shift += 7) {
      if (at >= end) throw new MalformedInput("message ends early");
      const byte = bytes[at++]!;
      const bits = byte & 0x7f;
      if (shift < 28) low |= bits << shift;
      else if (shift === 28) {
        low |= bits << 28;
        high = bits >>> 4;
      } else high |= bits << (shift - 32);
      if (byte < 0x80) {
        this.at = at;
        this.low = low >>> 0;
        this.high = high >>> 0;
        return;
      }
    }
    throw new MalformedInput("integer of more than 64 bits");
  }
}

/** Bytes that a varint takes. */
export function varintLength(value: number): number {
  if (value < 0) return 10;
  let length = 1;
  for (let rest = value; rest >= 0x80; rest = Math.floor(rest / 0x80)) length++;
  return length;
}

/** Writes a signed 64-bit integer given as a number. */
export function writeVarint(writer: Writer, value: number): void {
  if (value >= 0 && value < 0x8000_0000) {
    writer.reserve(5);
    const { bytes } = writer;
    let { length } = writer;
    let rest = value;
    while (rest >= 0x80) {
      bytes[length++] = (rest & 0x7f) | 0x80;
      rest >>>= 7;
    }
    bytes[length++] = rest;
    writer.length = length;
    return;
  }
  writeHalves(writer, value >>> 0, Math.floor(value / TWO_32) >>> 0);
}

/** Writes a 64-bit integer given as two unsigned halves. */
function writeHalves(writer: Writer, low: number, high: number): void {
  let rest = low;
  let upper = high;
  while (upper !== 0 || rest >= 0x80) {
    writer.byte((rest & 0x7f) | 0x80);
    rest = ((rest >>> 7) | (upper << 25)) >>> 0;
    upper >>>= 7;
  }
  writer.byte(rest);
}

/** Writes an integer field unless it is 0. */
export function writeInt(writer: Writer, tag: number, value: number): void {
  if (value === 0) return;
  writer.byte(tag);
  writeVarint(writer, value);
}

export function writeBool(writer: Writer, tag: number, value: boolean): void {
  if (!value) return;
  writer.byte(tag);
  writer.byte(1);
}

/** Writes an id field unless it is "". */
export function writeId(writer: Writer, tag: number, id: string): void {
  if (id === "") return;
  writer.byte(tag);
  const cut = Math.max(0, id.length - 8);
  const high = cut === 0 ? 0 : Number.parseInt(id.slice(0, cut), 16);
  writeHalves(writer, Number.parseInt(id.slice(cut), 16), high);
}

/** Bytes that an id field takes. */
export function idLength(id: string): number {
  if (id === "") return 0;
  // Bits above the leading digit's, plus its own.
  const bits = (id.length - 1) * 4 + (32 - Math.clz32(Number.parseInt(id[0]!, 16)));
  return 1 + Math.ceil(bits / 7);
}

/** Writes a binary string as a bytes field unless it is empty. */
export function writeKey(writer: Writer, tag: number, key: Binary): void {
  if (key === "") return;
  writer.byte(tag);
  writeVarint(writer, key.length);
  writeBinary(writer, key);
}

/** Writes a bytes field unless it is empty. */
export function writeBytes(writer: Writer, tag: number, value: Uint8Array): void {
  if (value.length === 0) return;
  writer.byte(tag);
  writeVarint(writer, value.length);
  writer.raw(value);
}
