/**
 * Writes Yjs v1 updates, state vectors and delete sets, byte for byte as Yjs does: clients by id, highest
 * first; items as they are joined in the columns.
 */

import { Writer } from "@quorate/kernel";

import { NONE } from "./branch.ts";
import { GC, KIND, SKIP, TOMBSTONE, writeContent } from "./content.ts";
import { OF_PARENT } from "./integrate.ts";
import { type ClientLog, type Store } from "./store.ts";
import { putUint, writeText, writeUint } from "./wire.ts";

/** One buffer for all encodings: allocating a fresh one each time costs most. */
const shared = new Writer();

/** Lends the shared writer, and hands out a copy of what was written. */
export function written(write: (writer: Writer) => void): Uint8Array {
  shared.length = 0;
  write(shared);
  const bytes = shared.finish();
  if (shared.bytes.length > 1 << 20) shared.bytes = new Uint8Array(256);
  return bytes;
}

export function byIdDescending(a: ClientLog, b: ClientLog): number {
  return b.id - a.id;
}

/** Everything that a replica with this state vector lacks, and all deletions. */
export function encodeState(store: Store, known: ReadonlyMap<number, number> | null): Uint8Array {
  return written((writer) => {
    const logs = store.logs.filter((log) => log.next > (known?.get(log.id) ?? 0));
    logs.sort(byIdDescending);
    writeUint(writer, logs.length);
    for (const log of logs) writeLog(store, writer, log, known?.get(log.id) ?? 0, log.next);
    writeDeleteSet(writer, deletedRanges(store));
  });
}

/** What the running transaction has written and deleted. Its deletions must be settled. */
export function encodeChanges(store: Store): Uint8Array {
  shared.length = 0;
  const { written: logs, deleted } = store.changes;
  if (logs.length > 1) logs.sort(byIdDescending);
  writeUint(shared, logs.length);
  for (const log of logs) writeLog(store, shared, log, log.before, log.next);
  if (deleted.length > 1) deleted.sort(byIdDescending);
  writeUint(shared, deleted.length);
  for (const log of deleted) writeRanges(shared, log.id, log.deletes);
  return shared.finish();
}

/** Writes the structs of `log` from `clock` up to `end`, where an item ends. */
export function writeLog(
  store: Store,
  writer: Writer,
  log: ClientLog,
  clock: number,
  end: number,
): void {
  const at = store.at(log, clock);
  const last = end === log.next ? log.count - 1 : store.at(log, end - 1);
  writer.reserve(32);
  putUint(writer, last - at + 1);
  putUint(writer, log.id);
  putUint(writer, clock);
  const { items } = log;
  writeStruct(store, writer, items[at]!, clock - store.clock[items[at]!]!, NO_KEYS);
  for (let i = at + 1; i <= last; i++) writeStruct(store, writer, items[i]!, 0, NO_KEYS);
}

const NO_KEYS: readonly string[] = [];

/** Writes one struct from its unit `offset` on. */
export function writeStruct(
  store: Store,
  writer: Writer,
  item: number,
  offset: number,
  keys: readonly string[],
): void {
  const kind = store.flags[item]! & KIND;
  writer.reserve(48);
  if (kind === GC) {
    writer.bytes[writer.length++] = GC;
    return putUint(writer, store.length[item]! - offset);
  }
  const originClient = offset > 0 ? store.client[item]! : store.originClient[item]!;
  const rightClient = store.rightClient[item]!;
  const list = store.list[item]!;
  const isKeyed =
    list >= 0
      ? store.sequences[list]!.key !== null
      : list === OF_PARENT && store.block[item] !== NONE;
  writer.bytes[writer.length++] =
    kind |
    (originClient === NONE ? 0 : 0x80) |
    (rightClient === NONE ? 0 : 0x40) |
    (isKeyed ? 0x20 : 0);
  if (originClient !== NONE) {
    putUint(writer, store.logs[originClient]!.id);
    putUint(writer, offset > 0 ? store.clock[item]! + offset - 1 : store.originClock[item]!);
  }
  if (rightClient !== NONE) {
    putUint(writer, store.logs[rightClient]!.id);
    putUint(writer, store.rightClock[item]!);
  }
  if (originClient === NONE && rightClient === NONE) writeParent(store, writer, item, keys);
  if (kind === TOMBSTONE) writeUint(writer, store.length[item]! - offset);
  else writeContent(writer, kind, store.content[item]!, store.length[item]!, offset);
}

function writeParent(store: Store, writer: Writer, item: number, keys: readonly string[]): void {
  const list = store.list[item]!;
  if (list === OF_PARENT) {
    writer.byte(0);
    writeUint(writer, store.logs[store.next[item]!]!.id);
    writeUint(writer, store.prev[item]!);
    if (store.block[item] !== NONE) writeText(writer, keys[store.block[item]!]!);
    return;
  }
  const { branch, key } = store.sequences[list]!;
  if (branch.isRoot) {
    writer.byte(1);
    writeText(writer, branch.name);
  } else {
    writer.byte(0);
    writeUint(writer, store.logs[store.client[branch.item]!]!.id);
    writeUint(writer, store.clock[branch.item]!);
  }
  if (key !== null) writeText(writer, key);
}

/** Structs that wait for others, as an update of their own; they lie in free columns. */
export function encodeWaiting(
  store: Store,
  log: ClientLog,
  first: number,
  end: number,
  keys: readonly string[],
): Uint8Array {
  return written((writer) => {
    let structs = end - first;
    let clock = store.clock[first]!;
    for (let item = first; item < end; item++) {
      if (store.clock[item] !== clock) structs++;
      clock = store.clock[item]! + store.length[item]!;
    }
    writeUint(writer, 1);
    writeUint(writer, structs);
    writeUint(writer, log.id);
    clock = store.clock[first]!;
    writeUint(writer, clock);
    for (let item = first; item < end; item++) {
      if (store.clock[item] !== clock) {
        writer.byte(SKIP);
        writeUint(writer, store.clock[item]! - clock);
      }
      writeStruct(store, writer, item, 0, keys);
      clock = store.clock[item]! + store.length[item]!;
    }
    writeUint(writer, 0);
  });
}

/** Deleted ranges (clock, length, …) by client id. */
export type DeleteSet = ReadonlyMap<number, readonly number[]>;

/** All that is deleted in a document. */
export function deletedRanges(store: Store): DeleteSet {
  const all = new Map<number, number[]>();
  for (const log of store.logs) {
    const ranges: number[] = [];
    let end = NONE;
    for (let i = 0; i < log.count; i++) {
      const item = log.items[i]!;
      if (!store.isDeleted(item)) continue;
      const clock = store.clock[item]!;
      const length = store.length[item]!;
      if (clock === end) ranges[ranges.length - 1]! += length;
      else ranges.push(clock, length);
      end = clock + length;
    }
    if (ranges.length > 0) all.set(log.id, ranges);
  }
  return all;
}

export function writeDeleteSet(writer: Writer, deletes: DeleteSet): void {
  writeUint(writer, deletes.size);
  const clients = [...deletes.keys()].sort((a, b) => b - a);
  for (const client of clients) writeRanges(writer, client, deletes.get(client)!);
}

function writeRanges(writer: Writer, client: number, ranges: readonly number[]): void {
  writer.reserve(20 + ranges.length * 5);
  putUint(writer, client);
  putUint(writer, ranges.length >> 1);
  for (const value of ranges) putUint(writer, value);
}

/** Writes client ids and clocks, highest id first. */
export function writeClocks(writer: Writer, clocks: ReadonlyMap<number, number>): void {
  writeUint(writer, clocks.size);
  const clients = [...clocks.keys()].sort((a, b) => b - a);
  for (const client of clients) {
    writeUint(writer, client);
    writeUint(writer, clocks.get(client)!);
  }
}

/** The next clock of every client that has written. */
export function clocksOf(store: Store): Map<number, number> {
  const clocks = new Map<number, number>();
  for (const log of store.logs) if (log.next > 0) clocks.set(log.id, log.next);
  return clocks;
}
