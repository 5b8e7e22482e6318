/**
 * Linearizable reads without writing to the log (thesis §6.4): a read sees
 * everything committed when it was asked if its leader was still leader
 * afterwards, which a round of heartbeats proves. Reads that come while a round
 * is on its way share the next one.
 */

import type { RequestId } from "@quorate/kernel";

import type { Index } from "./entry.ts";

interface Waiting {
  readonly round: number;
  readonly index: Index;
  readonly ids: readonly RequestId[];
}

export class ReadQueue {
  /** Asked, and waiting for a round to begin. */
  private asked: RequestId[] = [];
  private waiting: Waiting | undefined;

  ask(id: RequestId): void {
    this.asked.push(id);
  }

  /** Whether a round should begin for those who asked. */
  get wantsRound(): boolean {
    return this.waiting === undefined && this.asked.length > 0;
  }

  /** A round begins: its readers may read at `index`. */
  begin(round: number, index: Index): void {
    this.waiting = { round, index, ids: this.asked };
    this.asked = [];
  }

  /** A quorum answered `round`. Returns who may read, and at which index. */
  confirm(round: number): Waiting | undefined {
    const { waiting } = this;
    if (waiting === undefined || round < waiting.round) return undefined;
    this.waiting = undefined;
    return waiting;
  }

  /** Everyone still waiting; the queue is empty afterwards. */
  abandon(): readonly RequestId[] {
    const ids = [...(this.waiting?.ids ?? []), ...this.asked];
    this.asked = [];
    this.waiting = undefined;
    return ids;
  }
}
