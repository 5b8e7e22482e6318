/**
 * A B+tree of keys with order statistics: every node counts the living keys
 * below it, so that counting a range takes two walks down instead of a scan.
 *
 * Dead keys whose history is still readable stay in the tree and count zero.
 * Nodes that shrink are merged with a neighbour when both fit into one;
 * nothing is borrowed, so a node may be small, never empty.
 */

import { invariant } from "@quorate/kernel";
import { type Binary } from "../wire/binary.ts";
import { type Entry } from "./entry.ts";

const MOST = 64;

interface Leaf {
  readonly entries: Entry[];
  readonly children: undefined;
  live: number;
}

interface Inner {
  readonly children: Node[];
  /** The least key that may be below each child but the first. */
  readonly bounds: Binary[];
  live: number;
}

type Node = Leaf | Inner;

export class KeyTree {
  private root: Node = { entries: [], children: undefined, live: 0 };

  /** How many living keys there are. */
  get live(): number {
    return this.root.live;
  }

  /** Adds a key that is not in the tree. */
  insert(entry: Entry): void {
    const { root } = this;
    const right = insertInto(root, entry);
    if (right === undefined) return;
    this.root = {
      children: [root, right.node],
      bounds: [right.bound],
      live: root.live + right.node.live,
    };
  }

  /** Takes a dead key out. */
  remove(key: Binary): void {
    removeFrom(this.root, key);
    const { root } = this;
    if (root.children?.length === 1) this.root = root.children[0]!;
  }

  /** Notes that a key in the tree came to life (+1) or died (-1). */
  enliven(key: Binary, by: 1 | -1): void {
    let node = this.root;
    while (node.children !== undefined) {
      node.live += by;
      node = node.children[childFor(node, key)]!;
    }
    node.live += by;
  }

  /** How many living keys are less than `key`. */
  rank(key: Binary): number {
    let node = this.root;
    let before = 0;
    while (node.children !== undefined) {
      const at = childFor(node, key);
      for (let i = 0; i < at; i++) before += node.children[i]!.live;
      node = node.children[at]!;
    }
    const place = placeOf(node.entries, key);
    for (let i = 0; i < place; i++) if (node.entries[i]!.alive) before++;
    return before;
  }

  /**
   * Calls `visit` for each key from `from` on, up to but without `end` if there
   * is one, until it returns false. The tree must not be changed meanwhile.
   */
  scan(from: Binary, end: Binary | undefined, visit: (entry: Entry) => boolean): void {
    scanNode(this.root, from, end, visit);
  }

  /** The keys of {@link scan}, as a list. */
  list(from: Binary, end: Binary | undefined): Entry[] {
    const entries: Entry[] = [];
    this.scan(from, end, (entry) => {
      entries.push(entry);
      return true;
    });
    return entries;
  }
}

/** Which child of `node` may hold `key`. */
function childFor(node: Inner, key: Binary): number {
  const { bounds } = node;
  let low = 0;
  let high = bounds.length;
  while (low < high) {
    const middle = (low + high) >>> 1;
    if (bounds[middle]! <= key) low = middle + 1;
    else high = middle;
  }
  return low;
}

/** The first place whose key is not less than `key`. */
function placeOf(entries: readonly Entry[], key: Binary): number {
  let low = 0;
  let high = entries.length;
  while (low < high) {
    const middle = (low + high) >>> 1;
    if (entries[middle]!.key < key) low = middle + 1;
    else high = middle;
  }
  return low;
}

function insertInto(node: Node, entry: Entry): { node: Node; bound: Binary } | undefined {
  if (entry.alive) node.live++;
  if (node.children === undefined) {
    const { entries } = node;
    const last = entries.length - 1;
    // Keys often come in ascending order.
    if (last < 0 || entries[last]!.key < entry.key) entries.push(entry);
    else {
      const place = placeOf(entries, entry.key);
      invariant(entries[place]!.key !== entry.key, "a key is in the tree once");
      entries.splice(place, 0, entry);
    }
    return entries.length > MOST ? splitLeaf(node, entry) : undefined;
  }
  const at = childFor(node, entry.key);
  const right = insertInto(node.children[at]!, entry);
  if (right === undefined) return undefined;
  node.children.splice(at + 1, 0, right.node);
  node.bounds.splice(at, 0, right.bound);
  return node.children.length > MOST ? splitInner(node) : undefined;
}

function splitLeaf(node: Leaf, latest: Entry): { node: Node; bound: Binary } {
  const { entries } = node;
  // Ascending keys leave full leaves behind.
  const ascending = entries[entries.length - 1] === latest;
  const entriesRight = entries.splice(ascending ? MOST - 4 : MOST >> 1);
  const right: Leaf = { entries: entriesRight, children: undefined, live: 0 };
  for (const moved of entriesRight) if (moved.alive) right.live++;
  node.live -= right.live;
  return { node: right, bound: entriesRight[0]!.key };
}

function splitInner(node: Inner): { node: Node; bound: Binary } {
  const half = node.children.length >> 1;
  const right: Inner = {
    children: node.children.splice(half),
    bounds: node.bounds.splice(half),
    live: 0,
  };
  for (const child of right.children) right.live += child.live;
  node.live -= right.live;
  return { node: right, bound: node.bounds.pop()! };
}

function removeFrom(node: Node, key: Binary): void {
  if (node.children === undefined) {
    const place = placeOf(node.entries, key);
    const entry = node.entries[place];
    invariant(entry !== undefined && entry.key === key, "what is removed is in the tree");
    invariant(!entry.alive, "a living key is not removed");
    node.entries.splice(place, 1);
    return;
  }
  const at = childFor(node, key);
  removeFrom(node.children[at]!, key);
  if (at > 0 && merged(node, at - 1)) return;
  if (at + 1 < node.children.length) merged(node, at);
}

function sizeOf(node: Node): number {
  return node.children === undefined ? node.entries.length : node.children.length;
}

/** Merges child `at` with the next one if they fit into one comfortably. */
function merged(node: Inner, at: number): boolean {
  const left = node.children[at]!;
  const right = node.children[at + 1]!;
  const size = sizeOf(left) + sizeOf(right);
  const empty = size === sizeOf(left) || size === sizeOf(right);
  if (size > (MOST * 3) >> 2 && !empty) return false;
  if (left.children === undefined && right.children === undefined) {
    left.entries.push(...right.entries);
  } else if (left.children !== undefined && right.children !== undefined) {
    left.bounds.push(node.bounds[at]!, ...right.bounds);
    left.children.push(...right.children);
  }
  left.live += right.live;
  node.children.splice(at + 1, 1);
  node.bounds.splice(at, 1);
  return true;
}

function scanNode(
  node: Node,
  from: Binary,
  end: Binary | undefined,
  visit: (entry: Entry) => boolean,
): boolean {
  if (node.children === undefined) {
    const { entries } = node;
    for (let at = placeOf(entries, from); at < entries.length; at++) {
      const entry = entries[at]!;
      if (end !== undefined && entry.key >= end) return false;
      if (!visit(entry)) return false;
    }
    return true;
  }
  for (let at = childFor(node, from); at < node.children.length; at++) {
    if (!scanNode(node.children[at]!, from, end, visit)) return false;
  }
  return true;
}
