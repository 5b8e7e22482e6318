/** What is left of Raft's records on a disk that loses sectors. */

import { type RaftRecord, raftStandIn } from "@quorate/consensus";
import type { Substitute } from "@quorate/lab";

/** Places are the indices of entries. */
export function substitute(record: RaftRecord): Substitute<RaftRecord> | undefined {
  if (record.type !== "entries" && record.type !== "mended") return undefined;
  const { index: from, entries } = record;
  const instead = raftStandIn(record);
  if (instead === undefined || entries.length === 0) return undefined;
  return { record: instead, from, to: from + entries.length };
}
