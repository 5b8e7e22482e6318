/**
 * Commands of this node on their way into the log: gathered into one batch a
 * turn, sent to the leader in order within a window, and sent again after a
 * loss or a change of leader, which is safe because every replica executes a
 * batch once (see {@link Sessions}).
 */

import { encode, type RequestId } from "@quorate/kernel";

import { batchCodec, type Item, type OwnBatch } from "./words.ts";

export class Outbox {
  /** The life of this replica that its batches belong to. */
  epoch = 0;
  /** Bytes of commands not applied yet. */
  bytes = 0;
  /** The last batch closed. */
  private sequence = 0;
  /** Everything up to here was applied here, and its results are known. */
  private applied = 0;
  /** What `applied` was when `repeatIfStuck` was last called. */
  private appliedBefore = 0;
  /** What `applied` was when a gap was last reported. */
  private gapAt = -1;
  /** The last batch sent to the present leader. */
  private sent = 0;
  /** Bytes of batches sent and not settled. */
  private inflightBytes = 0;
  private readonly batches: Map<number, OwnBatch> = new Map();
  private items: Item[] = [];
  private ids: RequestId[] = [];
  private itemBytes = 0;
  private timeMs = 0;

  /** Adds a command to the batch of this turn. Returns whether the batch is now large enough to close. */
  add(id: RequestId, item: Item, timeMs: number, batchBytes: number): boolean {
    this.items.push(item);
    this.ids.push(id);
    const bytes = item.command.length + 8;
    this.itemBytes += bytes;
    this.bytes += bytes;
    this.timeMs = Math.max(this.timeMs, timeMs);
    return this.itemBytes >= batchBytes;
  }

  /** Ends the batch of this turn, if anything is in it. */
  close(client: string): void {
    if (this.items.length === 0) return;
    const sequence = ++this.sequence;
    const { epoch, timeMs, items, ids, applied: acknowledged } = this;
    const data = encode(batchCodec, { client, epoch, sequence, acknowledged, timeMs, items });
    this.batches.set(sequence, { sequence, data, ids });
    this.bytes += data.length - this.itemBytes;
    this.items = [];
    this.ids = [];
    this.itemBytes = 0;
  }

  /** The next batch to send, as long as `windowBytes` are not exceeded by what is on its way. */
  nextToSend(windowBytes: number): OwnBatch | undefined {
    const next = this.batches.get(this.sent + 1);
    if (next === undefined) return undefined;
    const first = this.sent === this.applied;
    if (!first && this.inflightBytes + next.data.length > windowBytes) return undefined;
    this.sent++;
    this.inflightBytes += next.data.length;
    return next;
  }

  /** A new leader knows nothing of what was sent: begin again with the oldest that was not applied. */
  rewind(): void {
    this.sent = this.applied;
    this.inflightBytes = 0;
  }

  /** A batch was applied before one that must come first: that one was lost. */
  reportGap(): void {
    // The batches behind the lost one all report it; one repetition answers them.
    if (this.gapAt === this.applied) return;
    this.gapAt = this.applied;
    this.rewind();
  }

  /** Called now and then: if nothing was applied since the last time, what was sent may be lost. */
  repeatIfStuck(): void {
    if (this.appliedBefore === this.applied) this.rewind();
    this.appliedBefore = this.applied;
    this.gapAt = -1;
  }

  /** A batch was applied, or its results are known from a snapshot. Returns it once. */
  settle(sequence: number): OwnBatch | undefined {
    const batch = this.batches.get(sequence);
    if (batch === undefined) return undefined;
    this.batches.delete(sequence);
    this.bytes -= batch.data.length;
    this.applied = Math.max(this.applied, sequence);
    if (sequence <= this.sent) this.inflightBytes -= batch.data.length;
    else this.sent = sequence;
    return batch;
  }

  /** Batches not settled yet, in order. */
  unsettled(): readonly OwnBatch[] {
    return [...this.batches.values()];
  }

  get isEmpty(): boolean {
    return this.batches.size === 0 && this.items.length === 0;
  }
}
