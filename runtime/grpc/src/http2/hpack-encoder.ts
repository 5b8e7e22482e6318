/**
 * The HPACK encoder of responses: literals that touch no dynamic table (RFC 7541 §6.2.2), so that a block can be
 * encoded once and sent on every connection. It keeps no state, hence ignores the peer's HEADER_TABLE_SIZE lawfully.
 */

import { flag, frameHeaderBytes, frameType } from "./protocol.ts";
import { staticTable } from "./static-table.ts";

/** A header to send: a lower-case name and a value of bytes 32 to 126. */
export type HeaderPair = readonly [name: string, value: string];

/** Encodes a header list. Only the exact entries of the static table are indexed. */
export function encodeHeaders(headers: readonly HeaderPair[]): Buffer {
  const parts: Buffer[] = [];
  for (const [name, value] of headers) {
    const exact = staticTable.findIndex((field) => field.name === name && field.value === value);
    if (exact >= 0) {
      parts.push(integer(0x80, 0x7f, exact + 1));
      continue;
    }
    const named = staticTable.findIndex((field) => field.name === name);
    parts.push(integer(0, 0x0f, named + 1));
    if (named < 0) parts.push(string(name));
    parts.push(string(value));
  }
  return Buffer.concat(parts);
}

/** A HEADERS frame, made for stream 0. Its block must be smaller than any MAX_FRAME_SIZE. */
export function headersFrame(headers: readonly HeaderPair[], endStream: number): Buffer {
  const block = encodeHeaders(headers);
  const frame = Buffer.alloc(frameHeaderBytes + block.length);
  frame.writeUIntBE(block.length, 0, 3);
  frame[3] = frameType.headers;
  frame[4] = flag.endHeaders | endStream;
  block.copy(frame, frameHeaderBytes);
  return frame;
}

function string(text: string): Buffer {
  const bytes = Buffer.from(text, "latin1");
  return Buffer.concat([integer(0, 0x7f, bytes.length), bytes]);
}

function integer(pattern: number, mask: number, value: number): Buffer {
  if (value < mask) return Buffer.of(pattern | value);
  const bytes = [pattern | mask];
  let rest = value - mask;
  for (; rest >= 0x80; rest >>>= 7) bytes.push((rest & 0x7f) | 0x80);
  bytes.push(rest);
  return Buffer.from(bytes);
}
