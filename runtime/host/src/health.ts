/**
 * Tells whether this node's disk or event loop has become slow. A leader that is
 * slow still sends heartbeats, so nobody else can tell (consensus PROTOCOL.md, D12).
 *
 * Slow is a node that in each of three seconds let something wait for longer
 * than the limit; well again one that did not in any of ten. One long pause, a
 * garbage collection or a busy neighbour, is neither.
 */

const SLOW_AFTER = 3;
const WELL_AFTER = 10;

export class HealthWatch {
  private readonly limitMs: number;
  private readonly clock: () => number;
  private worstMs = 0;
  private bad = 0;
  private good = 0;
  private slow = false;
  /** When the oldest write that is not on the disk yet was handed over. */
  private waitingSince: number | undefined;
  private newest = 0;

  /**
   * @param limitMs - How long a write or the event loop may take. Half an election timeout is a good limit.
   * @param clock - Milliseconds, monotonic.
   */
  constructor(limitMs: number, clock: () => number) {
    this.limitMs = limitMs;
    this.clock = clock;
  }

  /** Something took so long. */
  observe(durationMs: number): void {
    this.worstMs = Math.max(this.worstMs, durationMs);
  }

  /** A record was handed to the disk. */
  written(place: number): void {
    this.newest = place;
    this.waitingSince ??= this.clock();
  }

  /** Records up to `place` are on the disk. */
  durable(place: number): void {
    const now = this.clock();
    if (this.waitingSince !== undefined) this.observe(now - this.waitingSince);
    this.waitingSince = place >= this.newest ? undefined : now;
  }

  /** A second is over. Returns the verdict if it is another than before. */
  judge(): boolean | undefined {
    // A disk that hangs reports nothing.
    if (this.waitingSince !== undefined) this.observe(this.clock() - this.waitingSince);
    const over = this.worstMs > this.limitMs;
    this.worstMs = 0;
    this.bad = over ? this.bad + 1 : 0;
    this.good = over ? 0 : this.good + 1;
    const verdict = this.slow ? this.good < WELL_AFTER : this.bad >= SLOW_AFTER;
    if (verdict === this.slow) return undefined;
    this.slow = verdict;
    return verdict;
  }
}
