/**
 * A replica's checkpoint: records that rebuild it, in place of all it has
 * persisted (kernel K7). The state comes first, piece by piece; the log's
 * snapshot record puts it in force.
 */

import type { LogWords } from "../ordered-log.ts";
import type { PieceSource } from "./snapshots.ts";
import type { ReplicaRecord } from "./words.ts";

/** Boot count, state, log: produced as the driver asks for them, which may be never. */
export class CheckpointRecords<L extends LogWords> implements IterableIterator<ReplicaRecord<L>> {
  private readonly epoch: number;
  private readonly source: PieceSource;
  private readonly image: readonly L["Record"][];
  private stage: "boot" | "first" | "pieces" | "log" = "boot";
  private at = 0;

  constructor(epoch: number, source: PieceSource, image: readonly L["Record"][]) {
    this.epoch = epoch;
    this.source = source;
    this.image = image;
  }

  [Symbol.iterator](): this {
    return this;
  }

  next(): IteratorResult<ReplicaRecord<L>> {
    if (this.stage === "boot") {
      this.stage = "first";
      return { done: false, value: { type: "boot", epoch: this.epoch } };
    }
    if (this.stage !== "log") {
      const data = this.source.next();
      const first = this.stage === "first";
      this.stage = data === undefined ? "log" : "pieces";
      if (data !== undefined)
        return { done: false, value: { type: "piece", first, origin: undefined, data } };
      this.source.close();
    }
    const record = this.image[this.at++];
    if (record === undefined) return { done: true, value: undefined };
    return { done: false, value: { type: "log", record } };
  }

  /** The driver gives the checkpoint up. */
  return(): IteratorResult<ReplicaRecord<L>> {
    if (this.stage !== "log") this.source.close();
    this.stage = "log";
    this.at = this.image.length;
    return { done: true, value: undefined };
  }
}
