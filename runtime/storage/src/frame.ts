/**
 * How records lie on disk, in the log and in checkpoints alike. All integers
 * are little-endian; a frame is padded with zeros to a multiple of eight:
 *
 *     0  u32  CRC-32C of the header: bytes 4 to 28 and the stand-in
 *     4  u32  CRC-32C of the payload, padding included
 *     8  u32  length of the payload
 *    12  u64  sequence number (below 2^53)
 *    20  u32  group
 *    24  u16  kind
 *    26  u16  length of the stand-in
 *    28       stand-in
 *             payload
 *
 * Header and payload have checksums of their own, so that a frame whose payload
 * is damaged still tells which one it was, and where the next one begins.
 *
 * The seed of the checksums is drawn once per log. A stranger who has bytes of
 * his choice stored as a payload therefore cannot forge a frame, and frames of
 * another log are not taken for ours. Zeros are never a frame, since no kind is zero.
 */

import { crc32c } from "@quorate/kernel";

/** Bytes before a stand-in. */
export const FRAME_HEADER_BYTES = 28;
/** Frames begin at multiples of this, so that a search need not look at every byte. */
export const FRAME_ALIGNMENT = 8;
/** No payload is longer, whatever a length field claims. */
export const MAX_RECORD_BYTES: number = 64 * 1024 * 1024;
/** No stand-in is longer. */
export const MAX_STAND_IN_BYTES = 0xffff;
/** The group of the log's own records (manifests). */
export const CONTROL_GROUP = 0xffff_ffff;

/** A record of a group; its sequence number is its own. */
export const RECORD = 1;
/** Begins a batch: all below its sequence number was durable before it was written. */
export const MARK = 2;
/** Ends a segment: the next one begins with its sequence number and exists. */
export const SEAL = 3;
/** Ends a checkpoint: its sequence number is the count of records. */
export const TRAILER = 4;
/** Tells again which records lie some way before it; its sequence number is that of the next one. */
export const INVENTORY = 5;

/** Bytes that a record of `length` bytes takes on disk, with a stand-in of `standIn` bytes. */
export function frameBytes(length: number, standIn: number = 0): number {
  return (FRAME_HEADER_BYTES + standIn + length + FRAME_ALIGNMENT - 1) & -FRAME_ALIGNMENT;
}

const SMALL_BYTES = 32;
const EMPTY = new Uint8Array(0);

/**
 * Writes a frame at `at` of `bytes`, of which `view` is a view.
 * @returns The offset behind it.
 */
export function writeFrame(
  bytes: Uint8Array,
  view: DataView,
  at: number,
  seed: number,
  kind: number,
  group: number,
  sequence: number,
  payload: Uint8Array = EMPTY,
  standIn: Uint8Array = EMPTY,
): number {
  const payloadStart = at + FRAME_HEADER_BYTES + standIn.length;
  const payloadEnd = payloadStart + payload.length;
  const end = at + frameBytes(payload.length, standIn.length);
  copySmall(standIn, bytes, at + FRAME_HEADER_BYTES);
  if (payload.length > 0) bytes.set(payload, payloadStart);
  for (let pad = payloadEnd; pad < end; pad++) bytes[pad] = 0;
  view.setUint32(at + 4, crc32c(bytes, payloadStart, end, seed), true);
  view.setUint32(at + 8, payload.length, true);
  writeUint53(view, at + 12, sequence);
  view.setUint32(at + 20, group, true);
  view.setUint32(at + 24, kind + standIn.length * 0x1_0000, true);
  view.setUint32(at, crc32c(bytes, at + 4, payloadStart, seed), true);
  return end;
}

/** Copies bytes that are mostly few: for those a loop is several times faster than `set`. */
export function copySmall(from: Uint8Array, into: Uint8Array, at: number): void {
  const { length } = from;
  if (length > SMALL_BYTES) into.set(from, at);
  else for (let i = 0; i < length; i++) into[at + i] = from[i]!;
}

/** Writes a non-negative integer below 2^53 as eight bytes. */
export function writeUint53(view: DataView, at: number, value: number): void {
  const high = Math.floor(value / 0x1_0000_0000);
  view.setUint32(at, value >>> 0, true);
  view.setUint32(at + 4, high, true);
}

/** Reads eight bytes as an integer; what is beyond 2^53 comes out imprecise, never as an error. */
export function readUint53(view: DataView, at: number): number {
  return view.getUint32(at + 4, true) * 0x1_0000_0000 + view.getUint32(at, true);
}

/** A whole frame with good checksums. */
export const WHOLE = 0;
/** More bytes are needed to judge: `size` tells how many from the frame's start. */
export const PARTIAL = 1;
/** No frame: a bad checksum, an impossible length, zeros, or the end of the file. */
export const BAD = 2;
/** The header is good and the payload is not: it is known what lay here. */
export const HOLLOW = 3;

/** Decodes frames into its own fields, so that reading a log allocates nothing per record. */
export class FrameCursor {
  kind = 0;
  group = 0;
  sequence = 0;
  /** Where the stand-in begins in the bytes read from; it ends where the payload begins. */
  standInStart = 0;
  /** Where the payload begins and ends in the bytes read from. */
  payloadStart = 0;
  payloadEnd = 0;
  /** Bytes of the whole frame. */
  size = 0;

  /**
   * Decodes the frame at `at`. No length is believed before the checksum that covers it is good.
   * @param remaining - Bytes from `at` to the end of the *file*, which bound every length.
   */
  read(bytes: Uint8Array, view: DataView, at: number, remaining: number, seed: number): number {
    if (remaining < FRAME_HEADER_BYTES) return BAD;
    this.size = FRAME_HEADER_BYTES;
    if (bytes.length - at < FRAME_HEADER_BYTES) return PARTIAL;
    const word = view.getUint32(at + 24, true);
    this.kind = word & 0xffff;
    if (this.kind < RECORD || this.kind > INVENTORY) return BAD;
    this.standInStart = at + FRAME_HEADER_BYTES;
    this.payloadStart = this.standInStart + (word >>> 16);
    this.size = this.payloadStart - at;
    if (this.size > remaining) return BAD;
    if (bytes.length < this.payloadStart) return PARTIAL;
    if (crc32c(bytes, at + 4, this.payloadStart, seed) !== view.getUint32(at, true)) return BAD;
    const length = view.getUint32(at + 8, true);
    const size = frameBytes(length, word >>> 16);
    if (length > MAX_RECORD_BYTES || size > remaining) return BAD;
    this.size = size;
    if (bytes.length - at < size) return PARTIAL;
    this.payloadEnd = this.payloadStart + length;
    this.sequence = readUint53(view, at + 12);
    this.group = view.getUint32(at + 20, true);
    const checksum = crc32c(bytes, this.payloadStart, at + size, seed);
    return checksum === view.getUint32(at + 4, true) ? WHOLE : HOLLOW;
  }
}
