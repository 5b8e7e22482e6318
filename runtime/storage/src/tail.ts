/** The end of a log: looking for evidence behind a bad frame, and mending a torn tail. */

import { type OpenFile } from "./disk.ts";
import { type FileWindow } from "./file-window.ts";
import { frameBytes, MARK, SEAL, writeFrame } from "./frame.ts";
import { searchFrames } from "./search.ts";

const PIECE_BYTES = 1024 * 1024;
const ZEROS: Uint8Array = new Uint8Array(PIECE_BYTES);

/** Where the log ends, and what is to be done there before anything is appended. */
export interface Tail {
  readonly path: string;
  /** Preallocated bytes of the segment. */
  readonly capacity: number;
  /** Where the next batch goes. */
  readonly offset: number;
  /** Where the last mark begins, before which all is durable. */
  readonly markStart: number;
  /** Whether nothing follows that mark. */
  readonly vouched: boolean;
  /** Where the bytes of a torn batch end; at most `offset` if there are none. */
  readonly garbageEnd: number;
}

/** What lies behind the last good frame. */
export interface Behind {
  /** The sequence number of the last mark or seal, below which all was durable; -1 if there is none. */
  readonly marked: number;
  /** Offset behind the last byte that is not zero, or the offset asked about. */
  readonly garbageEnd: number;
}

/** Looks through a segment from a bad frame to its end. */
export async function findTail(window: FileWindow, offset: number, seed: number): Promise<Behind> {
  let garbageEnd = offset;
  for (let start = offset; start < window.size; start = window.end) {
    await window.load(start, PIECE_BYTES);
    if (window.bytes.length === 0) break;
    const used = usedBytes(window.bytes);
    if (used > 0) garbageEnd = start + used;
  }
  let marked = -1;
  await searchFrames(window, offset, garbageEnd, seed, ({ kind, sequence }) => {
    if (kind === MARK || kind === SEAL) marked = Math.max(marked, sequence);
    return true;
  });
  return { marked, garbageEnd };
}

/**
 * Makes the tail fit to be appended to. What was written last was perhaps read
 * from the system's memory only (the writer was killed, or its sync failed and
 * the system took the pages for clean all the same), so all from the last mark
 * on is written again, that mark included; a torn batch is overwritten with
 * zeros. Only when both are durable a new mark may vouch for them.
 * @returns Where the next batch goes.
 */
export async function repairTail(
  file: OpenFile,
  seed: number,
  next: number,
  tail: Pick<Tail, "offset" | "markStart" | "vouched" | "garbageEnd">,
): Promise<number> {
  for (let at = tail.markStart; at < tail.offset;) {
    const piece = await file.read(at, Math.min(PIECE_BYTES, tail.offset - at));
    await file.writeDurably(piece, piece.length, at);
    at += piece.length;
  }
  for (let at = tail.offset; at < tail.garbageEnd; at += ZEROS.length) {
    await file.writeDurably(ZEROS, Math.min(ZEROS.length, tail.garbageEnd - at), at);
  }
  if (tail.vouched) return tail.offset;
  const mark = new Uint8Array(frameBytes(0));
  writeFrame(mark, new DataView(mark.buffer), 0, seed, MARK, 0, next);
  await file.writeDurably(mark, mark.length, tail.offset);
  return tail.offset + mark.length;
}

/** Bytes up to the last one that is not zero. */
function usedBytes(bytes: Uint8Array): number {
  if (Buffer.compare(bytes, ZEROS.subarray(0, bytes.length)) === 0) return 0;
  let end = bytes.length;
  while (end > 0 && bytes[end - 1] === 0) end--;
  return end;
}
