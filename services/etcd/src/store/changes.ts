/**
 * What happened since a revision: the cursor that watches are fed from.
 *
 * A batch never ends within a revision, so whoever passes batches on whole
 * never shows half a transaction. Batches are bounded in events and in changes
 * looked at: a watch of a rare key costs many small steps, not one long one.
 */

import { type Binary } from "../wire/binary.ts";
import { type KeyValue } from "../wire/kv.ts";
import { type Keyspace } from "./keyspace.ts";
import { type Place } from "./log.ts";
import { endOf } from "./range.ts";

/** What to look for. */
export interface ChangeQuery {
  /** First revision of interest, from 1. */
  readonly from: number;
  readonly key: Binary;
  /** As in requests: "" for one key, "\0" for no end. */
  readonly rangeEnd: Binary;
  /** Whether events tell what the key was before, where that is not compacted. */
  readonly prevKv: boolean;
  /** A batch ends with the revision in which it reaches this many events. */
  readonly maxEvents: number;
  /** A batch ends with the revision in which this many changes have been looked at. */
  readonly maxChanges?: number;
  /** A batch ends with the revision in which its keys and values reach this many bytes. */
  readonly maxBytes?: number;
}

export interface Event {
  readonly type: "put" | "delete";
  /** After a deletion only key and mod revision say something. */
  readonly kv: KeyValue;
  readonly prevKv: KeyValue | undefined;
}

export type Changes =
  | {
      readonly type: "changes";
      readonly events: readonly Event[];
      /** All before this revision is told. One more than the current revision when there is no more. */
      readonly next: number;
    }
  | { readonly type: "compacted"; readonly compactRevision: number };

/** The next batch of events. A `from` in the future gives an empty batch, and itself as `next`. */
export function changesSince(keyspace: Keyspace, query: ChangeQuery): Changes {
  const { compactRevision } = keyspace;
  if (query.from < compactRevision) return { type: "compacted", compactRevision };
  if (query.from > keyspace.revision) return { type: "changes", events: [], next: query.from };
  const { segments } = keyspace.log;
  const { key, prevKv, maxEvents, maxChanges = 4096, maxBytes = Infinity } = query;
  const end = query.rangeEnd === "" ? `${key}\0` : endOf(query.rangeEnd);
  const events: Event[] = [];
  let { index, slot } = keyspace.log.startOf(query.from);
  let looked = 0;
  let bytes = 0;
  let revision = query.from;
  for (; index < segments.length; index++, slot = 0) {
    const segment = segments[index]!;
    for (; slot < segment.count; slot++) {
      const mod = segment.modAt(slot);
      if (mod > revision) {
        if (events.length >= maxEvents || looked >= maxChanges || bytes >= maxBytes) {
          return { type: "changes", events, next: mod };
        }
        revision = mod;
      }
      looked++;
      const changed = segment.entries[slot]!.key;
      if (changed < key || (end !== undefined && changed >= end)) continue;
      bytes += changed.length + segment.valueLengthAt(slot);
      events.push(eventAt(keyspace, { segment, slot }, prevKv));
    }
  }
  return { type: "changes", events, next: keyspace.revision + 1 };
}

function eventAt(keyspace: Keyspace, place: Place, prevKv: boolean): Event {
  const kv = keyspace.keyValueAt(place);
  return {
    type: kv.version === 0 ? "delete" : "put",
    kv,
    // A key that was just created was nothing before, not even what it was in the same transaction.
    prevKv:
      prevKv && kv.createRevision !== kv.modRevision
        ? previousOf(keyspace, place, kv.modRevision)
        : undefined,
  };
}

/** What the key was at the revision before, if it was there and that can still be read. */
function previousOf(keyspace: Keyspace, place: Place, revision: number): KeyValue | undefined {
  if (revision - 1 < keyspace.compactRevision) return undefined;
  let previous = keyspace.log.before(place);
  while (previous !== undefined && previous.segment.modAt(previous.slot) === revision) {
    previous = keyspace.log.before(previous);
  }
  if (previous === undefined || previous.segment.versionAt(previous.slot) === 0) return undefined;
  return keyspace.keyValueAt(previous);
}
