/** A clock that stands still until it is told to go on. No tests in here. */

import { type Clock } from "./clock.ts";

interface Tick {
  readonly ms: number;
  readonly run: () => void;
  at: number;
}

export class FakeClock implements Clock {
  private time = 0;
  private readonly ticks = new Set<Tick>();

  /** How many are still to be called. */
  get running(): number {
    return this.ticks.size;
  }

  now(): number {
    return this.time;
  }

  every(ms: number, run: () => void): () => void {
    const tick = { ms, run, at: this.time + ms };
    this.ticks.add(tick);
    return () => this.ticks.delete(tick);
  }

  /** Lets time pass, and everything happen that is due, in order. */
  pass(ms: number): void {
    const end = this.time + ms;
    for (;;) {
      const [next] = [...this.ticks].toSorted((a, b) => a.at - b.at);
      if (next === undefined || next.at > end) break;
      this.time = next.at;
      next.at += next.ms;
      next.run();
    }
    this.time = end;
  }

  /** Time passes, and nothing happens: what a process that was stopped sees when it goes on. */
  jump(ms: number): void {
    this.time += ms;
    for (const tick of this.ticks) tick.at += ms;
  }
}
