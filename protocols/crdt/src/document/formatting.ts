/**
 * Rich text: marks among the units say which attributes hold from there on.
 *
 * A mark sets a key to a value or, with null, ends it. Whoever formats a range puts a mark at its start and
 * one with the former value at its end, and deletes what becomes redundant in between. The rules are those
 * of Yjs 13, so that both make the same structs of the same edits.
 */

import { sameValue, setOwn, type Value } from "./any.ts";
import { type BlockIndex } from "./block-index.ts";
import { NONE, type Sequence } from "./branch.ts";
import { type Content, DELETED, FORMAT, lengthOf, type Mark, UNCOUNTED } from "./content.ts";
import { type Doc } from "./doc.ts";
import { cleanGap } from "./clean-up.ts";
import { compose, erase, integrate, NO_CONFLICTS } from "./integrate.ts";
import { type Store } from "./store.ts";
import { halvesPair, typeBetween } from "./typing.ts";

/** Names and values of formatting; null takes a key away. */
export type Attributes = Readonly<Record<string, Value>>;

/** A place between two items of a text, with the attributes that hold there. */
export class TextCursor {
  private readonly doc: Doc;
  private readonly store: Store;
  private readonly sequence: Sequence;
  private left: number = NONE;
  private right: number;
  readonly attributes: Map<string, Value> = new Map();

  constructor(doc: Doc, sequence: Sequence) {
    this.doc = doc;
    this.store = doc.store;
    this.sequence = sequence;
    this.right = sequence.first;
  }

  get isAtEnd(): boolean {
    return this.right === NONE;
  }

  /** Moves over the next item, whose marks take effect. */
  private forward(): void {
    if (this.isLiveMark(this.right)) this.passMark(this.markOf(this.right));
    this.left = this.right;
    this.right = this.store.next[this.right]!;
  }

  private passMark({ key, value }: Mark): void {
    if (value === null) this.attributes.delete(key);
    else this.attributes.set(key, value);
  }

  private markOf(item: number): Mark {
    return this.store.content[item] as Mark;
  }

  private isLiveMark(item: number): boolean {
    return this.store.isMark(item) && !this.store.isDeleted(item);
  }

  /** Moves over `count` visible units. Stops right behind the last of them. */
  advance(count: number): void {
    const { store } = this;
    const index: BlockIndex | null = this.sequence.index;
    let left = count;
    while (this.right !== NONE && left > 0) {
      if (index !== null) {
        const beyond = index.skip(store, this.right, NONE);
        if (beyond !== NONE && store.offset < left) {
          left -= store.offset;
          this.left = store.prev[beyond]!;
          this.right = beyond;
          continue;
        }
      }
      left -= this.cutTo(left);
      this.forward();
    }
  }

  /** Cuts the next item so that at most `count` visible units of it remain; returns how many. */
  private cutTo(count: number): number {
    const { store, right } = this;
    const units = store.visible(right);
    if (count >= units) return units;
    const whole = halvesPair(store, right, count) ? count + 1 : count;
    if (whole < units) store.split(right, whole);
    return whole;
  }

  /** Moves on while what follows is deleted or sets what `attributes` want anyway. */
  private skipRedundant(attributes: Attributes): void {
    while (this.right !== NONE) {
      if (!this.store.isDeleted(this.right)) {
        if (!this.store.isMark(this.right)) break;
        const { key, value } = this.markOf(this.right);
        if (!sameValue(attributes[key] ?? null, value)) break;
      }
      this.forward();
    }
  }

  private insertItem(kind: number, content: Content): void {
    const { store, doc, left, right } = this;
    const length = lengthOf(kind, content);
    const item = compose(store, doc.log, kind, content, length, left, right);
    integrate(store, this.sequence, item, left, right, NO_CONFLICTS);
    this.right = item;
    this.forward();
  }

  /** Opens attributes that do not hold yet; returns what must be closed behind the insertion. */
  private openMarks(attributes: Attributes): Map<string, Value> {
    const former = new Map<string, Value>();
    for (const [key, value] of Object.entries(attributes)) {
      const current = this.attributes.get(key) ?? null;
      if (sameValue(current, value)) continue;
      former.set(key, current);
      this.insertItem(FORMAT, { key, value });
    }
    return former;
  }

  /** Puts back what held before, unless what follows does so anyway. */
  private closeMarks(former: Map<string, Value>): void {
    while (this.right !== NONE) {
      if (!this.store.isDeleted(this.right)) {
        if (!this.store.isMark(this.right)) break;
        const { key, value } = this.markOf(this.right);
        if (!former.has(key) || !sameValue(former.get(key), value)) break;
        former.delete(key);
      }
      this.forward();
    }
    for (const [key, value] of former) this.insertItem(FORMAT, { key, value });
  }

  /** Inserts text, or runs `insert` for anything else, with exactly these attributes. */
  insert(
    content: string | ((left: number, right: number) => number),
    attributes: Attributes,
  ): void {
    const wanted: Record<string, Value> = { ...attributes };
    for (const key of this.attributes.keys())
      if (wanted[key] === undefined) setOwn(wanted, key, null);
    this.skipRedundant(wanted);
    const former = this.openMarks(wanted);
    if (typeof content === "string") {
      this.left = typeBetween(this.doc, this.sequence, this.left, this.right, content);
    } else this.left = content(this.left, this.right);
    this.right = this.store.next[this.left]!;
    this.closeMarks(former);
  }

  /** Formats the next `count` visible units; null values take attributes away. */
  format(count: number, attributes: Attributes): void {
    this.skipRedundant(attributes);
    const former = this.openMarks(attributes);
    let left = count;
    while (this.right !== NONE) {
      const flags = this.store.flags[this.right]!;
      const isEmpty = (flags & (DELETED | UNCOUNTED)) !== 0;
      if (left <= 0 && (former.size === 0 || !isEmpty)) break;
      if (this.isLiveMark(this.right)) {
        if (!this.absorbMark(former, attributes, left)) break;
      } else if (!isEmpty) left -= this.cutTo(left);
      this.forward();
    }
    this.closeMarks(former);
  }

  /** A mark inside the range being formatted. Returns false when the range ends before it. */
  private absorbMark(former: Map<string, Value>, attributes: Attributes, left: number): boolean {
    const { key, value } = this.markOf(this.right);
    const wanted = attributes[key];
    if (wanted === undefined) return true;
    if (sameValue(wanted, value)) former.delete(key);
    else {
      if (left <= 0) return false;
      former.set(key, value);
    }
    erase(this.store, this.right);
    return true;
  }

  /** Deletes the next `count` visible units, and the marks that mean nothing without them. */
  delete(count: number): void {
    const { store } = this;
    const start = this.right;
    const before = new Map(this.attributes);
    let left = count;
    while (left > 0 && this.right !== NONE) {
      if (store.visible(this.right) > 0) {
        left -= this.cutTo(left);
        erase(store, this.right);
      }
      this.forward();
    }
    if (start !== NONE) cleanGap(store, start, this.right, before, this.attributes);
  }
}

/** Attributes as a plain record, for deltas; undefined when there are none. */
export function recordOf(attributes: ReadonlyMap<string, Value>): Attributes | undefined {
  if (attributes.size === 0) return undefined;
  const record: Record<string, Value> = {};
  for (const [key, value] of attributes) setOwn(record, key, value);
  return record;
}
