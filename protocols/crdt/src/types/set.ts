/**
 * Sets (Shapiro et al. 2011, §3.3; Bieniusa et al., _An optimized conflict-free
 * replicated set_, 2012, without tombstones).
 *
 * - `set`: an element may be added and removed at will. A removal removes what
 *   was seen, so a concurrent addition wins.
 * - `removeWinsSet`: a removal wins over a concurrent addition. It leaves a
 *   mark, also for an element that was not seen, until all have seen it.
 * - `growSet`: elements are only added.
 * - `twoPhaseSet`: an element that was removed never returns.
 */

import { type Cursor } from "../causal/cursor.ts";
import { type State } from "../causal/state.ts";
import { type Key, type Node, type Store } from "../causal/stores.ts";
import { type Keyed, number, string } from "../values.ts";
import { NoWinsType } from "./flag.ts";
import { type AnyType, frozen, Handle, presence, Type } from "./type.ts";

/** What may be asked of every set. */
export abstract class AnySetHandle<T> extends Handle<ReadonlySet<T>> {
  protected readonly set: AnySetType<T>;

  constructor(type: AnySetType<T>, cursor: Cursor) {
    super(type as Type<ReadonlySet<T>, unknown>, cursor);
    this.set = type;
  }

  has(element: T): boolean {
    const key = this.set.elements.toKey(element);
    const store = this.cursor.peekNode()?.children.get(key);
    return this.set.isElement(store);
  }

  get size(): number {
    let size = 0;
    for (const store of this.cursor.peekNode()?.children.values() ?? []) {
      if (this.set.isElement(store)) size += 1;
    }
    return size;
  }

  /** Where an element's dots are. */
  protected at(element: T): Cursor {
    return this.cursor.child(this.set.elements.toKey(element));
  }
}

/** Elements of one kind, each with a leaf that says whether it is in the set. */
abstract class AnySetType<T> extends Type<ReadonlySet<T>, AnySetHandle<T>> {
  readonly leaf = false;
  abstract override readonly name: string;
  override readonly collects: boolean;
  readonly elements: Keyed<T>;
  private readonly member: AnyType;

  constructor(elements: Keyed<T>, member: AnyType) {
    super();
    this.elements = elements;
    this.member = member;
    this.collects = member.collects;
  }

  child(_key: Key): AnyType {
    return this.member;
  }

  isKey(key: Key): boolean {
    return typeof key === "string" && this.elements.fromKey(key) !== undefined;
  }

  isElement(store: Store | undefined): boolean {
    return this.member.isPresent(store);
  }

  /** The elements, in the order of their keys: the same on every replica. */
  override read(store: Store | undefined, _state: State): ReadonlySet<T> {
    const keys: string[] = [];
    for (const [key, child] of (store as Node | undefined)?.children ?? []) {
      if (this.isElement(child)) keys.push(key as string);
    }
    return new Set(keys.toSorted().map((key) => this.elements.fromKey(key)!));
  }
}

export class GrowSetHandle<T> extends AnySetHandle<T> {
  add(element: T): void {
    if (!this.has(element)) this.at(element).add();
  }
}

class GrowSetType<T> extends AnySetType<T> {
  readonly name: string;

  constructor(elements: Keyed<T>) {
    super(elements, presence);
    this.name = `growSet(${elements.name})`;
  }

  handle(cursor: Cursor): GrowSetHandle<T> {
    return new GrowSetHandle(this, cursor);
  }
}

export class SetHandle<T> extends AnySetHandle<T> {
  add(element: T): void {
    this.at(element).replace();
  }

  /** Removes an element that is seen here; another is left alone. */
  remove(element: T): void {
    this.at(element).clear();
  }
}

class AddWinsSetType<T> extends AnySetType<T> {
  readonly name: string;

  constructor(elements: Keyed<T>) {
    super(elements, presence);
    this.name = `set(${elements.name})`;
  }

  handle(cursor: Cursor): SetHandle<T> {
    return new SetHandle(this, cursor);
  }
}

class RemoveWinsMember extends NoWinsType<undefined> {
  readonly name = "removeWinsMember";

  handle(_cursor: Cursor): undefined {
    return undefined;
  }
}

const removeWinsMember = frozen(new RemoveWinsMember());

export class RemoveWinsSetHandle<T> extends AnySetHandle<T> {
  add(element: T): void {
    this.at(element).replace(true);
  }

  /** Removes an element, seen here or not. */
  remove(element: T): void {
    this.at(element).replace(false);
  }
}

class RemoveWinsSetType<T> extends AnySetType<T> {
  readonly name: string;

  constructor(elements: Keyed<T>) {
    super(elements, removeWinsMember);
    this.name = `removeWinsSet(${elements.name})`;
  }

  handle(cursor: Cursor): RemoveWinsSetHandle<T> {
    return new RemoveWinsSetHandle(this, cursor);
  }
}

/** Like the member of a remove-wins set, but that a no is for ever. */
class TwoPhaseMember extends NoWinsType<undefined> {
  readonly name = "twoPhaseMember";
  override readonly collects = false;

  handle(_cursor: Cursor): undefined {
    return undefined;
  }
}

const twoPhaseMember = frozen(new TwoPhaseMember());

export class TwoPhaseSetHandle<T> extends AnySetHandle<T> {
  /** Returns whether the element is in the set now: not if it was ever removed. */
  add(element: T): boolean {
    const leaf = this.at(element).peekLeaf();
    if (leaf === undefined) this.at(element).add(true);
    return this.has(element);
  }

  /** Removes an element that is in the set, for ever. Returns whether it was. */
  remove(element: T): boolean {
    if (!this.has(element)) return false;
    this.at(element).replace(false);
    return true;
  }
}

class TwoPhaseSetType<T> extends AnySetType<T> {
  readonly name: string;

  constructor(elements: Keyed<T>) {
    super(elements, twoPhaseMember);
    this.name = `twoPhaseSet(${elements.name})`;
  }

  handle(cursor: Cursor): TwoPhaseSetHandle<T> {
    return new TwoPhaseSetHandle(this, cursor);
  }
}

interface Sets<S, N> {
  readonly string: S;
  readonly number: N;
}

/** Adding wins over removing. Value: a `Set`. */
export const set: Sets<AddWinsSetType<string>, AddWinsSetType<number>> = frozen({
  string: frozen(new AddWinsSetType(string)),
  number: frozen(new AddWinsSetType(number)),
});

/** Removing wins over adding. Value: a `Set`. */
export const removeWinsSet: Sets<RemoveWinsSetType<string>, RemoveWinsSetType<number>> = frozen({
  string: frozen(new RemoveWinsSetType(string)),
  number: frozen(new RemoveWinsSetType(number)),
});

/** Elements are never removed. Value: a `Set`. */
export const growSet: Sets<GrowSetType<string>, GrowSetType<number>> = frozen({
  string: frozen(new GrowSetType(string)),
  number: frozen(new GrowSetType(number)),
});

/** Elements are removed once. Value: a `Set`. */
export const twoPhaseSet: Sets<TwoPhaseSetType<string>, TwoPhaseSetType<number>> = frozen({
  string: frozen(new TwoPhaseSetType(string)),
  number: frozen(new TwoPhaseSetType(number)),
});
