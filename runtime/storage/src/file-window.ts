/**
 * A stretch of a file in memory, moved forward by its reader. Each stretch is a
 * buffer of its own and never reused, so a reader may keep views into it.
 */

import { type OpenFile } from "./disk.ts";

const CHUNK_BYTES = 1024 * 1024;

/** Reads a file front to back in large pieces. */
export class FileWindow {
  readonly file: OpenFile;
  /** Bytes in the file. */
  readonly size: number;
  /** What is loaded, and where in the file it begins. */
  bytes: Uint8Array = new Uint8Array(0);
  view: DataView = new DataView(this.bytes.buffer);
  start = 0;

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
    this.bytes = await this.file.read(offset, wanted);
    this.view = new DataView(this.bytes.buffer, this.bytes.byteOffset, this.bytes.byteLength);
    this.start = offset;
  }

  /** As `load`; false if that brought nothing beyond what was loaded: the file is shorter than it was. */
  async extend(offset: number, length: number): Promise<boolean> {
    const before = this.end;
    await this.load(offset, length);
    return this.end > before;
  }
}
