/**
 * etcd's HashKV: a CRC-32C over the word `key` and then, in revision order,
 * every revision and key-value pair as etcd's backend would hold them, so that
 * a store here and an etcd fed with the same requests have the same hash.
 */

import { crc32c, Writer } from "@quorate/kernel";
import { writeBinary } from "../wire/binary.ts";
import { writeKeyValue } from "../wire/kv-codecs.ts";
import { type Failure, FAILURES } from "./errors.ts";
import { type Keyspace } from "./keyspace.ts";
import { type Place } from "./log.ts";

export interface HashResult {
  readonly type: "hash";
  readonly revision: number;
  /** The revision up to which was hashed. */
  readonly hashRevision: number;
  readonly compactRevision: number;
  readonly hash: number;
}

/**
 * Hashes history up to a revision, 0 for the current one. Looks at every
 * change: seconds for gigabytes.
 */
export function hashKv(keyspace: Keyspace, upTo: number): HashResult | Failure {
  const { revision, compactRevision, log } = keyspace;
  if (upTo > 0 && upTo <= compactRevision) return FAILURES.compacted;
  if (upTo > revision) return FAILURES.futureRevision;
  const hashRevision = upTo > 0 ? upTo : revision;
  const writer = new Writer();
  writeBinary(writer, "key");
  let hash = crc32c(writer.view());
  const keep = anyLiving(keyspace, hashRevision);
  for (const segment of log.segments) {
    for (let slot = 0; slot < segment.count; slot++) {
      const mod = segment.modAt(slot);
      if (mod > hashRevision) break;
      if (mod <= compactRevision) {
        if (segment.versionAt(slot) === 0) continue;
        // etcd leaves out what a compaction at the hashed revision would drop,
        // unless that would drop everything.
        const at = keep ? hashRevision : compactRevision;
        if (!segment.isNewestAt(slot, at)) continue;
      }
      writer.length = 0;
      writeBackendPair(writer, keyspace, { segment, slot });
      hash = crc32c(writer.bytes, 0, writer.length, hash);
    }
  }
  return { type: "hash", revision, hashRevision, compactRevision, hash };
}

function anyLiving(keyspace: Keyspace, revision: number): boolean {
  if (revision === keyspace.revision) return keyspace.tree.live > 0;
  let any = false;
  keyspace.tree.scan("", undefined, (entry) => {
    const place = keyspace.log.newestAt(entry, revision);
    any = place !== undefined && place.segment.versionAt(place.slot) !== 0;
    return !any;
  });
  return any;
}

/** A row of etcd's `key` bucket: revision, `_`, sub-revision, `t` for a tombstone; then the pair. */
function writeBackendPair(writer: Writer, keyspace: Keyspace, place: Place): void {
  const kv = keyspace.keyValueAt(place);
  writeBigEndian(writer, kv.modRevision);
  writer.byte(0x5f);
  writeBigEndian(writer, place.segment.subAt(place.slot));
  if (kv.version > 0) writeKeyValue(writer, kv);
  else {
    writer.byte(0x74);
    writeKeyValue(writer, { ...kv, createRevision: 0, modRevision: 0 });
  }
}

function writeBigEndian(writer: Writer, value: number): void {
  for (let scale = 56; scale >= 0; scale -= 8) {
    writer.byte(Math.floor(value / 2 ** scale) % 256);
  }
}
