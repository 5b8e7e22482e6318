/** The terms of the entries that are on a Raft node's disk. */

import type { RaftRecord } from "@quorate/consensus";

import { DurableTerms } from "../log/durable-terms.ts";

export class DurableLog extends DurableTerms<RaftRecord> {
  protected override apply(record: RaftRecord): void {
    switch (record.type) {
      case "entries":
        this.replace(record.index, record.entries);
        break;
      case "base":
        this.beginAfter(record.index);
        break;
      case "snapshot":
        this.goOnFrom(record.meta);
        break;
      default:
      // Term and vote say nothing of the log.
    }
  }
}
