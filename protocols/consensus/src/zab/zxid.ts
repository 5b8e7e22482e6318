/**
 * Transaction ids, and how they map onto the contract's terms and indices: here
 * and nowhere else.
 *
 * A zxid is two numbers of 32 bits, the epoch and a counter (Junqueira, Reed &
 * Serafini 2011, §III; ZooKeeper). The epoch is the contract's term. The counter
 * is the low half of the index: it counts on from one epoch to the next, where
 * ZooKeeper begins at 1. So the zxid of any entry follows from its term and index
 * alone, also of one known by a snapshot only, and of one that another engine
 * wrote. Within an epoch counters are dense all the same, and zxids grow along a
 * history, as long as no epoch spans a counter of 0: a leader whose counter is
 * full gives way to a new epoch first (B16; scenario Z9).
 *
 * Counters are computed with `%` and never with bits: an index has up to 53.
 */

import { type Codec, invariant, MalformedInput, type Reader, type Writer } from "@quorate/kernel";

import type { Entry, Index, Term } from "../entry.ts";
import type { Log } from "../log.ts";

export interface Zxid {
  readonly epoch: Term;
  readonly counter: number;
}

/** Either half of a zxid is below this. */
const HALF: number = 2 ** 32;

export const NO_ZXID: Zxid = Object.freeze({ epoch: 0, counter: 0 });

/** Of the entry of that term at that index. */
export function zxidOf(epoch: Term, index: Index): Zxid {
  invariant(epoch < HALF, `epoch ${epoch} fits into 32 bits`);
  return { epoch, counter: index % HALF };
}

/** Negative if `a` comes before `b`, 0 if they are the same. */
export function compareZxids(a: Zxid, b: Zxid): number {
  return a.epoch === b.epoch ? a.counter - b.counter : a.epoch - b.epoch;
}

/** Whether no entry of the same epoch may follow the one at `index`. */
export function isCounterFull(index: Index): boolean {
  return index % HALF === HALF - 1;
}

/** The highest index up to `near` with that counter. Negative if there is none. */
export function indexAtOrBelow(near: Index, counter: number): Index {
  return near - ((near - counter + HALF) % HALF);
}

/** Where a history holds the entry of that zxid; `undefined` if it does not. */
export function indexIn(log: Log, { epoch, counter }: Zxid): Index | undefined {
  const index = indexAtOrBelow(log.lastIndex, counter);
  return index >= 0 && log.termAt(index) === epoch ? index : undefined;
}

/** Of the entry at `index`, which the history holds or begins after. */
export function zxidIn(log: Log, index: Index): Zxid {
  const epoch = log.termAt(index);
  invariant(epoch !== undefined, `entry ${index} is in the history`);
  return zxidOf(epoch, index);
}

/**
 * Whether entries, the first of them with that zxid, come next in a history:
 * nothing is left out, no epoch falls, and none goes on after a full counter.
 */
export function continues(log: Log, first: Zxid, entries: readonly Entry[]): boolean {
  let { lastTerm: epoch, lastIndex: index } = log;
  if (first.counter !== (index + 1) % HALF || first.epoch !== entries[0]?.term) return false;
  for (const { term } of entries) {
    if (term < epoch || term >= HALF) return false;
    if (term === epoch && isCounterFull(index)) return false;
    epoch = term;
    index++;
  }
  return true;
}

/** 64 bits, the epoch first, each half with its highest byte first: as ZooKeeper writes it. */
export const zxidCodec: Codec<Zxid> = {
  write(writer, { epoch, counter }) {
    writeHalf(writer, epoch);
    writeHalf(writer, counter);
  },
  read: (reader) => ({ epoch: readHalf(reader), counter: readHalf(reader) }),
};

function writeHalf(writer: Writer, value: number): void {
  invariant(value >= 0 && value < HALF && Number.isInteger(value), `${value} has 32 bits`);
  writer.byte(value >>> 24);
  writer.byte((value >>> 16) & 0xff);
  writer.byte((value >>> 8) & 0xff);
  writer.byte(value & 0xff);
}

function readHalf(reader: Reader): number {
  if (reader.left < 4) throw new MalformedInput("input ends within a zxid");
  let value = 0;
  for (let i = 0; i < 4; i++) value = value * 0x100 + reader.byte();
  return value;
}
