/** MessagePack without a schema, for tests: plain values in and out. */

import { type Reader } from "@quorate/kernel";

import {
  arrayHead,
  bool,
  bytes,
  float,
  int,
  mapHead,
  PackWriter,
  readArrayHead,
  takeNil,
  text,
} from "../msgpack/index.ts";

export function encodeAny(value: unknown): Uint8Array {
  const writer = new PackWriter("new");
  write(writer, value);
  return writer.finish();
}

function write(writer: PackWriter, value: unknown): void {
  if (typeof value === "string") text.write(writer, value);
  else if (typeof value === "number") int.write(writer, value);
  else if (typeof value === "boolean") bool.write(writer, value);
  else if (value instanceof Uint8Array) bytes.write(writer, value);
  else if (Array.isArray(value)) {
    arrayHead(writer, value.length);
    for (const each of value) write(writer, each);
  } else {
    const entries = Object.entries(value as object);
    mapHead(writer, entries.length);
    for (const [key, each] of entries) {
      text.write(writer, key);
      write(writer, each);
    }
  }
}

/** Texts become strings, bytes arrays of bytes, maps objects. */
export function decodeAny(reader: Reader): unknown {
  if (takeNil(reader)) return null;
  const head = reader.bytes[reader.offset]!;
  if (head === 0xc2 || head === 0xc3) return bool.read(reader);
  if (head === 0xca || head === 0xcb) return float.read(reader);
  if ((head >= 0xa0 && head < 0xc0) || (head >= 0xd9 && head <= 0xdb)) return text.read(reader);
  if (head >= 0xc4 && head <= 0xc6) return new Uint8Array(bytes.read(reader));
  if ((head & 0xf0) === 0x90 || head === 0xdc || head === 0xdd) {
    return Array.from({ length: readArrayHead(reader) }, () => decodeAny(reader));
  }
  if ((head & 0xf0) === 0x80) {
    reader.offset++;
    const pairs = Array.from({ length: head & 0x0f }, () => [text.read(reader), decodeAny(reader)]);
    return Object.fromEntries(pairs) as unknown;
  }
  return int.read(reader);
}
