/**
 * A list whose elements are inserted, edited, moved and removed.
 *
 * An element's key is the place where it was inserted (`position.ts`). A move
 * gives it another place, last writer wins (Kleppmann, _Moving elements in list
 * CRDTs_, 2020), so an element moved by two at once is at one of the places,
 * once. Removing an element wins over moving it; editing it wins over removing
 * it, as in maps: the element is then back, with the edit alone.
 */

import { type Codec, invariant, MalformedInput, text } from "@quorate/kernel";

import { type Cursor } from "../causal/cursor.ts";
import { type State } from "../causal/state.ts";
import { type Derived, type Key, type Leaf, type Node, type Store } from "../causal/stores.ts";
import { between, branchOf, type Extent, isPosition } from "../position.ts";
import { datedCodec, lastOf } from "./register.ts";
import {
  AnyType,
  frozen,
  Handle,
  type HandleOf,
  LeafType,
  presence,
  type Stability,
  Type,
  type ValueOf,
} from "./type.ts";

/** The parts of an element. */
const PRESENCE = 0;
const MOVED = 1;
const VALUE = 2;

/** A place on the wire: text that is one. */
export const placeCodec: Codec<string> = {
  write: (writer, place) => text.write(writer, place),
  read(reader) {
    const place = text.read(reader);
    if (!isPosition(place)) throw new MalformedInput("no place in a list");
    return place;
  },
};

/** Where an element was moved to, by whom last. */
class MovedType extends LeafType<undefined, undefined> {
  readonly name = "moved";
  override readonly dated = true;
  override readonly item: Codec<unknown> = datedCodec(placeCodec);

  read(): undefined {
    return undefined;
  }

  handle(): undefined {
    return undefined;
  }
}

const moved = frozen(new MovedType());

class ElementType extends AnyType {
  readonly leaf = false;
  readonly name = "element";
  readonly value: AnyType;

  constructor(value: AnyType) {
    super();
    this.value = value;
  }

  child(key: Key): AnyType {
    return key === PRESENCE ? presence : key === MOVED ? moved : this.value;
  }

  isKey(key: Key): boolean {
    return key === PRESENCE || key === MOVED || key === VALUE;
  }

  read(): undefined {
    return undefined;
  }

  handle(): undefined {
    return undefined;
  }

  /** A place alone is no element: moving does not bring back what was removed. */
  override isPresent(store: Store | undefined): boolean {
    const children = (store as Node | undefined)?.children;
    if (children === undefined) return false;
    if (children.has(PRESENCE)) return true;
    return this.value.isPresent(children.get(VALUE));
  }

  override readonly collects = true;

  /** The place that a move left behind when its element was removed goes once nothing can come that it is for. */
  override settle(cursor: Cursor, stability: Stability): number {
    const dropped = super.settle(cursor, stability);
    const leaf = cursor.peekNode()?.children.get(MOVED) as Leaf | undefined;
    if (leaf === undefined || !stability.quiet || this.isPresent(cursor.peek())) return dropped;
    const moves = leaf.dots.length;
    cursor.clear();
    return dropped + moves;
  }
}

/** The elements in order, and the actor's own branches. */
interface Order extends Derived {
  /** Of each element its key and its place, by turns in two arrays. */
  readonly keys: string[];
  readonly places: string[];
  readonly own: Map<string, Extent>;
}

/** An actor remembers so many of its branches: forgetting one makes places longer, no more. */
const BRANCHES = 256;

export class ListHandle<T extends AnyType> extends Handle<readonly ValueOf<T>[]> {
  private readonly list: ListType<T>;

  constructor(type: ListType<T>, cursor: Cursor) {
    super(type, cursor);
    this.list = type;
  }

  get length(): number {
    return this.order()?.keys.length ?? 0;
  }

  /** The element at an index, to be read and edited. */
  at(index: number): HandleOf<T> {
    return this.elementHandle(this.keyAt(index));
  }

  /** A new element before the one at `index`, or at the end. It is there, though without content. */
  insert(index: number): HandleOf<T> {
    invariant(index >= 0 && index <= this.length, "an element is inserted within the list");
    const own = this.order()?.own ?? new Map<string, Extent>();
    const place = this.placeFor(index, own);
    this.cursor.child(place).child(PRESENCE).add();
    const node = this.cursor.peekNode()!;
    node.derived ??= { outdated: false, keys: [], places: [], own } as Order;
    const order = node.derived as Order;
    order.keys.splice(index, 0, place);
    order.places.splice(index, 0, place);
    return this.elementHandle(place);
  }

  push(): HandleOf<T> {
    return this.insert(this.length);
  }

  remove(index: number): void {
    this.cursor.child(this.keyAt(index)).clear();
    this.resume((order) => {
      order.keys.splice(index, 1);
      order.places.splice(index, 1);
    });
  }

  /** Moves the element at `from`, so that it is at `to` afterwards. */
  move(from: number, to: number): void {
    const key = this.keyAt(from);
    invariant(to >= 0 && to < this.length, "an element is moved within the list");
    if (from === to) return;
    const order = this.order()!;
    const place = this.placeFor(to > from ? to + 1 : to, order.own);
    const written = this.cursor.state.write();
    this.cursor
      .child(key)
      .child(MOVED)
      .replace({ ...written, value: place });
    order.keys.splice(from, 1);
    order.places.splice(from, 1);
    order.keys.splice(to, 0, key);
    order.places.splice(to, 0, place);
  }

  private elementHandle(key: string): HandleOf<T> {
    return this.list.elements.handle(this.cursor.child(key).child(VALUE)) as HandleOf<T>;
  }

  private keyAt(index: number): string {
    const key = this.order()?.keys[index];
    invariant(key !== undefined, "the index is within the list");
    return key;
  }

  /** A place between the elements at `index - 1` and `index`. */
  private placeFor(index: number, own: Map<string, Extent>): string {
    const order = this.order();
    const { state } = this.cursor;
    return between(order?.places[index - 1], order?.places[index], own, () => {
      if (own.size >= BRANCHES) own.delete(own.keys().next().value!);
      return branchOf(state.actors[0]!, state.context.upTo(0) + 1);
    });
  }

  private order(): Order | undefined {
    const node = this.cursor.peekNode();
    return node === undefined ? undefined : this.list.order(node, this.cursor.state);
  }

  /** Edits the order although a removal has outdated it: it is known what the removal did. */
  private resume(edit: (order: Order) => void): void {
    const derived = this.cursor.peekNode()?.derived as Order | undefined;
    if (derived === undefined) return;
    derived.outdated = false;
    edit(derived);
  }
}

export class ListType<T extends AnyType> extends Type<readonly ValueOf<T>[], ListHandle<T>> {
  readonly leaf = false;
  readonly name: string;
  override readonly collects = true;
  readonly elements: T;
  private readonly element: ElementType;

  constructor(elements: T) {
    super();
    invariant(elements.removable, `${elements.name} cannot be in a list`);
    this.name = `list(${elements.name})`;
    this.elements = elements;
    this.element = frozen(new ElementType(elements));
  }

  child(_key: Key): AnyType {
    return this.element;
  }

  isKey(key: Key): boolean {
    return typeof key === "string" && isPosition(key);
  }

  read(store: Store | undefined, state: State): readonly ValueOf<T>[] {
    if (store === undefined) return [];
    const { children } = store as Node;
    return this.order(store as Node, state).keys.map((key) => {
      const element = children.get(key) as Node;
      return this.elements.read(element.children.get(VALUE), state) as ValueOf<T>;
    });
  }

  handle(cursor: Cursor): ListHandle<T> {
    return new ListHandle(this, cursor);
  }

  override isPresent(store: Store | undefined): boolean {
    if (store === undefined) return false;
    for (const child of (store as Node).children.values()) {
      if (this.element.isPresent(child)) return true;
    }
    return false;
  }

  /** The elements in order, sorted anew if they changed otherwise than through a handle. */
  order(node: Node, state: State): Order {
    const derived = node.derived as Order | undefined;
    if (derived !== undefined && !derived.outdated) return derived;
    const placed: { readonly key: string; readonly place: string }[] = [];
    for (const [key, child] of node.children) {
      if (!this.element.isPresent(child)) continue;
      const leaf = (child as Node).children.get(MOVED) as Leaf | undefined;
      const place = lastOf<string>(leaf, state)?.value ?? (key as string);
      placed.push({ key: key as string, place });
    }
    placed.sort((a, b) => compareText(a.place, b.place) || compareText(a.key, b.key));
    const order: Order = {
      outdated: false,
      keys: placed.map(({ key }) => key),
      places: placed.map(({ place }) => place),
      own: derived?.own ?? new Map<string, Extent>(),
    };
    node.derived = order;
    return order;
  }
}

function compareText(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0;
}

/** A list of values of one type. Value: an array. */
export function list<T extends AnyType>(elements: T): ListType<T> {
  return frozen(new ListType(elements));
}
