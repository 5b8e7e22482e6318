/**
 * Memories of what was seen last. A witness that kept all it ever saw would need
 * memory as long as the run is; what lies far behind nothing in a run refers to any more.
 */

/** The end of a sequence that grows at one end, numbered from 1. */
export class Tail<T> {
  private readonly kept: number;
  private items: T[] = [];
  /** How many were forgotten. */
  private before = 0;

  /** @param kept - How many of the last are certainly known. */
  constructor(kept: number) {
    this.kept = kept;
  }

  /** An empty one that forgets at the same numbers. */
  alike<U>(): Tail<U> {
    return new Tail(this.kept);
  }

  /** The number of the last one; 0 if there was none. */
  get last(): number {
    return this.before + this.items.length;
  }

  /** The lowest number that is still known. */
  get first(): number {
    return this.before + 1;
  }

  /** Whether there was one of that number that is forgotten. */
  hasForgotten(number: number): boolean {
    return number <= this.before;
  }

  at(number: number): T | undefined {
    return this.items[number - this.before - 1];
  }

  /** Returns its number. */
  push(item: T): number {
    this.items.push(item);
    // In pieces: to forget one costs nothing then.
    if (this.items.length >= 2 * this.kept) {
      this.items = this.items.slice(-this.kept);
      this.before += this.kept;
    }
    return this.last;
  }
}

/** The keys that came last, with their values. */
export class Latest<K, V> {
  private readonly kept: number;
  private readonly values: Map<K, V> = new Map();

  constructor(kept: number) {
    this.kept = kept;
  }

  get size(): number {
    return this.values.size;
  }

  has(key: K): boolean {
    return this.values.has(key);
  }

  get(key: K): V | undefined {
    return this.values.get(key);
  }

  set(key: K, value: V): void {
    this.values.set(key, value);
    if (this.values.size <= this.kept) return;
    for (const oldest of this.values.keys()) {
      this.values.delete(oldest);
      return;
    }
  }
}
