/**
 * The fields of a message description: a number, a kind, and the TypeScript type that goes with it.
 *
 * Scalars have the defaults of proto3. A nested message that is absent is `undefined`; a oneof is `undefined` or the
 * member that is set, told apart by `type`.
 */

import type { MessageCodec } from "./message.ts";

/** The kinds of scalar; each is a pair of methods, of Reader and Writer, by the same name. */
export type ScalarKind =
  | "bytes"
  | "string"
  | "bool"
  | "int32"
  | "uint32"
  | "int64"
  | "uint64"
  | "id64";

/** A field of type T. Made by the functions below. */
export interface Field<T> {
  readonly shape: "scalar" | "nested" | "repeated" | "repeatedNested" | "oneof";
  readonly number: number;
  readonly scalar: ScalarKind;
  /** Value of an absent field; arrays are made afresh instead. */
  readonly fallback: T;
  /** The codec of a nested message. */
  readonly codec: CodecSource | undefined;
  /** The members of a oneof. */
  readonly members: Readonly<Record<string, Field<unknown>>> | undefined;
}

/** The codec of a nested message, or a function that gives it, for messages that contain themselves. */
// The type of message is known where the field is made, and of no concern here.
type CodecSource = object;

/** The type of a field's values. */
export type ValueOf<F> = F extends Field<infer T> ? T : never;

/** A oneof that is set: the name of the member and its value. */
export type OneOf<M> = {
  readonly [K in keyof M]: { readonly type: K; readonly value: Present<ValueOf<M[K]>> };
}[keyof M];

type Present<T> = Exclude<T, undefined>;

/** The value of an absent bytes field. */
export const noBytes: Uint8Array = Buffer.alloc(0);

/** A bytes field; when decoded, a view of the message. */
export function bytes(number: number): Field<Uint8Array> {
  return scalar(number, "bytes", noBytes);
}

/** A string field; malformed UTF-8 is refused. */
export function string(number: number): Field<string> {
  return scalar(number, "string", "");
}

export function bool(number: number): Field<boolean> {
  return scalar(number, "bool", false);
}

export function int32(number: number): Field<number> {
  return scalar(number, "int32", 0);
}

export function uint32(number: number): Field<number> {
  return scalar(number, "uint32", 0);
}

/** An int64 as a number; received values beyond 2^53 - 1 are cut to it. */
export function int64(number: number): Field<number> {
  return scalar(number, "int64", 0);
}

/** A uint64 as a number; received values beyond 2^53 - 1 are cut to it. */
export function uint64(number: number): Field<number> {
  return scalar(number, "uint64", 0);
}

/** A uint64 or int64 that is an identifier: lower-case hex without leading zeros, "" for zero. */
export function id64(number: number): Field<string> {
  return scalar(number, "id64", "");
}

/** An enum as its number. T may be a union of the numbers known; others pass through unchecked, as proto3 wants. */
export function enumeration<T extends number = number>(number: number): Field<T> {
  return scalar(number, "int32", 0 as T);
}

/** A nested message. */
export function nested<T>(
  number: number,
  codec: MessageCodec<T> | (() => MessageCodec<T>),
): Field<T | undefined> {
  return {
    shape: "nested",
    number,
    scalar: "bytes",
    fallback: undefined,
    codec,
    members: undefined,
  };
}

/** A repeated field: of scalars, packed where proto3 packs them, or of nested messages. */
export function repeated<T>(field: Field<T>): Field<readonly Exclude<T, undefined>[]> {
  if (field.shape !== "scalar" && field.shape !== "nested") {
    throw new TypeError(`a ${field.shape} field cannot be repeated`);
  }
  const shape = field.shape === "scalar" ? "repeated" : "repeatedNested";
  return { ...field, shape, fallback: [] };
}

/** A oneof of scalars and nested messages. */
export function oneof<M extends Readonly<Record<string, Field<unknown>>>>(
  members: M,
): Field<OneOf<M> | undefined> {
  return {
    shape: "oneof",
    number: 0,
    scalar: "bytes",
    fallback: undefined,
    codec: undefined,
    members,
  };
}

function scalar<T>(number: number, kind: ScalarKind, fallback: T): Field<T> {
  return { shape: "scalar", number, scalar: kind, fallback, codec: undefined, members: undefined };
}
