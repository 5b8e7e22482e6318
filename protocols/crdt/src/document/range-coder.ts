/**
 * An adaptive binary range coder (Martin 1979, in the form that LZMA made common): bits that can be guessed
 * from those before them cost a fraction of a bit. For the structure columns of stored documents.
 */

import { type Writer } from "@quorate/kernel";

const ONE = 2048;
const RATE = 4;
const TOP = 0x100_0000;

/** The guesses for one kind of number: how many bits it has, and what its higher bits are. */
export class Model {
  readonly odds: Uint16Array = new Uint16Array(32 + 32 * 32).fill(ONE / 2);
}

export class BitWriter {
  private readonly writer: Writer;
  private low = 0;
  private range = 0xffff_ffff;
  private cache = 0;
  private held = 1;

  constructor(writer: Writer) {
    this.writer = writer;
  }

  bit(odds: Uint16Array, at: number, bit: number): void {
    const odd = odds[at]!;
    const bound = (this.range >>> 11) * odd;
    if (bit === 0) {
      this.range = bound;
      odds[at] = odd + ((ONE - odd) >> RATE);
    } else {
      this.low += bound;
      this.range -= bound;
      odds[at] = odd - (odd >> RATE);
    }
    while (this.range < TOP) {
      this.range = (this.range << 8) >>> 0;
      this.shift();
    }
  }

  private shift(): void {
    if (this.low < 0xff00_0000 || this.low > 0xffff_ffff) {
      const carry = this.low > 0xffff_ffff ? 1 : 0;
      this.writer.byte((this.cache + carry) & 0xff);
      for (; this.held > 1; this.held--) this.writer.byte((0xff + carry) & 0xff);
      this.held = 0;
      this.cache = Math.floor(this.low / TOP) & 0xff;
    }
    this.held++;
    this.low = (this.low % TOP) * 0x100;
  }

  finish(): void {
    for (let i = 0; i < 5; i++) this.shift();
  }

  /** A number from 0 to 2^31 - 2. */
  number({ odds }: Model, value: number): void {
    const size = 32 - Math.clz32(value + 1);
    for (let i = 1; i < size; i++) this.bit(odds, i, 1);
    if (size < 31) this.bit(odds, size, 0);
    for (let i = size - 2; i >= 0; i--) {
      this.bit(odds, 32 + size * 32 + contextOf(size, i, value + 1), ((value + 1) >> i) & 1);
    }
  }

  signed(model: Model, value: number): void {
    this.number(model, value < 0 ? -2 * value - 1 : 2 * value);
  }
}

/** The two highest bits below the leading one are guessed together, the others each by its place. */
function contextOf(size: number, place: number, value: number): number {
  if (place === size - 3) return 1 + ((value >> (size - 2)) & 1);
  return place === size - 2 ? 0 : 3 + Math.min(place, 28);
}

export class BitReader {
  private readonly bytes: Uint8Array;
  private at = 5;
  private range = 0xffff_ffff;
  private code = 0;

  constructor(bytes: Uint8Array) {
    this.bytes = bytes;
    for (let i = 1; i < 5; i++) this.code = ((this.code << 8) | (bytes[i] ?? 0)) >>> 0;
  }

  bit(odds: Uint16Array, at: number): number {
    const odd = odds[at]!;
    const bound = (this.range >>> 11) * odd;
    let bit = 0;
    if (this.code < bound) {
      this.range = bound;
      odds[at] = odd + ((ONE - odd) >> RATE);
    } else {
      bit = 1;
      this.code -= bound;
      this.range -= bound;
      odds[at] = odd - (odd >> RATE);
    }
    while (this.range < TOP) {
      this.range = (this.range << 8) >>> 0;
      // Behind the end come zeros: damage gives wrong numbers, which their reader checks.
      this.code = ((this.code << 8) | (this.bytes[this.at++] ?? 0)) >>> 0;
    }
    return bit;
  }

  number({ odds }: Model): number {
    let size = 1;
    while (size < 31 && this.bit(odds, size) === 1) size++;
    let value = 1;
    for (let i = size - 2; i >= 0; i--) {
      // The context looks at bits already read, so the value so far stands where it will end up.
      const soFar = value << (i + 1);
      value = (value << 1) | this.bit(odds, 32 + size * 32 + contextOf(size, i, soFar));
    }
    return value - 1;
  }

  signed(model: Model): number {
    const value = this.number(model);
    return (value & 1) === 0 ? value / 2 : -(value + 1) / 2;
  }
}
