/**
 * Named timers over the host's. Protocols re-arm far more often than their
 * timers fire (an election timer with every message), so a later deadline only
 * moves a number, and the underlying timer finds out when it wakes.
 */

interface Armed {
  deadline: number;
  handle: NodeJS.Timeout;
  /** When the underlying timer wakes. */
  wakesAt: number;
}

export class Timers<Name extends string> {
  private readonly armed: Map<Name, Armed> = new Map();
  private readonly fire: (name: Name) => void;

  constructor(fire: (name: Name) => void) {
    this.fire = fire;
  }

  set(name: Name, delayMs: number): void {
    const now = performance.now();
    const deadline = now + delayMs;
    const armed = this.armed.get(name);
    if (armed !== undefined && armed.wakesAt <= deadline) {
      armed.deadline = deadline;
      return;
    }
    if (armed !== undefined) clearTimeout(armed.handle);
    const handle = setTimeout(() => this.wake(name), delayMs);
    this.armed.set(name, { deadline, handle, wakesAt: deadline });
  }

  cancel(name: Name): void {
    const armed = this.armed.get(name);
    if (armed === undefined) return;
    clearTimeout(armed.handle);
    this.armed.delete(name);
  }

  clear(): void {
    for (const { handle } of this.armed.values()) clearTimeout(handle);
    this.armed.clear();
  }

  private wake(name: Name): void {
    const armed = this.armed.get(name);
    if (armed === undefined) return;
    const left = armed.deadline - performance.now();
    // Node's timers may wake a fraction of a millisecond early.
    if (left >= 1) {
      armed.wakesAt = armed.deadline;
      armed.handle = setTimeout(() => this.wake(name), left);
      return;
    }
    this.armed.delete(name);
    this.fire(name);
  }
}
