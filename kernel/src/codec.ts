/**
 * Compact binary encodings, built from small typed parts.
 *
 * A codec is checked against a hand-written type, so that types stay the
 * documentation and the wire stays explicit. Readers trust nothing: every
 * length is compared with what is left before anything is allocated, and bytes
 * that mean nothing throw {@link MalformedInput}. No `eval`, so the same code
 * runs under a strict content-security policy.
 */

import { InvariantViolation } from "./invariant.ts";

/** Writes values of type `T` and reads them back. */
export interface Codec<T> {
  write(writer: Writer, value: T): void;
  /** @throws MalformedInput for bytes that no `T` encodes to. */
  read(reader: Reader): T;
}

/** Thrown for bytes that no peer following the protocol would send. */
export class MalformedInput extends Error {
  override readonly name = "MalformedInput";
}

/** A growing buffer. Reuse one for many values: allocating a fresh one each time costs most. */
export class Writer {
  bytes: Uint8Array = new Uint8Array(256);
  length = 0;

  /** Makes room for `extra` more bytes. */
  reserve(extra: number): void {
    if (this.length + extra <= this.bytes.length) return;
    const larger = new Uint8Array(Math.max(this.bytes.length * 2, this.length + extra));
    larger.set(this.bytes.subarray(0, this.length));
    this.bytes = larger;
  }

  byte(value: number): void {
    this.reserve(1);
    this.bytes[this.length++] = value;
  }

  /** Appends `bytes` as they are, without a length. */
  raw(bytes: Uint8Array): void {
    this.reserve(bytes.length);
    this.bytes.set(bytes, this.length);
    this.length += bytes.length;
  }

  /** What was written, valid until the next write. */
  view(): Uint8Array {
    return this.bytes.subarray(0, this.length);
  }

  /** What was written, given away: the writer goes on with a fresh buffer. */
  detach(): Uint8Array {
    const written = this.view();
    this.bytes = new Uint8Array(Math.max(256, this.length));
    this.length = 0;
    return written;
  }

  /** A copy of what was written. */
  finish(): Uint8Array {
    return this.bytes.slice(0, this.length);
  }
}

/** Reads one byte string from front to back. */
export class Reader {
  offset = 0;
  readonly bytes: Uint8Array;

  constructor(bytes: Uint8Array) {
    this.bytes = bytes;
  }

  /** How many bytes are left. */
  get left(): number {
    return this.bytes.length - this.offset;
  }

  byte(): number {
    const value = this.bytes[this.offset++];
    if (value === undefined) throw new MalformedInput("input ends early");
    return value;
  }

  /** The next `length` bytes, as a view of the input. */
  take(length: number): Uint8Array {
    if (length > this.left) throw new MalformedInput("length beyond the end of the input");
    const start = this.offset;
    this.offset += length;
    return this.bytes.subarray(start, this.offset);
  }
}

/** Encodes one value into bytes of its own. */
export function encode<T>(codec: Codec<T>, value: T): Uint8Array {
  const writer = new Writer();
  codec.write(writer, value);
  return writer.finish();
}

/** Decodes one value that fills `bytes` exactly. */
export function decode<T>(codec: Codec<T>, bytes: Uint8Array): T {
  const reader = new Reader(bytes);
  const value = codec.read(reader);
  if (reader.offset !== bytes.length) throw new MalformedInput("input has a tail");
  return value;
}

/** An unsigned integer below 2^53, seven bits to the byte, lowest first. */
export const uint: Codec<number> = {
  write(writer, value) {
    if (!(value >= 0 && Number.isSafeInteger(value))) {
      throw new InvariantViolation(`${value} is not an unsigned integer below 2^53`);
    }
    writer.reserve(8);
    const { bytes } = writer;
    let { length } = writer;
    while (value >= 0x8000_0000) {
      bytes[length++] = (value % 0x80) | 0x80;
      value = Math.floor(value / 0x80);
    }
    while (value >= 0x80) {
      bytes[length++] = (value & 0x7f) | 0x80;
      value >>>= 7;
    }
    bytes[length++] = value;
    writer.length = length;
  },
  read(reader) {
    const first = reader.byte();
    if (first < 0x80) return first;
    let value = first & 0x7f;
    let scale = 0x80;
    for (let i = 1; i < 8; i++) {
      const byte = reader.byte();
      value += (byte & 0x7f) * scale;
      if (byte < 0x80) {
        if (value > Number.MAX_SAFE_INTEGER) break;
        return value;
      }
      scale *= 0x80;
    }
    throw new MalformedInput("integer too large");
  },
};

/** A signed integer between -2^52 and 2^52, small magnitudes short (zigzag). */
export const int: Codec<number> = {
  write(writer, value) {
    uint.write(writer, value < 0 ? -2 * value - 1 : 2 * value);
  },
  read(reader) {
    const value = uint.read(reader);
    return value % 2 === 0 ? value / 2 : -(value + 1) / 2;
  },
};

export const bool: Codec<boolean> = {
  write: (writer, value) => writer.byte(value ? 1 : 0),
  read(reader) {
    const byte = reader.byte();
    if (byte > 1) throw new MalformedInput("neither true nor false");
    return byte === 1;
  },
};

/** Bytes behind their length. What is read is a view of the input, not a copy. */
export const bytes: Codec<Uint8Array> = {
  write(writer, value) {
    uint.write(writer, value.length);
    writer.raw(value);
  },
  read: (reader) => reader.take(uint.read(reader)),
};

/** Text as UTF-8 behind its length in bytes. Lone surrogates become U+FFFD. */
export const text: Codec<string> = {
  write(writer, value) {
    const { length } = value;
    let ascii = length < 0x80;
    for (let i = 0; ascii && i < length; i++) ascii = value.charCodeAt(i) < 0x80;
    if (!ascii) return bytes.write(writer, utf8(value));
    writer.reserve(length + 1);
    writer.bytes[writer.length++] = length;
    for (let i = 0; i < length; i++) writer.bytes[writer.length++] = value.charCodeAt(i);
  },
  read: (reader) => readUtf8(reader, uint.read(reader)),
};

/** Values of one kind behind their number. Each item must take at least one byte. */
export function list<T>(item: Codec<T>): Codec<readonly T[]> {
  return {
    write(writer, values) {
      uint.write(writer, values.length);
      for (const value of values) item.write(writer, value);
    },
    read(reader) {
      const length = uint.read(reader);
      if (length > reader.left) throw new MalformedInput("list longer than the input");
      const values: T[] = [];
      for (let i = 0; i < length; i++) values.push(item.read(reader));
      return values;
    },
  };
}

/** A value that may be `undefined`. */
export function option<T>(item: Codec<T>): Codec<T | undefined> {
  return {
    write(writer, value) {
      bool.write(writer, value !== undefined);
      if (value !== undefined) item.write(writer, value);
    },
    read: (reader) => (bool.read(reader) ? item.read(reader) : undefined),
  };
}

/** One of a few words, as its place in the list. Append to the list, never reorder it. */
export function oneOf<const T extends string>(words: readonly T[]): Codec<T> {
  return {
    write(writer, value) {
      const at = words.indexOf(value);
      if (at < 0) throw new InvariantViolation(`${value} is none of ${words.join(", ")}`);
      writer.byte(at);
    },
    read(reader) {
      const word = words[reader.byte()];
      if (word === undefined) throw new MalformedInput("unknown word");
      return word;
    },
  };
}

/** One codec for each field of `T`; an optional field is encoded as `T | undefined`. */
export type Fields<T> = { readonly [K in keyof T]-?: Codec<T[K]> };

/** An object with these fields, encoded in this order. */
export function struct<T extends object>(fields: Fields<T>): Codec<T> {
  const keys = Object.keys(fields);
  const codecs = Object.values(fields) as Codec<unknown>[];
  return {
    write(writer, value) {
      // The mapped type above guarantees that `keys` are exactly the keys of T.
      const record = value as { readonly [key: string]: unknown };
      for (let i = 0; i < keys.length; i++) codecs[i]!.write(writer, record[keys[i]!]);
    },
    read(reader) {
      const value: { [key: string]: unknown } = {};
      for (let i = 0; i < keys.length; i++) value[keys[i]!] = codecs[i]!.read(reader);
      return value as T;
    },
  };
}

/**
 * A union told apart by its `type`, each member listed with its wire tag.
 * Tags are part of the protocol: append, never renumber.
 */
export function union<T extends { readonly type: string }>(members: {
  readonly [K in T["type"]]: readonly [
    tag: number,
    fields: Fields<Omit<Extract<T, { readonly type: K }>, "type">>,
  ];
}): Codec<T> {
  interface Member {
    readonly tag: number;
    readonly type: string;
    readonly keys: readonly string[];
    readonly codecs: readonly Codec<unknown>[];
  }
  const byTag: (Member | undefined)[] = [];
  const byType = new Map<string, Member>();
  for (const type in members) {
    const [tag, fields] = members[type as T["type"]];
    const keys = Object.keys(fields);
    const codecs = Object.values(fields) as Codec<unknown>[];
    const member: Member = { tag, type, keys, codecs };
    if (byTag[tag] !== undefined) throw new InvariantViolation(`wire tag ${tag} is taken`);
    byTag[tag] = member;
    byType.set(type, member);
  }
  return {
    write(writer, value) {
      const member = byType.get(value.type);
      if (member === undefined) throw new InvariantViolation(`no codec for ${value.type}`);
      writer.byte(member.tag);
      const record = value as unknown as { readonly [key: string]: unknown };
      const { keys, codecs } = member;
      for (let i = 0; i < keys.length; i++) codecs[i]!.write(writer, record[keys[i]!]);
    },
    read(reader) {
      const member = byTag[reader.byte()];
      if (member === undefined) throw new MalformedInput("unknown wire tag");
      const value: { [key: string]: unknown } = { type: member.type };
      const { keys, codecs } = member;
      for (let i = 0; i < keys.length; i++) value[keys[i]!] = codecs[i]!.read(reader);
      return value as unknown as T;
    },
  };
}

/** Encodes text as UTF-8. Written out because `TextEncoder` belongs to hosts, not to the language. */
export function utf8(value: string): Uint8Array {
  const encoded: number[] = [];
  for (const character of value) {
    const code = character.codePointAt(0)!;
    const point = code >= 0xd800 && code < 0xe000 ? 0xfffd : code;
    if (point < 0x80) encoded.push(point);
    else if (point < 0x800) encoded.push(0xc0 | (point >> 6), 0x80 | (point & 0x3f));
    else if (point < 0x1_0000) {
      encoded.push(0xe0 | (point >> 12), 0x80 | ((point >> 6) & 0x3f), 0x80 | (point & 0x3f));
    } else {
      encoded.push(0xf0 | (point >> 18), 0x80 | ((point >> 12) & 0x3f));
      encoded.push(0x80 | ((point >> 6) & 0x3f), 0x80 | (point & 0x3f));
    }
  }
  return Uint8Array.from(encoded);
}

/** Reads `length` bytes of UTF-8. @throws MalformedInput for overlong forms and surrogates too. */
export function readUtf8(reader: Reader, length: number): string {
  if (length > reader.left) throw new MalformedInput("length beyond the end of the input");
  const end = reader.offset + length;
  let value = "";
  while (reader.offset < end) value += String.fromCodePoint(codePoint(reader, end));
  return value;
}

/** Reads one code point of UTF-8; refuses overlong forms, surrogates and anything past `end`. */
function codePoint(reader: Reader, end: number): number {
  const first = reader.byte();
  if (first < 0x80) return first;
  const length = first < 0xc2 ? 0 : first < 0xe0 ? 2 : first < 0xf0 ? 3 : first < 0xf5 ? 4 : 0;
  if (length === 0 || reader.offset + length - 1 > end) throw new MalformedInput("not UTF-8");
  let point = first & (0xff >> (length + 1));
  for (let i = 1; i < length; i++) {
    const byte = reader.byte();
    if ((byte & 0xc0) !== 0x80) throw new MalformedInput("not UTF-8");
    point = (point << 6) | (byte & 0x3f);
  }
  const overlong = (length === 3 && point < 0x800) || (length === 4 && point < 0x1_0000);
  if (overlong || point > 0x10_ffff || (point >= 0xd800 && point < 0xe000)) {
    throw new MalformedInput("not UTF-8");
  }
  return point;
}
