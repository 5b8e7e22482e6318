/**
 * A stretch of a file in memory, moved forward by its reader. Each stretch is a
 * buffer of its own and never reused, so a reader may keep views into it.
 */

import { type OpenFile } from "./disk.ts";
import { errnoOf, StorageError } from "./errors.ts";

const CHUNK_BYTES = 1024 * 1024;
/** Where the disk cannot read, the file is read in blocks of so many bytes. */
export const BLOCK_BYTES = 4096;

/** Reads a file front to back in large pieces. */
export class FileWindow {
  readonly file: OpenFile;
  /** Bytes in the file. */
  readonly size: number;
  /** What is loaded, and where in the file it begins. */
  bytes: Uint8Array = new Uint8Array(0);
  view: DataView = new DataView(this.bytes.buffer);
  start = 0;
  /** The last place that the disk cannot read, and what it said. */
  unreadable: { readonly offset: number; readonly error: StorageError } | undefined;

  constructor(file: OpenFile, size: number) {
    this.file = file;
    this.size = size;
  }

  /** Offset in the file behind what is loaded. */
  get end(): number {
    return this.start + this.bytes.length;
  }

  /**
   * Loads the file from `offset` on: at least `length` bytes, fewer only at its end.
   * The caller has checked `length` against a bound.
   */
  async load(offset: number, length: number): Promise<void> {
    const wanted = Math.max(0, Math.min(this.size - offset, Math.max(length, CHUNK_BYTES)));
    this.bytes = await this.read(offset, wanted);
    this.view = new DataView(this.bytes.buffer, this.bytes.byteOffset, this.bytes.byteLength);
    this.start = offset;
  }

  /** What the disk cannot read comes out as zeros: then the checksums are bad. */
  private async read(offset: number, length: number): Promise<Uint8Array> {
    try {
      return await this.file.read(offset, length);
    } catch (error) {
      if (!isUnreadable(error)) throw error;
    }
    const bytes = new Uint8Array(length);
    for (let at = 0; at < length; at += BLOCK_BYTES) {
      try {
        bytes.set(await this.file.read(offset + at, Math.min(BLOCK_BYTES, length - at)), at);
      } catch (error) {
        if (!isUnreadable(error)) throw error;
        if (offset + at >= (this.unreadable?.offset ?? 0)) {
          this.unreadable = { offset: offset + at, error };
        }
      }
    }
    return bytes;
  }

  /** As `load`; false if that brought nothing beyond what was loaded: the file is shorter than it was. */
  async extend(offset: number, length: number): Promise<boolean> {
    const before = this.end;
    await this.load(offset, length);
    return this.end > before;
  }
}

function isUnreadable(error: unknown): error is StorageError {
  return error instanceof StorageError && errnoOf(error.cause) === "EIO";
}
