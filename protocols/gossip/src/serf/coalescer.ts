/**
 * Gathers what happens in a short time, so that listeners hear of it once: for
 * as long as the window is open, or until nothing more came for a while.
 */

export class Coalescer<T> {
  private readonly gathered: Map<string, T> = new Map();

  get empty(): boolean {
    return this.gathered.size === 0;
  }

  get(key: string): T | undefined {
    return this.gathered.get(key);
  }

  /** Replaces what was gathered under `key`. */
  put(key: string, value: T): void {
    this.gathered.set(key, value);
  }

  /** Everything gathered, in order of coming; nothing is left. */
  flush(): readonly (readonly [key: string, value: T])[] {
    const all = [...this.gathered];
    this.gathered.clear();
    return all;
  }
}
