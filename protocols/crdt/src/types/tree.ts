/**
 * A tree whose nodes are created, edited, moved and removed, and that never
 * has a cycle (Kleppmann et al., _A highly-available move operation for
 * replicated trees_, 2021).
 *
 * All moves are one sequence, by hybrid time and actor. The tree is what comes
 * of playing them in that order and leaving out each that would put a node
 * under itself. So a move that loses to a concurrent one changes nothing, and
 * its node stays where it was. Creating and removing are moves: from nowhere,
 * and to the trash. A removed node takes along what is under it at that point
 * of the sequence; removing wins over editing what is removed.
 *
 * Moves are kept until they are stable. Then the last that took effect of each
 * node says the same as all before it, and what is in the trash is dropped.
 */

import { type Codec, invariant, struct, text, uint } from "@quorate/kernel";

import { type Cursor } from "../causal/cursor.ts";
import { type PackedDot } from "../causal/dots.ts";
import { compareWritten, type State, type Written } from "../causal/state.ts";
import { type Derived, type Key, type Leaf, type Node, type Store } from "../causal/stores.ts";
import { between, branchOf, type Extent } from "../position.ts";
import { placeCodec } from "./list.ts";
import {
  AnyType,
  frozen,
  Handle,
  type HandleOf,
  LeafType,
  type Stability,
  Type,
  type ValueOf,
} from "./type.ts";

/** A node of a tree, by a name that it keeps. */
export type NodeName = string;

/** Above all nodes. */
export const ROOT: NodeName = "";

/** Where removed nodes are. No node's name. */
const TRASH: NodeName = "-";

export interface TreeNode<Value> {
  readonly name: NodeName;
  readonly value: Value;
  readonly children: readonly TreeNode<Value>[];
}

interface Move extends Written {
  readonly parent: NodeName;
  readonly place: string;
}

/** A move in the sequence of all. */
interface Played {
  readonly node: NodeName;
  readonly dot: PackedDot;
  readonly move: Move;
}

const moveCodec = struct<Move>({ ms: uint, count: uint, parent: text, place: placeCodec });

/** The parts of a node. */
const MOVES = 0;
const VALUE = 1;

class MovesType extends LeafType<undefined, undefined> {
  readonly name = "moves";
  override readonly dated = true;
  override readonly item: Codec<unknown> = moveCodec;

  read(): undefined {
    return undefined;
  }

  handle(): undefined {
    return undefined;
  }
}

const moves = frozen(new MovesType());

class TreeNodeType extends AnyType {
  readonly leaf = false;
  readonly name = "node";
  readonly value: AnyType;

  constructor(value: AnyType) {
    super();
    this.value = value;
  }

  child(key: Key): AnyType {
    return key === MOVES ? moves : this.value;
  }

  isKey(key: Key): boolean {
    return key === MOVES || key === VALUE;
  }

  read(): undefined {
    return undefined;
  }

  handle(): undefined {
    return undefined;
  }
}

/** Where nodes are after the moves so far. */
interface Outline extends Derived {
  readonly at: Map<NodeName, Move>;
  /** Of each node with children, those in order. */
  readonly children: Map<NodeName, NodeName[]>;
  readonly own: Map<string, Extent>;
}

export class TreeHandle<T extends AnyType> extends Handle<readonly TreeNode<ValueOf<T>>[]> {
  private readonly tree: TreeType<T>;

  constructor(type: TreeType<T>, cursor: Cursor) {
    super(type, cursor);
    this.tree = type;
  }

  /** Whether a node is in the tree. */
  has(node: NodeName): boolean {
    return node === ROOT || isWithin(this.outline(), node, ROOT);
  }

  /** The nodes under a node, in order. */
  children(parent: NodeName = ROOT): readonly NodeName[] {
    return this.has(parent) ? [...(this.outline().children.get(parent) ?? [])] : [];
  }

  /** The parent of a node that is in the tree. */
  parent(node: NodeName): NodeName {
    invariant(node !== ROOT && this.has(node), "the node is in the tree");
    return this.outline().at.get(node)!.parent;
  }

  /** The value of a node, to be read and edited. */
  at(node: NodeName): HandleOf<T> {
    invariant(node !== ROOT && this.has(node), "the node is in the tree");
    return this.tree.values.handle(this.cursor.child(node).child(VALUE)) as HandleOf<T>;
  }

  /**
   * Makes a node.
   * @param index - Its place among the children of `parent`; the last if it is left out.
   */
  create(parent: NodeName = ROOT, index?: number): NodeName {
    const { state } = this.cursor;
    const node = branchOf(state.actors[0]!, state.context.upTo(0) + 1);
    this.put(node, parent, index);
    return node;
  }

  /**
   * Moves a node and all under it. Returns whether that can be: not under itself.
   * @param index - Its place among the others under `parent`; the last if it is left out.
   */
  move(node: NodeName, parent: NodeName, index?: number): boolean {
    invariant(node !== ROOT && this.has(node) && this.has(parent), "the nodes are in the tree");
    if (isWithin(this.outline(), parent, node)) return false;
    this.put(node, parent, index);
    return true;
  }

  /** Removes a node and all under it, for ever. */
  remove(node: NodeName): void {
    invariant(node !== ROOT && this.has(node), "the node is in the tree");
    this.put(node, TRASH, undefined);
  }

  private put(node: NodeName, parent: NodeName, index: number | undefined): void {
    const outline = this.outline();
    const { state } = this.cursor;
    const siblings = (outline.children.get(parent) ?? []).filter((one) => one !== node);
    const at = index ?? siblings.length;
    invariant(at >= 0 && at <= siblings.length, "the index is among the children");
    const place = between(
      outline.at.get(siblings[at - 1] ?? ROOT)?.place,
      outline.at.get(siblings[at] ?? ROOT)?.place,
      outline.own,
      () => {
        if (outline.own.size >= BRANCHES) outline.own.delete(outline.own.keys().next().value!);
        return branchOf(state.actors[0]!, state.context.upTo(0) + 1);
      },
    );
    const move: Move = { ...state.write(), parent, place };
    this.cursor.child(node).child(MOVES).add(move);
    // Later than every other move: it is played last.
    this.cursor.peekNode()!.derived = outline;
    play(outline, node, move);
  }

  private outline(): Outline {
    return this.tree.outline(this.cursor.peekNode(), this.cursor.state);
  }
}

const BRANCHES = 256;

export class TreeType<T extends AnyType> extends Type<
  readonly TreeNode<ValueOf<T>>[],
  TreeHandle<T>
> {
  readonly leaf = false;
  readonly name: string;
  readonly values: T;
  private readonly node: TreeNodeType;

  constructor(values: T) {
    super();
    invariant(values.removable, `${values.name} cannot be in a tree`);
    this.name = `tree(${values.name})`;
    this.values = values;
    this.node = frozen(new TreeNodeType(values));
  }

  child(_key: Key): AnyType {
    return this.node;
  }

  isKey(key: Key): boolean {
    return typeof key === "string" && key !== ROOT && key !== TRASH;
  }

  read(store: Store | undefined, state: State): readonly TreeNode<ValueOf<T>>[] {
    const outline = this.outline(store as Node | undefined, state);
    // Without recursion: a tree may be deeper than the stack.
    const grown: { readonly at: NodeName; readonly into: TreeNode<ValueOf<T>>[] }[] = [];
    const roots: TreeNode<ValueOf<T>>[] = [];
    grown.push({ at: ROOT, into: roots });
    for (let next = grown.pop(); next !== undefined; next = grown.pop()) {
      for (const name of outline.children.get(next.at) ?? []) {
        const node = (store as Node).children.get(name) as Node;
        const value = this.values.read(node.children.get(VALUE), state) as ValueOf<T>;
        const children: TreeNode<ValueOf<T>>[] = [];
        next.into.push({ name, value, children });
        grown.push({ at: name, into: children });
      }
    }
    return roots;
  }

  handle(cursor: Cursor): TreeHandle<T> {
    return new TreeHandle(this, cursor);
  }

  /** Where the nodes are, played anew if moves came from elsewhere. */
  outline(node: Node | undefined, state: State): Outline {
    const derived = node?.derived as Outline | undefined;
    if (derived !== undefined && !derived.outdated) return derived;
    const outline = emptyOutline(derived?.own);
    if (node === undefined) return outline;
    for (const { node: name, move } of sequence(node, state)) place(outline, name, move);
    arrange(outline);
    node.derived = outline;
    return outline;
  }

  override readonly collects = true;

  override settle(cursor: Cursor, stability: Stability): number {
    const tree = cursor.peekNode()!;
    const all = sequence(tree, cursor.state);
    // What is stable and before everything that is not can have nothing inserted among it any more.
    const end = all.findIndex(({ dot }) => !stability.isStable(dot));
    const settled = end < 0 ? all : all.slice(0, end);
    const unsettled = new Set(end < 0 ? [] : all.slice(end).map(({ node }) => node));
    const outline = emptyOutline();
    const effective = new Map<NodeName, PackedDot>();
    for (const { node, dot, move } of settled) {
      if (place(outline, node, move)) effective.set(node, dot);
    }
    let dropped = 0;
    for (const { node, dot } of settled) {
      if (effective.get(node) === dot && !isGone(outline, node, unsettled)) continue;
      const at = cursor.child(node).child(MOVES);
      at.drop(at.peekLeaf()!.dots.indexOf(dot));
      dropped += 1;
    }
    for (const node of [...tree.children.keys()] as NodeName[]) {
      if (isGone(outline, node, unsettled)) cursor.child(node).clear();
    }
    return dropped + super.settle(cursor, stability);
  }
}

function emptyOutline(own: Map<string, Extent> = new Map()): Outline {
  return { outdated: false, at: new Map(), children: new Map(), own };
}

/** All moves, in the order in which they are played. */
function sequence(tree: Node, state: State): readonly Played[] {
  const all: Played[] = [];
  for (const [name, child] of tree.children) {
    const leaf = (child as Node).children.get(MOVES) as Leaf | undefined;
    for (const [i, dot] of leaf?.dots.entries() ?? []) {
      all.push({ node: name as NodeName, dot, move: leaf!.items[i] as Move });
    }
  }
  return all.toSorted((a, b) => compareWritten(state, a.move, a.dot, b.move, b.dot));
}

/** Plays one move. Returns whether it took effect: none does that would put a node under itself. */
function place(outline: Outline, node: NodeName, move: Move): boolean {
  if (isWithin(outline, move.parent, node)) return false;
  outline.at.set(node, move);
  return true;
}

/** Plays one move more on an outline that is arranged. */
function play(outline: Outline, node: NodeName, move: Move): void {
  const before = outline.at.get(node);
  place(outline, node, move);
  if (before !== undefined) {
    const siblings = outline.children.get(before.parent)!;
    siblings.splice(siblings.indexOf(node), 1);
  }
  const siblings = outline.children.get(move.parent) ?? [];
  outline.children.set(move.parent, siblings);
  const at = siblings.findIndex((other) => outline.at.get(other)!.place > move.place);
  siblings.splice(at < 0 ? siblings.length : at, 0, node);
}

function arrange(outline: Outline): void {
  for (const [node, { parent }] of outline.at) {
    const siblings = outline.children.get(parent);
    if (siblings === undefined) outline.children.set(parent, [node]);
    else siblings.push(node);
  }
  const order = (a: NodeName, b: NodeName): number => {
    const [x, y] = [outline.at.get(a)!.place, outline.at.get(b)!.place];
    return x < y ? -1 : x > y ? 1 : a < b ? -1 : 1;
  };
  for (const siblings of outline.children.values()) siblings.sort(order);
}

/** Whether a node is another or under it. */
function isWithin(outline: Outline, node: NodeName, ancestor: NodeName): boolean {
  for (let at: NodeName | undefined = node; at !== undefined; at = outline.at.get(at)?.parent) {
    if (at === ancestor) return true;
  }
  return false;
}

/** Whether a node is in the trash for good: neither it nor anything on the way there may move again. */
function isGone(outline: Outline, node: NodeName, unsettled: ReadonlySet<NodeName>): boolean {
  for (let at: NodeName | undefined = node; at !== undefined; at = outline.at.get(at)?.parent) {
    if (at === TRASH) return true;
    if (unsettled.has(at)) return false;
  }
  return false;
}

/** A tree of nodes with values of one type. Value: the nodes under the root, with their children. */
export function tree<T extends AnyType>(values: T): TreeType<T> {
  return frozen(new TreeType(values));
}
