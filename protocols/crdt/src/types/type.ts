/**
 * A type: the shape of its dot stores, how they are read, and how they are
 * edited. Types are values that schemas are composed of. They are frozen, hold
 * no state, and are shared by all replicas.
 */

import { type Codec, invariant } from "@quorate/kernel";

import { type Cursor } from "../causal/cursor.ts";
import { type PackedDot } from "../causal/dots.ts";
import { type State } from "../causal/state.ts";
import {
  isEmpty,
  type JoinItems,
  type Key,
  Leaf,
  Node,
  type Shape,
  type Store,
} from "../causal/stores.ts";

/** What a type must know to collect garbage. */
export interface Stability {
  /** Whether every replica has seen a dot, and all that was done without knowing it has arrived here. */
  isStable(dot: PackedDot): boolean;
  /** Whether everything that was seen here is stable. */
  readonly quiet: boolean;
}

/** The common part: everything but what one reads and edits. */
export abstract class AnyType implements Shape {
  /** Tells schemas apart; replicas of different names do not merge. */
  abstract readonly name: string;
  abstract readonly leaf: boolean;
  readonly joinItems: JoinItems | undefined = undefined;
  /** Whether the type keeps its promises where a part of it may be removed while others edit it. */
  readonly removable: boolean = true;

  /** The type under a key, for a key that {@link isKey} holds for. */
  abstract child(key: Key): AnyType;
  /** Whether a key from outside can be one of this node's. */
  abstract isKey(key: Key): boolean;
  /** Whether items of this leaf say when they were written. */
  readonly dated: boolean = false;
  /** How items of this leaf are encoded; `undefined` for dots without items. */
  readonly item: Codec<unknown> | undefined = undefined;

  abstract read(store: Store | undefined, state: State): unknown;
  abstract handle(cursor: Cursor): unknown;

  /** Whether there is something to see: what lists and maps ask of their parts. */
  isPresent(store: Store | undefined): boolean {
    return store !== undefined && !isEmpty(store);
  }

  /** Makes a place exist, without content. */
  create(_cursor: Cursor): void {
    // A type without presence of its own exists once it has content.
  }

  /** Whether there is ever anything to collect. */
  readonly collects: boolean = false;

  /**
   * Drops what is stable and only matters to those who have not seen it. That
   * is an edit like any other, which others hear of, but it changes no value.
   * @returns how many entries went.
   */
  settle(cursor: Cursor, stability: Stability): number {
    let dropped = 0;
    const store = cursor.peek();
    if (!this.collects || store === undefined || store instanceof Leaf) return 0;
    for (const key of Array.from(store.children.keys())) {
      if (this.child(key).collects) dropped += this.child(key).settle(cursor.child(key), stability);
    }
    return dropped;
  }
}

/** A type that is read as `Value` and edited through `Handle`. */
// oxlint-disable-next-line typescript/no-unnecessary-type-parameters -- what ValueOf and HandleOf infer
export abstract class Type<Value, Handle> extends AnyType {
  abstract override read(store: Store | undefined, state: State): Value;
  abstract override handle(cursor: Cursor): Handle;
}

export type ValueOf<T extends AnyType> = T extends Type<infer Value, unknown> ? Value : never;
export type HandleOf<T extends AnyType> = T extends Type<unknown, infer Handle> ? Handle : never;

/** A type of one leaf. */
export abstract class LeafType<Value, Handle> extends Type<Value, Handle> {
  readonly leaf = true;

  child(_key: Key): AnyType {
    invariant(false, "a leaf has no keys");
  }

  isKey(_key: Key): boolean {
    return false;
  }
}

/** A leaf of dots without items: it is there or not. */
class PresenceType extends LeafType<boolean, Cursor> {
  readonly name = "presence";

  read(store: Store | undefined): boolean {
    return store !== undefined && !isEmpty(store);
  }

  handle(cursor: Cursor): Cursor {
    return cursor;
  }
}

export const presence: PresenceType = frozen(new PresenceType());

/** What every handle has. */
export abstract class Handle<Value> {
  protected readonly cursor: Cursor;
  private readonly type: Type<Value, unknown>;

  constructor(type: Type<Value, unknown>, cursor: Cursor) {
    this.type = type;
    this.cursor = cursor;
  }

  /** What is here now, as plain data. */
  get value(): Value {
    return this.type.read(this.cursor.peek(), this.cursor.state);
  }
}

/** Freezes a type, so that copies of a replica share it (K2). */
export function frozen<T extends object>(type: T): T {
  Object.freeze(type);
  return type;
}

/** An empty store of a type. */
export function emptyStore(type: AnyType): Store {
  return type.leaf ? new Leaf() : new Node();
}
