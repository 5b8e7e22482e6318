/**
 * Keys as binary strings: one character per byte, 0 to 255.
 *
 * Comparing two such strings with `<` compares their bytes, and a `Map` finds
 * them fast; a `Uint8Array` offers neither.
 */

import { type Writer } from "@quorate/kernel";

/** A key, or the end of a range: one character per byte. */
export type Binary = string;

/** More arguments than this to one call may overflow the stack. */
const CHUNK = 4096;

/** The bytes `[start, end)` as a binary string. */
export function binaryOf(bytes: Uint8Array, start: number = 0, end: number = bytes.length): Binary {
  const length = end - start;
  if (length <= 24) {
    let short = "";
    for (let at = start; at < end; at++) short += String.fromCharCode(bytes[at]!);
    return short;
  }
  let whole = "";
  for (let at = start; at < end; at += CHUNK) {
    const piece = bytes.subarray(at, Math.min(end, at + CHUNK)) as unknown as number[];
    // Any array-like serves; the type of `apply` knows arrays only.
    whole += String.fromCharCode.apply(undefined, piece);
  }
  return whole;
}

/** The bytes of a binary string. Characters above 255 lose their upper half. */
export function bytesOf(binary: Binary): Uint8Array {
  const bytes = new Uint8Array(binary.length);
  for (let at = 0; at < binary.length; at++) bytes[at] = binary.charCodeAt(at);
  return bytes;
}

/** Appends the bytes of a binary string, without a length. */
export function writeBinary(writer: Writer, binary: Binary): void {
  const { length } = binary;
  writer.reserve(length);
  const { bytes } = writer;
  let to = writer.length;
  for (let at = 0; at < length; at++) bytes[to++] = binary.charCodeAt(at);
  writer.length = to;
}

/** The end of a range that begins at `key` and has none: `"\0"` asks for every key from there on. */
export const NO_END: Binary = "\0";

/** The least key greater than all that begin with `prefix`, in the form a range end takes. */
export function prefixEnd(prefix: Binary): Binary {
  for (let at = prefix.length - 1; at >= 0; at--) {
    const code = prefix.charCodeAt(at);
    if (code < 0xff) return prefix.slice(0, at) + String.fromCharCode(code + 1);
  }
  return NO_END;
}
