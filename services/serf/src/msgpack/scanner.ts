/**
 * Finds where a MessagePack value ends, in input that arrives in pieces. It
 * remembers how far it got, so that a value costs one pass however it is cut,
 * and it needs no stack for nesting.
 */

import { MalformedInput } from "@quorate/kernel";

/** What follows each head from 0xc0 to 0xdf. */
type Shape = readonly [
  kind: "fixed" | "counted" | "array" | "map" | "none",
  /** Bytes that follow (fixed), or bytes of the count. */
  width: number,
  /** Bytes that follow beside those counted. */
  extra?: number,
];

// oxfmt-ignore
const SHAPES: readonly Shape[] = [
  ["fixed", 0], ["none", 0], ["fixed", 0], ["fixed", 0], // nil, unused, false, true
  ["counted", 1], ["counted", 2], ["counted", 4], // bytes
  ["counted", 1, 1], ["counted", 2, 1], ["counted", 4, 1], // extensions
  ["fixed", 4], ["fixed", 8], // floats
  ["fixed", 1], ["fixed", 2], ["fixed", 4], ["fixed", 8], // unsigned
  ["fixed", 1], ["fixed", 2], ["fixed", 4], ["fixed", 8], // signed
  ["fixed", 2], ["fixed", 3], ["fixed", 5], ["fixed", 9], ["fixed", 17], // short extensions
  ["counted", 1], ["counted", 2], ["counted", 4], // text
  ["array", 2], ["array", 4],
  ["map", 2], ["map", 4],
];

export class ValueScanner {
  /** The end of what was scanned; of the value, once it is whole. */
  offset: number;
  /** Values still due. */
  private due = 1;

  constructor(offset: number) {
    this.offset = offset;
  }

  /**
   * Goes on in `bytes`, of which `length` are there. Says whether the value is whole.
   * @throws MalformedInput if it never will be.
   */
  scan(bytes: Uint8Array, length: number): boolean {
    while (this.due > 0) {
      if (this.offset >= length) return false;
      const head = bytes[this.offset]!;
      let size = 1;
      let inner = 0;
      if (head < 0x80 || head >= 0xe0) size = 1;
      else if (head < 0x90) inner = 2 * (head & 0x0f);
      else if (head < 0xa0) inner = head & 0x0f;
      else if (head < 0xc0) size = 1 + (head & 0x1f);
      else {
        const [kind, width, extra = 0] = SHAPES[head - 0xc0]!;
        if (kind === "none") throw new MalformedInput("a head that means nothing");
        size = 1 + width + extra;
        if (kind !== "fixed") {
          if (this.offset + 1 + width > length) return false;
          const count = bigEndian(bytes, this.offset + 1, width);
          if (kind === "counted") size += count;
          else inner = kind === "map" ? 2 * count : count;
        }
      }
      if (this.offset + size > length) return false;
      this.offset += size;
      this.due += inner - 1;
    }
    return true;
  }
}

function bigEndian(bytes: Uint8Array, at: number, width: number): number {
  let value = 0;
  for (let i = 0; i < width; i++) value = value * 0x100 + bytes[at + i]!;
  return value;
}
