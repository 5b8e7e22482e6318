/**
 * Reads a log back. One pass: first the latest checkpoint of every group, then
 * the segments in order, skipping what a checkpoint replaces.
 *
 * The one idea is how a *torn tail* (a crash while the last batch was being
 * written; nobody was told of it) is told from *damage* (of what somebody was
 * told is safe), after "Protocol-Aware Recovery for Consensus-Based Storage",
 * FAST 2018: by evidence written later. A batch is written only when all before
 * it is durable, and begins with a mark that says so. So where a frame is bad:
 *
 * - a later mark in the same segment, or a later segment, proves damage: an
 *   error, and nothing is changed;
 * - without such proof it is the torn tail, to be cut by `repairTail`.
 *
 * Damage of the very last batch is thus seen only once a mark follows it: the
 * log writes one when it has been idle, when it is closed and when it is opened.
 */

import { join } from "node:path";

import { readCheckpoint, type Visitor } from "./checkpoint-file.ts";
import { type Files } from "./disk.ts";
import { StorageError } from "./errors.ts";
import { FileWindow } from "./file-window.ts";
import { CONTROL_GROUP, FrameCursor, MARK, PARTIAL, RECORD, SEAL, WHOLE } from "./frame.ts";
import {
  checkpointName,
  decodeHeader,
  HEADER_BYTES,
  type Listing,
  segmentName,
  sortNames,
} from "./layout.ts";
import { decodeManifest, type Manifest, Retention } from "./retention.ts";
import { findTail, type Tail } from "./tail.ts";

/** A log as it was found. */
export interface Recovered {
  readonly seed: number;
  /** The sequence number that the next record gets. */
  readonly next: number;
  readonly retention: Retention;
  readonly tail: Tail;
  readonly listing: Listing;
  /** The last manifest, if there is one. */
  readonly manifest: Manifest | undefined;
}

/** Reads the log in a directory, once. */
export class Recovery {
  private readonly files: Files;
  private readonly directory: string;
  private readonly visitor: Visitor;
  private readonly retention: Retention = new Retention();
  private readonly cursor: FrameCursor = new FrameCursor();
  private manifest: Manifest | undefined;
  private seed: number | undefined;
  /** The sequence number expected next. */
  private next = 1;
  /** Where the last mark was, in the segment being read, and where it ended. */
  private markStart = 0;
  private markEnd = 0;
  private sealed = false;

  constructor(files: Files, directory: string, visitor: Visitor) {
    this.files = files;
    this.directory = directory;
    this.visitor = visitor;
  }

  /**
   * Reads everything and changes nothing.
   * @returns What was found, or the listing alone if there is no log yet.
   */
  async run(): Promise<Recovered | Listing> {
    const listing = sortNames(await this.files.list(this.directory));
    const { segments, checkpoints } = listing;
    const [first] = segments;
    if (first === undefined) {
      const latest = Math.max(0, ...checkpoints.map((checkpoint) => checkpoint.sequence));
      if (latest > 0) throw this.missing(latest);
      return listing;
    }
    for (const checkpoint of checkpoints) {
      const path = join(this.directory, checkpoint.name);
      await readCheckpoint(this.files, path, checkpoint, this.visitor);
      this.retention.group(checkpoint.group).checkpoint = checkpoint.sequence;
    }
    this.next = first;
    let tail: Tail | undefined;
    for (const [index, start] of segments.entries()) {
      tail = await this.readSegment(start, segments[index + 1]);
    }
    this.checkClaims(first);
    if (tail === undefined || this.seed === undefined) throw this.missing(first);
    const { seed, next, retention, manifest } = this;
    return { seed, next, retention, tail, listing, manifest };
  }

  private async readSegment(start: number, following: number | undefined): Promise<Tail> {
    const path = join(this.directory, segmentName(start));
    this.retention.addSegment(path, start);
    const file = await this.files.open(path, "read");
    try {
      const window = new FileWindow(file, await file.size());
      const capacity = await this.readHeader(window);
      const offset = await this.readFrames(window, following ?? Number.MAX_SAFE_INTEGER);
      if (this.next !== following) {
        if (this.sealed) throw this.missing(this.next);
        if (following !== undefined) throw this.corrupt(path, offset);
      }
      if (following !== undefined) {
        return { path, capacity, offset, markStart: offset, vouched: true, garbageEnd: offset };
      }
      const seed = this.seed ?? 0;
      const { marked, garbageEnd } = await findTail(window, offset, seed, this.next);
      if (marked || this.checkpointsBeyond()) throw this.corrupt(path, offset);
      const { markStart, markEnd } = this;
      return { path, capacity, offset, markStart, vouched: markEnd === offset, garbageEnd };
    } finally {
      await file.close();
    }
  }

  /** A segment's header was durable before it had a name, and so was its length. */
  private async readHeader(window: FileWindow): Promise<number> {
    await window.load(0, HEADER_BYTES);
    const { path } = window.file;
    const header = decodeHeader(window.bytes, "segment", path);
    if (header === undefined || (this.seed ?? header.seed) !== header.seed) {
      throw this.corrupt(path, 0);
    }
    if (window.size < header.argument) throw this.corrupt(path, window.size);
    this.seed = header.seed;
    return header.argument;
  }

  /** Reads frames until one is bad or `limit` is reached; returns the offset behind the last good one. */
  private async readFrames(window: FileWindow, limit: number): Promise<number> {
    const { cursor } = this;
    const seed = this.seed ?? 0;
    let offset = HEADER_BYTES;
    [this.markStart, this.markEnd, this.sealed] = [offset, offset, false];
    for (;;) {
      const at = offset - window.start;
      const status = cursor.read(window.bytes, window.view, at, window.size - offset, seed);
      if (status === PARTIAL && (await window.extend(offset, cursor.size))) continue;
      if (status !== WHOLE || cursor.sequence !== this.next) return offset;
      if (!this.accept(window, offset, limit)) return offset;
      offset += cursor.size;
      if (cursor.kind === SEAL) return offset;
    }
  }

  /** Takes the frame in the cursor, whose sequence number fits; false if it cannot stand here. */
  private accept(window: FileWindow, offset: number, limit: number): boolean {
    const { cursor } = this;
    switch (cursor.kind) {
      case MARK:
        this.markStart = offset;
        this.markEnd = offset + cursor.size;
        return true;
      case SEAL:
        this.sealed = true;
        return true;
      case RECORD: {
        if (this.next === limit) return false;
        const record = window.bytes.subarray(cursor.payloadStart, cursor.payloadEnd);
        if (cursor.group === CONTROL_GROUP) {
          this.manifest = decodeManifest(record);
          if (this.manifest === undefined) return false;
        } else this.visit(cursor.group, record);
        this.next++;
        return true;
      }
      default:
        return false;
    }
  }

  private visit(group: number, record: Uint8Array): void {
    const state = this.retention.group(group);
    state.last = this.next;
    if (this.next < state.checkpoint) return;
    state.bytes += this.cursor.size;
    this.visitor(group, record);
  }

  /** Whether a checkpoint was finished, which waits for the disk, at a point beyond the log's end. */
  private checkpointsBeyond(): boolean {
    for (const { checkpoint } of this.retention.groups.values()) {
      if (checkpoint > this.next) return true;
    }
    return false;
  }

  /** What the manifest says must exist, or without one, everything. */
  private checkClaims(first: number): void {
    const claimed = this.manifest?.first ?? 1;
    if (first > claimed) throw this.missing(claimed);
    for (const [group, sequence] of this.manifest?.checkpoints ?? []) {
      if (this.retention.group(group).checkpoint >= sequence) continue;
      const path = join(this.directory, checkpointName(group, sequence));
      throw new StorageError({ code: "missingCheckpoint", path, group, sequence });
    }
  }

  private missing(sequence: number): StorageError {
    const path = join(this.directory, segmentName(sequence));
    return new StorageError({ code: "missingSegment", path, sequence });
  }

  private corrupt(path: string, offset: number): StorageError {
    return new StorageError({ code: "corruptRecord", path, offset, sequence: this.next });
  }
}
