/**
 * JSON documents: objects, arrays and plain values, nested at will, merged part
 * by part (Kleppmann and Beresford, _A conflict-free replicated JSON datatype_,
 * 2017; Rinberg et al., _DSON_, 2022, whose dot stores these are).
 *
 * Every place may be an object, an array or a plain value. Setting it takes the
 * place of what was seen there. If one sets an object while another sets a
 * plain value, both are kept until the next setting, and an object is shown
 * before an array, an array before a plain value. Of plain values the last
 * writer's is shown.
 */

import { invariant } from "@quorate/kernel";

import { type Cursor } from "../causal/cursor.ts";
import { type State } from "../causal/state.ts";
import { type Key, type Node, type Store } from "../causal/stores.ts";
import { isArray, type Json, MAX_NESTING } from "../values.ts";
import { list, type ListHandle, type ListType } from "./list.ts";
import { mapOf, type MapOfHandle, type MapOfType } from "./map.ts";
import { lww, type RegisterHandle } from "./register.ts";
import { type AnyType, frozen, Handle, presence, Type } from "./type.ts";

/** The way to a place: keys of objects and indexes of arrays. */
export type Path = readonly (string | number)[];

/** What may be at a place. */
const PLAIN = 0;
const OBJECT = 1;
const ENTRIES = 2;
const ARRAY = 3;
const ELEMENTS = 4;

class JsonType extends Type<Json | undefined, JsonHandle> {
  readonly leaf = false;
  readonly name = "json";
  override readonly collects = true;

  child(key: Key): AnyType {
    switch (key) {
      case PLAIN:
        return lww.json;
      case ENTRIES:
        return entries();
      case ELEMENTS:
        return elements();
      default:
        return presence;
    }
  }

  isKey(key: Key): boolean {
    return typeof key === "number" && key <= ELEMENTS;
  }

  read(store: Store | undefined, state: State): Json | undefined {
    const { children } = (store as Node | undefined) ?? { children: new Map<Key, Store>() };
    switch (kindOf(store)) {
      case "object":
        return entries().read(children.get(ENTRIES), state) as Json;
      case "array":
        return elements().read(children.get(ELEMENTS), state) as Json;
      case "plain":
        return lww.json.read(children.get(PLAIN), state);
    }
  }

  handle(cursor: Cursor): JsonHandle {
    return new JsonHandle(this, cursor);
  }

  override isPresent(store: Store | undefined): boolean {
    const children = (store as Node | undefined)?.children;
    return kindOf(store) !== "plain" || children?.has(PLAIN) === true;
  }
}

/** What a place shows if it has content of several kinds. */
function kindOf(store: Store | undefined): "object" | "array" | "plain" {
  const children = (store as Node | undefined)?.children;
  if (children === undefined) return "plain";
  if (children.has(OBJECT) || entries().isPresent(children.get(ENTRIES))) return "object";
  if (children.has(ARRAY) || elements().isPresent(children.get(ELEMENTS))) return "array";
  return "plain";
}

export class JsonHandle extends Handle<Json | undefined> {
  /** What is at a place, `undefined` if nothing is. */
  get(path: Path): Json | undefined {
    return this.find(path, false)?.value;
  }

  /** Puts JSON at a place. Objects on the way there are made if they are missing. */
  set(path: Path, value: Json): void {
    this.find(path, true)!.assign(value, MAX_NESTING);
  }

  /** Removes a place from its object or array. */
  remove(path: Path): void {
    invariant(path.length > 0, "the whole document is not removed but set");
    const parent = this.find(path.slice(0, -1), false);
    const key = path.at(-1)!;
    if (typeof key === "number") parent?.elements().remove(key);
    else parent?.entries().remove(key);
  }

  /** Inserts JSON before an index of an array. */
  insert(path: Path, index: number, value: Json): void {
    const array = this.find(path, false);
    invariant(array?.kind === "array", "one inserts into an array");
    array.elements().insert(index).assign(value, MAX_NESTING);
  }

  /** Moves an element of an array, so that it is at `to` afterwards. */
  move(path: Path, from: number, to: number): void {
    const array = this.find(path, false);
    invariant(array?.kind === "array", "one moves within an array");
    array.elements().move(from, to);
  }

  get kind(): "object" | "array" | "plain" {
    return kindOf(this.cursor.peek());
  }

  /** The handle at a place. */
  private find(path: Path, make: boolean): JsonHandle | undefined {
    let at: JsonHandle | undefined = this as JsonHandle;
    for (const key of path) {
      if (typeof key === "number") {
        const array: ListHandle<JsonType> = at.elements();
        if (at.kind !== "array" || key < 0 || key >= array.length) {
          invariant(!make, "the index is within the array");
          return undefined;
        }
        at = array.at(key);
      } else {
        if (at.kind !== "object" && make) at.become(OBJECT);
        if (at.kind !== "object" || (!make && !at.entries().has(key))) return undefined;
        at = at.entries().at(key);
      }
    }
    return at;
  }

  private assign(value: Json, depth: number): void {
    invariant(depth > 0, `JSON nests at most ${MAX_NESTING} deep`);
    if (value === null || typeof value !== "object") {
      this.clearBut(PLAIN);
      return this.plain().set(value);
    }
    this.become(isArray(value) ? ARRAY : OBJECT);
    if (isArray(value)) {
      for (const element of value)
        this.elements()
          .push()
          .assign(element, depth - 1);
    } else {
      for (const [key, entry] of Object.entries(value)) {
        this.entries()
          .at(key)
          .assign(entry, depth - 1);
      }
    }
  }

  /** Makes this place an empty object or array. */
  private become(kind: typeof OBJECT | typeof ARRAY): void {
    this.clearBut(kind);
    this.cursor.child(kind).replace();
  }

  /** Removes what is seen here, but what is replaced anyway. */
  private clearBut(kept: number): void {
    for (const key of [PLAIN, OBJECT, ENTRIES, ARRAY, ELEMENTS]) {
      if (key !== kept) this.cursor.child(key).clear();
    }
  }

  private plain(): RegisterHandle<Json, Json | undefined> {
    return lww.json.handle(this.cursor.child(PLAIN));
  }

  private entries(): MapOfHandle<JsonType> {
    return entries().handle(this.cursor.child(ENTRIES));
  }

  private elements(): ListHandle<JsonType> {
    return elements().handle(this.cursor.child(ELEMENTS));
  }
}

/** A JSON document. Value: JSON, or `undefined` before anything was set. */
export const jsonDocument: JsonType = frozen(new JsonType());

const parts: { readonly entries: MapOfType<JsonType>; readonly elements: ListType<JsonType> } =
  frozen({ entries: mapOf(jsonDocument), elements: list(jsonDocument) });

/** Asked for when needed: the type contains itself. */
function entries(): MapOfType<JsonType> {
  return parts.entries;
}

function elements(): ListType<JsonType> {
  return parts.elements;
}
