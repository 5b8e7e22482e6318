/** A place in a replica's state, by its path: stores there come and go, the place stays. */

import { type PackedDot } from "./dots.ts";
import { type State, Touched } from "./state.ts";
import {
  eachDot,
  isEmpty,
  type Key,
  Leaf,
  Node,
  outdate,
  type Shape,
  type Store,
} from "./stores.ts";

export class Cursor {
  readonly state: State;
  readonly shape: Shape;
  readonly parent: Cursor | undefined;
  readonly key: Key;

  constructor(state: State, shape: Shape, parent: Cursor | undefined = undefined, key: Key = 0) {
    this.state = state;
    this.shape = shape;
    this.parent = parent;
    this.key = key;
  }

  child(key: Key): Cursor {
    return new Cursor(this.state, this.shape.child(key), this, key);
  }

  /** The store here, if there is one. */
  peek(): Store | undefined {
    if (this.parent === undefined) return this.state.root;
    return (this.parent.peek() as Node | undefined)?.children.get(this.key);
  }

  peekLeaf(): Leaf | undefined {
    return this.peek() as Leaf | undefined;
  }

  peekNode(): Node | undefined {
    return this.peek() as Node | undefined;
  }

  /** The store here, made at need and marked as touched. Whoever asks puts something into it. */
  private open(): Store {
    if (this.parent === undefined) return this.state.root;
    const { children } = this.parent.open() as Node;
    let store = children.get(this.key);
    if (store === undefined) {
      store = this.shape.leaf ? new Leaf() : new Node();
      children.set(this.key, store);
    }
    return store;
  }

  private touch(): Touched {
    if (this.parent === undefined) return this.state.touch();
    const parent = this.parent.touch();
    let touched = parent.children.get(this.key);
    if (touched === undefined) {
      touched = new Touched();
      // What was removed as a whole and comes back was removed in all its parts.
      touched.whole = parent.whole;
      parent.children.set(this.key, touched);
    }
    return touched;
  }

  /** Adds an item under a new dot, beside what is in this leaf. */
  add(item?: unknown): PackedDot {
    this.touch();
    const dot = this.state.mint();
    (this.open() as Leaf).insert(dot, item);
    return dot;
  }

  /** Puts an item, under a new dot, in the place of all that is in this leaf. */
  replace(item?: unknown): PackedDot {
    this.touch();
    const leaf = this.open() as Leaf;
    for (const dot of leaf.dots) this.state.cover(dot);
    leaf.clear();
    const dot = this.state.mint();
    leaf.insert(dot, item);
    return dot;
  }

  /** Changes the item of a dot: one that nobody else knows yet, or one whose items join. */
  amend(at: number, item: unknown): void {
    this.touch();
    const leaf = this.open() as Leaf;
    this.state.cover(leaf.dots[at]!);
    leaf.items[at] = item;
  }

  /** Takes one dot out of this leaf. */
  drop(at: number): void {
    this.touch();
    const leaf = this.open() as Leaf;
    this.state.cover(leaf.dots[at]!);
    leaf.removeAt(at);
    this.prune();
  }

  /** Removes all that is here, and only that: what others add meanwhile stays. */
  clear(): void {
    const store = this.peek();
    if (store === undefined || isEmpty(store)) return;
    const touched = this.touch();
    touched.whole = true;
    touched.children.clear();
    eachDot(store, (dot) => this.state.cover(dot));
    if (store instanceof Leaf) store.clear();
    else {
      store.children.clear();
      outdate(store);
    }
    this.prune();
  }

  /** Takes the store out of its parent if it is empty, and the parent likewise. */
  private prune(): void {
    const store = this.peek();
    if (this.parent === undefined || store === undefined || !isEmpty(store)) return;
    const parent = this.parent.peek() as Node;
    parent.children.delete(this.key);
    outdate(parent);
    this.parent.prune();
  }
}
