/** Plain values that registers and sets hold: how they are encoded and named. */

import { bool, type Codec, int, MalformedInput, text, uint } from "@quorate/kernel";

/** JSON, without the possibility of `undefined`. */
export type Json =
  | null
  | boolean
  | number
  | string
  | readonly Json[]
  | { readonly [key: string]: Json };

/** A kind of value. */
export interface Scalar<T> {
  /** Part of the schema's name. */
  readonly name: string;
  readonly codec: Codec<T>;
}

/** A kind of value that sets may hold: each has one text, and equal values have equal texts. */
export interface Keyed<T> extends Scalar<T> {
  toKey(value: T): string;
  /** `undefined` for text that belongs to no value. */
  fromKey(key: string): T | undefined;
}

const scratch = new DataView(new ArrayBuffer(8));

/** Eight bytes, big endian; the one NaN. */
const float: Codec<number> = {
  write(writer, value) {
    scratch.setFloat64(0, value);
    for (let i = 0; i < 8; i++) writer.byte(scratch.getUint8(i));
  },
  read(reader) {
    const bytes = reader.take(8);
    for (const [i, byte] of bytes.entries()) scratch.setUint8(i, byte);
    return scratch.getFloat64(0);
  },
};

/** Integers below 2^52 are short; anything else takes nine bytes. */
const numberCodec: Codec<number> = {
  write(writer, value) {
    const short = Number.isInteger(value) && Math.abs(value) < 2 ** 51 && !Object.is(value, -0);
    bool.write(writer, short);
    (short ? int : float).write(writer, value);
  },
  read: (reader) => (bool.read(reader) ? int : float).read(reader),
};

/** Values nest to this depth. */
export const MAX_NESTING = 64;

const TAGS = { null: 0, false: 1, true: 2, number: 3, string: 4, array: 5, object: 6 } as const;

const jsonCodec: Codec<Json> = {
  write(writer, value) {
    if (value === null) writer.byte(TAGS.null);
    else if (typeof value === "boolean") writer.byte(value ? TAGS.true : TAGS.false);
    else if (typeof value === "number") {
      writer.byte(TAGS.number);
      numberCodec.write(writer, value);
    } else if (typeof value === "string") {
      writer.byte(TAGS.string);
      text.write(writer, value);
    } else if (isArray(value)) {
      writer.byte(TAGS.array);
      uint.write(writer, value.length);
      for (const one of value) jsonCodec.write(writer, one);
    } else {
      writer.byte(TAGS.object);
      const keys = Object.keys(value).toSorted();
      uint.write(writer, keys.length);
      for (const key of keys) {
        text.write(writer, key);
        jsonCodec.write(writer, value[key]!);
      }
    }
  },
  read: (reader) => readJson(reader, MAX_NESTING),
};

function readJson(reader: Parameters<typeof jsonCodec.read>[0], depth: number): Json {
  if (depth === 0) throw new MalformedInput("value nested too deeply");
  const tag = reader.byte();
  switch (tag) {
    case TAGS.null:
      return null;
    case TAGS.false:
      return false;
    case TAGS.true:
      return true;
    case TAGS.number:
      return numberCodec.read(reader);
    case TAGS.string:
      return text.read(reader);
    case TAGS.array: {
      const values: Json[] = [];
      for (let left = readLength(reader); left > 0; left--)
        values.push(readJson(reader, depth - 1));
      return values;
    }
    case TAGS.object: {
      const entries: [string, Json][] = [];
      for (let left = readLength(reader); left > 0; left--) {
        entries.push([text.read(reader), readJson(reader, depth - 1)]);
      }
      return Object.fromEntries(entries);
    }
    default:
      throw new MalformedInput("unknown kind of value");
  }
}

function readLength(reader: Parameters<typeof jsonCodec.read>[0]): number {
  const length = uint.read(reader);
  if (length > reader.left) throw new MalformedInput("value longer than the input");
  return length;
}

export function isArray(value: Json): value is readonly Json[] {
  return Array.isArray(value);
}

export const string: Keyed<string> = Object.freeze({
  name: "string",
  codec: text,
  toKey: (value: string) => value,
  fromKey: (key: string) => key,
});

export const number: Keyed<number> = Object.freeze({
  name: "number",
  codec: numberCodec,
  toKey: (value: number) => String(value === 0 ? 0 : value),
  fromKey(key: string) {
    const value = Number(key);
    return String(value) === key ? value : undefined;
  },
});

export const boolean: Scalar<boolean> = Object.freeze({ name: "boolean", codec: bool });

export const json: Scalar<Json> = Object.freeze({ name: "json", codec: jsonCodec });
