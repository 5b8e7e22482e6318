/**
 * Registers (Shapiro et al. 2011, §3.2). A write takes the place of what its
 * writer had seen. Concurrent writes stand side by side until the next one:
 *
 * - `lww` shows the last of them by hybrid time, ties to the greater actor. As
 *   causality decides first, a skewed clock cannot lose a write that had seen
 *   the other; and what lost is still there for a removal to judge.
 * - `mv` (multi-value) shows all of them, last first.
 */

import { type Codec, uint } from "@quorate/kernel";

import { type Cursor } from "../causal/cursor.ts";
import { compareWritten, type State, type Written } from "../causal/state.ts";
import { type Leaf, type Store } from "../causal/stores.ts";
import { boolean, json, type Json, number, type Scalar, string } from "../values.ts";
import { frozen, Handle, LeafType } from "./type.ts";

/** A value and when it was written. */
export interface Dated<T> extends Written {
  readonly value: T;
}

export function datedCodec<T>(value: Codec<T>): Codec<unknown> {
  const codec: Codec<Dated<T>> = {
    write(writer, item) {
      uint.write(writer, item.ms);
      uint.write(writer, item.count);
      value.write(writer, item.value);
    },
    read: (reader) => ({
      ms: uint.read(reader),
      count: uint.read(reader),
      value: value.read(reader),
    }),
  };
  return codec;
}

/** The last write of a leaf of dated items. */
export function lastOf<T>(leaf: Leaf | undefined, state: State): Dated<T> | undefined {
  if (leaf === undefined || leaf.dots.length === 0) return undefined;
  const { dots } = leaf;
  const items = leaf.items as readonly Dated<T>[];
  let last = 0;
  for (let at = 1; at < dots.length; at++) {
    if (compareWritten(state, items[at]!, dots[at]!, items[last]!, dots[last]!) > 0) last = at;
  }
  return items[last];
}

// oxlint-disable-next-line typescript/no-unnecessary-type-parameters -- what is written and what is read differ
export class RegisterHandle<T, Value> extends Handle<Value> {
  private readonly scalar: Scalar<T>;

  constructor(type: RegisterType<T, Value>, cursor: Cursor) {
    super(type, cursor);
    this.scalar = type.scalar;
  }

  set(value: T): void {
    this.cursor.replace({ ...this.cursor.state.write(), value: this.scalar.normal(value) });
  }

  /** Takes away the value that is seen here. */
  clear(): void {
    this.cursor.clear();
  }
}

abstract class RegisterType<T, Value> extends LeafType<Value, RegisterHandle<T, Value>> {
  readonly name: string;
  readonly scalar: Scalar<T>;
  override readonly dated = true;
  override readonly item: Codec<unknown>;

  constructor(kind: string, scalar: Scalar<T>) {
    super();
    this.name = `${kind}(${scalar.name})`;
    this.scalar = scalar;
    this.item = datedCodec(scalar.codec);
  }

  handle(cursor: Cursor): RegisterHandle<T, Value> {
    return new RegisterHandle<T, Value>(this, cursor);
  }
}

export class LastWriterType<T> extends RegisterType<T, T | undefined> {
  read(store: Store | undefined, state: State): T | undefined {
    return lastOf<T>(store as Leaf | undefined, state)?.value;
  }
}

export class MultiValueType<T> extends RegisterType<T, readonly T[]> {
  read(store: Store | undefined, state: State): readonly T[] {
    const { dots, items } = (store as Leaf | undefined) ?? { dots: [], items: [] };
    const places = dots.map((_, at) => at);
    const item = (at: number): Dated<T> => items[at] as Dated<T>;
    places.sort((a, b) => compareWritten(state, item(b), dots[b]!, item(a), dots[a]!));
    return places.map((at) => item(at).value);
  }
}

function lastWriter<T>(scalar: Scalar<T>): LastWriterType<T> {
  return frozen(new LastWriterType("lww", scalar));
}

function multiValue<T>(scalar: Scalar<T>): MultiValueType<T> {
  return frozen(new MultiValueType("mv", scalar));
}

interface Registers<S, N, B, J> {
  readonly string: S;
  readonly number: N;
  readonly boolean: B;
  readonly json: J;
}

/** Last writer wins. Value: the value, or `undefined` if there is none. */
export const lww: Registers<
  LastWriterType<string>,
  LastWriterType<number>,
  LastWriterType<boolean>,
  LastWriterType<Json>
> = frozen({
  string: lastWriter(string),
  number: lastWriter(number),
  boolean: lastWriter(boolean),
  json: lastWriter(json),
});

/** Multi-value: concurrent writes are all shown. Value: an array, last first. */
export const mv: Registers<
  MultiValueType<string>,
  MultiValueType<number>,
  MultiValueType<boolean>,
  MultiValueType<Json>
> = frozen({
  string: multiValue(string),
  number: multiValue(number),
  boolean: multiValue(boolean),
  json: multiValue(json),
});
