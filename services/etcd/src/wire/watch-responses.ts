/**
 * Events for watchers, written by hand. Tests hold that it agrees with the
 * description in `watch-messages.ts`, by which everything else a watch says is
 * encoded.
 */

import { type Writer } from "@quorate/kernel";
import { type Event } from "../store/changes.ts";
import { keyValueLength, writeKeyValueField } from "./kv-codecs.ts";
import { type EncodedHeader, writeHeader } from "./kv-responses.ts";
import { varintLength, writeBool, writeInt, writeVarint } from "./proto.ts";

/** Events for one watcher; a response of them may be a piece of it. */
export interface WatchBatch {
  readonly watchId: number;
  readonly events: readonly Event[];
  /** Whether the watcher wants to know what keys were before. */
  readonly prevKv: boolean;
}

/**
 * Writes a WatchResponse with the events `[start, end)` of a batch.
 * @param fragment - Whether more of the batch follows in another response.
 */
export function writeWatchEvents(
  writer: Writer,
  header: EncodedHeader,
  { watchId, events, prevKv }: WatchBatch,
  start: number,
  end: number,
  fragment: boolean,
): void {
  writeHeader(writer, header);
  writeInt(writer, 0x10, watchId);
  writeBool(writer, 0x38, fragment);
  for (let at = start; at < end; at++) {
    const event = events[at]!;
    writer.byte(0x5a);
    writeVarint(writer, eventLength(event, prevKv));
    writeBool(writer, 0x08, event.type === "delete");
    writeKeyValueField(writer, 0x12, event.kv);
    if (prevKv && event.prevKv !== undefined) writeKeyValueField(writer, 0x1a, event.prevKv);
  }
}

/** Bytes that an event takes on the wire, without its own tag and length. */
export function eventLength(event: Event, prevKv: boolean): number {
  const type = event.type === "delete" ? 2 : 0;
  const kv = fieldLength(keyValueLength(event.kv));
  if (!prevKv || event.prevKv === undefined) return type + kv;
  return type + kv + fieldLength(keyValueLength(event.prevKv));
}

function fieldLength(length: number): number {
  return 1 + varintLength(length) + length;
}
