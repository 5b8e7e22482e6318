/**
 * Writes checkpoints beside the log, one at a time and in slices, so that a
 * large one delays nobody's heartbeat. The order of things is what makes it
 * atomic:
 *
 * 1. the file is written aside and synced;
 * 2. the log is durable up to where the checkpoint was begun, so that it never
 *    tells of what the log has lost;
 * 3. the file is renamed and the directory synced: from here on it counts;
 * 4. a manifest that tells what may be missing from now on is durable in the log;
 * 5. what it replaces is deleted, oldest first, the directory synced each time,
 *    so that a crash never leaves a hole.
 *
 * Giving up before step 3 is always allowed: the log and the checkpoint before
 * it are equivalent.
 */

import { join } from "node:path";

import { CheckpointEncoder } from "./checkpoint-file.ts";
import { type Files, type OpenFile } from "./disk.ts";
import { StorageError } from "./errors.ts";
import { checkpointName, sortNames, unfinishedName } from "./layout.ts";
import { type Retention } from "./retention.ts";
import { type WalStatistics } from "./wal-options.ts";

/** A slice ends after this long, in ms; the time is looked at once in so many records. */
const SLICE_MS = 3;
const RECORDS_PER_LOOK = 32;

/** What checkpoints need of the log. */
export interface CheckpointSettings {
  readonly files: Files;
  readonly directory: string;
  /** Seed of the checksums of the log. */
  readonly seed: number;
  readonly retention: Retention;
  /** Bytes after which a slice is written and other work gets its turn. */
  readonly sliceBytes: number;
  /** Resolves when all below `sequence` is durable, to false if that will never be. */
  durableBelow(sequence: number): Promise<boolean>;
  /** Appends the manifest and returns its sequence number. */
  appendManifest(): number;
  /** Where to count. */
  readonly statistics: WalStatistics;
  /** Told what failed. */
  onFailure(error: unknown): void;
}

interface Job {
  readonly group: number;
  readonly sequence: number;
  readonly records: Iterator<Uint8Array>;
}

/** Runs the checkpoints of all groups. */
export class Checkpointer {
  private readonly settings: CheckpointSettings;
  /** By group, the latest one asked for that has not begun. */
  private readonly waiting: Map<number, Job> = new Map<number, Job>();
  private running: Promise<void> | undefined;
  private stopped = false;

  constructor(settings: CheckpointSettings) {
    this.settings = settings;
  }

  /** Begins a checkpoint, or keeps it until those before it are done. */
  begin(
    group: number,
    sequence: number,
    records: Iterable<Uint8Array> | Iterator<Uint8Array>,
  ): void {
    const iterator = Symbol.iterator in records ? records[Symbol.iterator]() : records;
    this.waiting.get(group)?.records.return?.();
    this.waiting.delete(group);
    this.waiting.set(group, { group, sequence, records: iterator });
    this.running ??= this.run();
  }

  /** Deletes what a crash left undeleted. */
  tidy(): void {
    this.running ??= this.run();
  }

  /** Gives up what is not finished; resolves when nothing runs any more. */
  async stop(): Promise<void> {
    this.stopped = true;
    for (const job of this.waiting.values()) job.records.return?.();
    this.waiting.clear();
    await this.running;
  }

  private async run(): Promise<void> {
    try {
      if (this.waiting.size === 0) await this.collect();
      for (;;) {
        const [job] = this.waiting.values();
        if (job === undefined || this.stopped) break;
        this.waiting.delete(job.group);
        if (await this.write(job)) await this.collect();
      }
    } catch (error) {
      this.stopped = true;
      this.settings.onFailure(error);
    } finally {
      this.running = undefined;
    }
  }

  /** Steps 1 to 3; false if it was given up. */
  private async write(job: Job): Promise<boolean> {
    const { files, directory, retention } = this.settings;
    const aside = join(directory, unfinishedName(job.group, job.sequence));
    const file = await files.open(aside, "create");
    let complete = false;
    try {
      complete = await this.writeSlices(job, file);
      if (complete) await file.sync();
    } finally {
      await file.close();
    }
    if (complete) complete = await this.settings.durableBelow(job.sequence);
    if (!complete || this.stopped) {
      job.records.return?.();
      await files.unlink(aside);
      return false;
    }
    await files.rename(aside, join(directory, checkpointName(job.group, job.sequence)));
    await files.syncDirectory(directory);
    retention.group(job.group).checkpoint = job.sequence;
    this.settings.statistics.checkpoints++;
    return true;
  }

  private async writeSlices(job: Job, file: OpenFile): Promise<boolean> {
    const { seed, sliceBytes, statistics } = this.settings;
    const encoder = new CheckpointEncoder(seed, job.group, job.sequence, sliceBytes);
    let offset = 0;
    for (let more = true; more;) {
      if (this.stopped) return false;
      more = this.fillSlice(job, encoder);
      const slice = encoder.take();
      await file.write(slice, slice.length, offset);
      offset += slice.length;
      statistics.checkpointBytes += slice.length;
      await nextTurn();
    }
    return true;
  }

  /** Pulls records until the slice is full or its time is up; false after the last one. */
  private fillSlice(job: Job, encoder: CheckpointEncoder): boolean {
    const deadline = performance.now() + SLICE_MS;
    try {
      for (let count = 1; encoder.sliceBytes < this.settings.sliceBytes; count++) {
        const record = job.records.next();
        if (record.done === true) {
          encoder.end();
          return false;
        }
        encoder.add(record.value);
        if (count % RECORDS_PER_LOOK === 0 && performance.now() > deadline) break;
      }
      return true;
    } catch (cause) {
      throw new StorageError({ code: "checkpointRecords", group: job.group, cause });
    }
  }

  /** Steps 4 and 5. */
  private async collect(): Promise<void> {
    const { files, directory, retention, statistics } = this.settings;
    if (this.stopped) return;
    const count = retention.deletable;
    const manifest = this.settings.appendManifest();
    if (!(await this.settings.durableBelow(manifest + 1))) return;
    for (let left = count; left > 0; left--) {
      const [oldest] = retention.segments;
      if (oldest === undefined) break;
      await files.unlink(oldest.path);
      await files.syncDirectory(directory);
      retention.segments.shift();
      statistics.segmentsDeleted++;
    }
    for (const { name } of sortNames(await files.list(directory)).replaced) {
      await files.unlink(join(directory, name));
    }
  }
}

function nextTurn(): Promise<void> {
  return new Promise((resolve) => {
    setImmediate(resolve);
  });
}
