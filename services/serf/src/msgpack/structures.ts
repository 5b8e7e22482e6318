/** MessagePack values made of others: records by field name, lists, maps. */

import {
  arrayHead,
  mapHead,
  type Pack,
  type PackWriter,
  readArrayHead,
  readMapHead,
  skip,
  takeNil,
  text,
} from "./primitives.ts";

/** For each field of `T`: its name on the wire, and its kind. */
export type PackFields<T> = {
  readonly [K in keyof T]-?: readonly [name: string, pack: Pack<T[K]>];
};

/**
 * A Go struct: a map written in the byte order of its field names, read in any.
 * Unknown fields are skipped, missing ones get their zero value, and the last of
 * a repeated one counts.
 */
export function record<T extends object>(fields: PackFields<T>): Pack<T> {
  const entries = Object.entries<readonly [string, Pack<unknown>]>(fields)
    .map(([key, [name, pack]]) => ({ key, name, pack }))
    .toSorted((a, b) => (a.name < b.name ? -1 : 1));
  const byName = new Map(entries.map((entry) => [entry.name, entry]));
  const zero = Object.fromEntries(entries.map(({ key, pack }) => [key, pack.zero]));
  return {
    // The mapped type above guarantees that `fields` has exactly the keys of T.
    zero: Object.freeze(zero) as T,
    write(writer, value) {
      const source = value as { readonly [key: string]: unknown };
      let pairs = 0;
      for (const { key, pack } of entries) if (pack.omits?.(source[key]) !== true) pairs++;
      mapHead(writer, pairs);
      for (const { key, name, pack } of entries) {
        if (pack.omits?.(source[key]) === true) continue;
        text.write(writer, name);
        pack.write(writer, source[key]);
      }
    },
    read(reader) {
      const value: { [key: string]: unknown } = { ...zero };
      for (let pairs = readMapHead(reader); pairs > 0; pairs--) {
        const entry = byName.get(text.read(reader));
        if (entry === undefined) skip(reader);
        else value[entry.key] = entry.pack.read(reader);
      }
      return value as T;
    },
  };
}

/** A field that is left out when it is undefined (Go's `omitempty`). */
export function optional<T>(item: Pack<T>): Pack<T | undefined> {
  return {
    zero: undefined,
    omits: (value) => value === undefined,
    write(writer, value) {
      if (value !== undefined) item.write(writer, value);
    },
    read: (reader) => (takeNil(reader) ? undefined : item.read(reader)),
  };
}

/** A value that may be `nil`, which is written. */
export function nullable<T>(item: Pack<T>): Pack<T | undefined> {
  return {
    zero: undefined,
    write(writer, value) {
      if (value === undefined) writer.byte(0xc0);
      else item.write(writer, value);
    },
    read: (reader) => (takeNil(reader) ? undefined : item.read(reader)),
  };
}

/** Values of one kind; `nil` reads as none. */
export function list<T>(item: Pack<T>): Pack<readonly T[]> {
  return {
    zero: [],
    write(writer, values) {
      arrayHead(writer, values.length);
      for (const value of values) item.write(writer, value);
    },
    read(reader) {
      const values: T[] = [];
      for (let items = readArrayHead(reader); items > 0; items--) values.push(item.read(reader));
      return values;
    },
  };
}

/** A map from text to values of one kind; `nil` reads as none. */
export function dictionary<T>(item: Pack<T>): Pack<ReadonlyMap<string, T>> {
  return {
    zero: new Map(),
    write(writer, values) {
      mapHead(writer, values.size);
      for (const [key, value] of values) {
        text.write(writer, key);
        item.write(writer, value);
      }
    },
    read(reader) {
      const values = new Map<string, T>();
      for (let pairs = readMapHead(reader); pairs > 0; pairs--) {
        values.set(text.read(reader), item.read(reader));
      }
      return values;
    },
  };
}

/** Writes one value and nothing else, as bytes of their own. */
export function packed<T>(writer: PackWriter, pack: Pack<T>, value: T): Uint8Array {
  writer.length = 0;
  pack.write(writer, value);
  return writer.finish();
}

/** A value written as another kind: `to` before writing, `from` after reading. */
export function mapped<T, Wire>(
  wire: Pack<Wire>,
  to: (value: T) => Wire,
  from: (wire: Wire) => T,
): Pack<T> {
  return {
    // Asked for only where the value is a field: not every message has a meaning when empty.
    get zero() {
      return from(wire.zero);
    },
    write: (writer, value) => wire.write(writer, to(value)),
    read: (reader) => from(wire.read(reader)),
  };
}

/** A field that says what a value is to us, and is not on the wire. */
export function is<const T extends string>(word: T): readonly [name: string, pack: Pack<T>] {
  return [
    "",
    { zero: word, omits: () => true, write: () => {}, read: (reader) => (skip(reader), word) },
  ];
}
