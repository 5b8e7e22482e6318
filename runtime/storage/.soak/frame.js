/**
 * How records lie on disk, in the log and in checkpoints alike. All integers
 * are little-endian; a frame is padded with zeros to a multiple of eight:
 *
 *     0  u32  CRC-32C of all that follows, padding included, seeded per log
 *     4  u32  length of the payload
 *     8  u64  sequence number (below 2^53)
 *    16  u32  group
 *    20  u32  kind
 *    24       payload
 *
 * The seed is drawn once per log. A stranger who has bytes of his choice stored
 * as a payload therefore cannot forge a frame, and frames of another log are
 * not taken for ours. Zeros are never a frame, since no kind is zero.
 */
import { crc32c } from "@quorate/kernel";
/** Bytes before a payload. */
export const FRAME_HEADER_BYTES = 24;
/** Frames begin at multiples of this, so that a search need not look at every byte. */
export const FRAME_ALIGNMENT = 8;
/** No payload is longer, whatever a length field claims. */
export const MAX_RECORD_BYTES = 64 * 1024 * 1024;
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
/** Bytes that a record of `length` bytes takes on disk. */
export function frameBytes(length) {
    return (FRAME_HEADER_BYTES + length + FRAME_ALIGNMENT - 1) & -FRAME_ALIGNMENT;
}
const EMPTY = new Uint8Array(0);
/**
 * Writes a frame at `at` of `bytes`, of which `view` is a view.
 * @returns The offset behind it.
 */
export function writeFrame(bytes, view, at, seed, kind, group, sequence, payload = EMPTY) {
    const payloadEnd = at + FRAME_HEADER_BYTES + payload.length;
    const end = at + frameBytes(payload.length);
    view.setUint32(at + 4, payload.length, true);
    writeUint53(view, at + 8, sequence);
    view.setUint32(at + 16, group, true);
    view.setUint32(at + 20, kind, true);
    if (payload.length > 0)
        bytes.set(payload, at + FRAME_HEADER_BYTES);
    for (let pad = payloadEnd; pad < end; pad++)
        bytes[pad] = 0;
    view.setUint32(at, crc32c(bytes, at + 4, end, seed), true);
    return end;
}
/** Writes a non-negative integer below 2^53 as eight bytes. */
export function writeUint53(view, at, value) {
    const high = Math.floor(value / 0x1_0000_0000);
    view.setUint32(at, value >>> 0, true);
    view.setUint32(at + 4, high, true);
}
/** Reads eight bytes as an integer; what is beyond 2^53 comes out imprecise, never as an error. */
export function readUint53(view, at) {
    return view.getUint32(at + 4, true) * 0x1_0000_0000 + view.getUint32(at, true);
}
/** A whole frame with a good checksum. */
export const WHOLE = 0;
/** More bytes are needed to judge: `size` tells how many from the frame's start. */
export const PARTIAL = 1;
/** No frame: a bad checksum, an impossible length, zeros, or the end of the file. */
export const BAD = 2;
/** Decodes frames into its own fields, so that reading a log allocates nothing per record. */
export class FrameCursor {
    kind = 0;
    group = 0;
    sequence = 0;
    crc = 0;
    /** Where the payload begins and ends in the bytes read from. */
    payloadStart = 0;
    payloadEnd = 0;
    /** Bytes of the whole frame. */
    size = 0;
    /**
     * Decodes the frame at `at`.
     * @param remaining - Bytes from `at` to the end of the *file*, which bound every length.
     */
    read(bytes, view, at, remaining, seed) {
        if (remaining < FRAME_HEADER_BYTES)
            return BAD;
        this.size = FRAME_HEADER_BYTES;
        if (bytes.length - at < FRAME_HEADER_BYTES)
            return PARTIAL;
        const length = view.getUint32(at + 4, true);
        this.kind = view.getUint32(at + 20, true);
        if (this.kind < RECORD || this.kind > TRAILER || length > MAX_RECORD_BYTES)
            return BAD;
        const size = frameBytes(length);
        if (size > remaining)
            return BAD;
        this.size = size;
        if (bytes.length - at < size)
            return PARTIAL;
        this.crc = view.getUint32(at, true);
        if (crc32c(bytes, at + 4, at + size, seed) !== this.crc)
            return BAD;
        this.sequence = readUint53(view, at + 8);
        this.group = view.getUint32(at + 16, true);
        this.payloadStart = at + FRAME_HEADER_BYTES;
        this.payloadEnd = this.payloadStart + length;
        return WHOLE;
    }
}
//# sourceMappingURL=frame.js.map