/**
 * Notices when the event loop was blocked: a node that could not answer in time
 * must not accuse others (Lifeguard's self-awareness).
 */

const EVERY_MS = 250;
/** Late by this much, a ping of a healthy node would have been lost. */
const LATE_MS = 500;

export class LagWatch {
  private readonly handle: NodeJS.Timeout;
  private last = performance.now();

  constructor(onLate: (lateMs: number) => void) {
    this.handle = setInterval(() => {
      const now = performance.now();
      const lateMs = now - this.last - EVERY_MS;
      this.last = now;
      if (lateMs > LATE_MS) onLate(Math.round(lateMs));
    }, EVERY_MS);
    this.handle.unref();
  }

  stop(): void {
    clearInterval(this.handle);
  }
}
