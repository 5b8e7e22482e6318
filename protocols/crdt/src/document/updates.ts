/**
 * Updates as such: merged, cut and asked for their state without a document.
 *
 * They are read into the free columns of a store that never places them, so that reading, checking and
 * writing are the document's own.
 */

import { Reader, type Writer } from "@quorate/kernel";

import { sortRanges } from "./changes.ts";
import { GC, SKIP } from "./content.ts";
import { stage } from "./decode.ts";
import { byIdDescending, writeClocks, writeDeleteSet, writeStruct, written } from "./encode.ts";
import { DocumentError, refusal } from "./errors.ts";
import { type ClientLog, Store } from "./store.ts";
import { takeCount, takeUint, writeUint } from "./wire.ts";

/** The structs of several updates, not placed: item numbers by client, in clock order. */
class Loose {
  readonly store: Store = new Store();
  readonly keys: string[] = [];
  readonly items: Map<ClientLog, number[]> = new Map();
  readonly deletes: Map<number, number[]> = new Map();

  constructor(updates: readonly Uint8Array[]) {
    const { store } = this;
    for (const update of updates) {
      const { sections, deletes } = stage(store, update, this.keys);
      for (const { log, at, end } of sections) {
        const items = this.items.get(log) ?? [];
        for (let item = at; item < end; item++) items.push(item);
        this.items.set(log, items);
      }
      for (let i = 0; i < deletes.length; i += 3) {
        const { id } = store.logs[deletes[i]!]!;
        const ranges = this.deletes.get(id) ?? [];
        ranges.push(deletes[i + 1]!, deletes[i + 2]!);
        this.deletes.set(id, ranges);
      }
    }
    for (const items of this.items.values()) {
      items.sort((a, b) => store.clock[a]! - store.clock[b]! || a - b);
    }
    for (const ranges of this.deletes.values()) sortRanges(ranges);
  }

  clients(): readonly ClientLog[] {
    return [...this.items.keys()].sort(byIdDescending);
  }

  /** Writes an update of everything from the clocks in `known` on. */
  encode(known: ReadonlyMap<number, number>): Uint8Array {
    return written((writer) => {
      const pieces = this.clients().flatMap((log) => {
        const pieces = this.piecesOf(log, known.get(log.id) ?? 0);
        return pieces.length === 0 ? [] : [{ log, pieces }];
      });
      writeUint(writer, pieces.length);
      for (const { log, pieces: structs } of pieces) {
        writeUint(writer, structs.length);
        writeUint(writer, log.id);
        writeUint(writer, structs[0]!.clock);
        for (const piece of structs) this.write(writer, piece);
      }
      writeDeleteSet(writer, this.deletes);
    });
  }

  private write(writer: Writer, { item, clock, length }: Piece): void {
    if (item === SKIPPED || this.store.kind(item) === GC) {
      writer.byte(item === SKIPPED ? SKIP : GC);
      writeUint(writer, length);
    } else writeStruct(this.store, writer, item, clock - this.store.clock[item]!, this.keys);
  }

  /** The structs of a client as they will be written: no overlaps, gaps filled. */
  private piecesOf(log: ClientLog, from: number): readonly Piece[] {
    const { store } = this;
    const pieces: Piece[] = [];
    let next = from;
    for (const item of this.items.get(log)!) {
      const start = store.clock[item]!;
      const end = start + store.length[item]!;
      if (end <= next) continue;
      if (start > next && pieces.length > 0) {
        pieces.push({ item: SKIPPED, clock: next, length: start - next });
      }
      const clock = Math.max(start, next);
      const last = pieces.at(-1);
      if (last !== undefined && store.kind(item) === GC && this.isCollected(last)) {
        last.length += end - clock;
      } else pieces.push({ item, clock, length: end - clock });
      next = end;
    }
    return pieces;
  }

  private isCollected({ item }: Piece): boolean {
    return item !== SKIPPED && this.store.kind(item) === GC;
  }
}

const SKIPPED = -1;

interface Piece {
  readonly item: number;
  readonly clock: number;
  length: number;
}

/**
 * One update that says what all of these say. They need not be complete: gaps stay gaps.
 * @throws DocumentError `malformed` or `too-large`.
 */
export function mergeUpdates(updates: readonly Uint8Array[]): Uint8Array {
  return new Loose(updates).encode(new Map());
}

/**
 * The part of an update that a replica with this state vector lacks.
 * @throws DocumentError `malformed` or `too-large`.
 */
export function diffUpdate(update: Uint8Array, stateVector: Uint8Array): Uint8Array {
  return new Loose([update]).encode(decodeClocks(stateVector));
}

/**
 * What a replica has seen that has applied just this update.
 * @throws DocumentError `malformed` or `too-large`.
 */
export function stateVectorOf(update: Uint8Array): Uint8Array {
  const loose = new Loose([update]);
  const clocks = new Map<number, number>();
  for (const [log, items] of loose.items) {
    let next = 0;
    for (const item of items) {
      if (loose.store.clock[item]! > next) break;
      next = Math.max(next, loose.store.clock[item]! + loose.store.length[item]!);
    }
    if (next > 0) clocks.set(log.id, next);
  }
  return written((writer) => {
    writeClocks(writer, clocks);
  });
}

/** Reads a state vector: the next clock of each client. */
export function decodeClocks(bytes: Uint8Array): Map<number, number> {
  const reader = new Reader(bytes);
  const clocks = takeClocks(reader);
  if (reader.left > 0) throw new DocumentError("malformed", "bytes behind the state vector");
  return clocks;
}

export function takeClocks(reader: Reader): Map<number, number> {
  const clocks = new Map<number, number>();
  try {
    for (let left = takeCount(reader); left > 0; left--) {
      const client = takeUint(reader);
      clocks.set(client, takeUint(reader));
    }
  } catch (error) {
    throw refusal(error);
  }
  return clocks;
}
