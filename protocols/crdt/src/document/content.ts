/**
 * What an item holds. One column keeps the content of all kinds; the kind in the item's flags says which
 * of them it is, so every cast of this package that names a kind is sound by construction.
 */

import { type Reader, type Writer } from "@quorate/kernel";

import { takeAny, type Value, writeAny } from "./any.ts";
import { Branch } from "./branch.ts";
import { DocumentError } from "./errors.ts";
import {
  halves,
  takeBytes,
  takeCount,
  takeSmall,
  takeText,
  takeUint,
  writeBytes,
  writeText,
  writeUint,
} from "./wire.ts";

/** Kinds of struct, by their number on the wire. */
export const GC = 0;
export const TOMBSTONE = 1;
export const JSONS = 2;
export const BINARY = 3;
export const STRING = 4;
export const EMBED = 5;
export const FORMAT = 6;
export const TYPE = 7;
export const ANY = 8;
export const SUBDOCUMENT = 9;
export const SKIP = 10;

/** The flags of an item: its kind, and what happened to it. */
export const KIND = 0x0f;
export const DELETED = 0x10;
/** Takes no place among the visible units: format marks and tombstones without content. */
export const UNCOUNTED = 0x20;
/** An undo step may bring it back: its content must stay. */
export const KEPT = 0x40;
/** An undo step has brought it back under another id. */
export const REDONE = 0x80;

/** One end of a stretch of formatted text: from here on, `key` has `value`; null ends it. */
export interface Mark {
  readonly key: string;
  readonly value: Value;
}

/** A document inside a document, by name only; opening it is the caller's business. */
export interface Subdocument {
  readonly guid: string;
  readonly options: Value;
}

export type Content =
  | null
  | string
  | Value[]
  | { readonly embed: Value }
  | Mark
  | Subdocument
  | Uint8Array
  | Branch;

export function flagsOf(kind: number): number {
  if (kind === FORMAT) return FORMAT | UNCOUNTED;
  return kind === TOMBSTONE || kind === GC ? kind | UNCOUNTED | DELETED : kind;
}

/** How many clocks `content` takes. */
export function lengthOf(kind: number, content: Content): number {
  return kind === STRING || kind === ANY || kind === JSONS
    ? (content as string | Value[]).length
    : 1;
}

/** The part of a divisible content from `offset` on. Splitting a pair is what {@link severed} is for. */
export function tailOf(kind: number, content: Content, offset: number): Content {
  if (content === null) return null;
  return kind === STRING || kind === ANY || kind === JSONS
    ? (content as string | Value[]).slice(offset)
    : content;
}

/** The part of a divisible content before `offset`. */
export function headOf(kind: number, content: Content, offset: number): Content {
  if (content === null) return null;
  return kind === STRING || kind === ANY || kind === JSONS
    ? (content as string | Value[]).slice(0, offset)
    : content;
}

/**
 * Cuts text for a remote operation. Local ones never cut a surrogate pair; when a peer's operation
 * does, both halves become U+FFFD, as they do on every Yjs replica: all keep showing the same.
 */
export function severed(text: string, at: number): readonly [string, string] {
  if (!halves(text, at)) return [text.slice(0, at), text.slice(at)];
  return [`${text.slice(0, at - 1)}\ufffd`, `\ufffd${text.slice(at + 1)}`];
}

/** Joins two contents of one kind in place of the first. The caller knows that the kind allows it. */
export function joined(kind: number, left: Content, right: Content): Content {
  if (kind === STRING) return (left as string) + (right as string);
  if (kind === ANY || kind === JSONS) {
    for (const value of right as Value[]) (left as Value[]).push(value);
  }
  return left;
}

export function isDivisible(kind: number): boolean {
  return kind === STRING || kind === ANY || kind === JSONS || kind === TOMBSTONE || kind === GC;
}

/** Writes the content of an item of `length` units from unit `offset` on. */
export function writeContent(
  writer: Writer,
  kind: number,
  content: Content,
  length: number,
  offset: number,
): void {
  switch (kind) {
    case STRING:
      return writeText(writer, content as string, offset);
    case TOMBSTONE:
      return writeUint(writer, length - offset);
    case ANY:
    case JSONS: {
      const values = content as Value[];
      writeUint(writer, values.length - offset);
      for (let i = offset; i < values.length; i++) {
        if (kind === ANY) writeAny(writer, values[i]);
        else writeText(writer, values[i] === undefined ? "undefined" : toJson(values[i]));
      }
      return;
    }
    case BINARY:
      return writeBytes(writer, content as Uint8Array);
    case EMBED:
      return writeText(writer, toJson((content as { readonly embed: Value }).embed));
    case FORMAT:
      writeText(writer, (content as Mark).key);
      return writeText(writer, toJson((content as Mark).value));
    case TYPE: {
      const { kind: type, name } = content as Branch;
      writeUint(writer, type);
      if (type === 3 || type === 5) writeText(writer, name);
      return;
    }
    default:
      writeText(writer, (content as Subdocument).guid);
      return writeAny(writer, (content as Subdocument).options);
  }
}

/** Reads the content of a struct. A tombstone's is its length, which the caller reads. */
export function takeContent(reader: Reader, kind: number): Content {
  switch (kind) {
    case STRING:
      return takeText(reader);
    case ANY: {
      const values: Value[] = [];
      for (let left = takeCount(reader); left > 0; left--) values.push(takeAny(reader));
      return values;
    }
    case JSONS: {
      const values: Value[] = [];
      for (let left = takeCount(reader); left > 0; left--) {
        const text = takeText(reader);
        values.push(text === "undefined" ? undefined : fromJson(text));
      }
      return values;
    }
    case BINARY:
      return takeBytes(reader).slice();
    case EMBED:
      return { embed: fromJson(takeText(reader)) };
    case FORMAT: {
      const key = takeText(reader);
      return { key, value: fromJson(takeText(reader)) };
    }
    case TYPE: {
      const type = takeUint(reader);
      if (type > 6) throw new DocumentError("malformed", `no shared type has the number ${type}`);
      return new Branch(type, type === 3 || type === 5 ? takeText(reader) : "");
    }
    case SUBDOCUMENT: {
      const guid = takeText(reader);
      return { guid, options: takeAny(reader) };
    }
    default:
      throw new DocumentError("malformed", `no content has the number ${kind}`);
  }
}

/** Reads a length that is not part of a content: of a tombstone, a collected struct or a gap. */
export function takeLength(reader: Reader): number {
  return takeSmall(reader);
}

/** A copy that a redo step can place anew. */
export function copyOf(kind: number, content: Content): Content {
  if (kind === ANY || kind === JSONS) return (content as Value[]).slice();
  if (kind === TYPE) return new Branch((content as Branch).kind, (content as Branch).name);
  return content;
}

/** What a reader of the document sees at each unit: characters, values, shared types. */
export function valueAt(
  kind: number,
  content: Content,
  offset: number,
): Value | Branch | Subdocument {
  switch (kind) {
    case STRING:
      return (content as string).charAt(offset);
    case ANY:
    case JSONS:
      return (content as Value[])[offset];
    case EMBED:
      return (content as { readonly embed: Value }).embed;
    case BINARY:
    case TYPE:
    case SUBDOCUMENT:
      return content as Uint8Array | Branch | Subdocument;
    default:
      return undefined;
  }
}

function toJson(value: Value): string {
  // The library says string, but undefined has no JSON; Yjs writes the word then, and so do we.
  return (JSON.stringify(value) as string | undefined) ?? "undefined";
}

const MAX_JSON_DEPTH = 100;

function fromJson(text: string): Value {
  try {
    return bounded(JSON.parse(text) as Value, 0);
  } catch (error) {
    if (error instanceof DocumentError) throw error;
    throw new DocumentError("malformed", "an embedded value is not JSON");
  }
}

function bounded(value: Value, depth: number): Value {
  if (depth > MAX_JSON_DEPTH) throw new DocumentError("too-large", "values nested too deeply");
  if (typeof value === "object" && value !== null) {
    for (const item of Object.values(value)) bounded(item as Value, depth + 1);
  }
  return value;
}
