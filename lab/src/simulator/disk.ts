/**
 * A node's disk: a checkpoint's records and those after it. It loses in a crash
 * what it has not reported durable, but for the first few records if a write was
 * torn; it can be slow, stalled, full, or damaged, wholly or in regions, and does
 * nothing else wrong: that is what a protocol may rely on (kernel K14).
 */

import type { Position } from "@quorate/kernel";

/** What is left of a record whose bytes a disk has lost, where a protocol can do without them. */
export interface Substitute<R> {
  /** What its process recovers instead. */
  readonly record: R;
  /** The places of the replicated state that the record told of: all from `from` on, before `to`. */
  readonly from: number;
  readonly to: number;
}

/** How many places of the replicated state make up a region: what is damaged at once. */
const REGION_PLACES = 8;

export class Disk<R> {
  checkpointed: readonly R[] = [];
  records: R[] = [];
  /** Position of the last record that the checkpoint replaces. */
  base: Position = 0;
  persisted: Position = 0;
  durable: Position = 0;
  /** A write is on its way. */
  writing = false;
  /** No write completes. */
  stalled = false;
  /** The position of a write that would have completed, had the disk not stalled. */
  overdue: Position | undefined;
  /** The next write fails, which ends the life of the process. */
  full = false;
  /** Something that was reported durable is gone or changed: the node refuses to start. */
  damaged = false;
  private readonly substitute: (record: R) => Substitute<R> | undefined;

  constructor(substitute: (record: R) => Substitute<R> | undefined) {
    this.substitute = substitute;
  }

  get unsynced(): number {
    return this.persisted - this.durable;
  }

  append(record: R): Position {
    this.records.push(record);
    return ++this.persisted;
  }

  /** Puts `replacement` in the place of everything up to `position`. */
  replace(replacement: readonly R[], position: Position): void {
    if (position < this.base) return; // A later checkpoint was faster (K7).
    this.records.splice(0, position - this.base);
    this.base = position;
    this.checkpointed = replacement;
  }

  /** The node crashes; `kept` of the records not yet reported are on the disk all the same. */
  crash(kept: number): void {
    this.durable = Math.min(this.persisted, this.durable + kept);
    this.records.length = this.durable - this.base;
    this.persisted = this.durable;
    this.writing = false;
    this.overdue = undefined;
  }

  /** The regions of the replicated state of which it holds something that can be lost, each once. */
  get regions(): readonly number[] {
    const regions = new Set<number>();
    const durable = this.records.slice(0, this.durable - this.base);
    for (const record of [...this.checkpointed, ...durable]) {
      const region = regionOf(this.substitute(record));
      if (region !== undefined) regions.add(region);
    }
    return [...regions];
  }

  /**
   * Loses the bytes of all durable records that tell of this region alone; who spans several is
   * spared. The process finds out when it starts again.
   */
  corrupt(region: number): void {
    const left = (record: R): R => {
      const substitute = this.substitute(record);
      return substitute !== undefined && regionOf(substitute) === region
        ? substitute.record
        : record;
    };
    const durable = this.durable - this.base;
    this.checkpointed = this.checkpointed.map(left);
    this.records = this.records.map((record, i) => (i < durable ? left(record) : record));
  }

  wipe(): void {
    this.checkpointed = [];
    this.records = [];
    this.base = this.persisted = this.durable = 0;
    this.damaged = false;
  }

  /** What a process recovers from, in order. */
  *recovery(): Generator<R> {
    yield* this.checkpointed;
    yield* this.records;
  }
}

/** The region in which a record lies wholly, if there is one. */
function regionOf(substitute: Substitute<unknown> | undefined): number | undefined {
  if (substitute === undefined) return undefined;
  const region = Math.floor(substitute.from / REGION_PLACES);
  return substitute.to <= (region + 1) * REGION_PLACES ? region : undefined;
}
