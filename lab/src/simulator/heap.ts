/** A binary heap of things that are due, ordered by time, then by order of scheduling. */

export interface Due {
  readonly time: number;
  readonly order: number;
  /** Index in the heap; negative while not in it. */
  at: number;
}

/** Where {@link Due.at} points of what is in no queue. */
export const OUT = -1;

export class Heap<T extends Due> {
  private readonly items: T[] = [];

  get size(): number {
    return this.items.length;
  }

  peek(): T | undefined {
    return this.items[0];
  }

  push(item: T): void {
    this.items.push(item);
    this.rise(item, this.items.length - 1);
  }

  /** Takes out what is in the heap. */
  remove(item: T): void {
    const { items } = this;
    const { at } = item;
    const last = items.pop()!;
    item.at = OUT;
    if (last === item) return;
    if (isBefore(last, item)) this.rise(last, at);
    else this.sink(last, at);
  }

  private rise(item: T, at: number): void {
    const { items } = this;
    while (at > 0) {
      const parent = (at - 1) >> 1;
      const above = items[parent]!;
      if (!isBefore(item, above)) break;
      items[at] = above;
      above.at = at;
      at = parent;
    }
    items[at] = item;
    item.at = at;
  }

  private sink(item: T, at: number): void {
    const { items } = this;
    const { length } = items;
    for (;;) {
      let child = 2 * at + 1;
      if (child >= length) break;
      if (child + 1 < length && isBefore(items[child + 1]!, items[child]!)) child++;
      const below = items[child]!;
      if (!isBefore(below, item)) break;
      items[at] = below;
      below.at = at;
      at = child;
    }
    items[at] = item;
    item.at = at;
  }
}

export function isBefore(a: Due, b: Due): boolean {
  return a.time < b.time || (a.time === b.time && a.order < b.order);
}
