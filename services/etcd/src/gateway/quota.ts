/**
 * How much state a member keeps before it refuses what adds to it, as etcd does
 * with its backend quota. The state lies in memory, so without one a busy writer
 * who never compacts would end the process.
 *
 * Unlike etcd there is no alarm to disarm: space is reclaimed as soon as history
 * is compacted or keys are deleted, and then writes are taken again. Deleting
 * and compacting are always possible.
 */

import { type EtcdStore } from "../store/store.ts";

/** Changes between two measurements while there is room. */
const MEASURE_EVERY = 256;

export class Quota {
  readonly bytes: number;
  private readonly store: EtcdStore;
  private full = false;
  private measuredAt = -MEASURE_EVERY;

  /** @param bytes - What the store may take, keys, values and history together. */
  constructor(store: EtcdStore, bytes: number) {
    this.store = store;
    this.bytes = bytes;
  }

  /** Whether the store takes as much as it may. Measured now and then, so somewhat more may get in. */
  get exceeded(): boolean {
    const { revision } = this.store;
    // A store that was replaced by a snapshot may be at an earlier revision.
    if (this.full || Math.abs(revision - this.measuredAt) >= MEASURE_EVERY) {
      this.measuredAt = revision;
      this.full = this.store.sizes().total > this.bytes;
    }
    return this.full;
  }
}
