/**
 * The replicated part of leases: which exist, for how long they were granted,
 * how often they were kept alive, and which keys hang on them.
 *
 * Clocks are not in here: every member's gateway measures from the renewals it
 * sees, and the leader proposes to expire what has run out. A keep-alive is a
 * command that counts a *renewal*; an expiry names the count it has seen, and
 * does nothing if there was another since. So no leader, deposed or slow, can
 * expire a lease whose client was told that it lives.
 */

import { type Binary } from "../wire/binary.ts";
import { type Entry, hashText, mix } from "./entry.ts";

/** Replaced, not changed, when its numbers change: images of the table share it. */
export interface Lease {
  /** Lower-case hexadecimal without leading zeros. */
  readonly id: string;
  /** Seconds granted. */
  readonly ttl: number;
  /** How many times it was kept alive. */
  readonly renewals: number;
  /** Keys put under it. */
  readonly keys: Set<Entry>;
}

export class LeaseTable {
  /** Sum of the hashes of all leases. */
  hash = 0;
  private readonly byId: Map<string, Lease> = new Map();

  get size(): number {
    return this.byId.size;
  }

  get(id: string): Lease | undefined {
    return this.byId.get(id);
  }

  /** All leases, in no order that means anything. */
  list(): Lease[] {
    return Array.from(this.byId.values());
  }

  /** Adds a lease whose id is free. */
  grant(id: string, ttl: number, renewals: number = 0): void {
    const lease: Lease = { id, ttl, renewals, keys: new Set() };
    this.byId.set(id, lease);
    this.hash = (this.hash + hashLease(lease)) | 0;
  }

  /** Counts a keep-alive. All the time granted is left again. */
  renew(lease: Lease): void {
    this.replace(lease, { ...lease, renewals: lease.renewals + 1 });
  }

  /** Removes a lease. Its keys are the caller's to delete. */
  remove(lease: Lease): void {
    this.byId.delete(lease.id);
    this.hash = (this.hash - hashLease(lease)) | 0;
  }

  attach(id: string, entry: Entry): void {
    this.byId.get(id)?.keys.add(entry);
  }

  detach(id: string, entry: Entry): void {
    this.byId.get(id)?.keys.delete(entry);
  }

  private replace(lease: Lease, by: Lease): void {
    this.byId.set(lease.id, by);
    this.hash = (this.hash - hashLease(lease) + hashLease(by)) | 0;
  }
}

/** The keys under a lease, in order. */
export function keysOf(lease: Lease): Binary[] {
  return Array.from(lease.keys, (entry) => entry.key).toSorted(byteOrder);
}

/** Orders binary strings by their bytes. */
function byteOrder(a: Binary, b: Binary): number {
  return a < b ? -1 : a > b ? 1 : 0;
}

function hashLease(lease: Lease): number {
  return mix(mix(hashText(lease.id), lease.ttl), lease.renewals);
}
