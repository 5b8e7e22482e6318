/** A hole in the log: where it goes on behind damage, and which records lay in it. */

import { type Files } from "./disk.ts";
import { FileWindow } from "./file-window.ts";
import { HOLLOW, INVENTORY, RECORD, TRAILER, WHOLE } from "./frame.ts";
import { type Identity, readInventory } from "./inventory.ts";
import { HEADER_BYTES } from "./layout.ts";
import { searchFrames } from "./search.ts";

/** The frame with which the log goes on. */
export interface Next {
  readonly offset: number;
  readonly size: number;
  readonly sequence: number;
  /** Whether its payload is good, too. */
  readonly whole: boolean;
  /** Of a record whose payload is bad: what its header tells. */
  readonly identity: Identity | undefined;
}

/**
 * Finds the first frame from `offset` on that can stand behind record `next - 1`.
 * @param durable - All records below this one were durable.
 */
export async function findNext(
  window: FileWindow,
  offset: number,
  seed: number,
  next: number,
  durable: number,
): Promise<Next | undefined> {
  let found: Next | undefined;
  await searchFrames(window, offset, window.size, seed, (frame, at, status) => {
    const { sequence, size, kind, group } = frame;
    const last = kind === RECORD ? durable - 1 : durable;
    if (kind === TRAILER || sequence < next || sequence > last) return true;
    const hollow = status === HOLLOW && kind === RECORD;
    const standIn = hollow ? window.bytes.slice(frame.standInStart, frame.payloadStart) : undefined;
    const identity = standIn === undefined ? undefined : { group, standIn };
    found = { offset: at, size, sequence, whole: status === WHOLE, identity };
    return false;
  });
  return found;
}

/**
 * Looks for what inventories tell of the records in `[from, to)`.
 * @param paths - The segment with the hole, at `offset`, and those after it.
 */
export async function identify(
  files: Files,
  paths: readonly string[],
  offset: number,
  seed: number,
  from: number,
  to: number,
): Promise<ReadonlyMap<number, Identity>> {
  const known = new Map<number, Identity>();
  for (const [index, path] of paths.entries()) {
    if (known.size === to - from) break;
    const file = await files.open(path, "read");
    try {
      const window = new FileWindow(file, await file.size());
      const start = index === 0 ? offset : HEADER_BYTES;
      await searchFrames(window, start, window.size, seed, (frame, _, status) => {
        if (frame.kind === INVENTORY && status === WHOLE) {
          const payload = window.bytes.slice(frame.payloadStart, frame.payloadEnd);
          readInventory(payload, from, to, known);
        }
        return known.size < to - from;
      });
    } finally {
      await file.close();
    }
  }
  return known;
}
