/**
 * The files of checkpoints: a header, the records as frames numbered from 0,
 * and a trailer with their count and the checksum of all their checksums. Every
 * frame's own checksum is seeded with that of the log.
 */

import { crc32c } from "@quorate/kernel";

import { type Files } from "./disk.ts";
import { StorageError } from "./errors.ts";
import { FileWindow } from "./file-window.ts";
import {
  frameBytes,
  FrameCursor,
  MAX_RECORD_BYTES,
  PARTIAL,
  RECORD,
  TRAILER,
  WHOLE,
  writeFrame,
} from "./frame.ts";
import { type CheckpointFile, decodeHeader, encodeHeader, HEADER_BYTES } from "./layout.ts";

/** Called with every recovered record; the bytes lie in a shared buffer that is never changed. */
export type Visitor = (group: number, record: Uint8Array) => void;

/** Frames the records of a checkpoint into slices. */
export class CheckpointEncoder {
  private readonly seed: number;
  private readonly group: number;
  private bytes: Uint8Array;
  private view: DataView;
  private size = 0;
  private count = 0;
  /** Checksum of the checksums of all records so far. */
  private total = 0;

  constructor(seed: number, group: number, sequence: number, sliceBytes: number) {
    this.seed = seed;
    this.group = group;
    this.bytes = new Uint8Array(sliceBytes + 1024);
    this.view = new DataView(this.bytes.buffer);
    this.bytes.set(encodeHeader({ type: "checkpoint", seed, group, argument: sequence }));
    this.size = HEADER_BYTES;
  }

  /** Bytes of the slice being filled. */
  get sliceBytes(): number {
    return this.size;
  }

  /** Adds a record. */
  add(record: Uint8Array): void {
    if (record.length > MAX_RECORD_BYTES) {
      const [bytes, limit] = [record.length, MAX_RECORD_BYTES];
      throw new StorageError({ code: "recordTooLarge", bytes, limit });
    }
    const at = this.write(RECORD, this.count, record);
    this.total = crc32c(this.bytes, at, at + 4, this.total);
    this.count++;
  }

  /** Adds the trailer. */
  end(): void {
    const payload = new Uint8Array(4);
    new DataView(payload.buffer).setUint32(0, this.total, true);
    this.write(TRAILER, this.count, payload);
  }

  /** Takes the slice; it may be written until the next `add`. */
  take(): Uint8Array {
    const slice = this.bytes.subarray(0, this.size);
    this.size = 0;
    return slice;
  }

  private write(kind: number, sequence: number, payload: Uint8Array): number {
    const at = this.size;
    const needed = at + frameBytes(payload.length);
    if (needed > this.bytes.length) {
      const larger = new Uint8Array(Math.max(needed, this.bytes.length * 2));
      larger.set(this.bytes.subarray(0, at));
      this.bytes = larger;
      this.view = new DataView(larger.buffer);
    }
    const { bytes, view, seed, group } = this;
    this.size = writeFrame(bytes, view, at, seed, kind, group, sequence, payload);
    return at;
  }
}

/**
 * Reads a checkpoint to the end, visiting its records in order.
 * @throws StorageError `corruptCheckpoint` at the first byte that is not as it was written.
 */
export async function readCheckpoint(
  files: Files,
  path: string,
  named: CheckpointFile,
  visitor: Visitor,
): Promise<void> {
  const file = await files.open(path, "read");
  try {
    const window = new FileWindow(file, await file.size());
    await window.load(0, HEADER_BYTES);
    const header = decodeHeader(window.bytes, "checkpoint", path);
    if (header?.group !== named.group || header.argument !== named.sequence) {
      throw new StorageError({ code: "corruptCheckpoint", path, offset: 0 });
    }
    const damage = await readRecords(window, header.seed, named.group, visitor);
    if (damage !== undefined) {
      throw new StorageError({ code: "corruptCheckpoint", path, offset: damage });
    }
  } finally {
    await file.close();
  }
}

/** Visits the records; returns the offset of damage, or undefined if there is none. */
async function readRecords(
  window: FileWindow,
  seed: number,
  group: number,
  visitor: Visitor,
): Promise<number | undefined> {
  const cursor = new FrameCursor();
  let [offset, count, total] = [HEADER_BYTES, 0, 0];
  for (;;) {
    const at = offset - window.start;
    const status = cursor.read(window.bytes, window.view, at, window.size - offset, seed);
    if (status === PARTIAL) {
      if (await window.extend(offset, cursor.size)) continue;
      return offset;
    }
    if (status !== WHOLE || cursor.sequence !== count || cursor.group !== group) return offset;
    offset += cursor.size;
    if (cursor.kind === TRAILER) {
      const good = cursor.payloadEnd - cursor.payloadStart === 4 && offset === window.size;
      const claimed = good ? window.view.getUint32(cursor.payloadStart, true) : -1;
      return claimed === total ? undefined : offset - cursor.size;
    }
    if (cursor.kind !== RECORD) return offset - cursor.size;
    total = crc32c(window.bytes, at, at + 4, total);
    count++;
    visitor(group, window.bytes.subarray(cursor.payloadStart, cursor.payloadEnd));
  }
}
