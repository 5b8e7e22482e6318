/**
 * A node's own clock, in milliseconds: it begins where it likes, runs at a rate
 * of its own, may jump forward, and never goes back (kernel K1).
 */

export class Clock {
  /** What it showed at `since`. */
  private base: number;
  private since: number;
  /** How much faster than true, in parts per thousand. */
  private readonly rate: number;

  constructor(now: number, offset: number, rate: number) {
    this.base = offset + now;
    this.since = now;
    this.rate = rate;
  }

  at(now: number): number {
    const passed = now - this.since;
    if (this.rate === 0) return this.base + passed;
    return this.base + passed + Math.floor((passed * this.rate) / 1000);
  }

  /** The least true time in which `local` milliseconds pass on this clock. */
  lasts(local: number): number {
    return this.rate === 0 ? local : Math.ceil((local * 1000) / (1000 + this.rate));
  }

  /** Jumps forward. */
  jump(now: number, ms: number): void {
    this.base = this.at(now) + ms;
    this.since = now;
  }
}
