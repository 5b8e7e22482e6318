/**
 * What the running transaction has done, and nothing proportional to the document or to its past clients:
 * the logs that grew with their clocks before, the ranges deleted, the lists changed, the cuts made.
 *
 * Logs and lists carry the number of the transaction that touched them last, so that "is this item new?"
 * and "is this list changed?" are one comparison.
 */

import { type Sequence } from "./branch.ts";
import { type ClientLog } from "./store.ts";

export class Changes {
  /** The number of the running transaction, or of the last one. */
  stamp: number = 0;
  readonly written: ClientLog[] = [];
  readonly deleted: ClientLog[] = [];
  readonly sequences: Sequence[] = [];
  /** Ids at which items were cut, as client index and clock: neighbours that may join again. */
  readonly splits: number[] = [];

  begin(): void {
    this.stamp++;
    if (this.written.length > 0) this.written.length = 0;
    if (this.deleted.length > 0) {
      for (const log of this.deleted) log.deletes.length = 0;
      this.deleted.length = 0;
    }
    if (this.sequences.length > 0) this.sequences.length = 0;
    if (this.splits.length > 0) this.splits.length = 0;
  }

  get isEmpty(): boolean {
    return this.written.length === 0 && this.deleted.length === 0;
  }

  /** Must be told before the log's next clock moves. */
  wrote(log: ClientLog): void {
    if (log.stamp === this.stamp) return;
    log.stamp = this.stamp;
    log.before = log.next;
    this.written.push(log);
  }

  /** Notes a deletion, joined with the last one when they touch. */
  erased(log: ClientLog, clock: number, length: number): void {
    const { deletes } = log;
    if (log.deleteStamp !== this.stamp) {
      log.deleteStamp = this.stamp;
      this.deleted.push(log);
      deletes.push(clock, length);
      return;
    }
    const last = deletes.length - 2;
    if (clock === deletes[last]! + deletes[last + 1]!) deletes[last + 1]! += length;
    else if (clock + length === deletes[last]) {
      deletes[last] = clock;
      deletes[last + 1]! += length;
    } else deletes.push(clock, length);
  }

  touched(sequence: Sequence): void {
    if (sequence.stamp === this.stamp) return;
    sequence.stamp = this.stamp;
    this.sequences.push(sequence);
  }

  /** The first clock of `log` that this transaction wrote. */
  firstNew(log: ClientLog): number {
    return log.stamp === this.stamp ? log.before : log.next;
  }

  /** True when this transaction deleted the unit. The ranges must be in order: see {@link sortRanges}. */
  hasErased(log: ClientLog, clock: number): boolean {
    return log.deleteStamp === this.stamp && contains(log.deletes, clock);
  }

  /** Puts every log's deletions in order and joins those that touch. */
  settle(): void {
    for (const { deletes } of this.deleted) if (deletes.length > 2) sortRanges(deletes);
  }
}

/** True when one of the sorted ranges (clock, length, …) covers `clock`. */
export function contains(ranges: readonly number[], clock: number): boolean {
  let low = 0;
  let high = ranges.length >> 1;
  while (low < high) {
    const middle = (low + high) >> 1;
    if (ranges[2 * middle]! + ranges[2 * middle + 1]! <= clock) low = middle + 1;
    else high = middle;
  }
  return 2 * low < ranges.length && ranges[2 * low]! <= clock;
}

/** Clocks have 31 bits, and this many ranges 22: together what a number holds exactly. */
const MAX_RANGES = 2 ** 22;

/** Sorts ranges (clock, length, …) in place and joins those that touch or overlap. */
export function sortRanges(ranges: number[]): void {
  const count = ranges.length >> 1;
  let sorted = true;
  for (let i = 2; sorted && i < ranges.length; i += 2) {
    sorted = ranges[i]! > ranges[i - 2]! + ranges[i - 1]!;
  }
  if (sorted) return;
  if (count <= MAX_RANGES) reorder(ranges, count);
  else reorderMany(ranges, count);
  let filled = 0;
  for (let i = 0; i < 2 * count; i += 2) {
    const start = ranges[i]!;
    const end = start + ranges[i + 1]!;
    const last = filled - 2;
    if (filled > 0 && ranges[last]! + ranges[last + 1]! >= start) {
      ranges[last + 1] = Math.max(ranges[last + 1]!, end - ranges[last]!);
    } else {
      ranges[filled++] = start;
      ranges[filled++] = end - start;
    }
  }
  ranges.length = filled;
}

/** A start and the place of its length in one number: typed arrays sort numbers without a callback. */
function reorder(ranges: number[], count: number): void {
  const keys = new Float64Array(count);
  const lengths = new Int32Array(count);
  for (let i = 0; i < count; i++) {
    keys[i] = ranges[2 * i]! * MAX_RANGES + i;
    lengths[i] = ranges[2 * i + 1]!;
  }
  keys.sort();
  for (let i = 0; i < count; i++) {
    ranges[2 * i] = Math.floor(keys[i]! / MAX_RANGES);
    ranges[2 * i + 1] = lengths[keys[i]! % MAX_RANGES]!;
  }
}

function reorderMany(ranges: number[], count: number): void {
  const pairs: [number, number][] = [];
  for (let i = 0; i < count; i++) pairs.push([ranges[2 * i]!, ranges[2 * i + 1]!]);
  pairs.sort((a, b) => a[0] - b[0]);
  for (const [i, [start, length]] of pairs.entries()) {
    ranges[2 * i] = start;
    ranges[2 * i + 1] = length;
  }
}
