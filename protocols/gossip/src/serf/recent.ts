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

/** How many items there may be for each slot on average: a stranger must not fill the memory. */
const ITEMS_PER_SLOT = 8;

export class Recent<T> {
  private readonly slots: (Slot<T> | undefined)[] = [];
  private readonly size: number;
  private count = 0;
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
    if (items.some((known) => same(known, item))) return false;
    this.count += 1 + items.length - (slot?.items.length ?? 0);
    this.slots[at] = { ltime, items: [...items, item] };
    if (this.count > ITEMS_PER_SLOT * this.size) this.forgetOldest();
    return true;
  }

  /** Makes room. What is forgotten must not pass for news later. */
  private forgetOldest(): void {
    let oldest: Slot<T> | undefined;
    for (const slot of this.slots) {
      if (slot !== undefined && slot.ltime < (oldest?.ltime ?? Infinity)) oldest = slot;
    }
    if (oldest === undefined) return;
    this.slots[oldest.ltime % this.size] = undefined;
    this.count -= oldest.items.length;
    this.floor = Math.max(this.floor, oldest.ltime + 1);
  }

  /** What is remembered, in no particular order. */
  all(): readonly Slot<T>[] {
    return this.slots.flatMap((slot) => slot ?? []);
  }
}
