/**
 * Reads a Yjs v1 update into items that are not placed yet.
 *
 * The whole update is read and checked before anything is placed, so that bytes which make no sense
 * leave the document as it was. Items are read straight into free columns: placing one links it where it
 * is. Every length is compared with what is left before anything is made of it.
 */

import { Reader } from "@quorate/kernel";

import { NONE } from "./branch.ts";
import { flagsOf, GC, lengthOf, SKIP, takeContent, takeLength, TOMBSTONE } from "./content.ts";
import { DocumentError, refusal } from "./errors.ts";
import { OF_NEIGHBOURS, OF_PARENT } from "./integrate.ts";
import { type ClientLog, type Store } from "./store.ts";
import { MAX_CLOCK, takeCount, takeSmall, takeText, takeUint } from "./wire.ts";

/** The structs of one client: item numbers from `at` up to `end`, in clock order, perhaps with gaps. */
export interface Section {
  readonly log: ClientLog;
  at: number;
  readonly end: number;
}

export interface Staged {
  readonly sections: Section[];
  readonly keys: string[];
  /** Client index, clock, length, … */
  readonly deletes: number[];
}

/**
 * Reads `update` into free columns of `store`. Keys of parents that are not known yet go to `keys`.
 * @throws DocumentError, leaving `store` as it was.
 */
export function stage(
  store: Store,
  bytes: Uint8Array,
  keys: string[] = [],
  mark: Mark = markOf(store),
): Staged {
  try {
    const reader = new Reader(bytes);
    const staged: Staged = { sections: [], keys, deletes: [] };
    for (let left = takeCount(reader); left > 0; left--) takeSection(store, reader, staged);
    takeDeletes(store, reader, staged.deletes);
    if (reader.left > 0) throw new DocumentError("malformed", "bytes behind the update");
    return staged;
  } catch (error) {
    withdraw(store, mark);
    throw refusal(error);
  }
}

/** What a store holds before an update is read into it. */
export interface Mark {
  readonly used: number;
  readonly clients: number;
  readonly roots: number;
  readonly sequences: number;
}

export function markOf(store: Store): Mark {
  const { used, logs, roots, sequences } = store;
  return { used, clients: logs.length, roots: roots.size, sequences: sequences.length };
}

/** Takes back all that reading an update has left in a store: it has been refused. */
export function withdraw(store: Store, { used, clients, roots, sequences }: Mark): void {
  while (store.used > used) store.release(store.used - 1);
  store.forgetClients(clients);
  for (let id = store.sequences.length - 1; id >= sequences; id--) {
    const sequence = store.sequences[id] ?? null;
    if (sequence !== null) store.dropSequence(sequence);
  }
  if (store.roots.size === roots) return;
  for (const name of [...store.roots.keys()].slice(roots)) store.roots.delete(name);
}

function takeSection(store: Store, reader: Reader, staged: Staged): void {
  const count = takeCount(reader);
  const log = store.logFor(takeUint(reader));
  let clock = takeSmall(reader);
  const first = store.used;
  // A hint only: nobody gets more room than the bytes are worth.
  if (count > 16) store.reserve(Math.min(count, reader.left >> 2));
  for (let left = count; left > 0; left--) {
    clock += takeStruct(store, reader, log, clock, staged.keys);
    if (clock > MAX_CLOCK) throw new DocumentError("too-large", "a clock beyond 2^31");
  }
  if (store.used > first) staged.sections.push({ log, at: first, end: store.used });
}

/** Reads one struct and returns how many clocks it takes. */
function takeStruct(
  store: Store,
  reader: Reader,
  log: ClientLog,
  clock: number,
  keys: string[],
): number {
  const info = reader.byte();
  const kind = info & 0x1f;
  if (kind === SKIP) return takeLength(reader);
  const item = store.fresh();
  store.client[item] = log.index;
  store.clock[item] = clock;
  if (kind === GC) {
    store.originClient[item] = NONE;
    store.rightClient[item] = NONE;
    store.list[item] = NONE;
  } else takeOrigins(store, reader, item, info, keys);
  let length: number;
  if (kind === GC || kind === TOMBSTONE) length = takeLength(reader);
  else {
    const content = takeContent(reader, kind);
    store.content[item] = content;
    length = lengthOf(kind, content);
  }
  store.flags[item] = flagsOf(kind);
  store.length[item] = length;
  // A struct without units has no id: nothing can depend on it, nothing is lost without it.
  if (length === 0) store.release(item);
  return length;
}

function takeOrigins(
  store: Store,
  reader: Reader,
  item: number,
  info: number,
  keys: string[],
): void {
  const client = store.client[item]!;
  const clock = store.clock[item]!;
  let from = NONE;
  let fromClock = NONE;
  if ((info & 0x80) !== 0) {
    from = store.logFor(takeUint(reader)).index;
    fromClock = takeSmall(reader);
    if (from === client && fromClock >= clock) throw fromFuture();
  }
  let right = NONE;
  let rightClock = NONE;
  if ((info & 0x40) !== 0) {
    right = store.logFor(takeUint(reader)).index;
    rightClock = takeSmall(reader);
    if (right === client && rightClock >= clock) throw fromFuture();
  }
  store.originClient[item] = from;
  store.originClock[item] = fromClock;
  store.rightClient[item] = right;
  store.rightClock[item] = rightClock;
  if (from === NONE && right === NONE) takeParent(store, reader, item, info, keys);
  else store.list[item] = OF_NEIGHBOURS;
}

function takeParent(
  store: Store,
  reader: Reader,
  item: number,
  info: number,
  keys: string[],
): void {
  const isRoot = takeUint(reader);
  if (isRoot === 1) {
    const root = store.root(takeText(reader));
    const list = (info & 0x20) === 0 ? store.children(root) : store.keyed(root, takeText(reader));
    store.list[item] = list.id;
    return;
  }
  if (isRoot !== 0) throw new DocumentError("malformed", "a parent is a root or an item");
  const client = store.logFor(takeUint(reader)).index;
  const clock = takeSmall(reader);
  if (client === store.client[item] && clock >= store.clock[item]!) throw fromFuture();
  store.list[item] = OF_PARENT;
  store.next[item] = client;
  store.prev[item] = clock;
  store.block[item] = (info & 0x20) === 0 ? NONE : keys.push(takeText(reader)) - 1;
}

function takeDeletes(store: Store, reader: Reader, deletes: number[]): void {
  for (let clients = takeCount(reader); clients > 0; clients--) {
    const { index } = store.logFor(takeUint(reader));
    for (let left = takeCount(reader); left > 0; left--) {
      const clock = takeSmall(reader);
      const length = takeSmall(reader);
      if (clock + length > MAX_CLOCK) throw new DocumentError("too-large", "a clock beyond 2^31");
      if (length > 0) deletes.push(index, clock, length);
    }
  }
}

function fromFuture(): DocumentError {
  return new DocumentError("malformed", "a struct depends on a later one of its own client");
}
