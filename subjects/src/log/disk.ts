/** What is on a node's disk, record by record, whatever the node itself believes. */

import type { Position } from "@quorate/kernel";

export abstract class Disk<R extends { readonly type: string }> {
  private pending: { readonly record: R; readonly position: Position }[] = [];

  persist(record: R, position: Position): void {
    this.pending.push({ record, position });
  }

  sync(position: Position): void {
    let done = 0;
    while (done < this.pending.length && this.pending[done]!.position <= position) {
      this.apply(this.pending[done++]!.record);
    }
    this.pending.splice(0, done);
  }

  /** The first `kept` records are on the disk, the others gone. Returns whether any is gone. */
  crash(kept: number): boolean {
    for (const { record } of this.pending.slice(0, kept)) this.apply(record);
    const lost = this.pending.length > kept;
    this.pending = [];
    return lost;
  }

  /**
   * A checkpoint has taken the place of the records before it. It says the same, but that its
   * snapshot ends where nothing may have said so yet.
   */
  checkpointed(records: readonly R[]): void {
    for (const record of records) if (record.type === "snapshot") this.apply(record);
  }

  /** What is told of places before this one is asked for no more. */
  abstract forget(before: number): void;

  /** A record has reached the disk. */
  protected abstract apply(record: R): void;
}
