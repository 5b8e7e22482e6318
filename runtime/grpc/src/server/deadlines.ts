/**
 * The deadlines of all running calls, on a hashed timing wheel (Varghese and Lauck, 1987, scheme 6).
 *
 * Almost every call ends before its deadline, so setting and clearing must cost next to nothing: a call is linked into
 * the list of its slot and unlinked when it ends. One timer ticks while there is anything to wait for. A deadline is
 * noticed up to two ticks late.
 */

/** Something with a deadline; the wheel owns these fields. */
export interface Timed {
  /** On the clock of `performance.now()`. */
  deadlineAt: number;
  earlier: Timed | undefined;
  later: Timed | undefined;
  /** Slot on the wheel, or -1. */
  slot: number;
  onDeadline(): void;
}

const tickMs = 10;
const slots = 1024;

/** The wheel. */
export class Deadlines {
  private readonly heads: (Timed | undefined)[] = Array.from({ length: slots });
  private count = 0;
  /** The last tick whose slot has been looked at. */
  private tick = 0;
  private timer: NodeJS.Timeout | undefined;

  /** Calls `timed.onDeadline` once, `ms` from now, unless it is removed first. */
  add(timed: Timed, ms: number): void {
    const now = performance.now();
    timed.deadlineAt = now + ms;
    if (this.count++ === 0) this.start(now);
    const slot = Math.floor(timed.deadlineAt / tickMs + 1) & (slots - 1);
    const head = this.heads[slot];
    timed.slot = slot;
    timed.earlier = undefined;
    timed.later = head;
    if (head !== undefined) head.earlier = timed;
    this.heads[slot] = timed;
  }

  /** Forgets a deadline; harmless when there is none. */
  remove(timed: Timed): void {
    if (timed.slot < 0) return;
    const { earlier, later } = timed;
    if (earlier === undefined) this.heads[timed.slot] = later;
    else earlier.later = later;
    if (later !== undefined) later.earlier = earlier;
    timed.slot = -1;
    timed.earlier = undefined;
    timed.later = undefined;
    this.count--;
  }

  /** Forgets all deadlines. */
  stop(): void {
    clearInterval(this.timer);
    this.timer = undefined;
    this.heads.fill(undefined);
    this.count = 0;
  }

  private start(now: number): void {
    if (this.timer !== undefined) return;
    this.tick = Math.floor(now / tickMs);
    this.timer = setInterval(() => this.advance(), tickMs);
    this.timer.unref();
  }

  private advance(): void {
    const now = performance.now();
    const due = Math.floor(now / tickMs);
    // After a long pause of the process one round looks at every slot; more would look twice.
    for (let tick = Math.max(this.tick + 1, due - slots + 1); tick <= due; tick++) {
      this.expire(tick & (slots - 1), now);
    }
    this.tick = due;
    if (this.count > 0) return;
    clearInterval(this.timer);
    this.timer = undefined;
  }

  private expire(slot: number, now: number): void {
    const expired: Timed[] = [];
    for (let timed = this.heads[slot]; timed !== undefined; timed = timed.later) {
      if (timed.deadlineAt <= now) expired.push(timed);
    }
    for (const timed of expired) {
      if (timed.slot < 0) continue;
      this.remove(timed);
      timed.onDeadline();
    }
  }
}

/** Milliseconds of a grpc-timeout header such as `250m`, up to eight digits and a unit; NaN if it is malformed. */
export function parseTimeout(text: string): number {
  const last = text.length - 1;
  if (last < 1 || last > 8) return Number.NaN;
  let value = 0;
  for (let i = 0; i < last; i++) {
    const digit = text.charCodeAt(i) - 48;
    if (digit < 0 || digit > 9) return Number.NaN;
    value = value * 10 + digit;
  }
  switch (text[last]) {
    case "H":
      return value * 3_600_000;
    case "M":
      return value * 60_000;
    case "S":
      return value * 1_000;
    case "m":
      return value;
    case "u":
      return value / 1e3;
    case "n":
      return value / 1e6;
    default:
      return Number.NaN;
  }
}
