/**
 * Maps of other types, to any depth.
 *
 * `map({ … })` has fields that a schema names; `mapOf(type)` has keys that
 * come and go, each with a value of one type. Removing a key removes what its
 * remover had seen under it. What another edits under the key meanwhile stays,
 * and it alone: the key is then back with that part only. So an update wins
 * over a concurrent removal, and never brings back what was removed.
 */

import { invariant } from "@quorate/kernel";

import { type Cursor } from "../causal/cursor.ts";
import { type State } from "../causal/state.ts";
import { type Key, type Node, type Store } from "../causal/stores.ts";
import { AnyType, frozen, Handle, type HandleOf, presence, Type, type ValueOf } from "./type.ts";

export type Fields = { readonly [name: string]: AnyType };
export type FieldValues<F extends Fields> = { readonly [Name in keyof F]: ValueOf<F[Name]> };
export type FieldHandles<F extends Fields> = { readonly [Name in keyof F]: HandleOf<F[Name]> };

/** The key of the dot that says that a map exists, though it may have no content. No field has it. */
const PRESENCE = 0;

export class MapType<F extends Fields> extends Type<FieldValues<F>, FieldHandles<F>> {
  readonly leaf = false;
  readonly name: string;
  override readonly removable: boolean;
  override readonly collects: boolean;
  private readonly fields: ReadonlyMap<string, AnyType>;

  constructor(fields: F) {
    super();
    this.fields = new Map(Object.entries(fields));
    const parts = [...this.fields].map(([name, type]) => `${JSON.stringify(name)}:${type.name}`);
    this.name = `map{${parts.toSorted().join(",")}}`;
    this.removable = [...this.fields.values()].every((type) => type.removable);
    this.collects = [...this.fields.values()].some((type) => type.collects);
  }

  child(key: Key): AnyType {
    return key === PRESENCE ? presence : this.fields.get(key as string)!;
  }

  isKey(key: Key): boolean {
    return key === PRESENCE || this.fields.has(key as string);
  }

  read(store: Store | undefined, state: State): FieldValues<F> {
    const children = (store as Node | undefined)?.children;
    const values = [...this.fields].map(([name, type]) => [
      name,
      type.read(children?.get(name), state),
    ]);
    return Object.fromEntries(values) as FieldValues<F>;
  }

  handle(cursor: Cursor): FieldHandles<F> {
    const handles = {};
    for (const [name, type] of this.fields) {
      Object.defineProperty(handles, name, {
        enumerable: true,
        get: () => type.handle(cursor.child(name)),
      });
    }
    return handles as FieldHandles<F>;
  }

  override create(cursor: Cursor): void {
    cursor.child(PRESENCE).replace();
  }
}

/** A map of named fields. Value: an object of the fields' values. */
export function map<F extends Fields>(fields: F): MapType<F> {
  return frozen(new MapType(fields));
}

export class MapOfHandle<T extends AnyType> extends Handle<{ readonly [key: string]: ValueOf<T> }> {
  private readonly entries: T;

  constructor(type: MapOfType<T>, cursor: Cursor) {
    super(type, cursor);
    this.entries = type.entries;
  }

  has(key: string): boolean {
    return this.entries.isPresent(this.cursor.peekNode()?.children.get(key));
  }

  /** The keys, in order. */
  keys(): readonly string[] {
    const keys = [...(this.cursor.peekNode()?.children.keys() ?? [])] as string[];
    return keys.filter((key) => this.has(key)).toSorted();
  }

  /** The value under a key, to be read and edited. Editing it makes the key exist. */
  at(key: string): HandleOf<T> {
    return this.entries.handle(this.cursor.child(key)) as HandleOf<T>;
  }

  /** Makes a key exist, also without content if its value is a `map`. */
  create(key: string): HandleOf<T> {
    this.entries.create(this.cursor.child(key));
    return this.at(key);
  }

  /** Removes what is seen under a key. */
  remove(key: string): void {
    this.cursor.child(key).clear();
  }
}

export class MapOfType<T extends AnyType> extends Type<
  { readonly [key: string]: ValueOf<T> },
  MapOfHandle<T>
> {
  readonly leaf = false;
  readonly name: string;
  override readonly collects: boolean;
  readonly entries: T;

  constructor(entries: T) {
    super();
    invariant(entries.removable, `${entries.name} cannot be in a map whose keys are removed`);
    this.entries = entries;
    this.collects = entries.collects;
    this.name = `mapOf(${entries.name})`;
  }

  child(_key: Key): AnyType {
    return this.entries;
  }

  isKey(key: Key): boolean {
    return typeof key === "string";
  }

  /** Keys in order: the same object on every replica. */
  read(store: Store | undefined, state: State): { readonly [key: string]: ValueOf<T> } {
    const values: [string, ValueOf<T>][] = [];
    for (const [key, child] of (store as Node | undefined)?.children ?? []) {
      if (!this.entries.isPresent(child)) continue;
      values.push([key as string, this.entries.read(child, state) as ValueOf<T>]);
    }
    return Object.fromEntries(values.toSorted(([a], [b]) => (a < b ? -1 : 1)));
  }

  handle(cursor: Cursor): MapOfHandle<T> {
    return new MapOfHandle(this, cursor);
  }
}

/** A map of keys that come and go, to values of one type. Value: an object. */
export function mapOf<T extends AnyType>(entries: T): MapOfType<T> {
  return frozen(new MapOfType(entries));
}
