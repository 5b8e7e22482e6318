/**
 * One write-ahead log for all replicated groups of a node. Records are copied
 * into a batch; one write makes the batch durable; what comes in meanwhile is
 * the next batch (group commit, DeWitt et al., "Implementation Techniques for
 * Main Memory Database Systems", SIGMOD 1984). So one sync serves everything
 * that was waiting, and no timer delays anything.
 *
 * It knows groups, records and sequence numbers, and no protocol. Sequence
 * numbers are dense over all groups; the log's own records take some of them.
 *
 * Any failure is final: after a failed sync nobody knows what is on the disk,
 * and a second try may succeed without having written (Rebello et al., "Can
 * Applications Recover from fsync Failures?", ATC 2020). The host must restart.
 */

import { randomBytes } from "node:crypto";
import { dirname, join } from "node:path";

import { invariant } from "@quorate/kernel";

import { Batch } from "./batch.ts";
import { type Visitor } from "./checkpoint-file.ts";
import { Checkpointer } from "./checkpointer.ts";
import { Files } from "./disk.ts";
import { diskError, StorageError } from "./errors.ts";
import { CONTROL_GROUP, frameBytes, MAX_RECORD_BYTES, MAX_STAND_IN_BYTES } from "./frame.ts";
import { Inventory } from "./inventory.ts";
import { HEADER_BYTES, segmentName, type Listing } from "./layout.ts";
import { nodeDisk } from "./node-disk.ts";
import { type Recovered, Recovery } from "./recovery.ts";
import { Retention } from "./retention.ts";
import { nameSegment, prepareSegment, SegmentWriter } from "./segment-writer.ts";
import { repairTail } from "./tail.ts";
import {
  newStatistics,
  type StartTimer,
  type WalOptions,
  type WalStatistics,
} from "./wal-options.ts";

const FIRST_SEGMENT_BYTES = 4 * 1024 * 1024;
const SPARE_BATCHES = 2;
const NOTHING: Uint8Array = new Uint8Array(0);

/** The log, open for appending. */
export class Wal {
  /** What was done so far. */
  readonly statistics: WalStatistics = newStatistics();
  private readonly options: WalOptions;
  private readonly seed: number;
  private readonly batchBytes: number;
  private readonly idleMarkMs: number;
  private readonly startTimer: StartTimer;
  private readonly retention: Retention;
  /** Records that are to be told of again, at a distance from them. */
  private readonly inventory: Inventory;
  private readonly segments: SegmentWriter;
  private readonly checkpointer: Checkpointer;
  /** The sequence number of the next record. */
  private next: number;
  /** All up to here is durable. */
  private durable: number;
  /** All up to here is vouched for by a mark on disk. */
  private marked: number;
  /** The batch being filled, those cut before it, the one being written, and empty ones. */
  private filling: Batch = new Batch();
  private readonly cut: Batch[] = [];
  private writing: Batch | undefined;
  private readonly spare: Batch[] = [];
  private pending = 0;
  private writeStarted = 0;
  private closing = false;
  private closed: Promise<void> | undefined;
  private failure: StorageError | undefined;
  private cancelIdle: (() => void) | undefined;
  /** Cold paths that wait for a batch to complete or fail. */
  private readonly waiters: (() => void)[] = [];

  /**
   * Opens a log, or begins one, and visits what it holds: for each group the
   * records of its latest checkpoint and then those appended after that was
   * begun, in order.
   * @throws StorageError if the log is damaged, incomplete or of another format. Nothing was modified then.
   */
  static async open(options: WalOptions, visitor: Visitor): Promise<Wal> {
    const files = new Files(options.disk ?? nodeDisk);
    const { directory } = options;
    if (await files.makeDirectory(directory)) await files.syncDirectory(dirname(directory));
    const found = await new Recovery(files, directory, visitor).run();
    const recovered = "tail" in found ? found : undefined;
    const listing: Listing = "tail" in found ? found.listing : found;
    if (recovered === undefined && options.mustExist === true) {
      const path = join(directory, segmentName(1));
      throw new StorageError({ code: "missingSegment", path, sequence: 1 });
    }
    for (const name of listing.unfinished) await files.unlink(join(directory, name));
    await files.syncDirectory(directory);
    const wal = await Wal.start(options, files, recovered ?? (await begin(options, files)));
    const checkpoints = recovered?.manifest?.checkpoints;
    const newer = listing.checkpoints.some(
      ({ group, sequence }) => checkpoints?.get(group) !== sequence,
    );
    if (newer || listing.replaced.length > 0 || wal.retention.deletable > 0)
      wal.checkpointer.tidy();
    return wal;
  }

  private static async start(
    options: WalOptions,
    files: Files,
    recovered: Omit<Recovered, "listing">,
  ): Promise<Wal> {
    const { seed, next, tail } = recovered;
    const file = await files.open(tail.path, "log");
    let offset: number;
    try {
      offset = await repairTail(file, seed, next, tail);
    } catch (error) {
      await file.close();
      throw error;
    }
    return new Wal(options, files, recovered, (wal) => {
      const { directory, segmentBytes = 64 * 1024 * 1024 } = options;
      const onFailure = (error: unknown): void => wal.fail(error);
      const current = { file, capacity: tail.capacity };
      const { first } = recovered.retention.segments.at(-1) ?? { first: 1 };
      const settings = { files, directory, seed, segmentBytes, onFailure };
      return new SegmentWriter(settings, current, first, offset);
    });
  }

  private constructor(
    options: WalOptions,
    files: Files,
    recovered: Omit<Recovered, "listing">,
    segments: (wal: Wal) => SegmentWriter,
  ) {
    this.options = options;
    this.seed = recovered.seed;
    this.next = recovered.next;
    this.durable = this.next - 1;
    this.marked = this.durable;
    this.retention = recovered.retention;
    this.inventory = recovered.inventory;
    this.statistics.recordsLost = recovered.lost;
    this.batchBytes = options.batchBytes ?? 4 * 1024 * 1024;
    this.idleMarkMs = options.idleMarkMs ?? 100;
    this.startTimer = options.startTimer ?? startTimer;
    this.segments = segments(this);
    const { directory, sliceBytes = 1024 * 1024 } = options;
    this.checkpointer = new Checkpointer({
      files,
      directory,
      seed: this.seed,
      retention: this.retention,
      sliceBytes,
      durableBelow: (sequence) => this.durableBelow(sequence),
      appendManifest: () => {
        // Small, and what may be deleted depends on it: a second copy stands in for the first.
        const manifest = this.retention.encodeManifest();
        return this.put(CONTROL_GROUP, manifest, shortEnough(manifest));
      },
      statistics: this.statistics,
      onFailure: (error) => this.fail(error),
    });
  }

  /** Bytes appended and not yet durable, for back-pressure. */
  get pendingBytes(): number {
    return this.pending;
  }

  /** The last position that is durable. Everything recovered is. */
  get durablePosition(): number {
    return this.durable;
  }

  /** The group that keeps the oldest segment from being deleted: the one to checkpoint, if any. */
  get oldestGroup(): number | undefined {
    return this.retention.holder;
  }

  /** Bytes in all segments' records of this group since its last checkpoint began. */
  logBytes(group: number): number {
    return this.retention.groups.get(group)?.bytes ?? 0;
  }

  /**
   * Copies a record into the batch being filled. It is not written before `flush`.
   * @param group - A 32-bit unsigned integer below 0xFFFFFFFF.
   * @param standIn - What recovery visits in the place of this record if its bytes are damaged. Without
   * one the log refuses to open then; so it does for one beyond 65,535 bytes, which is not kept.
   * @returns Its position; positions only grow, with gaps.
   * @throws StorageError what failed before; `closed`; `recordTooLarge` beyond 64 MiB.
   */
  append(group: number, record: Uint8Array, standIn: Uint8Array = NOTHING): number {
    this.refuseIfOver();
    invariant(
      group >>> 0 === group && group !== CONTROL_GROUP,
      "a group is a uint32 below the last",
    );
    if (record.length > MAX_RECORD_BYTES) {
      const [bytes, limit] = [record.length, MAX_RECORD_BYTES];
      throw new StorageError({ code: "recordTooLarge", bytes, limit });
    }
    const kept = shortEnough(standIn);
    const position = this.put(group, record, kept);
    const state = this.retention.group(group);
    state.last = position;
    state.bytes += frameBytes(record.length, kept.length);
    return position;
  }

  /** Writes what was appended, unless a write is in flight: then it follows when that completes. */
  flush(): void {
    if (this.writing === undefined && this.failure === undefined) this.writeNext();
  }

  /**
   * Replaces all that the group appended so far by these records, some time later.
   * They are pulled a slice per turn of the event loop, so they must not change
   * meanwhile. Recovering them must be equivalent to recovering what they
   * replace, since a crash or `close` may leave either. A checkpoint that waits
   * is dropped for a newer one of the same group.
   * @throws StorageError what failed before; `closed`.
   */
  checkpoint(group: number, records: Iterable<Uint8Array> | Iterator<Uint8Array>): void {
    this.refuseIfOver();
    invariant(
      group >>> 0 === group && group !== CONTROL_GROUP,
      "a group is a uint32 below the last",
    );
    this.retention.group(group).bytes = 0;
    this.checkpointer.begin(group, this.next, records);
  }

  /** Completes what was appended, gives up unfinished checkpoints, vouches for the last batch and closes the files. */
  close(): Promise<void> {
    this.closed ??= this.finish();
    return this.closed;
  }

  private async finish(): Promise<void> {
    this.closing = true;
    this.cancelIdle?.();
    const stopped = this.checkpointer.stop();
    await this.drain();
    await stopped;
    await this.drain();
    if (this.failure === undefined && this.marked < this.durable) {
      this.writeMark();
      await this.drain();
    }
    try {
      await this.segments.close();
    } catch (error) {
      this.fail(error);
    }
  }

  private async drain(): Promise<void> {
    for (;;) {
      this.flush();
      if (this.writing === undefined) return;
      await this.nextCompletion();
    }
  }

  private async durableBelow(sequence: number): Promise<boolean> {
    while (this.durable < sequence - 1) {
      if (this.failure !== undefined) return false;
      this.flush();
      await this.nextCompletion();
    }
    return this.failure === undefined;
  }

  private nextCompletion(): Promise<void> {
    return new Promise((resolve) => {
      this.waiters.push(resolve);
    });
  }

  private refuseIfOver(): void {
    if (this.failure !== undefined) throw this.failure;
    if (this.closing) throw new StorageError({ code: "closed", path: this.options.directory });
  }

  private put(group: number, record: Uint8Array, standIn: Uint8Array): number {
    const bytes = frameBytes(record.length, standIn.length);
    if (this.filling.records > 0 && this.filling.size + bytes > this.batchBytes) {
      this.cut.push(this.filling);
      this.filling = this.spare.pop() ?? new Batch();
    }
    const { filling, inventory } = this;
    const sequence = this.next++;
    if (filling.size === 0) {
      filling.begin(this.seed, sequence);
      const told = inventory.take();
      if (told !== undefined) filling.tell(this.seed, told);
    }
    filling.add(this.seed, group, sequence, record, standIn);
    inventory.add(group, sequence, standIn, bytes);
    this.pending += bytes;
    return sequence;
  }

  private writeNext(): void {
    let batch = this.cut.shift();
    if (batch === undefined) {
      if (this.filling.size === 0) return;
      batch = this.filling;
      this.filling = this.spare.pop() ?? new Batch();
    }
    this.writing = batch;
    if (this.segments.fits(batch)) this.writeBatch(batch);
    else void this.roll(batch);
  }

  private writeBatch(batch: Batch): void {
    this.writeStarted = performance.now();
    const { file, offset } = this.segments;
    file.raw.writeDurably(batch.bytes, batch.size, offset, this.onWritten);
  }

  private async roll(batch: Batch): Promise<void> {
    try {
      await this.segments.roll(batch.first);
    } catch (error) {
      this.writing = undefined;
      return this.fail(error);
    }
    this.retention.addSegment(this.segments.file.path, batch.first);
    this.statistics.segmentsCreated++;
    this.writeBatch(batch);
  }

  private readonly onWritten = (error: Error | null): void => {
    const batch = this.writing;
    this.writing = undefined;
    if (batch === undefined) return;
    if (error !== null) return this.fail(diskError("write", this.segments.file.path, error));
    if (this.failure !== undefined) return this.wake();
    const durationMs = performance.now() - this.writeStarted;
    const { size: bytes, records, recordBytes, first, last } = batch;
    this.segments.advance(bytes);
    this.durable = last;
    this.marked = first - 1;
    this.recycle(batch);
    // The disk goes on before anybody is told, so that it works while they do.
    this.writeNext();
    const { statistics } = this;
    statistics.syncs++;
    statistics.bytes += bytes;
    if (records > 0) {
      statistics.batches++;
      statistics.records += records;
      this.pending -= recordBytes;
    }
    this.options.onSync?.(durationMs, bytes);
    if (records > 0) this.options.onDurable(last);
    this.wake();
    if (!this.closing) this.cancelIdle ??= this.startTimer(this.idleMarkMs, this.onIdle);
  };

  /** Vouches for the last batch when nothing followed it for a while. */
  private readonly onIdle = (): void => {
    this.cancelIdle = undefined;
    if (this.failure !== undefined || this.closing || this.marked === this.durable) return;
    const idleMs = performance.now() - this.writeStarted;
    if (this.writing !== undefined || this.filling.size > 0 || idleMs < this.idleMarkMs * 0.9) {
      this.cancelIdle = this.startTimer(this.idleMarkMs, this.onIdle);
    } else this.writeMark();
  };

  private writeMark(): void {
    this.filling.begin(this.seed, this.next);
    this.writeNext();
  }

  private recycle(batch: Batch): void {
    batch.clear(2 * this.batchBytes);
    if (this.spare.length < SPARE_BATCHES) this.spare.push(batch);
  }

  private wake(): void {
    if (this.waiters.length === 0) return;
    for (const waiter of this.waiters.splice(0)) waiter();
  }

  /** Makes a failure final. What is not the world's is a bug, and stops the process. */
  private fail(error: unknown): void {
    if (!(error instanceof StorageError)) {
      setImmediate(() => {
        throw error;
      });
    }
    if (this.failure === undefined) {
      this.failure = diskError("use", this.options.directory, error);
      this.cancelIdle?.();
      this.cut.length = 0;
      void this.checkpointer.stop();
      this.options.onFailure(this.failure);
    }
    this.wake();
  }
}

/** Makes the first segment of a log that does not exist yet. */
async function begin(options: WalOptions, files: Files): Promise<Omit<Recovered, "listing">> {
  const { directory, segmentBytes = FIRST_SEGMENT_BYTES } = options;
  const seed = randomBytes(4).readUInt32LE(0);
  const settings = { files, directory, seed };
  const capacity = Math.min(segmentBytes, FIRST_SEGMENT_BYTES);
  const segment = await prepareSegment(settings, capacity);
  await nameSegment(settings, segment, 1);
  await segment.file.close();
  const retention = new Retention();
  const { path } = segment.file;
  retention.addSegment(path, 1);
  const [offset, markStart, garbageEnd] = [HEADER_BYTES, HEADER_BYTES, HEADER_BYTES];
  const tail = { path, capacity, offset, markStart, vouched: true, garbageEnd };
  const inventory = new Inventory();
  return { seed, next: 1, retention, inventory, tail, manifest: undefined, lost: 0 };
}

/** A stand-in that fits into a frame's header, or none. */
function shortEnough(standIn: Uint8Array): Uint8Array {
  return standIn.length > MAX_STAND_IN_BYTES ? NOTHING : standIn;
}

function startTimer(delayMs: number, callback: () => void): () => void {
  const timer = setTimeout(callback, delayMs);
  timer.unref();
  return () => clearTimeout(timer);
}
