/**
 * The segment being written and the next one. A segment is made aside, filled
 * with zeros and synced *before* it gets its name, so that writing to it later
 * changes no metadata, and its header is never torn. The name says that all
 * below its first sequence number was durable when it was given.
 */

import { join } from "node:path";

import { type Batch } from "./batch.ts";
import { type Files, type OpenFile } from "./disk.ts";
import { frameBytes, SEAL, writeFrame } from "./frame.ts";
import { encodeHeader, HEADER_BYTES, PREPARED_NAME, segmentName } from "./layout.ts";

const ZEROS_BYTES = 1024 * 1024;

/** Where and how segments are made. */
export interface SegmentSettings {
  readonly files: Files;
  readonly directory: string;
  /** Seed of the checksums of the log. */
  readonly seed: number;
  /** Bytes to preallocate for each. */
  readonly segmentBytes: number;
  /** Told what failed in the background. */
  onFailure(error: unknown): void;
}

/** A segment that is open for writing. */
export interface OpenSegment {
  readonly file: OpenFile;
  /** Bytes preallocated. */
  readonly capacity: number;
}

/** Makes an empty segment aside, durable but for its name. */
export async function prepareSegment(
  settings: Pick<SegmentSettings, "files" | "directory" | "seed">,
  capacity: number,
): Promise<OpenSegment> {
  const { files, seed } = settings;
  const path = join(settings.directory, PREPARED_NAME);
  const file = await files.open(path, "create");
  try {
    const zeros = new Uint8Array(Math.min(capacity, ZEROS_BYTES));
    for (let at = 0; at < capacity; at += zeros.length) {
      await file.write(zeros, Math.min(zeros.length, capacity - at), at);
    }
    const header = encodeHeader({ type: "segment", seed, group: 0, argument: capacity });
    await file.write(header, header.length, 0);
    await file.sync();
  } finally {
    await file.close();
  }
  return { file: await files.open(path, "log"), capacity };
}

/** Gives a prepared segment its name, durably. */
export async function nameSegment(
  settings: Pick<SegmentSettings, "files" | "directory">,
  segment: OpenSegment,
  first: number,
): Promise<void> {
  const path = join(settings.directory, segmentName(first));
  await settings.files.rename(segment.file.path, path);
  await settings.files.syncDirectory(settings.directory);
  segment.file.path = path;
}

/** Writes the log's segments one after the other. */
export class SegmentWriter {
  private readonly settings: SegmentSettings;
  private current: OpenSegment;
  /** The first sequence number of the current segment, which is its name. */
  private first: number;
  /** Where the next batch goes. */
  offset: number;
  private prepared: Promise<OpenSegment> | undefined;
  /** The seal of the segment before this one, while it is being written. */
  private sealing: Promise<void> = Promise.resolve();

  constructor(settings: SegmentSettings, current: OpenSegment, first: number, offset: number) {
    this.settings = settings;
    this.current = current;
    this.first = first;
    this.offset = offset;
  }

  get file(): OpenFile {
    return this.current.file;
  }

  /**
   * Whether a batch belongs here. The first one does however large it is, since
   * a segment may outgrow what was preallocated; so does a lone mark.
   */
  fits(batch: Batch): boolean {
    if (batch.records === 0 || batch.first === this.first) return true;
    return this.offset + batch.size <= this.current.capacity;
  }

  /** Notes what was written; from half the segment on the next one is made ready. */
  advance(bytes: number): void {
    this.offset += bytes;
    if (this.prepared === undefined && this.offset * 2 > this.current.capacity) void this.prepare();
  }

  /** Goes on in a new segment, once nothing is being written to this one. */
  async roll(first: number): Promise<void> {
    await this.sealing;
    const next = await (this.prepared ?? this.prepare());
    await nameSegment(this.settings, next, first);
    this.prepared = undefined;
    this.sealing = seal(this.current.file, this.offset, this.settings.seed, first);
    this.sealing.catch((error: unknown) => this.settings.onFailure(error));
    this.current = next;
    this.first = first;
    this.offset = HEADER_BYTES;
  }

  /** Closes the files; a segment without a name is removed. Call when nothing is being written. */
  async close(): Promise<void> {
    await Promise.allSettled([this.sealing]);
    const [prepared] = await Promise.allSettled([this.prepared]);
    await this.current.file.close();
    if (prepared.status === "fulfilled" && prepared.value !== undefined) {
      await prepared.value.file.close();
      await this.settings.files.unlink(prepared.value.file.path);
    }
  }

  private prepare(): Promise<OpenSegment> {
    this.prepared = prepareSegment(this.settings, this.settings.segmentBytes);
    this.prepared.catch((error: unknown) => this.settings.onFailure(error));
    return this.prepared;
  }
}

/** Says at a segment's end that the next one exists. */
async function seal(file: OpenFile, offset: number, seed: number, first: number): Promise<void> {
  const bytes = new Uint8Array(frameBytes(0));
  writeFrame(bytes, new DataView(bytes.buffer), 0, seed, SEAL, 0, first);
  await file.writeDurably(bytes, bytes.length, offset);
  await file.close();
}
