/** Looking for frames where it is not known where they begin. */

import { type FileWindow } from "./file-window.ts";
import { BAD, FRAME_ALIGNMENT, FRAME_HEADER_BYTES, FrameCursor, PARTIAL } from "./frame.ts";

/** Called with a frame whose header is good; false ends the search. */
export type Found = (frame: FrameCursor, offset: number, status: number) => boolean;

/**
 * Goes through a file from one frame with a good header to the next, whatever lies between them.
 * The window has moved afterwards.
 * @param from - Where to begin, a multiple of the alignment.
 * @param to - Where the last frame begins at the latest.
 */
export async function searchFrames(
  window: FileWindow,
  from: number,
  to: number,
  seed: number,
  found: Found,
): Promise<void> {
  const cursor = new FrameCursor();
  let offset = from;
  while (offset < to && offset + FRAME_HEADER_BYTES <= window.size) {
    if (offset < window.start || offset >= window.end) await window.load(offset, 0);
    const at = offset - window.start;
    let status = cursor.read(window.bytes, window.view, at, window.size - offset, seed);
    if (status === PARTIAL) {
      if (await window.extend(offset, cursor.size)) continue;
      status = BAD;
    }
    if (status === BAD) offset += FRAME_ALIGNMENT;
    else {
      if (!found(cursor, offset, status)) return;
      offset += cursor.size;
    }
  }
}
