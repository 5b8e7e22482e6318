/**
 * Formatting marks that have become redundant, and their removal.
 *
 * Concurrent formatting leaves marks that a later one overrules. Whoever deletes text, and whoever hears of
 * such changes, deletes them, by the rules of Yjs 13. These deletions are real and replicate; a text that
 * is clean gives nothing to delete, so that replicas do not answer each other for ever.
 */

import { sameValue, type Value } from "./any.ts";
import { NONE, type Sequence } from "./branch.ts";
import { GC, type Mark } from "./content.ts";
import { erase } from "./integrate.ts";
import { type ClientLog, type Store } from "./store.ts";

/** What a remote transaction leaves to be looked at. */
export interface UntidyTexts {
  /** Texts whose marks changed. */
  readonly whole: ReadonlySet<Sequence>;
  /** Units deleted from formatted texts: client index and clock, in pairs. */
  readonly around: readonly number[];
}

/** Looks for formatted texts that the running transaction has changed. Null when there are none. */
export function untidyTexts(store: Store): UntidyTexts | null {
  const { changes } = store;
  let isFormatted = false;
  for (const { marks } of changes.sequences) if (marks > 0) isFormatted = true;
  if (!isFormatted) return null;
  const whole = new Set<Sequence>();
  for (const log of changes.written) {
    for (let at = store.at(log, log.before); at < log.count; at++) {
      const item = log.items[at]!;
      if (store.isMark(item) && !store.isDeleted(item)) whole.add(store.sequenceOf(item));
    }
  }
  const around: number[] = [];
  for (const log of changes.deleted) lookAtDeleted(store, log, whole, around);
  return { whole, around };
}

function lookAtDeleted(store: Store, log: ClientLog, whole: Set<Sequence>, around: number[]): void {
  for (let i = 0; i < log.deletes.length; i += 2) {
    const end = log.deletes[i]! + log.deletes[i + 1]!;
    for (let at = store.at(log, log.deletes[i]!); at < log.count; at++) {
      const item = log.items[at]!;
      if (store.clock[item]! >= end) break;
      if (store.kind(item) === GC) continue;
      const sequence = store.sequenceOf(item);
      if (sequence.marks === 0) continue;
      if (store.isMark(item)) whole.add(sequence);
      else around.push(log.index, store.clock[item]!);
    }
  }
}

export function cleanUp(store: Store, { whole, around }: UntidyTexts): void {
  for (let i = 0; i < around.length; i += 2) {
    const item = store.find(around[i]!, around[i + 1]!);
    if (store.kind(item) === GC || whole.has(store.sequenceOf(item))) continue;
    cleanAround(store, item);
  }
  for (const sequence of whole) if (!sequence.branch.isCollected) cleanText(store, sequence);
}

/**
 * Deletes the marks between visible units that are overruled by later ones or set what holds already.
 * `now` are the attributes at `current`, and are kept true.
 */
export function cleanGap(
  store: Store,
  start: number,
  current: number,
  before: ReadonlyMap<string, Value>,
  now: Map<string, Value>,
): void {
  let end = start;
  const last = new Map<string, number>();
  for (; end !== NONE && store.visible(end) === 0; end = store.next[end]!) {
    if (store.isMark(end) && !store.isDeleted(end)) {
      last.set((store.content[end] as Mark).key, end);
    }
  }
  let isBefore = true;
  for (let item = start; item !== end; item = store.next[item]!) {
    if (item === current) isBefore = false;
    if (!store.isMark(item) || store.isDeleted(item)) continue;
    const { key, value } = store.content[item] as Mark;
    const held = before.get(key) ?? null;
    if (last.get(key) !== item || sameValue(held, value)) {
      erase(store, item);
      if (isBefore && sameValue(now.get(key) ?? null, value) && !sameValue(held, value)) {
        setAttribute(now, key, held);
      }
    } else if (isBefore) setAttribute(now, key, value);
  }
}

function setAttribute(attributes: Map<string, Value>, key: string, value: Value): void {
  if (value === null) attributes.delete(key);
  else attributes.set(key, value);
}

/** Deletes all marks of a text that mean nothing. */
function cleanText(store: Store, sequence: Sequence): void {
  let start = sequence.first;
  let before = new Map<string, Value>();
  const now = new Map<string, Value>();
  for (let item = start; item !== NONE; item = store.next[item]!) {
    if (store.isDeleted(item)) continue;
    if (store.isMark(item)) {
      const { key, value } = store.content[item] as Mark;
      setAttribute(now, key, value);
    } else if (store.visible(item) > 0) {
      cleanGap(store, start, item, before, now);
      before = new Map(now);
      start = item;
    }
  }
}

/** Deletes marks around a deleted item that later ones of the same gap overrule. */
function cleanAround(store: Store, deleted: number): void {
  let item = deleted;
  for (let right = store.next[item]!; right !== NONE && store.visible(right) === 0;) {
    item = right;
    right = store.next[right]!;
  }
  const seen = new Set<string>();
  for (; item !== NONE && store.visible(item) === 0; item = store.prev[item]!) {
    if (store.isDeleted(item) || !store.isMark(item)) continue;
    const { key } = store.content[item] as Mark;
    if (seen.has(key)) erase(store, item);
    else seen.add(key);
  }
}
