/**
 * MessagePack as Go's codec library speaks it, byte for byte.
 *
 * Two dialects are written. The old one knows a single kind of byte string
 * ("raw"), for text and bytes alike: what memberlist and Serf gossip in. The
 * new one tells text from bytes and has a one-byte length: what Serf's agent
 * speaks to its clients. Both are read, whatever was expected.
 *
 * Readers trust nothing: every length is compared with the bytes at hand before
 * anything is allocated, nesting costs no stack, and a value that is `nil` or
 * missing is the zero value of its kind, as in Go.
 */

import { MalformedInput, type Reader, readUtf8, utf8, Writer } from "@quorate/kernel";

import { ValueScanner } from "./scanner.ts";

/** Which forms are written. */
export type Dialect = "old" | "new";

/** A growing buffer that knows its dialect. */
export class PackWriter extends Writer {
  readonly dialect: Dialect;

  constructor(dialect: Dialect) {
    super();
    this.dialect = dialect;
  }

  be16(value: number): void {
    this.reserve(2);
    this.bytes[this.length++] = value >>> 8;
    this.bytes[this.length++] = value & 0xff;
  }

  be32(value: number): void {
    this.be16(value >>> 16);
    this.be16(value & 0xffff);
  }
}

/** Writes values of type `T` as MessagePack and reads them back. */
export interface Pack<T> {
  write(writer: PackWriter, value: T): void;
  /** @throws MalformedInput for bytes that are no `T`. */
  read(reader: Reader): T;
  /** What a missing or `nil` value means. */
  readonly zero: T;
  /** Whether the field of a record is left out for this value. */
  omits?(value: T): boolean;
}

const NIL = 0xc0;

function be16(reader: Reader): number {
  return reader.byte() * 0x100 + reader.byte();
}

function be32(reader: Reader): number {
  return be16(reader) * 0x1_0000 + be16(reader);
}

/** Takes a `nil` off the input, if one is next. */
export function takeNil(reader: Reader): boolean {
  if (reader.bytes[reader.offset] !== NIL) return false;
  reader.offset++;
  return true;
}

export const bool: Pack<boolean> = {
  zero: false,
  write: (writer, value) => writer.byte(value ? 0xc3 : 0xc2),
  read(reader) {
    const head = reader.byte();
    if (head !== 0xc2 && head !== 0xc3 && head !== NIL) throw new MalformedInput("not a boolean");
    return head === 0xc3;
  },
};

/** An unsigned integer, written in its shortest form, refused from 2^53 on. */
export const uint: Pack<number> = {
  zero: 0,
  write(writer, value) {
    if (value < 0x80) return writer.byte(value);
    if (value < 0x100) {
      writer.byte(0xcc);
      writer.byte(value);
    } else if (value < 0x1_0000) {
      writer.byte(0xcd);
      writer.be16(value);
    } else if (value < 0x1_0000_0000) {
      writer.byte(0xce);
      writer.be32(value);
    } else {
      writer.byte(0xcf);
      writer.be32(Math.floor(value / 0x1_0000_0000));
      writer.be32(value >>> 0);
    }
  },
  read(reader) {
    const value = int.read(reader);
    if (value < 0) throw new MalformedInput("negative where none can be");
    return value;
  },
};

/** An unsigned integer of so many bits; larger ones are refused. */
export function uintOf(bits: 8 | 16 | 32): Pack<number> {
  const limit = 2 ** bits;
  return {
    zero: 0,
    write: (writer, value) => uint.write(writer, value),
    read(reader) {
      const value = uint.read(reader);
      if (value >= limit) throw new MalformedInput(`more than ${bits} bits`);
      return value;
    },
  };
}

/** A signed integer between -2^53 and 2^53, positive ones written like {@link uint}. */
export const int: Pack<number> = {
  zero: 0,
  write(writer, value) {
    if (value >= 0) return uint.write(writer, value);
    if (value >= -0x20) return writer.byte(value & 0xff);
    if (value >= -0x80) {
      writer.byte(0xd0);
      writer.byte(value & 0xff);
    } else if (value >= -0x8000) {
      writer.byte(0xd1);
      writer.be16(value & 0xffff);
    } else if (value >= -0x8000_0000) {
      writer.byte(0xd2);
      writer.be32(value >>> 0);
    } else {
      writer.byte(0xd3);
      writer.be32(Math.floor(value / 0x1_0000_0000) >>> 0);
      writer.be32(value >>> 0);
    }
  },
  read(reader) {
    const head = reader.byte();
    if (head < 0x80) return head;
    if (head >= 0xe0) return head - 0x100;
    switch (head) {
      case NIL:
        return 0;
      case 0xcc:
        return reader.byte();
      case 0xcd:
        return be16(reader);
      case 0xce:
        return be32(reader);
      case 0xcf:
        return safe(be32(reader) * 0x1_0000_0000 + be32(reader));
      case 0xd0:
        return (reader.byte() << 24) >> 24;
      case 0xd1:
        return (be16(reader) << 16) >> 16;
      case 0xd2:
        return be32(reader) | 0;
      case 0xd3:
        return safe((be32(reader) | 0) * 0x1_0000_0000 + be32(reader));
      default:
        throw new MalformedInput("not an integer");
    }
  },
};

function safe(value: number): number {
  if (!Number.isSafeInteger(value)) throw new MalformedInput("integer too large");
  return value;
}

const scratch = new DataView(new ArrayBuffer(8));

export const float: Pack<number> = {
  zero: 0,
  write(writer, value) {
    scratch.setFloat64(0, value);
    writer.byte(0xcb);
    for (let i = 0; i < 8; i++) writer.byte(scratch.getUint8(i));
  },
  read(reader) {
    const head = reader.bytes[reader.offset];
    if (head !== 0xca && head !== 0xcb) return int.read(reader);
    reader.offset++;
    const width = head === 0xca ? 4 : 8;
    const bytes = reader.take(width);
    for (let i = 0; i < width; i++) scratch.setUint8(i, bytes[i]!);
    return width === 4 ? scratch.getFloat32(0) : scratch.getFloat64(0);
  },
};

/** Bytes; none and `nil` are one. What is read is a view of the input. */
export const bytes: Pack<Uint8Array> = {
  zero: new Uint8Array(0),
  write(writer, value) {
    const { length } = value;
    if (writer.dialect === "old") rawHead(writer, length);
    else if (length < 0x100) {
      writer.byte(0xc4);
      writer.byte(length);
    } else if (length < 0x1_0000) {
      writer.byte(0xc5);
      writer.be16(length);
    } else {
      writer.byte(0xc6);
      writer.be32(length);
    }
    writer.raw(value);
  },
  read: (reader) => (takeNil(reader) ? bytes.zero : reader.take(stringLength(reader))),
};

/** Bytes that outlive the input they were in. (`slice` of a Node buffer would not copy.) */
export const kept: Pack<Uint8Array> = {
  ...bytes,
  read: (reader) => new Uint8Array(bytes.read(reader)),
};

/** Bytes where `nil` differs from none. */
export const nullableBytes: Pack<Uint8Array | undefined> = {
  zero: undefined,
  write(writer, value) {
    if (value === undefined) writer.byte(NIL);
    else bytes.write(writer, value);
  },
  read: (reader) => (takeNil(reader) ? undefined : bytes.read(reader)),
};

/** Text. What is not UTF-8 is refused. */
export const text: Pack<string> = {
  zero: "",
  write(writer, value) {
    const encoded = utf8(value);
    if (writer.dialect === "new" && encoded.length >= 0x20 && encoded.length < 0x100) {
      writer.byte(0xd9);
      writer.byte(encoded.length);
    } else rawHead(writer, encoded.length);
    writer.raw(encoded);
  },
  read: (reader) => (takeNil(reader) ? "" : readUtf8(reader, stringLength(reader))),
};

function rawHead(writer: PackWriter, length: number): void {
  if (length < 0x20) writer.byte(0xa0 | length);
  else if (length < 0x1_0000) {
    writer.byte(0xda);
    writer.be16(length);
  } else {
    writer.byte(0xdb);
    writer.be32(length);
  }
}

function stringLength(reader: Reader): number {
  const head = reader.byte();
  if (head >= 0xa0 && head < 0xc0) return head & 0x1f;
  switch (head) {
    case 0xc4:
    case 0xd9:
      return reader.byte();
    case 0xc5:
    case 0xda:
      return be16(reader);
    case 0xc6:
    case 0xdb:
      return be32(reader);
    default:
      throw new MalformedInput("neither text nor bytes");
  }
}

/** Writes the head of a map of so many pairs. */
export function mapHead(writer: PackWriter, pairs: number): void {
  if (pairs < 0x10) writer.byte(0x80 | pairs);
  else longHead(writer, 0xde, pairs);
}

/** Writes the head of an array of so many items. */
export function arrayHead(writer: PackWriter, items: number): void {
  if (items < 0x10) writer.byte(0x90 | items);
  else longHead(writer, 0xdc, items);
}

function longHead(writer: PackWriter, head: number, count: number): void {
  if (count < 0x1_0000) {
    writer.byte(head);
    writer.be16(count);
  } else {
    writer.byte(head + 1);
    writer.be32(count);
  }
}

/** Reads the head of a map: how many pairs follow; no more than there are bytes for. */
export function readMapHead(reader: Reader): number {
  const pairs = readHead(reader, 0x80, 0xde);
  if (pairs * 2 > reader.left) throw new MalformedInput("map longer than the input");
  return pairs;
}

/** Reads the head of an array: how many items follow; no more than there are bytes for. */
export function readArrayHead(reader: Reader): number {
  const items = readHead(reader, 0x90, 0xdc);
  if (items > reader.left) throw new MalformedInput("array longer than the input");
  return items;
}

function readHead(reader: Reader, short: number, long: number): number {
  const head = reader.byte();
  if (head === NIL) return 0;
  if ((head & 0xf0) === short) return head & 0x0f;
  if (head === long) return be16(reader);
  if (head === long + 1) return be32(reader);
  throw new MalformedInput(short === 0x80 ? "not a map" : "not an array");
}

/** Skips one value of any kind, however deep. */
export function skip(reader: Reader): void {
  const scanner = new ValueScanner(reader.offset);
  if (!scanner.scan(reader.bytes, reader.bytes.length))
    throw new MalformedInput("input ends early");
  reader.offset = scanner.offset;
}
