/**
 * YATA (Nicolaescu, Jahns, Derntl, Klamma: "Near Real-Time Peer-to-Peer Shared Editing on Extensible Data
 * Types", GROUP 2016), in the variant that Yjs 13 runs: where a new item goes among concurrent ones.
 *
 * Every replica that has placed the same items has them in the same order, whatever the order of arrival.
 * Deleting is here too, since an item can arrive dead: below a deleted parent, or beaten for its key.
 */

import { type Branch, NONE, type Sequence } from "./branch.ts";
import {
  ANY,
  DELETED,
  flagsOf,
  GC,
  joined,
  severed,
  STRING,
  tailOf,
  TOMBSTONE,
  TYPE,
} from "./content.ts";
import { type ClientLog, type Store } from "./store.ts";

/** In the list column of an item not placed yet: its list is that of its neighbours. */
export const OF_NEIGHBOURS = -2;
/** In the list column of an item not placed yet: `next` and `prev` hold its parent's id, `block` its key. */
export const OF_PARENT = -3;

/** Places the items of updates, one after the other. */
export class Placement {
  private readonly store: Store;
  /** Keys named by structs of the present update whose parent may come in it too. */
  keys: readonly string[] = [];
  private readonly ordinals = new Map<number, number>();

  constructor(store: Store) {
    this.store = store;
  }

  /**
   * Places an item whose dependencies are known, of which the first `known` units are there already.
   * The number of the item is free to be used again when its units joined the run before.
   */
  place(item: number, known: number): void {
    const { store } = this;
    const log = store.logs[store.client[item]!]!;
    if (known > 0) cutKnown(store, item, known);
    const kind = store.kind(item);
    if (kind === GC) return this.collect(item);
    if (extendLast(store, log, item, kind)) return;
    const { originClient, originClock, rightClient, rightClock } = store;
    let left = NONE;
    let right = NONE;
    if (originClient[item] !== NONE) {
      left = store.endingAt(originClient[item]!, originClock[item]!);
    }
    if (store.rightClient[item] !== NONE) {
      right = store.startingAt(rightClient[item]!, rightClock[item]!);
    }
    const sequence = this.listOf(item, left, right);
    if (sequence === null) return this.collect(item);
    integrate(store, sequence, item, left, right, this.ordinals);
  }

  /** The list an item belongs to; null when what it hangs on has been collected. */
  private listOf(item: number, left: number, right: number): Sequence | null {
    const { store } = this;
    const { list } = store;
    if (left !== NONE && store.kind(left) === GC) return null;
    if (right !== NONE && store.kind(right) === GC) return null;
    if (list[item]! >= 0) return store.sequences[list[item]!]!;
    if (list[item] === OF_NEIGHBOURS) return store.sequenceOf(left === NONE ? right : left);
    const parent = store.find(store.next[item]!, store.prev[item]!);
    if (store.kind(parent) !== TYPE) return null;
    const branch = store.content[parent] as Branch;
    const key = store.block[item]!;
    return key === NONE ? store.children(branch) : store.keyed(branch, this.keys[key]!);
  }

  /** What hangs on collected structs is itself only good for its length. */
  private collect(item: number): void {
    appendCollected(this.store, item);
  }
}

/** Gives a log an item that lies in no list. */
function appendCollected(store: Store, item: number): void {
  store.flags[item] = flagsOf(GC);
  store.content[item] = null;
  store.list[item] = NONE;
  store.next[item] = NONE;
  store.prev[item] = NONE;
  store.append(item);
}

/** Lets one clock pass in which nothing is written: a struct that only has its length. */
export function tick(store: Store, log: ClientLog): void {
  appendCollected(store, compose(store, log, GC, null, 1, NONE, NONE));
}

/** Drops the first `known` units of an item that was partly known. */
function cutKnown(store: Store, item: number, known: number): void {
  const kind = store.kind(item);
  const content = store.content[item] ?? null;
  store.content[item] =
    kind === STRING && content !== null
      ? severed(content as string, known)[1]
      : tailOf(kind, content, known);
  store.clock[item]! += known;
  store.length[item]! -= known;
  if (kind === GC) return;
  store.originClient[item] = store.client[item]!;
  store.originClock[item] = store.clock[item]! - 1;
  store.list[item] = OF_NEIGHBOURS;
}

/** Typing goes on where this client's last run ends: no new item, no search. */
function extendLast(store: Store, log: ClientLog, item: number, kind: number): boolean {
  if (log.count === 0 || (kind !== STRING && kind !== ANY)) return false;
  const { client, clock, originClient, originClock, rightClient, rightClock, next } = store;
  const last = log.items[log.count - 1]!;
  if (store.flags[last] !== store.flags[item] || originClient[item] !== client[item]) return false;
  if (originClock[item] !== clock[item]! - 1 || rightClient[item] !== rightClient[last])
    return false;
  if (rightClock[item] !== rightClock[last]) return false;
  const after = next[last]!;
  if (after === NONE) {
    if (rightClient[item] !== NONE || store.sequenceOf(last).key !== null) return false;
  } else if (client[after] !== rightClient[item] || clock[after] !== rightClock[item]) return false;
  appendTo(store, log, last, store.content[item]!, store.length[item]!);
  store.release(item);
  return true;
}

/** Grows the last item of `log` in place. */
export function appendTo(
  store: Store,
  log: ClientLog,
  last: number,
  content: Store["content"][number],
  units: number,
): void {
  store.changes.wrote(log);
  store.content[last] = joined(store.kind(last), store.content[last]!, content);
  store.length[last]! += units;
  log.next += units;
  store.resized(last, units);
}

/** Local changes have their neighbours as origins: nothing is scanned, so this map stays empty. */
export const NO_CONFLICTS: Map<number, number> = new Map();

/**
 * Puts an item into its list between the items `left` and `right` of its origins, among what others have
 * put there meanwhile, and settles what follows from its being there.
 */
export function integrate(
  store: Store,
  sequence: Sequence,
  item: number,
  left: number,
  right: number,
  ordinals: Map<number, number>,
): void {
  const first = left === NONE ? sequence.first : store.next[left]!;
  const place = first === right ? left : scan(store, item, left, right, first, ordinals);
  store.link(sequence, item, place);
  store.append(item);
  const kind = store.kind(item);
  if (kind === TYPE) (store.content[item] as Branch).item = item;
  else if (kind === TOMBSTONE) {
    store.changes.erased(store.logs[store.client[item]!]!, store.clock[item]!, store.length[item]!);
  }
  if (sequence.key !== null && store.next[item] === NONE && place !== NONE) erase(store, place);
  const parent = sequence.branch.item;
  const isBeaten = sequence.key !== null && store.next[item] !== NONE;
  if (isBeaten || (parent !== NONE && store.isDeleted(parent))) erase(store, item);
}

/**
 * Finds the item behind which `item` goes, among those that were put between its origins concurrently:
 * ***{origin} b b {here} c {right}***. An item's ordinal says that it was passed; an ordinal of at least
 * `cleared` that it still conflicts.
 */
function scan(
  store: Store,
  item: number,
  origin: number,
  right: number,
  first: number,
  ordinals: Map<number, number>,
): number {
  const { originClient, originClock, rightClient, rightClock, client, next, logs } = store;
  const [fromClient, fromClock] = [originClient[item]!, originClock[item]!];
  const id = logs[client[item]!]!.id;
  let left = origin;
  let cleared = 0;
  ordinals.clear();
  for (let other = first; other !== NONE && other !== right; other = next[other]!) {
    const ordinal = ordinals.size;
    ordinals.set(other, ordinal);
    const sameOrigin =
      originClient[other] === fromClient &&
      (fromClient === NONE || originClock[other] === fromClock);
    if (sameOrigin) {
      if (logs[client[other]!]!.id < id) {
        left = other;
        cleared = ordinal + 1;
      } else if (
        rightClient[other] === rightClient[item] &&
        (rightClient[item] === NONE || rightClock[other] === rightClock[item])
      ) {
        break;
      }
    } else {
      if (originClient[other] === NONE) break;
      const passed = ordinals.get(store.find(originClient[other]!, originClock[other]!));
      if (passed === undefined) break;
      if (passed < cleared) {
        left = other;
        cleared = ordinal + 1;
      }
    }
  }
  return left;
}

/** Deletes an item and all below it. Content stays until the transaction ends. */
export function erase(store: Store, item: number): void {
  if (store.isDeleted(item)) return;
  if (store.kind(item) !== TYPE) return eraseOne(store, item);
  // A stack of our own: peers choose how deep types nest.
  const stack = [item];
  while (stack.length > 0) {
    const top = stack.pop()!;
    if (store.isDeleted(top)) continue;
    eraseOne(store, top);
    if (store.kind(top) !== TYPE) continue;
    for (const list of listsOf(store.content[top] as Branch)) {
      for (let child = list.first; child !== NONE; child = store.next[child]!) {
        if (!store.isDeleted(child)) stack.push(child);
        else store.changes.splits.push(store.client[child]!, store.clock[child]!);
      }
    }
  }
}

function eraseOne(store: Store, item: number): void {
  const units = store.visible(item);
  store.flags[item]! |= DELETED;
  store.changes.erased(store.logs[store.client[item]!]!, store.clock[item]!, store.length[item]!);
  store.resized(item, -units);
}

/** All lists of a branch: its children, and one for each key. */
export function listsOf(branch: Branch): Sequence[] {
  const lists = branch.keys === null ? [] : [...branch.keys.values()];
  if (branch.children !== null) lists.push(branch.children);
  return lists;
}

/** Deletes the known part of a range; the rest is up to the caller. */
export function eraseRange(store: Store, log: ClientLog, clock: number, end: number): void {
  if (clock >= Math.min(end, log.next)) return;
  let at = store.at(log, clock);
  let item = log.items[at]!;
  if (store.clock[item]! < clock && !store.isDeleted(item)) {
    store.split(item, clock - store.clock[item]!);
    at++;
  }
  for (; at < log.count; at++) {
    item = log.items[at]!;
    if (store.clock[item]! >= end) break;
    if (store.isDeleted(item)) continue;
    const inside = end - store.clock[item]!;
    if (inside < store.length[item]!) store.split(item, inside);
    erase(store, item);
  }
  log.hint = Math.min(at, log.count - 1);
}

/** Makes an item of this replica, not placed yet. Neighbours become its origins. */
export function compose(
  store: Store,
  log: ClientLog,
  kind: number,
  content: Store["content"][number],
  length: number,
  left: number,
  right: number,
): number {
  const item = store.allocate();
  store.client[item] = log.index;
  store.clock[item] = log.next;
  store.length[item] = length;
  store.flags[item] = flagsOf(kind);
  store.content[item] = content;
  store.originClient[item] = left === NONE ? NONE : store.client[left]!;
  store.originClock[item] = left === NONE ? NONE : store.clock[left]! + store.length[left]! - 1;
  store.rightClient[item] = right === NONE ? NONE : store.client[right]!;
  store.rightClock[item] = right === NONE ? NONE : store.clock[right]!;
  return item;
}
