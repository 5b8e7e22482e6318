/** Frames on their way to the disk: one buffer that is filled, written by one call, and used again. */

import { frameBytes, INVENTORY, MARK, RECORD, writeFrame } from "./frame.ts";

const FIRST_BYTES = 64 * 1024;

/** A batch of the log: a mark, perhaps an inventory of earlier records, then its own. */
export class Batch {
  bytes: Uint8Array = Buffer.allocUnsafeSlow(FIRST_BYTES);
  private view: DataView = viewOf(this.bytes);
  /** Bytes filled. */
  size = 0;
  /** Records in it, and the bytes of their frames. */
  records = 0;
  recordBytes = 0;
  /** The sequence number in its mark: that of its first record. */
  first = 0;
  /** The sequence number of its last record; without records, that before its mark. */
  last = 0;

  /** Begins the batch: says that everything below `sequence` is durable by the time this is written. */
  begin(seed: number, sequence: number): void {
    this.first = sequence;
    this.last = sequence - 1;
    this.size = writeFrame(this.bytes, this.view, 0, seed, MARK, 0, sequence);
  }

  /** Tells of earlier records once more; right after `begin`. */
  tell(seed: number, inventory: Uint8Array): void {
    this.reserve(this.size + frameBytes(inventory.length));
    const { bytes, view, size, first } = this;
    this.size = writeFrame(bytes, view, size, seed, INVENTORY, 0, first, inventory);
  }

  /** Copies a record in. */
  add(
    seed: number,
    group: number,
    sequence: number,
    record: Uint8Array,
    standIn: Uint8Array,
  ): void {
    const length = frameBytes(record.length, standIn.length);
    this.reserve(this.size + length);
    const { bytes, view, size } = this;
    this.size = writeFrame(bytes, view, size, seed, RECORD, group, sequence, record, standIn);
    this.last = sequence;
    this.records++;
    this.recordBytes += length;
  }

  /** Empties the batch for the next use; a buffer beyond `keepBytes` is given back. */
  clear(keepBytes: number): void {
    this.size = 0;
    this.records = 0;
    this.recordBytes = 0;
    if (this.bytes.length > keepBytes) this.adopt(Buffer.allocUnsafeSlow(FIRST_BYTES));
  }

  private reserve(bytes: number): void {
    if (bytes <= this.bytes.length) return;
    const larger = Buffer.allocUnsafeSlow(Math.max(bytes, this.bytes.length * 2));
    larger.set(this.bytes.subarray(0, this.size));
    this.adopt(larger);
  }

  private adopt(bytes: Uint8Array): void {
    this.bytes = bytes;
    this.view = viewOf(bytes);
  }
}

function viewOf(bytes: Uint8Array): DataView {
  return new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
}
