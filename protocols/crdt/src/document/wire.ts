/**
 * The primitives of the Yjs v1 format that the kernel's codecs lack: text at the speed of a
 * document, signed integers with a sign bit, and reading without a call per byte.
 *
 * Text is measured in UTF-16 units everywhere; only on the wire is it UTF-8. It is coded by hand, since
 * most runs are short, where hand-written loops win; long text goes through the host's decoder.
 */

import { type Reader, uint, type Writer } from "@quorate/kernel";

import { DocumentError } from "./errors.ts";

/** Clocks, lengths and counts live in 32-bit columns. */
export const MAX_CLOCK = 0x7fff_ffff;

const SHORT = 12;
const CHUNK = 4096;
/** From this many bytes on the host's decoder is faster. */
const LONG = 96;
const units = new Uint16Array(CHUNK + 2);

interface TextDecoding {
  decode(bytes: Uint8Array): string;
}

/** The host's decoder, where there is one: every browser and server has it, the language does not. */
const host: TextDecoding | null = hostDecoder();

function hostDecoder(): TextDecoding | null {
  const { TextDecoder } = globalThis as {
    TextDecoder?: new (label: string, options: object) => TextDecoding;
  };
  return TextDecoder === undefined
    ? null
    : new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });
}

/** Writes an unsigned integer. The caller has reserved ten bytes. */
export function putUint(writer: Writer, value: number): void {
  const { bytes } = writer;
  let { length } = writer;
  while (value > 0x7fff_ffff) {
    bytes[length++] = (value % 0x80) | 0x80;
    value = Math.floor(value / 0x80);
  }
  while (value >= 0x80) {
    bytes[length++] = (value & 0x7f) | 0x80;
    value >>>= 7;
  }
  bytes[length++] = value;
  writer.length = length;
}

/** Writes an unsigned integer and makes room for it. */
export function writeUint(writer: Writer, value: number): void {
  writer.reserve(10);
  putUint(writer, value);
}

export function takeUint(reader: Reader): number {
  const { bytes, offset } = reader;
  const first = bytes[offset];
  if (first !== undefined && first < 0x80) {
    reader.offset = offset + 1;
    return first;
  }
  // Clocks and lengths mostly take two or three bytes: read them without a call for each.
  const second = bytes[offset + 1];
  if (second === undefined) return uint.read(reader);
  if (second < 0x80) {
    reader.offset = offset + 2;
    return (first! & 0x7f) | (second << 7);
  }
  const third = bytes[offset + 2];
  if (third === undefined || third >= 0x80) return uint.read(reader);
  reader.offset = offset + 3;
  return (first! & 0x7f) | ((second & 0x7f) << 7) | (third << 14);
}

/** An unsigned integer that must fit a 32-bit column. */
export function takeSmall(reader: Reader): number {
  const value = takeUint(reader);
  if (value > MAX_CLOCK) throw new DocumentError("too-large", `${value} is beyond 2^31`);
  return value;
}

/** A number of things that take at least one byte each. */
export function takeCount(reader: Reader): number {
  const value = takeUint(reader);
  if (value > reader.left) throw new DocumentError("malformed", "more items than bytes");
  return value;
}

export function takeBytes(reader: Reader): Uint8Array {
  return reader.take(takeUint(reader));
}

export function writeBytes(writer: Writer, bytes: Uint8Array): void {
  writeUint(writer, bytes.length);
  writer.raw(bytes);
}

/** Sign and magnitude: six bits and a sign in the first byte. */
export function writeInt(writer: Writer, value: number): void {
  writer.reserve(10);
  const negative = value === 0 ? 1 / value < 0 : value < 0;
  const magnitude = Math.abs(value);
  const rest = Math.floor(magnitude / 64);
  writer.bytes[writer.length++] = (rest > 0 ? 0x80 : 0) | (negative ? 0x40 : 0) | (magnitude % 64);
  if (rest > 0) putUint(writer, rest);
}

export function takeInt(reader: Reader): number {
  const first = reader.byte();
  let magnitude = first & 0x3f;
  if (first >= 0x80) magnitude += takeUint(reader) * 64;
  return (first & 0x40) === 0 ? magnitude : -magnitude;
}

/** Writes `text` from unit `from` on, as UTF-8 behind its length. Lone surrogates become U+FFFD. */
export function writeText(writer: Writer, text: string, from = 0): void {
  const count = text.length - from;
  writer.reserve(count * 3 + 10);
  if (count < 0x80) {
    const { bytes } = writer;
    let at = writer.length + 1;
    let i = from;
    for (; i < text.length; i++) {
      const unit = text.charCodeAt(i);
      if (unit >= 0x80) break;
      bytes[at++] = unit;
    }
    if (i === text.length) {
      bytes[writer.length] = count;
      writer.length = at;
      return;
    }
  }
  putUint(writer, utf8Length(text, from));
  putUtf8(writer, text, from);
}

function utf8Length(text: string, from: number): number {
  let length = 0;
  for (let i = from; i < text.length; i++) {
    const unit = text.charCodeAt(i);
    if (unit < 0x80) length++;
    else if (unit < 0x800) length += 2;
    else if (isHigh(unit) && isLow(text.charCodeAt(i + 1))) {
      length += 4;
      i++;
    } else length += 3;
  }
  return length;
}

function putUtf8(writer: Writer, text: string, from: number): void {
  const { bytes } = writer;
  let at = writer.length;
  for (let i = from; i < text.length; i++) {
    let unit = text.charCodeAt(i);
    if (unit < 0x80) {
      bytes[at++] = unit;
      continue;
    }
    if (unit < 0x800) {
      bytes[at++] = 0xc0 | (unit >> 6);
      bytes[at++] = 0x80 | (unit & 0x3f);
      continue;
    }
    const next = isHigh(unit) ? text.charCodeAt(i + 1) : 0;
    if (isLow(next)) {
      const point = 0x1_0000 + ((unit - 0xd800) << 10) + (next - 0xdc00);
      bytes[at++] = 0xf0 | (point >> 18);
      bytes[at++] = 0x80 | ((point >> 12) & 0x3f);
      bytes[at++] = 0x80 | ((point >> 6) & 0x3f);
      bytes[at++] = 0x80 | (point & 0x3f);
      i++;
      continue;
    }
    if (unit >= 0xd800 && unit < 0xe000) unit = 0xfffd;
    bytes[at++] = 0xe0 | (unit >> 12);
    bytes[at++] = 0x80 | ((unit >> 6) & 0x3f);
    bytes[at++] = 0x80 | (unit & 0x3f);
  }
  writer.length = at;
}

/** Reads UTF-8 behind its length. Anything that is not UTF-8 is refused. */
export function takeText(reader: Reader): string {
  const length = takeUint(reader);
  if (length > reader.left) throw new DocumentError("malformed", "text beyond the end");
  const { bytes } = reader;
  const start = reader.offset;
  const end = start + length;
  if (length >= LONG && host !== null) {
    reader.offset = end;
    try {
      return host.decode(bytes.subarray(start, end));
    } catch {
      throw notUtf8();
    }
  }
  let at = start;
  while (at < end && bytes[at]! < 0x80) at++;
  reader.offset = end;
  if (at === end) return asciiText(bytes, start, end);
  return utf8Text(bytes, start, end);
}

function asciiText(bytes: Uint8Array, start: number, end: number): string {
  if (end - start <= SHORT) {
    let text = "";
    for (let i = start; i < end; i++) text += String.fromCharCode(bytes[i]!);
    return text;
  }
  if (end - start <= CHUNK) return fromUnits(bytes.subarray(start, end));
  const parts: string[] = [];
  for (let i = start; i < end; i += CHUNK) {
    parts.push(fromUnits(bytes.subarray(i, Math.min(end, i + CHUNK))));
  }
  return parts.join("");
}

function utf8Text(bytes: Uint8Array, start: number, end: number): string {
  const parts: string[] = [];
  let filled = 0;
  let at = start;
  while (at < end) {
    const first = bytes[at]!;
    const size = first < 0x80 ? 1 : first < 0xc2 ? 0 : first < 0xe0 ? 2 : first < 0xf0 ? 3 : 4;
    if (size === 0 || first > 0xf4 || at + size > end) throw notUtf8();
    let point = size === 1 ? first : first & (0xff >> (size + 1));
    for (let i = 1; i < size; i++) {
      const byte = bytes[at + i]!;
      if ((byte & 0xc0) !== 0x80) throw notUtf8();
      point = (point << 6) | (byte & 0x3f);
    }
    at += size;
    if ((size === 3 && point < 0x800) || (size === 4 && point < 0x1_0000)) throw notUtf8();
    if (point > 0x10_ffff || (point >= 0xd800 && point < 0xe000)) throw notUtf8();
    if (point < 0x1_0000) units[filled++] = point;
    else {
      units[filled++] = 0xd800 + ((point - 0x1_0000) >> 10);
      units[filled++] = 0xdc00 + (point & 0x3ff);
    }
    if (filled >= CHUNK) {
      parts.push(fromUnits(units.subarray(0, filled)));
      filled = 0;
    }
  }
  parts.push(fromUnits(units.subarray(0, filled)));
  return parts.length === 1 ? parts[0]! : parts.join("");
}

function notUtf8(): DocumentError {
  return new DocumentError("malformed", "text is not UTF-8");
}

/** `apply` takes any array-like, which the library's types do not say of typed arrays. */
function fromUnits(codes: Uint8Array | Uint16Array): string {
  return String.fromCharCode.apply(null, codes as unknown as number[]);
}

function isHigh(unit: number): boolean {
  return unit >= 0xd800 && unit < 0xdc00;
}

function isLow(unit: number): boolean {
  return unit >= 0xdc00 && unit < 0xe000;
}

/** True when cutting `text` before unit `at` would halve a surrogate pair. */
export function halves(text: string, at: number): boolean {
  return at > 0 && isLow(text.charCodeAt(at)) && isHigh(text.charCodeAt(at - 1));
}

const LONE = /[\ud800-\udbff](?![\udc00-\udfff])|(?<![\ud800-\udbff])[\udc00-\udfff]/g;

/** Text with lone surrogates replaced by U+FFFD: what everybody else will read. */
export function wellFormed(text: string): string {
  for (let i = 0; i < text.length; i++) {
    const unit = text.charCodeAt(i);
    if (unit >= 0xd800 && unit < 0xe000) return text.replace(LONE, "\ufffd");
  }
  return text;
}
