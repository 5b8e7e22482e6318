/**
 * What lies in the log, told a second time. A frame's header tells which record
 * it holds even if the payload is damaged; but a disk loses whole sectors, and
 * with small records a header shares its sector with the payload. So the log
 * repeats the stand-ins of its records later, in frames of their own that go out
 * with the next batch, at least a page behind the records they tell of (after
 * the redundant headers of TigerBeetle's log, and the identifiers that
 * "Protocol-Aware Recovery", FAST 2018, §3.4.1, keeps apart from entries).
 */

import { copySmall, readUint53, writeUint53 } from "./frame.ts";

/** So many bytes of frames at least lie between records and the inventory that tells of them. */
const PAGE_BYTES = 4096;
const HEAD_BYTES = 12;
const ENTRY_BYTES = 6;
const FIRST_BYTES = 4096;

/** What is known of a record apart from its bytes. */
export interface Identity {
  readonly group: number;
  /** Empty if nothing can stand in for the record. */
  readonly standIn: Uint8Array;
}

/**
 * Consecutive records by their stand-ins:
 * u64 first sequence, u32 count, then of each u32 group, u16 length, stand-in.
 */
class Page {
  /** Bytes that its records take in the log. */
  logBytes = 0;
  /** The sequence number of its last record, 0 if it has none. */
  last = 0;
  private bytes: Uint8Array = new Uint8Array(FIRST_BYTES);
  private view: DataView = new DataView(this.bytes.buffer);
  private size = HEAD_BYTES;
  private first = 0;

  add(group: number, sequence: number, standIn: Uint8Array, logBytes: number): void {
    const end = this.size + ENTRY_BYTES + standIn.length;
    if (end > this.bytes.length) this.grow(end);
    const { view, size } = this;
    view.setUint32(size, group, true);
    view.setUint16(size + 4, standIn.length, true);
    copySmall(standIn, this.bytes, size + ENTRY_BYTES);
    this.size = end;
    if (this.last === 0) this.first = sequence;
    this.last = sequence;
    this.logBytes += logBytes;
  }

  /** The payload of its frame, valid until it is cleared. */
  encode(): Uint8Array {
    writeUint53(this.view, 0, this.first);
    this.view.setUint32(8, this.last - this.first + 1, true);
    return this.bytes.subarray(0, this.size);
  }

  clear(): void {
    this.size = HEAD_BYTES;
    this.logBytes = 0;
    this.last = 0;
  }

  private grow(bytes: number): void {
    const larger = new Uint8Array(Math.max(bytes, this.bytes.length * 2));
    larger.set(this.bytes.subarray(0, this.size));
    this.bytes = larger;
    this.view = new DataView(larger.buffer);
  }
}

/** Gathers records until their stand-ins may be written again. */
export class Inventory {
  /** Told of next; at least a page of records came after it. */
  private due: Page = new Page();
  private ready: Page = new Page();
  private filling: Page = new Page();

  add(group: number, sequence: number, standIn: Uint8Array, logBytes: number): void {
    this.filling.add(group, sequence, standIn, logBytes);
  }

  /** What a batch that begins now should tell of, if anything; valid until the next call. */
  take(): Uint8Array | undefined {
    if (this.filling.logBytes < PAGE_BYTES) return undefined;
    const spare = this.due;
    spare.clear();
    this.due = this.ready;
    this.ready = this.filling;
    this.filling = spare;
    return this.due.last === 0 ? undefined : this.due.encode();
  }

  /** An inventory up to this record was read in a recovery: what came before it need not be told again. */
  told(last: number): void {
    if (this.ready.last > last) return;
    this.ready.clear();
    [this.ready, this.filling] = [this.filling, this.ready];
  }
}

/** Reads an inventory: adds what it tells of records in `[from, to)`. Returns the last record it tells of. */
export function readInventory(
  payload: Uint8Array,
  from: number,
  to: number,
  known: Map<number, Identity>,
): number {
  const view = new DataView(payload.buffer, payload.byteOffset, payload.byteLength);
  if (payload.length < HEAD_BYTES) return 0;
  let sequence = readUint53(view, 0);
  const end = sequence + view.getUint32(8, true);
  for (let at = HEAD_BYTES; sequence < end && at + ENTRY_BYTES <= payload.length; sequence++) {
    const standInEnd = at + ENTRY_BYTES + view.getUint16(at + 4, true);
    if (sequence >= from && sequence < to) {
      const standIn = payload.subarray(at + ENTRY_BYTES, standInEnd);
      known.set(sequence, { group: view.getUint32(at, true), standIn });
    }
    at = standInEnd;
  }
  return end - 1;
}
