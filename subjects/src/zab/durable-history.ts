/** What is on a Zab node's disk: the terms of its history, and its two epochs. */

import type { ZabWords } from "@quorate/consensus";

import { DurableTerms } from "../log/durable-terms.ts";

type Record = ZabWords["Record"];

export class DurableHistory extends DurableTerms<Record> {
  acceptedEpoch = 0;
  currentEpoch = 0;

  protected override apply(record: Record): void {
    switch (record.type) {
      case "acceptedEpoch":
        this.acceptedEpoch = record.epoch;
        break;
      case "currentEpoch":
        this.currentEpoch = record.epoch;
        break;
      case "history":
        this.replace(record.index, record.entries);
        break;
      case "base":
        this.beginAfter(record.index);
        break;
      case "snapshot":
        this.goOnFrom(record.meta);
        break;
      default:
      // How far is committed says nothing of the history.
    }
  }
}
