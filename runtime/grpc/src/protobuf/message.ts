/**
 * Codecs for Protocol Buffers messages, made from a description of their fields.
 *
 * Decoding follows the encoding specification: the last of several scalars wins, nested messages that occur twice are
 * merged, repeated scalars may be packed or not, unknown fields are skipped. Encoding writes what differs from the
 * defaults of proto3, in the order of the field numbers, and repeated scalars packed. There are no maps, no fixed and
 * floating-point kinds and no sint: add a kind as a pair of methods of Reader and Writer when a message needs one.
 */

import { compile, type Compiled } from "./compile.ts";
import { ProtobufError } from "./error.ts";
import { type Field, noBytes, type ValueOf } from "./fields.ts";
import { Reader } from "./reader.ts";
import { Writer } from "./writer.ts";

/** A description: field names and fields. */
export type Fields = Readonly<Record<string, Field<unknown>>>;

/** The type of a message with these fields. */
export type MessageOf<F> = { readonly [K in keyof F]: ValueOf<F[K]> };

/** Encodes and decodes one type of message. */
export interface MessageCodec<T> {
  readonly name: string;
  /** A message of defaults but for `values`. */
  readonly create: (values?: Partial<T>) => T;
  /** Decodes `bytes[start, end)`; bytes fields are views of it. Throws {@link ProtobufError}. */
  readonly decode: (bytes: Uint8Array, start?: number, end?: number) => T;
  /** Writes `message` before what `writer` holds: reset it first, then take `buffer` from `start` to `end`. */
  readonly encode: (message: T, writer: Writer) => void;
  /** Encodes into bytes of their own. */
  readonly toBytes: (message: T) => Buffer;
}

/** Nested messages deeper than this are refused. */
const maxDepth = 100;
const maxFieldNumber = 0x1fffffff;

const reader = new Reader();
const shared = new Writer();

/**
 * Makes the codec of a message.
 *
 * @example
 * interface Point { readonly x: number; readonly label: string }
 * const point: MessageCodec<Point> = message("demo.Point", { x: int64(1), label: string(2) });
 */
export function message<F extends Fields>(name: string, fields: F): MessageCodec<MessageOf<F>> {
  checkFields(name, fields);
  const compiled = compile(fields, () => new ProtobufError("too deep", name), noBytes);
  const { make, merge, encode } = compiled;
  const codec: MessageCodec<object> & Compiled = {
    name,
    make,
    merge,
    encode,
    create: (values) => Object.assign(make(), values),
    decode: (bytes, start = 0, end = bytes.length) => {
      const decoded = make();
      reader.open(bytes, start, end);
      merge(decoded, reader, maxDepth);
      reader.close();
      return decoded;
    },
    toBytes: (value) => {
      encode(value, shared.reset());
      return shared.copy();
    },
  };
  // The compiled functions were written from these very fields.
  return codec as unknown as MessageCodec<MessageOf<F>>;
}

/** A description that cannot be right is a bug of whoever wrote it. */
function checkFields(name: string, fields: Fields): void {
  const numbers = new Set<number>();
  for (const [fieldName, field] of Object.entries(fields)) {
    if (fieldName === "__proto__") throw new TypeError(`${name}: a field cannot be __proto__`);
    for (const { number } of field.members === undefined ? [field] : Object.values(field.members)) {
      if (!Number.isInteger(number) || number < 1 || number > maxFieldNumber) {
        throw new TypeError(`${name}.${fieldName}: ${number} is not a field number`);
      }
      if (numbers.has(number)) throw new TypeError(`${name}: field ${number} is there twice`);
      numbers.add(number);
    }
  }
}
