/**
 * What is done when a transaction ends: content of what was deleted is freed, and neighbours that have
 * become alike are joined. Joining here, where the transaction knows what it touched, is what keeps the
 * columns as small as the encoding, and encoding a linear copy.
 */

import { type Branch, NONE } from "./branch.ts";
import {
  ANY,
  DELETED,
  flagsOf,
  GC,
  joined,
  JSONS,
  KEPT,
  KIND,
  REDONE,
  STRING,
  TOMBSTONE,
  TYPE,
} from "./content.ts";
import { listsOf } from "./integrate.ts";
import { type ClientLog, type Store } from "./store.ts";

/** Client index, first clock and end of what may have become joinable. */
const ranges: number[] = [];

/** Frees what was deleted (when `frees`), then joins whatever the transaction has made joinable. */
export function tidy(store: Store, frees: boolean): void {
  const { written, deleted, splits } = store.changes;
  // All of it before anything is joined: freeing a type reaches into other clients' logs.
  if (frees && deleted.length > 0) freeDeleted(store, deleted);
  ranges.length = 0;
  const whole = wholeLogs(store);
  for (const log of whole) ranges.push(log.index, 0, log.next);
  for (let i = 0; i < splits.length; i += 2) {
    if (whole.size > 0 && whole.has(store.logs[splits[i]!]!)) continue;
    ranges.push(splits[i]!, splits[i + 1]!, splits[i + 1]! + 1);
  }
  for (const log of written) {
    if (!whole.has(log)) ranges.push(log.index, log.before, log.next);
  }
  for (const log of deleted) {
    if (whole.has(log)) continue;
    const { index, deletes } = log;
    for (let i = 0; i < deletes.length; i += 2) {
      ranges.push(index, deletes[i]!, deletes[i]! + deletes[i + 1]!);
    }
  }
  // From the end: what moves in a log then lies behind what is still to come.
  for (let i = ranges.length - 3; i >= 0; i -= 3) {
    joinRange(store, store.logs[ranges[i]!]!, ranges[i + 1]!, ranges[i + 2]!);
  }
}

const NONE_WHOLE: ReadonlySet<ClientLog> = new Set();

/** Logs in which so much has changed that one pass through all of it is cheaper than many small ones. */
function wholeLogs(store: Store): ReadonlySet<ClientLog> {
  const { written, deleted, splits } = store.changes;
  let changes = splits.length >> 1;
  for (const { deletes } of deleted) changes += deletes.length >> 1;
  if (changes < 32) return NONE_WHOLE;
  const logs = new Set([...written, ...deleted]);
  for (let i = 0; i < splits.length; i += 2) logs.add(store.logs[splits[i]!]!);
  for (const log of logs) if (log.count > changes * 32) logs.delete(log);
  return logs;
}

function freeDeleted(store: Store, deleted: readonly ClientLog[]): void {
  for (const log of deleted) {
    const { deletes } = log;
    for (let i = 0; i < deletes.length; i += 2) {
      freeRange(store, log, deletes[i]!, deletes[i]! + deletes[i + 1]!);
    }
  }
}

function freeRange(store: Store, log: ClientLog, clock: number, end: number): void {
  for (let at = store.at(log, clock); at < log.count; at++) {
    const item = log.items[at]!;
    if (store.clock[item]! >= end) break;
    if ((store.flags[item]! & (DELETED | KEPT)) === DELETED) free(store, item);
  }
}

/** Frees a deleted item's content; what is below a deleted type keeps only its length. */
function free(store: Store, item: number): void {
  const kind = store.kind(item);
  if (kind === GC || kind === TOMBSTONE) return;
  if (kind === TYPE) collectBranch(store, store.content[item] as Branch);
  toTombstone(store, item);
}

function toTombstone(store: Store, item: number): void {
  store.flags[item] = flagsOf(TOMBSTONE) | (store.flags[item]! & REDONE);
  store.content[item] = null;
}

function collectBranch(store: Store, branch: Branch): void {
  const stack = [branch];
  while (stack.length > 0) {
    const top = stack.pop()!;
    top.isCollected = true;
    for (const list of listsOf(top)) {
      for (let child = list.first; child !== NONE;) {
        const after = store.next[child]!;
        if (store.kind(child) === TYPE) stack.push(store.content[child] as Branch);
        store.flags[child] = flagsOf(GC);
        store.content[child] = null;
        store.list[child] = NONE;
        store.next[child] = NONE;
        store.prev[child] = NONE;
        store.redone.delete(child);
        child = after;
      }
      store.dropSequence(list);
    }
  }
}

/** Joins neighbours of `log` around the clocks [clock, end), one unit beyond at either side. */
function joinRange(store: Store, log: ClientLog, clock: number, end: number): void {
  if (log.count < 2) return;
  const { items } = log;
  const low = Math.max(store.at(log, clock) - 1, 0);
  let high = end >= log.next ? log.count - 1 : store.at(log, end);
  if (high <= low) return;
  let kept = low;
  for (let at = low + 1; at <= high; at++) {
    const item = items[at]!;
    if (isJoinable(store, items[kept]!, item)) join(store, items[kept]!, item);
    else items[++kept] = item;
  }
  if (kept === high) return;
  items.copyWithin(kept + 1, high + 1, log.count);
  log.count -= high - kept;
  high = kept;
  log.hint = high;
}

/** True when `right`, the next of its client's items, can become part of `left`. */
function isJoinable(store: Store, left: number, right: number): boolean {
  const flags = store.flags[left]!;
  if (((flags ^ store.flags[right]!) & ~KEPT) !== 0 || (flags & REDONE) !== 0) return false;
  const kind = flags & KIND;
  if (kind === GC) return true;
  if (kind !== STRING && kind !== TOMBSTONE && kind !== ANY && kind !== JSONS) return false;
  return (
    store.next[left] === right &&
    store.originClient[right] === store.client[right] &&
    store.originClock[right] === store.clock[right]! - 1 &&
    store.rightClient[right] === store.rightClient[left] &&
    (store.rightClient[right] === NONE || store.rightClock[right] === store.rightClock[left])
  );
}

function join(store: Store, left: number, right: number): void {
  const kind = store.kind(left);
  if (kind !== GC) {
    store.unlink(right);
    if (kind !== TOMBSTONE) {
      store.content[left] = joined(kind, store.content[left]!, store.content[right]!);
    }
  }
  store.flags[left]! |= store.flags[right]! & KEPT;
  store.length[left]! += store.length[right]!;
  store.release(right);
}
