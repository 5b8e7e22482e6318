/**
 * The replicated part of leases: which exist, for how long they were granted,
 * how much was left when last noted, and which keys hang on them.
 *
 * Clocks are not in here. The leader's gateway runs them, answers keep-alives
 * from them, and proposes an expiry when one runs out; keep-alives are not
 * commands. So that a leader that was deposed without noticing cannot expire
 * what its successor keeps alive, whoever takes over the clocks first
 * replicates its *term* ({@link LeaseTable.takeOver}); expiries and checkpoints
 * of an older term do nothing. A leader answers no keep-alive before its own
 * take-over has been applied.
 */

import { type Binary } from "../wire/binary.ts";
import { type Entry, hashText, mix } from "./entry.ts";

/** Replaced, not changed, when its numbers change: images of the table share it. */
export interface Lease {
  /** Lower-case hexadecimal without leading zeros. */
  readonly id: string;
  /** Seconds granted. */
  readonly ttl: number;
  /** Seconds left when last checkpointed; 0 if never. */
  readonly remaining: number;
  /** Keys put under it. */
  readonly keys: Set<Entry>;
}

export class LeaseTable {
  /** Term of the leader whose lease clocks count. */
  term = 0;
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
  grant(id: string, ttl: number, remaining: number = 0): void {
    const lease: Lease = { id, ttl, remaining, keys: new Set() };
    this.byId.set(id, lease);
    this.hash = (this.hash + hashLease(lease)) | 0;
  }

  /** Notes how many seconds a lease has left. */
  checkpoint(id: string, remaining: number): void {
    const lease = this.byId.get(id);
    if (lease === undefined) return;
    const noted: Lease = { ...lease, remaining };
    this.byId.set(id, noted);
    this.hash = (this.hash - hashLease(lease) + hashLease(noted)) | 0;
  }

  /** Removes a lease. Its keys are the caller's to delete. */
  remove(lease: Lease): void {
    this.byId.delete(lease.id);
    this.hash = (this.hash - hashLease(lease)) | 0;
  }

  /** Whether a leader of this term may speak for the clocks; from now on no older one may. */
  takeOver(term: number): boolean {
    if (term < this.term) return false;
    this.term = term;
    return true;
  }

  attach(id: string, entry: Entry): void {
    this.byId.get(id)?.keys.add(entry);
  }

  detach(id: string, entry: Entry): void {
    this.byId.get(id)?.keys.delete(entry);
  }
}

/** The keys under a lease, in order. */
export function keysOf(lease: Lease): Binary[] {
  return Array.from(lease.keys, (entry) => entry.key).toSorted(byteOrder);
}

/** Orders binary strings by their bytes. */
export function byteOrder(a: Binary, b: Binary): number {
  return a < b ? -1 : a > b ? 1 : 0;
}

function hashLease(lease: Lease): number {
  return mix(mix(hashText(lease.id), lease.ttl), lease.remaining);
}
