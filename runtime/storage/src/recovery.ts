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
 * - a later mark in the same segment, or a later segment, proves damage. In the
 *   place of each record that is lost its stand-in is visited, from its own
 *   header or from an inventory that was written later. Where there is none,
 *   that is an error, and nothing is changed;
 * - without such proof it is the torn tail, to be cut by `repairTail`.
 *
 * Damage of the very last batch is thus seen only once a mark follows it: the
 * log writes one when it has been idle, when it is closed and when it is opened.
 */

import { join } from "node:path";

import { readCheckpoint, type Visitor } from "./checkpoint-file.ts";
import { type Files } from "./disk.ts";
import { StorageError } from "./errors.ts";
import { BLOCK_BYTES, FileWindow } from "./file-window.ts";
import {
  CONTROL_GROUP,
  FrameCursor,
  INVENTORY,
  MARK,
  PARTIAL,
  RECORD,
  SEAL,
  WHOLE,
} from "./frame.ts";
import { findNext, identify } from "./hole.ts";
import { type Identity, Inventory, readInventory } from "./inventory.ts";
import {
  checkpointName,
  decodeHeader,
  HEADER_BYTES,
  type Listing,
  segmentName,
  sortNames,
} from "./layout.ts";
import { decodeManifest, type Manifest, Retention } from "./retention.ts";
import { type Behind, findTail, type Tail } from "./tail.ts";

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
  /** What the log should tell of again. */
  readonly inventory: Inventory;
  /** Records that were damaged, so that their stand-ins were visited. */
  readonly lost: number;
}

/** Reads the log in a directory, once. */
export class Recovery {
  private readonly files: Files;
  private readonly directory: string;
  private readonly visitor: Visitor;
  private readonly retention: Retention = new Retention();
  private readonly cursor: FrameCursor = new FrameCursor();
  private readonly inventory: Inventory = new Inventory();
  private lost = 0;
  /** Paths of the segment being read and of those after it. */
  private paths: readonly string[] = [];
  private manifest: Manifest | undefined;
  private seed: number | undefined;
  /** The sequence number expected next. */
  private next = 1;
  /** Where the last mark was, in the segment being read, and where it ended. */
  private markStart = 0;
  private markEnd = 0;
  private sealed = false;
  /** What lies behind a bad frame of the last segment, and where that frame is. */
  private behind: { readonly offset: number; readonly found: Behind } | undefined;

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
    const paths = segments.map((start) => join(this.directory, segmentName(start)));
    for (const [index, start] of segments.entries()) {
      this.paths = paths.slice(index);
      tail = await this.readSegment(start, segments[index + 1]);
    }
    this.checkClaims(first);
    if (tail === undefined || this.seed === undefined) throw this.missing(first);
    const { seed, next, retention, manifest, inventory, lost } = this;
    return { seed, next, retention, tail, listing, manifest, inventory, lost };
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
      const { marked, garbageEnd } = await this.lookBehind(window, offset);
      if (marked >= this.next || this.checkpointsBeyond()) throw this.corrupt(path, offset);
      // What cannot be read is not known to be torn.
      const { unreadable } = window;
      if (unreadable !== undefined && unreadable.offset + BLOCK_BYTES > offset)
        throw unreadable.error;
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

  /** Reads frames to the log's end or to `limit`, over damage; returns the offset behind the last good one. */
  private async readFrames(window: FileWindow, limit: number): Promise<number> {
    const { cursor } = this;
    const seed = this.seed ?? 0;
    let offset = HEADER_BYTES;
    [this.markStart, this.markEnd, this.sealed] = [offset, offset, false];
    for (;;) {
      const at = offset - window.start;
      const status = cursor.read(window.bytes, window.view, at, window.size - offset, seed);
      if (status === PARTIAL && (await window.extend(offset, cursor.size))) continue;
      const fits = status === WHOLE && cursor.sequence === this.next;
      if (fits && this.accept(window, offset, limit)) {
        offset += cursor.size;
        if (cursor.kind === SEAL) return offset;
        continue;
      }
      const goesOn = await this.bridge(window, offset, limit);
      if (goesOn === undefined) return offset;
      offset = goesOn;
      await window.load(offset, 0);
    }
  }

  /** Takes the frame in the cursor, whose sequence number fits; false if it cannot stand here. */
  private accept(window: FileWindow, offset: number, limit: number): boolean {
    const { cursor } = this;
    const { standInStart, payloadStart, payloadEnd, group } = cursor;
    switch (cursor.kind) {
      case MARK:
        this.markStart = offset;
        this.markEnd = offset + cursor.size;
        return true;
      case SEAL:
        this.sealed = true;
        return true;
      case INVENTORY:
        this.inventory.told(lastOf(window.bytes.subarray(payloadStart, payloadEnd)));
        return true;
      case RECORD: {
        if (this.next === limit) return false;
        const record = window.bytes.subarray(payloadStart, payloadEnd);
        if (group === CONTROL_GROUP) {
          this.manifest = decodeManifest(record);
          if (this.manifest === undefined) return false;
        } else if (this.isNeeded(group, cursor.size)) this.visitor(group, record);
        const standIn = window.bytes.subarray(standInStart, payloadStart);
        this.inventory.add(group, this.next, standIn, cursor.size);
        this.next++;
        return true;
      }
      default:
        return false;
    }
  }

  /** Counts the next record to its group; false if a checkpoint replaces it. */
  private isNeeded(group: number, bytes: number): boolean {
    const state = this.retention.group(group);
    state.last = this.next;
    if (this.next < state.checkpoint) return false;
    state.bytes += bytes;
    return true;
  }

  /**
   * What lies at `offset` is bad. If it was durable, visits what stands in for the records that
   * lay here and returns where the log goes on; `undefined` if nothing of this segment is left.
   */
  private async bridge(
    window: FileWindow,
    offset: number,
    limit: number,
  ): Promise<number | undefined> {
    const isLast = this.paths.length === 1;
    const durable = isLast ? (await this.lookBehind(window, offset)).marked : limit;
    if (durable < this.next) return undefined;
    const seed = this.seed ?? 0;
    const { path } = window.file;
    const found = await findNext(window, offset, seed, this.next, durable);
    if (found === undefined && isLast) throw this.corrupt(path, offset);
    const end = found?.sequence ?? durable;
    // A whole record that was not accepted makes no sense, wherever it lies.
    if (found?.whole === true && found.offset === offset && end === this.next) {
      throw this.corrupt(path, offset);
    }
    if (end > this.next) {
      const known = await identify(this.files, this.paths, offset, seed, this.next, end);
      while (this.next < end) this.substitute(path, offset, known.get(this.next));
    }
    if (found === undefined) return undefined;
    if (found.whole) return found.offset;
    if (found.identity !== undefined) this.substitute(path, found.offset, found.identity);
    return found.offset + found.size;
  }

  /** Visits the stand-in of the next record. */
  private substitute(path: string, offset: number, identity: Identity | undefined): void {
    if (identity === undefined) throw this.corrupt(path, offset);
    const { group, standIn } = identity;
    if (group === CONTROL_GROUP) {
      this.manifest = decodeManifest(standIn);
      if (this.manifest === undefined) throw this.corrupt(path, offset);
    } else if (this.isNeeded(group, standIn.length)) {
      if (standIn.length === 0) throw this.corrupt(path, offset);
      this.visitor(group, standIn);
      this.lost++;
    }
    this.inventory.add(group, this.next, standIn, standIn.length);
    this.next++;
  }

  private async lookBehind(window: FileWindow, offset: number): Promise<Behind> {
    if (this.behind?.offset !== offset) {
      this.behind = { offset, found: await findTail(window, offset, this.seed ?? 0) };
    }
    return this.behind.found;
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

/** The last record that an inventory tells of. */
function lastOf(payload: Uint8Array): number {
  return readInventory(payload, 0, 0, new Map());
}
