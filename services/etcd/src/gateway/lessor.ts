/**
 * The clocks of leases. Grants and keep-alives go through the log, so every
 * member sees every renewal when it applies it and measures from there with its
 * own monotonic clock; the leader proposes to expire what has run out. A new
 * leader has measured all along, so a change of leader neither shortens a lease
 * nor starts it anew.
 *
 * An expiry names the renewal it has seen last: if a keep-alive stands before
 * it in the log, it does nothing. So a lease that was answered as alive is
 * alive, whatever happens to leaders and their clocks.
 */

import { type Group } from "@quorate/host";

import { expireCommand } from "../store/commands.ts";
import { type EtcdResult } from "../store/results.ts";
import { type EtcdStore } from "../store/store.ts";

interface Clock {
  renewals: number;
  /** When this member saw the last renewal. */
  at: number;
}

/** How often clocks are read: leases may live this much longer than granted. */
const SCAN_MS = 500;
/** Leases expired in one command. */
const BATCH = 500;

export class Lessor {
  private readonly store: EtcdStore;
  private readonly group: Group<EtcdResult>;
  private readonly clocks = new Map<string, Clock>();
  private readonly timer: NodeJS.Timeout;
  private expiring = false;

  constructor(store: EtcdStore, group: Group<EtcdResult>) {
    this.store = store;
    this.group = group;
    this.timer = setInterval(() => this.scan(), SCAN_MS);
    this.timer.unref();
  }

  /** Seconds that a lease has left; at least 0. */
  remaining(id: string, ttl: number): number {
    const clock = this.clocks.get(id);
    if (clock === undefined) return ttl;
    return Math.max(0, Math.round(ttl - (performance.now() - clock.at) / 1000));
  }

  close(): void {
    clearInterval(this.timer);
  }

  private scan(): void {
    const now = performance.now();
    const due: { id: string; renewals: number }[] = [];
    const leases = this.store.leases();
    for (const { id, ttl, renewals } of leases) {
      const clock = this.clocks.get(id);
      if (clock === undefined) this.clocks.set(id, { renewals, at: now });
      else if (clock.renewals !== renewals) {
        clock.renewals = renewals;
        clock.at = now;
      } else if (now - clock.at > ttl * 1000 && due.length < BATCH) due.push({ id, renewals });
    }
    if (this.clocks.size > leases.length) this.forget();
    if (due.length > 0 && this.group.isLeader && !this.expiring) this.expire(due);
  }

  private expire(leases: readonly { readonly id: string; readonly renewals: number }[]): void {
    this.expiring = true;
    this.group.submit(expireCommand(leases), () => {
      this.expiring = false;
    });
  }

  /** Drops the clocks of leases that are gone. */
  private forget(): void {
    for (const id of this.clocks.keys()) {
      if (this.store.lease(id) === undefined) this.clocks.delete(id);
    }
  }
}
