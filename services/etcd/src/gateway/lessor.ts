/**
 * The clocks of leases. Grants and keep-alives go through the log, so every
 * member sees every renewal when it applies it and measures from there with its
 * own monotonic clock; the leader proposes to expire what has run out. A new
 * leader has measured all along, so a change of leader neither shortens a lease
 * nor starts it anew; it only gives clients a moment to find the new leader.
 *
 * An expiry names the renewal it has seen last: if a keep-alive stands before
 * it in the log, it does nothing. So a lease that was answered as alive is
 * alive, whatever happens to leaders and their clocks.
 */

import { type Group } from "@quorate/host";

import { expireCommand } from "../store/commands.ts";
import { type EtcdResult } from "../store/results.ts";
import { type EtcdStore, type LeaseInfo } from "../store/store.ts";
import { type Clock } from "./clock.ts";

interface Reading {
  /** As of the last renewal seen. Leases are replaced when renewed, so this tells renewals apart. */
  lease: LeaseInfo;
  /** When this member saw it. */
  at: number;
}

/** How often clocks are read: leases may live twice this longer than granted. */
const SCAN_MS = 500;
/** Leases expired in one command. */
const BATCH = 500;
/** For so long a new leader expires nothing: clients of the old one have to find it. */
const GRACE_MS = 2000;

export class Lessor {
  private readonly store: EtcdStore;
  private readonly group: Pick<Group<EtcdResult>, "isLeader" | "submit">;
  private readonly clock: Clock;
  private readonly readings = new Map<string, Reading>();
  private readonly stopScanning: () => void;
  /** Since when this member has led without a break. */
  private leadingSince: number | undefined;
  private expiring = false;

  constructor(
    store: EtcdStore,
    group: Pick<Group<EtcdResult>, "isLeader" | "submit">,
    clock: Clock,
  ) {
    this.store = store;
    this.group = group;
    this.clock = clock;
    this.stopScanning = clock.every(SCAN_MS, () => this.scan());
  }

  /** Milliseconds that a lease has left; at least 0. */
  remainingMs(lease: LeaseInfo): number {
    const reading = this.readings.get(lease.id);
    const grantedMs = lease.ttl * 1000;
    if (reading === undefined || reading.lease !== lease) return grantedMs;
    return Math.max(0, grantedMs - (this.clock.now() - reading.at));
  }

  close(): void {
    this.stopScanning();
  }

  private scan(): void {
    const now = this.clock.now();
    const due: LeaseInfo[] = [];
    const leases = this.store.leases();
    for (const lease of leases) {
      const reading = this.readings.get(lease.id);
      if (reading === undefined) this.readings.set(lease.id, { lease, at: now });
      else if (reading.lease !== lease) {
        reading.lease = lease;
        reading.at = now;
      } else if (now - reading.at > lease.ttl * 1000 && due.length < BATCH) due.push(lease);
    }
    if (this.readings.size > leases.length) this.forget();
    if (!this.group.isLeader) this.leadingSince = undefined;
    else this.leadingSince ??= now;
    const settled = this.leadingSince !== undefined && now - this.leadingSince >= GRACE_MS;
    if (due.length > 0 && settled && !this.expiring) this.expire(due);
  }

  private expire(leases: readonly LeaseInfo[]): void {
    this.expiring = true;
    this.group.submit(expireCommand(leases), () => {
      this.expiring = false;
    });
  }

  /** Drops the clocks of leases that are gone. */
  private forget(): void {
    for (const id of this.readings.keys()) {
      if (this.store.lease(id) === undefined) this.readings.delete(id);
    }
  }
}
