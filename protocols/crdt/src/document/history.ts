/** Versions of a document: what was there at some moment, kept in a few bytes, and read again later. */

import { Reader } from "@quorate/kernel";

import { Doc } from "./doc.ts";
import {
  byIdDescending,
  clocksOf,
  type DeleteSet,
  deletedRanges,
  writeClocks,
  writeDeleteSet,
  writeLog,
  written,
} from "./encode.ts";
import { DocumentError, refusal } from "./errors.ts";
import { takeClocks } from "./updates.ts";
import { takeCount, takeSmall, takeUint, writeUint } from "./wire.ts";

/** A moment of a document: what had been written, and what of it was deleted. */
export interface Version {
  readonly clocks: ReadonlyMap<number, number>;
  readonly deletes: DeleteSet;
}

/** The present moment. */
export function versionOf(doc: Doc): Version {
  return { clocks: clocksOf(doc.store), deletes: deletedRanges(doc.store) };
}

/** The bytes of a version, as `Y.encodeSnapshot` makes them. */
export function encodeVersion({ clocks, deletes }: Version): Uint8Array {
  return written((writer) => {
    writeDeleteSet(writer, deletes);
    writeClocks(writer, clocks);
  });
}

/** @throws DocumentError `malformed`, `too-large`. */
export function decodeVersion(bytes: Uint8Array): Version {
  const reader = new Reader(bytes);
  try {
    const deletes = new Map<number, number[]>();
    for (let left = takeCount(reader); left > 0; left--) {
      const client = takeUint(reader);
      const ranges: number[] = [];
      for (let n = takeCount(reader); n > 0; n--) ranges.push(takeSmall(reader), takeSmall(reader));
      deletes.set(client, ranges);
    }
    const clocks = takeClocks(reader);
    if (reader.left > 0) throw new DocumentError("malformed", "bytes behind the version");
    return { clocks, deletes };
  } catch (error) {
    throw refusal(error);
  }
}

/**
 * The document as it was at `version`, as a document of its own that writes under `client`.
 * @throws DocumentError `collected` unless `doc` keeps its garbage; `out-of-range` for a version of a
 * document that has seen more.
 */
export function docAt(doc: Doc, version: Version, client: number): Doc {
  if (doc.collects) {
    throw new DocumentError("collected", "history needs a document made with collects: false");
  }
  const { store } = doc;
  const logs = [...version.clocks].flatMap(([id, clock]) => {
    const log = store.knownLog(id);
    if (clock === 0) return [];
    if (log !== undefined && log.next >= clock) return [log];
    throw new DocumentError("out-of-range", `this document has not seen ${clock} of client ${id}`);
  });
  logs.sort(byIdDescending);
  const past = new Doc({ client, collects: false });
  // Cuts make the clocks of the version the ends of structs; they are joined when the transaction ends.
  doc.transact(() => {
    for (const log of logs) store.endingAt(log.index, version.clocks.get(log.id)! - 1);
    past.apply(
      written((writer) => {
        writeUint(writer, logs.length);
        for (const log of logs) writeLog(store, writer, log, 0, version.clocks.get(log.id)!);
        writeDeleteSet(writer, version.deletes);
      }),
    );
  });
  return past;
}
