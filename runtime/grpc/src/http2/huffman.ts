/**
 * The Huffman code of HPACK (RFC 7541 §5.2, appendix B).
 *
 * The code is canonical: within one length the code words ascend with the symbols, and a longer word continues where
 * the shorter ones stopped. So the lengths alone, one byte per symbol, give the whole table. Decoding walks an automaton
 * four bits at a time; no code word is shorter than five bits, so a step emits one symbol at most.
 */

import { ConnectionError, Http2Code } from "./protocol.ts";

// prettier-ignore
/** Length in bits of the code word of each byte, and last of EOS. */
const codeLengths: readonly number[] = [
  13, 23, 28, 28, 28, 28, 28, 28, 28, 24, 30, 28, 28, 30, 28, 28, 28, 28, 28, 28, 28, 28, 30, 28, 28, 28, 28, 28, 28, 28, 28, 28,
  6, 10, 10, 12, 13, 6, 8, 11, 10, 10, 8, 11, 8, 6, 6, 6, 5, 5, 5, 6, 6, 6, 6, 6, 6, 6, 7, 8, 15, 6, 12, 10,
  13, 6, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 8, 7, 8, 13, 19, 13, 14, 6,
  15, 5, 6, 5, 6, 5, 6, 6, 6, 5, 7, 7, 6, 6, 6, 5, 6, 7, 6, 5, 5, 6, 7, 7, 7, 7, 7, 15, 11, 14, 13, 28,
  20, 22, 20, 20, 22, 22, 22, 23, 22, 23, 23, 23, 23, 23, 24, 23, 24, 24, 22, 23, 24, 23, 23, 23, 23, 21, 22, 23, 22, 23, 23, 24,
  22, 21, 20, 22, 22, 23, 23, 21, 23, 22, 22, 24, 21, 22, 23, 23, 21, 21, 22, 21, 23, 22, 23, 23, 20, 22, 22, 22, 23, 22, 22, 23,
  26, 26, 20, 19, 22, 23, 22, 25, 26, 26, 26, 27, 27, 26, 24, 25, 19, 21, 26, 27, 27, 26, 27, 24, 21, 21, 26, 26, 28, 27, 27, 27,
  20, 24, 20, 21, 22, 21, 21, 23, 22, 22, 25, 25, 24, 24, 26, 23, 26, 27, 26, 26, 27, 27, 27, 27, 27, 28, 27, 27, 27, 27, 27, 26,
  30,
];

const eos = 256;
const noSymbol = -1;

/** `next[state * 16 + nibble]`: the state after four more bits. */
const next = new Uint16Array(256 * 16);
/** `symbol[state * 16 + nibble]`: what those four bits completed, or {@link noSymbol}, or {@link eos}. */
const symbol = new Int16Array(256 * 16).fill(noSymbol);
/** States in which a string may end: at most seven one-bits since the last symbol (RFC 7541 §5.2). */
const mayEnd = new Uint8Array(256);

buildAutomaton();

/**
 * Decodes `source[start, end)` into `target` from 0, which must hold at least 8/5 of the input.
 * Returns the number of bytes written; throws a COMPRESSION_ERROR for EOS or wrong padding.
 */
export function decodeHuffman(
  source: Uint8Array,
  start: number,
  end: number,
  target: Uint8Array,
): number {
  let state = 0;
  let length = 0;
  for (let i = start; i < end; i++) {
    const byte = source[i]!;
    const high = (state << 4) | (byte >> 4);
    const first = symbol[high]!;
    const low = (next[high]! << 4) | (byte & 15);
    const second = symbol[low]!;
    state = next[low]!;
    if (first !== noSymbol) target[length++] = first;
    if (second !== noSymbol) target[length++] = second;
    if (first === eos || second === eos) {
      throw new ConnectionError(Http2Code.compressionError, "a Huffman string contains EOS");
    }
  }
  if (mayEnd[state] === 0) {
    throw new ConnectionError(Http2Code.compressionError, "a Huffman string is padded wrongly");
  }
  return length;
}

/** Builds the binary tree from the lengths, then its closure over four bits. */
function buildAutomaton(): void {
  const left = new Int32Array(256);
  const right = new Int32Array(256);
  growTree(left, right);
  for (let state = 0; state < 256; state++) {
    for (let nibble = 0; nibble < 16; nibble++) {
      let node = state;
      for (let bit = 3; bit >= 0; bit--) {
        const child = ((nibble >> bit) & 1) === 0 ? left[node]! : right[node]!;
        if (child < 0) symbol[state * 16 + nibble] = -child - 1;
        node = child < 0 ? 0 : child;
      }
      next[state * 16 + nibble] = node;
    }
  }
  for (let depth = 0, node = 0; depth < 8; depth++, node = right[node]!) mayEnd[node] = 1;
}

/** Inner nodes are numbered from the root, 0; a leaf is stored as minus its symbol minus one. */
function growTree(left: Int32Array, right: Int32Array): void {
  let nodes = 1;
  let code = 0;
  for (let bits = 1; bits <= 30; bits++) {
    code *= 2;
    for (let s = 0; s <= eos; s++) {
      if (codeLengths[s] !== bits) continue;
      let node = 0;
      for (let bit = bits - 1; bit > 0; bit--) {
        const side = ((code >>> bit) & 1) === 0 ? left : right;
        if (side[node] === 0) side[node] = nodes++;
        node = side[node]!;
      }
      ((code & 1) === 0 ? left : right)[node] = -s - 1;
      code++;
    }
  }
}
