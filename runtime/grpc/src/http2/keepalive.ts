/**
 * Keepalive in both directions: how often a client may PING us (gRPC proposal A8), and how we find out that a silent
 * client is gone (A9).
 */

import type { Http2Limits } from "./limits.ts";

const strikesAllowed = 2;
const idlePingMs = 7_200_000;

/** Judges a client's pings: those that come too soon are strikes, unless we have sent something in between. */
export class PingPolicy {
  private readonly limits: Http2Limits;
  private strikes = 0;
  private last = Number.NEGATIVE_INFINITY;

  constructor(limits: Http2Limits) {
    this.limits = limits;
  }

  /** Judges a PING; false when the client has sent too many. `answering`: HEADERS or DATA went out since the last one. */
  allows(hasCalls: boolean, answering: boolean): boolean {
    const now = performance.now();
    const sooner = now - this.last;
    this.last = now;
    if (answering) {
      this.strikes = 0;
      return true;
    }
    const interval = hasCalls || this.limits.pingWithoutCalls ? this.limits.minPingMs : idlePingMs;
    if (sooner < interval) this.strikes++;
    return this.strikes <= strikesAllowed;
  }
}

/** Watches over a client's silence. */
export class Silence {
  private readonly limits: Http2Limits;
  private heardAt: number = performance.now();
  /** When we sent the PING that is not answered, or 0. */
  private pingedAt = 0;

  constructor(limits: Http2Limits) {
    this.limits = limits;
  }

  /** The client has sent something. */
  heard(): void {
    this.heardAt = performance.now();
    this.pingedAt = 0;
  }

  /** What to do about the client at the time `now`. */
  verdict(now: number): "wait" | "ping" | "give up" {
    const { keepaliveMs, keepaliveTimeoutMs } = this.limits;
    if (this.pingedAt > 0) return now - this.pingedAt < keepaliveTimeoutMs ? "wait" : "give up";
    if (keepaliveMs === 0 || now - this.heardAt < keepaliveMs) return "wait";
    this.pingedAt = now;
    return "ping";
  }
}
