/**
 * A stretch of the change log: up to 1024 changes in revision order, their
 * numbers in one row each and their values end to end in one buffer.
 *
 * One JavaScript object and one `Uint8Array` per change would cost some 250
 * bytes and a place in every garbage collection; a row costs 96 bytes in all,
 * and the collector sees one object per thousand changes.
 *
 * A change is named by its *sequence number*, which never changes and is never
 * given again. While a segment is dense its slot follows from it; once
 * compaction has thinned a segment out, `sequences` lists what is left.
 */

import { type Entry } from "./entry.ts";

/** Sequence numbers per segment. */
export const SEGMENT_SLOTS = 1024;
/** A segment whose values reach this size takes no more. */
export const SEGMENT_BYTES = 262_144;

/** Numbers in a row. */
const ROW = 10;
const MOD = 0;
const SUB = 1;
const CREATE = 2;
const VERSION = 3;
const END = 4;
const PREVIOUS = 5;
const JUMP = 6;
const DEPTH = 7;
const HASH = 8;
const UNTIL = 9;

export class Segment {
  /** Sequence number of slot 0 while dense. */
  readonly first: number;
  /** Slots in use. */
  count = 0;
  /** How many of them no longer are their key's newest, or are deletions. */
  superseded = 0;
  /** Sequence numbers by slot, ascending; `undefined` while the segment is dense. */
  sequences: number[] | undefined;
  /** `ROW` numbers for each slot. */
  private rows: Float64Array;
  /** The values of all slots, one after the other. */
  bytes: Uint8Array;
  /** Whose change each slot is. */
  readonly entries: Entry[];
  /** Under which lease each slot was put, "" for none. */
  private readonly leases: string[];

  constructor(first: number, slots: number, byteLength: number) {
    this.first = first;
    this.rows = new Float64Array(slots * ROW);
    this.bytes = new Uint8Array(byteLength);
    // At full length from the start: arrays that grow leave their copies to the collector.
    this.entries = [];
    this.entries.length = slots;
    this.leases = [];
    this.leases.length = slots;
  }

  /** The slot of a sequence number, or -1 if its change has been removed. */
  slotOf(sequence: number): number {
    const { sequences } = this;
    if (sequences === undefined) {
      const slot = sequence - this.first;
      return slot >= 0 && slot < this.count ? slot : -1;
    }
    let low = 0;
    let high = sequences.length;
    while (low < high) {
      const middle = (low + high) >>> 1;
      if (sequences[middle]! < sequence) low = middle + 1;
      else high = middle;
    }
    return sequences[low] === sequence ? low : -1;
  }

  sequenceAt(slot: number): number {
    return this.sequences === undefined ? this.first + slot : this.sequences[slot]!;
  }

  modAt(slot: number): number {
    return this.rows[slot * ROW + MOD]!;
  }

  subAt(slot: number): number {
    return this.rows[slot * ROW + SUB]!;
  }

  createAt(slot: number): number {
    return this.rows[slot * ROW + CREATE]!;
  }

  /** Puts since the key was created, 0 for a deletion. */
  versionAt(slot: number): number {
    return this.rows[slot * ROW + VERSION]!;
  }

  previousAt(slot: number): number {
    return this.rows[slot * ROW + PREVIOUS]!;
  }

  jumpAt(slot: number): number {
    return this.rows[slot * ROW + JUMP]!;
  }

  depthAt(slot: number): number {
    return this.rows[slot * ROW + DEPTH]!;
  }

  /**
   * Whether a slot is its key's newest change at or before `revision`, its own
   * revision not being later.
   */
  isNewestAt(slot: number, revision: number): boolean {
    const until = this.rows[slot * ROW + UNTIL]!;
    return until === 0 || until > revision;
  }

  /** Notes the revision of the key's next change. */
  supersede(slot: number, revision: number): void {
    const row = slot * ROW;
    this.rows[row + UNTIL] = revision;
    if (this.rows[row + VERSION] !== 0) this.superseded++;
  }

  hashAt(slot: number): number {
    return this.rows[slot * ROW + HASH]!;
  }

  leaseAt(slot: number): string {
    return this.leases[slot]!;
  }

  valueLengthAt(slot: number): number {
    return this.rows[slot * ROW + END]! - this.valueStart(slot);
  }

  /** The value of a slot, as a view that stays valid for ever: buffers are replaced, never reused. */
  valueAt(slot: number): Uint8Array {
    return this.bytes.subarray(this.valueStart(slot), this.rows[slot * ROW + END]);
  }

  /** Bytes used by values. */
  get byteLength(): number {
    return this.count === 0 ? 0 : this.rows[(this.count - 1) * ROW + END]!;
  }

  /** Memory taken, in bytes, keys left out. */
  get footprint(): number {
    return this.bytes.length + this.rows.length * 8 + this.entries.length * 16;
  }

  private valueStart(slot: number): number {
    return slot === 0 ? 0 : this.rows[(slot - 1) * ROW + END]!;
  }

  /**
   * Appends a change and returns its slot. Eleven parameters instead of an
   * object, because this runs once per change.
   * @param sub - Place among the changes of the same revision.
   * @param version - Puts since the key was created, 0 for a deletion.
   * @param previous - Sequence number of the key's change before this one, 0 if none.
   * @param jump - Sequence number of some earlier change, for long walks, 0 if none.
   * @param depth - How many changes to the key came before.
   */
  append(
    entry: Entry,
    revision: number,
    sub: number,
    create: number,
    version: number,
    previous: number,
    jump: number,
    depth: number,
    hash: number,
    lease: string,
    value: Uint8Array,
  ): number {
    const slot = this.count;
    const start = this.byteLength;
    const end = start + value.length;
    this.makeRoom(slot, end);
    this.bytes.set(value, start);
    const { rows } = this;
    const row = slot * ROW;
    rows[row + MOD] = revision;
    rows[row + SUB] = sub;
    rows[row + CREATE] = create;
    rows[row + VERSION] = version;
    rows[row + END] = end;
    rows[row + PREVIOUS] = previous;
    rows[row + JUMP] = jump;
    rows[row + DEPTH] = depth;
    rows[row + HASH] = hash;
    rows[row + UNTIL] = 0;
    if (version === 0) this.superseded++;
    this.entries[slot] = entry;
    this.leases[slot] = lease;
    this.count = slot + 1;
    return slot;
  }

  /** Appends a slot of an older segment under its old sequence number. */
  adopt(from: Segment, slot: number): number {
    const start = this.byteLength;
    const length = from.valueLengthAt(slot);
    const at = this.count;
    this.makeRoom(at, start + length);
    this.bytes.set(from.valueAt(slot), start);
    this.rows.set(from.rows.subarray(slot * ROW, (slot + 1) * ROW), at * ROW);
    this.rows[at * ROW + END] = start + length;
    this.entries[at] = from.entries[slot]!;
    this.leases[at] = from.leases[slot]!;
    this.sequences ??= [];
    this.sequences.push(from.sequenceAt(slot));
    this.count = at + 1;
    return at;
  }

  /** Gives back room that will not be used any more. */
  trim(): void {
    const { byteLength } = this;
    if (byteLength < this.bytes.length * 0.9) this.bytes = this.bytes.slice(0, byteLength);
    if (this.count * ROW < this.rows.length * 0.9) this.rows = this.rows.slice(0, this.count * ROW);
    this.entries.length = this.count;
    this.leases.length = this.count;
  }

  private makeRoom(slot: number, byteLength: number): void {
    if ((slot + 1) * ROW > this.rows.length) {
      const rows = new Float64Array(Math.max(this.rows.length * 2, ROW * 16));
      rows.set(this.rows);
      this.rows = rows;
    }
    if (byteLength > this.bytes.length) {
      const bytes = new Uint8Array(Math.max(this.bytes.length * 2, byteLength));
      bytes.set(this.bytes);
      this.bytes = bytes;
    }
  }
}
