/**
 * Local edits of a list of units: where a position lies, how a run grows while somebody types, how a
 * range is deleted. Text without formatting, arrays and XML children need nothing else.
 *
 * No local edit cuts a surrogate pair: positions inside one move behind it, ranges widen to both halves.
 */

import { type Branch, NONE, type Sequence } from "./branch.ts";
import { DELETED, flagsOf, STRING, TOMBSTONE, UNCOUNTED } from "./content.ts";
import { type Doc } from "./doc.ts";
import { DocumentError } from "./errors.ts";
import { appendTo, compose, erase, integrate, NO_CONFLICTS } from "./integrate.ts";
import { type Store } from "./store.ts";
import { halves } from "./wire.ts";

/** The list of a branch, made at the first change. */
export function sequenceOf(doc: Doc, branch: Branch): Sequence {
  return branch.children ?? doc.store.children(branch);
}

/** @throws DocumentError `out-of-range` unless `index` lies in the list or at its end. */
export function checkIndex(index: number, length: number): void {
  if (Number.isInteger(index) && index >= 0 && index <= length) return;
  throw new DocumentError("out-of-range", `there is no position ${index} in a length of ${length}`);
}

/** @throws DocumentError `out-of-range` unless the range lies in the list. */
export function checkRange(index: number, count: number, length: number): void {
  checkIndex(index, length);
  if (!Number.isInteger(count) || count < 0 || index + count > length) {
    throw new DocumentError(
      "out-of-range",
      `there are no ${count} units behind ${index} in a length of ${length}`,
    );
  }
}

/** True when a cut inside `item` before its unit `offset` would halve a surrogate pair. */
export function halvesPair(store: Store, item: number, offset: number): boolean {
  return store.kind(item) === STRING && halves(store.content[item] as string, offset);
}

/** The item right before `position`, cut there if need be; {@link NONE} at the start. */
export function leftOf(store: Store, sequence: Sequence, position: number): number {
  if (position === 0) return NONE;
  const item = store.seek(sequence, position);
  let { offset } = store;
  if (offset < store.length[item]! && halvesPair(store, item, offset)) offset++;
  if (offset < store.length[item]!) cutForGood(store, item, offset);
  return item;
}

/** The item behind `item`; the first one of the list for {@link NONE}. */
export function after(store: Store, sequence: Sequence, item: number): number {
  return item === NONE ? sequence.first : store.next[item]!;
}

/**
 * Goes on typing where this replica typed last while nobody watches: all that a transaction around it would
 * come to, without one. False when it is not that simple.
 */
export function typeOn(doc: Doc, branch: Branch, position: number, text: string): boolean {
  const { children } = branch;
  if (children === null || !doc.isQuiet) return false;
  const { store, log } = doc;
  const { typing } = store;
  if (typing === NONE || store.typingAt !== position || store.list[typing] !== children.id)
    return false;
  if (log.items[log.count - 1] !== typing || children.marks > 0) return false;
  const units = text.length;
  store.content[typing] = (store.content[typing] as string) + text;
  store.length[typing]! += units;
  log.next += units;
  children.length += units;
  children.index?.resize(store, typing, units, store.changes.stamp);
  store.typingAt = position + units;
  return true;
}

/** Types text without attributes. */
export function typeText(doc: Doc, sequence: Sequence, position: number, text: string): void {
  const { store, log } = doc;
  const { typing } = store;
  if (
    typing !== NONE &&
    store.typingAt === position &&
    store.list[typing] === sequence.id &&
    log.items[log.count - 1] === typing
  ) {
    extend(doc, typing, position, text);
    return;
  }
  let left = leftOf(store, sequence, position);
  let right = after(store, sequence, left);
  // Behind the tombstones that follow: runs get longer, files smaller.
  while (right !== NONE && store.isDeleted(right)) {
    left = right;
    right = store.next[right]!;
  }
  typeBetween(doc, sequence, left, right, text);
  store.typing = log.items[log.count - 1]!;
  store.typingAt = position + text.length;
}

function extend(doc: Doc, item: number, position: number, text: string): void {
  const { store, log } = doc;
  appendTo(store, log, item, text, text.length);
  store.typing = item;
  store.typingAt = position + text.length;
}

/** Puts text between two neighbours, into the left one if that is this replica's last run. */
export function typeBetween(
  doc: Doc,
  sequence: Sequence,
  left: number,
  right: number,
  text: string,
): number {
  const { store, log } = doc;
  if (left !== NONE && log.count > 0 && log.items[log.count - 1] === left) {
    const client = right === NONE ? NONE : store.client[right]!;
    const clock = right === NONE ? NONE : store.clock[right]!;
    if (
      store.flags[left] === STRING &&
      store.rightClient[left] === client &&
      store.rightClock[left] === clock
    ) {
      appendTo(store, log, left, text, text.length);
      return left;
    }
  }
  const item = compose(store, log, STRING, text, text.length, left, right);
  integrate(store, sequence, item, left, right, NO_CONFLICTS);
  return item;
}

/** Deletes `count` visible units from `position` on. The range has been checked. */
export function deleteRange(doc: Doc, sequence: Sequence, position: number, count: number): void {
  const { store } = doc;
  let left = count;
  let item = sequence.first;
  if (position > 0) {
    item = store.seek(sequence, position);
    let { offset } = store;
    if (halvesPair(store, item, offset)) {
      offset--;
      left++;
    }
    if (offset === store.length[item]) item = store.next[item]!;
    else if (offset > 0) {
      if (left === store.length[item]! - offset && doc.isPlain && backspace(store, item, left))
        return;
      item = cutForGood(store, item, offset);
    }
  }
  for (; left > 0 && item !== NONE; item = store.next[item]!) {
    if ((store.flags[item]! & (DELETED | UNCOUNTED)) !== 0) continue;
    if (left < store.length[item]!) {
      if (halvesPair(store, item, left)) left++;
      if (left < store.length[item]!) cutForGood(store, item, left);
    }
    left -= store.length[item]!;
    erase(store, item);
  }
}

/** Cuts where no one need try to join: something goes in between, or an end of a deletion lies here. */
function cutForGood(store: Store, item: number, offset: number): number {
  const tail = store.split(item, offset);
  store.changes.splits.length -= 2;
  return tail;
}

/**
 * Deletes the last `count` units of a run into the tombstone behind it: what cutting, deleting and joining
 * come to when somebody takes back letter after letter.
 */
function backspace(store: Store, item: number, count: number): boolean {
  const tombstone = store.next[item]!;
  if (tombstone === NONE || store.flags[tombstone] !== flagsOf(TOMBSTONE)) return false;
  const { client, clock, length, originClient, originClock, rightClient, rightClock } = store;
  const clockAfter = clock[item]! + length[item]!;
  if (store.flags[item] !== STRING || client[tombstone] !== client[item]) return false;
  if (clock[tombstone] !== clockAfter || originClient[tombstone] !== client[item]) return false;
  if (originClock[tombstone] !== clockAfter - 1) return false;
  if (rightClient[tombstone] !== rightClient[item]) return false;
  if (rightClock[tombstone] !== rightClock[item]) return false;
  const kept = length[item]! - count;
  store.content[item] = (store.content[item] as string).slice(0, kept);
  length[item] = kept;
  length[tombstone]! += count;
  clock[tombstone] -= count;
  originClock[tombstone] -= count;
  store.changes.erased(store.logs[client[item]!]!, clock[tombstone], count);
  store.resized(item, -count);
  return true;
}
