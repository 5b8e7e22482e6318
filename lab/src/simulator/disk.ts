/**
 * A node's disk: a checkpoint's records and those after it. It loses in a crash
 * what it has not reported durable, but for the first few records if a write was
 * torn; it can be slow, stalled, full, or damaged, and does nothing else wrong:
 * that is what a protocol may rely on (kernel K14).
 */

import type { Position } from "@quorate/kernel";

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
