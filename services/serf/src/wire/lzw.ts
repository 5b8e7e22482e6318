/**
 * LZW as memberlist uses it: Go's `compress/lzw` with the least significant bit
 * first and literals of 8 bits (the GIF variant of Welch's algorithm, 1984).
 * Codes grow from 9 to 12 bits; 256 clears the table, 257 ends the data. When
 * the table is full the encoder clears it.
 *
 * There is no maintained library for this variant: those on npm write the most
 * significant bit first (TIFF, PDF) or pack codes into UTF-16.
 */

import { MalformedInput, Writer } from "@quorate/kernel";

const CLEAR = 256;
const END = 257;
const FIRST_WIDTH = 9;
const LAST_WIDTH = 12;
const CODES = 1 << LAST_WIDTH;
const NONE = -1;

/** Slots of the encoder's table: a power of two, four times the codes there are. */
const SLOTS = 1 << 14;
/** Code and next byte in the upper 20 bits, the code for both in the lower 12; 0 is free. Cleared before use. */
const table = new Uint32Array(SLOTS);

/** Compresses `input`. The result may be longer than what went in. */
export function compress(input: Uint8Array): Uint8Array {
  const bits = new BitWriter();
  let next = END;
  let width = FIRST_WIDTH;
  let code = NONE;
  table.fill(0);
  bits.put(CLEAR, width);
  for (const byte of input) {
    if (code === NONE) {
      code = byte;
      continue;
    }
    const key = (code << 8) | byte;
    const slot = slotOf(key);
    if (table[slot] !== 0) {
      code = table[slot]! & (CODES - 1);
      continue;
    }
    bits.put(code, width);
    code = byte;
    next++;
    if (next === 1 << width) width++;
    if (next < CODES - 1) {
      table[slot] = (key << LAST_WIDTH) | next;
      continue;
    }
    bits.put(CLEAR, width);
    table.fill(0);
    next = END;
    width = FIRST_WIDTH;
  }
  if (code !== NONE) {
    bits.put(code, width);
    next++;
    // The reader counts this code too, and may go on to the next width or expect a clear table.
    if (next === 1 << width) width++;
    if (next === CODES - 1) {
      bits.put(CLEAR, width);
      width = FIRST_WIDTH;
    }
  }
  bits.put(END, width);
  return bits.finish();
}

/** Where `key` is, or where it belongs. */
function slotOf(key: number): number {
  let slot = ((key >>> 6) ^ (key * 0x9e5)) & (SLOTS - 1);
  while (table[slot] !== 0 && table[slot]! >>> LAST_WIDTH !== key) slot = (slot + 1) & (SLOTS - 1);
  return slot;
}

class BitWriter {
  private readonly writer = new Writer();
  private held = 0;
  private count = 0;

  put(value: number, width: number): void {
    this.held |= value << this.count;
    this.count += width;
    while (this.count >= 8) {
      this.writer.byte(this.held & 0xff);
      this.held >>>= 8;
      this.count -= 8;
    }
  }

  finish(): Uint8Array {
    if (this.count > 0) this.writer.byte(this.held & 0xff);
    return this.writer.finish();
  }
}

/** The reader's tables: each code is a shorter one and a byte more. Written before they are read. */
const prefixes = new Uint16Array(CODES);
const suffixes = new Uint8Array(CODES);
const chain = new Uint8Array(CODES);
const output = new Writer();

/**
 * Expands what {@link compress} or Go wrote.
 * @throws MalformedInput if it is damaged, ends early, or gives more than `limit` bytes.
 */
export function decompress(input: Uint8Array, limit: number): Uint8Array {
  output.length = 0;
  let held = 0;
  let count = 0;
  let at = 0;
  let next = END;
  let width = FIRST_WIDTH;
  let last = NONE;

  for (;;) {
    while (count < width) {
      if (at === input.length) throw new MalformedInput("compressed data ends early");
      held |= input[at++]! << count;
      count += 8;
    }
    const code = held & ((1 << width) - 1);
    held >>>= width;
    count -= width;

    if (code === END) return output.finish();
    if (code === CLEAR) {
      next = END;
      width = FIRST_WIDTH;
      last = NONE;
      continue;
    }
    if (code > next) throw new MalformedInput("compressed data is damaged");

    // The code stands for a chain of bytes, last one first.
    let start = CODES;
    let link = code;
    if (code === next && last !== NONE) {
      // The code being defined: the last chain and its own first byte again.
      link = last;
      while (link >= CLEAR) link = prefixes[link]!;
      chain[--start] = link;
      link = last;
    }
    while (link >= CLEAR) {
      chain[--start] = suffixes[link]!;
      link = prefixes[link]!;
    }
    chain[--start] = link;
    if (output.length + CODES - start > limit) throw new MalformedInput("expands beyond the limit");
    output.raw(chain.subarray(start));

    if (last !== NONE) {
      prefixes[next] = last;
      suffixes[next] = link;
    }
    last = code;
    next++;
    if (next < 1 << width) continue;
    if (width < LAST_WIDTH) width++;
    else {
      // The table is full and was not cleared: no more codes are defined.
      last = NONE;
      next--;
    }
  }
}
