/**
 * Dot stores (Almeida, Shoker and Baquero 2018, §7): where live dots lie. Every
 * type of this package is one of two, nested as its schema says, under one
 * causal context for the whole replica:
 *
 * - a `Leaf` has dots, each with an item or without (DotFun, DotSet);
 * - a `Node` has stores under keys (DotMap).
 *
 * A dot that is in the context and in no store was removed. That is all a
 * removal leaves behind, and all that joining needs to know.
 */

import { type CausalContext } from "./context.ts";
import { type PackedDot } from "./dots.ts";

export type Key = string | number;

export type Store = Leaf | Node;

/** Mutable, plain data. */
export class Leaf {
  /** Ascending. */
  dots: PackedDot[] = [];
  /** `items[i]` belongs to `dots[i]`. Empty in leaves whose dots have no items. */
  items: unknown[] = [];

  /** Adds a dot that is not there yet. */
  insert(dot: PackedDot, item: unknown): void {
    const { dots, items } = this;
    let at = dots.length;
    while (at > 0 && dots[at - 1]! > dot) at--;
    if (at === dots.length) dots.push(dot);
    else dots.splice(at, 0, dot);
    if (item !== undefined) items.splice(at, 0, item);
  }

  removeAt(at: number): void {
    this.dots.splice(at, 1);
    if (this.items.length > 0) this.items.splice(at, 1);
  }

  clear(): void {
    this.dots.length = 0;
    this.items.length = 0;
  }
}

/** Mutable, plain data. In a replica's state no child is empty, between changes. */
export class Node {
  readonly children: Map<Key, Store> = new Map();
  /**
   * Of bytes that were read: whether keys that are not here are known to be
   * empty. A delta names the keys it is about and says nothing of others.
   */
  whole = true;
  /** What the type derived from the children, to read it faster. No part of the state. */
  derived: Derived | undefined = undefined;
}

/** The type's own, but for the mark that the children have changed since. */
export interface Derived {
  outdated: boolean;
}

export function isEmpty(store: Store): boolean {
  if (store instanceof Leaf) return store.dots.length === 0;
  for (const child of store.children.values()) if (!isEmpty(child)) return false;
  return true;
}

/** Visits every dot that lives in a store. */
export function eachDot(store: Store, visit: (dot: PackedDot) => void): void {
  if (store instanceof Leaf) for (const dot of store.dots) visit(dot);
  else for (const child of store.children.values()) eachDot(child, visit);
}

/** Joins what is known of the same dot on both sides, if it may differ at all. */
export type JoinItems = (mine: unknown, theirs: unknown) => unknown;

/** What joining must know of a type: how the items of a leaf join, and what lies under a key. */
export interface Shape {
  readonly leaf: boolean;
  readonly joinItems: JoinItems | undefined;
  child(key: Key): Shape;
}

/**
 * Joins `theirs` into `mine`: a dot stays if both have it, or if one has it and
 * the other has not seen it.
 * @param seen - What this side has seen.
 * @param heard - What the other side has seen.
 * @returns whether anything changed.
 */
export function join(
  shape: Shape,
  mine: Store,
  theirs: Store,
  seen: CausalContext,
  heard: CausalContext,
): boolean {
  if (mine instanceof Leaf) return joinLeaf(shape, mine, theirs as Leaf, seen, heard);
  let changed = false;
  const { children, whole } = theirs as Node;
  for (const [key, their] of children) {
    const childShape = shape.child(key);
    const child = mine.children.get(key) ?? (childShape.leaf ? new Leaf() : new Node());
    if (!join(childShape, child, their, seen, heard)) continue;
    changed = true;
    if (isEmpty(child)) mine.children.delete(key);
    else mine.children.set(key, child);
  }
  if (whole) {
    for (const [key, child] of mine.children) {
      if (children.has(key) || !purge(child, heard)) continue;
      changed = true;
      if (isEmpty(child)) mine.children.delete(key);
    }
  }
  if (changed) outdate(mine);
  return changed;
}

/** One walk over both, ascending. */
function joinLeaf(
  shape: Shape,
  mine: Leaf,
  theirs: Leaf,
  seen: CausalContext,
  heard: CausalContext,
): boolean {
  const joined = new Leaf();
  const take = (from: Leaf, at: number): void => {
    joined.dots.push(from.dots[at]!);
    if (from.items.length > 0) joined.items.push(from.items[at]);
  };
  let changed = false;
  for (let i = 0, j = 0; i < mine.dots.length || j < theirs.dots.length;) {
    const a = mine.dots[i] ?? Infinity;
    const b = theirs.dots[j] ?? Infinity;
    if (a < b) {
      if (heard.has(a)) changed = true;
      else take(mine, i);
      i++;
    } else if (b < a) {
      if (!seen.has(b)) {
        take(theirs, j);
        changed = true;
      }
      j++;
    } else {
      take(mine, i);
      if (shape.joinItems !== undefined) {
        joined.items[joined.items.length - 1] = shape.joinItems(mine.items[i++], theirs.items[j++]);
        changed = true;
        continue;
      }
      i++;
      j++;
    }
  }
  if (changed) {
    mine.dots = joined.dots;
    mine.items = joined.items;
  }
  return changed;
}

/** Takes out every dot that was heard of. */
function purge(store: Store, heard: CausalContext): boolean {
  if (store instanceof Leaf) {
    const before = store.dots.length;
    for (let at = before - 1; at >= 0; at--) if (heard.has(store.dots[at]!)) store.removeAt(at);
    return store.dots.length !== before;
  }
  let changed = false;
  for (const [key, child] of store.children) {
    if (!purge(child, heard)) continue;
    changed = true;
    if (isEmpty(child)) store.children.delete(key);
  }
  if (changed) outdate(store);
  return changed;
}

/** Says that what was derived from a node's children no longer follows from them. */
export function outdate(node: Node): void {
  if (node.derived !== undefined) node.derived.outdated = true;
}
