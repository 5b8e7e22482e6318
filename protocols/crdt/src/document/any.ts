/**
 * Plain values inside a document, in the encoding that lib0 calls "any": a tag byte, then the value.
 *
 * Values nest to {@link MAX_DEPTH}; deeper input is refused before the stack is in danger.
 */

import { type Reader, type Writer } from "@quorate/kernel";

import { DocumentError } from "./errors.ts";
import {
  takeBytes,
  takeCount,
  takeInt,
  takeText,
  writeBytes,
  writeInt,
  writeText,
  writeUint,
} from "./wire.ts";

/** What a document can hold beside shared types. Objects are plain; values are not to be changed in place. */
export type Value =
  | undefined
  | null
  | boolean
  | number
  | bigint
  | string
  | Uint8Array
  | readonly Value[]
  | { readonly [key: string]: Value };

const MAX_DEPTH = 100;
const MAX_INT = 0x7fff_ffff;
const scratch = new DataView(new ArrayBuffer(8));

export function writeAny(writer: Writer, value: Value): void {
  switch (typeof value) {
    case "string":
      writer.byte(119);
      return writeText(writer, value);
    case "number":
      return writeNumber(writer, value);
    case "bigint":
      writer.byte(122);
      scratch.setBigInt64(0, value);
      return scratchBytes(writer, 8);
    case "boolean":
      return writer.byte(value ? 120 : 121);
    case "object":
      return writeObject(writer, value);
    default:
      return writer.byte(127);
  }
}

function writeNumber(writer: Writer, value: number): void {
  if (Number.isInteger(value) && Math.abs(value) <= MAX_INT) {
    writer.byte(125);
    return writeInt(writer, value);
  }
  const single = Math.fround(value) === value;
  writer.byte(single ? 124 : 123);
  if (single) scratch.setFloat32(0, value);
  else scratch.setFloat64(0, value);
  scratchBytes(writer, single ? 4 : 8);
}

function scratchBytes(writer: Writer, length: number): void {
  for (let i = 0; i < length; i++) writer.byte(scratch.getUint8(i));
}

function writeObject(writer: Writer, value: Value & (object | null)): void {
  if (value === null) return writer.byte(126);
  if (value instanceof Uint8Array) {
    writer.byte(116);
    return writeBytes(writer, value);
  }
  if (Array.isArray(value)) {
    writer.byte(117);
    writeUint(writer, value.length);
    for (const item of value as readonly Value[]) writeAny(writer, item);
    return;
  }
  const record = value as { readonly [key: string]: Value };
  const keys = Object.keys(record);
  writer.byte(118);
  writeUint(writer, keys.length);
  for (const key of keys) {
    writeText(writer, key);
    writeAny(writer, record[key]);
  }
}

/** @throws DocumentError for an unknown tag or nesting beyond the limit. */
export function takeAny(reader: Reader, depth = 0): Value {
  if (depth > MAX_DEPTH) throw new DocumentError("too-large", "values nested too deeply");
  const tag = reader.byte();
  switch (tag) {
    case 116:
      return takeBytes(reader).slice();
    case 117: {
      const items: Value[] = [];
      for (let left = takeCount(reader); left > 0; left--) items.push(takeAny(reader, depth + 1));
      return items;
    }
    case 118: {
      const record: { [key: string]: Value } = {};
      for (let left = takeCount(reader); left > 0; left--) {
        const key = takeText(reader);
        setOwn(record, key, takeAny(reader, depth + 1));
      }
      return record;
    }
    case 119:
      return takeText(reader);
    case 120:
      return true;
    case 121:
      return false;
    case 122:
      return takeScratch(reader, 8).getBigInt64(0);
    case 123:
      return takeScratch(reader, 8).getFloat64(0);
    case 124:
      return takeScratch(reader, 4).getFloat32(0);
    case 125:
      return takeInt(reader);
    case 126:
      return null;
    case 127:
      return undefined;
    default:
      throw new DocumentError("malformed", `no value has the tag ${tag}`);
  }
}

function takeScratch(reader: Reader, length: number): DataView {
  const bytes = reader.take(length);
  for (let i = 0; i < length; i++) scratch.setUint8(i, bytes[i]!);
  return scratch;
}

/** Sets an own property even when the key is `__proto__`. */
export function setOwn<T>(record: { [key: string]: T }, key: string, value: T): void {
  if (key !== "__proto__") record[key] = value;
  else {
    const own = { value, writable: true, enumerable: true, configurable: true };
    Object.defineProperty(record, key, own);
  }
}

/**
 * A private copy of a caller's value, so that no later change of it reaches the document.
 * @throws DocumentError `unsupported-value` for functions, symbols, class instances and cycles.
 */
export function copyValue(value: unknown, depth = 0): Value {
  if (depth > MAX_DEPTH) throw new DocumentError("unsupported-value", "nested too deeply");
  switch (typeof value) {
    case "undefined":
    case "boolean":
    case "number":
    case "string":
      return value;
    case "bigint":
      if (BigInt.asIntN(64, value) === value) return value;
      throw new DocumentError("unsupported-value", "a bigint beyond 64 bits");
    case "object":
      break;
    default:
      throw new DocumentError("unsupported-value", `a ${typeof value} is not a plain value`);
  }
  if (value === null) return null;
  if (value instanceof Uint8Array) return value.slice();
  if (Array.isArray(value)) return value.map((item) => copyValue(item, depth + 1));
  const proto: unknown = Object.getPrototypeOf(value);
  if (proto !== null && Object.getPrototypeOf(proto) !== null) {
    throw new DocumentError("unsupported-value", "only plain objects can be stored");
  }
  const copy: { [key: string]: Value } = {};
  for (const [key, item] of Object.entries(value)) setOwn(copy, key, copyValue(item, depth + 1));
  return copy;
}

/** Deep equality of values, as JSON would see them. */
export function sameValue(a: unknown, b: unknown): boolean {
  if (a === b) return true;
  if (typeof a !== "object" || typeof b !== "object" || a === null || b === null) return false;
  const [left, right] = [Object.entries(a), Object.entries(b)];
  if (Array.isArray(a) !== Array.isArray(b) || left.length !== right.length) return false;
  const other = b as { readonly [key: string]: unknown };
  return left.every(([key, value]) => Object.hasOwn(b, key) && sameValue(value, other[key]));
}
