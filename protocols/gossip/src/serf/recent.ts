/**
 * What was seen of late, by Lamport time, so that repetitions are known as
 * such: as many times as there are slots. What is older than that is refused.
 */

import type { LamportClock } from "./lamport.ts";
import type { LTime } from "./messages.ts";

interface Slot<T> {
  readonly ltime: LTime;
  readonly items: readonly T[];
}

/** The most different items of one time: a stranger must not fill the memory with them. */
const ITEMS_MAX = 512;

export class Recent<T> {
  private readonly slots: (Slot<T> | undefined)[] = [];
  private readonly size: number;
  /** Nothing before this time is news. */
  floor: LTime = 0;

  constructor(size: number) {
    this.size = size;
  }

  /** Remembers an item. Returns whether it is news. */
  note(clock: LamportClock, ltime: LTime, item: T, same: (a: T, b: T) => boolean): boolean {
    if (ltime < this.floor || ltime < clock.time - this.size) return false;
    const at = ltime % this.size;
    const slot = this.slots[at];
    if (slot !== undefined && slot.ltime > ltime) return false;
    const items = slot?.ltime === ltime ? slot.items : [];
    if (items.length >= ITEMS_MAX || items.some((known) => same(known, item))) return false;
    this.slots[at] = { ltime, items: [...items, item] };
    return true;
  }

  /** What is remembered, in no particular order. */
  all(): readonly Slot<T>[] {
    return this.slots.flatMap((slot) => slot ?? []);
  }
}
