/**
 * From a position to an item, and back, without walking the list.
 *
 * The list is cut into blocks of at most {@link BLOCK_ITEMS} items, each with the number of visible
 * units in it; an array holds the blocks in document order. The block found last is remembered with its
 * start, so that edits near each other cost a walk inside one block. Short lists have no index at all.
 */

import { NONE, type Sequence } from "./branch.ts";
import { DELETED, UNCOUNTED } from "./content.ts";
import { type Store } from "./store.ts";

const BLOCK_ITEMS = 128;
/** A list this long gets an index. */
export const INDEXED_FROM = 96;

export class BlockIndex {
  /** Block numbers in document order. */
  private readonly order: number[] = [];
  private readonly first: number[] = [];
  private readonly count: number[] = [];
  private readonly visible: number[] = [];
  /** The transaction that changed the block last. */
  private readonly stamp: number[] = [];
  /** Format marks that ever were in the block. */
  private readonly marks: number[] = [];
  private readonly unused: number[] = [];
  /** Place in `order` of the block found last, and the units before it. */
  private place = 0;
  private start = 0;

  constructor(store: Store, sequence: Sequence) {
    let block = NONE;
    let filled = BLOCK_ITEMS;
    for (let item = sequence.first; item !== NONE; item = store.next[item]!) {
      if (filled >= BLOCK_ITEMS / 2) {
        block = this.open(item, this.order.length, 0);
        filled = 0;
      }
      filled++;
      this.count[block]!++;
      this.visible[block]! += store.visible(item);
      if (store.isMark(item)) this.marks[block]!++;
      store.block[item] = block;
    }
  }

  /** A new, empty block that starts with `item`. */
  private open(item: number, place: number, stamp: number): number {
    const block = this.unused.pop() ?? this.first.length;
    this.first[block] = item;
    this.count[block] = 0;
    this.visible[block] = 0;
    this.stamp[block] = stamp;
    this.marks[block] = 0;
    this.order.splice(place, 0, block);
    return block;
  }

  /** An item has been linked behind `left`, or at the front. */
  insert(store: Store, item: number, left: number, stamp: number): void {
    const neighbour = left === NONE ? store.next[item]! : left;
    const block = store.block[neighbour]!;
    store.block[item] = block;
    if (left === NONE) this.first[block] = item;
    this.stamp[block] = stamp;
    if (store.isMark(item)) this.marks[block]!++;
    this.grow(block, store.visible(item));
    if (++this.count[block]! > BLOCK_ITEMS) this.divide(store, block);
  }

  /** The right part of a split: visible units stay as they are. */
  insertPart(store: Store, item: number, left: number): void {
    const block = store.block[left]!;
    store.block[item] = block;
    if (++this.count[block]! > BLOCK_ITEMS) this.divide(store, block);
  }

  /** The visible units of `item` have changed by `delta`. */
  resize(store: Store, item: number, delta: number, stamp: number): void {
    const block = store.block[item]!;
    this.stamp[block] = stamp;
    this.grow(block, delta);
  }

  private grow(block: number, delta: number): void {
    if (delta === 0) return;
    this.visible[block]! += delta;
    if (this.order[this.place] !== block) this.forget();
  }

  private forget(): void {
    this.place = 0;
    this.start = 0;
  }

  /** `item`, which is about to be unlinked, has given its `units` to its left neighbour. */
  absorb(store: Store, item: number, units: number): void {
    const block = store.block[item]!;
    const left = store.block[store.prev[item]!]!;
    if (left !== block && units > 0) {
      this.visible[block]! -= units;
      this.visible[left]! += units;
      this.forget();
    }
    if (--this.count[block]! === 0) {
      this.order.splice(this.order.indexOf(block), 1);
      this.unused.push(block);
      this.forget();
    } else if (this.first[block] === item) this.first[block] = store.next[item]!;
  }

  private divide(store: Store, block: number): void {
    const place = this.order[this.place] === block ? this.place : this.order.indexOf(block);
    let item = this.first[block]!;
    const keep = this.count[block]! >> 1;
    let units = 0;
    let marks = 0;
    for (let i = 0; i < keep; i++) {
      units += store.visible(item);
      if (store.isMark(item)) marks++;
      item = store.next[item]!;
    }
    const right = this.open(item, place + 1, this.stamp[block]!);
    const moved = this.count[block]! - keep;
    for (let i = 0; i < moved; i++) {
      store.block[item] = right;
      item = store.next[item]!;
    }
    this.count[right] = moved;
    this.count[block] = keep;
    this.visible[right] = this.visible[block]! - units;
    this.visible[block] = units;
    this.marks[right] = this.marks[block]! - marks;
    this.marks[block] = marks;
    if (this.place > place) this.forget();
  }

  /**
   * Finds the item that holds the unit before `position` (which is at least 1), and leaves in
   * `store.offset` how many of its units lie before the position.
   */
  seek(store: Store, position: number): number {
    let { place, start } = this;
    const { order, visible } = this;
    while (start >= position) start -= visible[order[--place]!]!;
    while (start + visible[order[place]!]! < position) start += visible[order[place++]!]!;
    this.place = place;
    this.start = start;
    let left = position - start;
    let item = this.first[order[place]!]!;
    const { flags, length, next } = store;
    for (;;) {
      if ((flags[item]! & (DELETED | UNCOUNTED)) === 0) {
        if (left <= length[item]!) break;
        left -= length[item]!;
      }
      item = next[item]!;
    }
    store.offset = left;
    return item;
  }

  /** How many visible units lie before `item`. */
  positionOf(store: Store, item: number): number {
    const block = store.block[item]!;
    let { place, start } = this;
    if (this.order[place] !== block) {
      place = start = 0;
      while (this.order[place] !== block) start += this.visible[this.order[place++]!]!;
      this.place = place;
      this.start = start;
    }
    let position = start;
    for (let at = this.first[block]!; at !== item; at = store.next[at]!) {
      position += store.visible(at);
    }
    return position;
  }

  /**
   * When `item` starts a block that has not changed in the transaction `stamp` and holds no marks,
   * the first item behind it, with the units skipped in `store.offset`; else {@link NONE}.
   */
  skip(store: Store, item: number, stamp: number): number {
    const block = store.block[item]!;
    if (this.first[block] !== item || this.stamp[block] === stamp || this.marks[block]! > 0) {
      return NONE;
    }
    let last = item;
    for (let i = this.count[block]! - 1; i > 0; i--) last = store.next[last]!;
    store.offset = this.visible[block]!;
    return store.next[last]!;
  }
}
