/** Puts and deletions, alone or in a transaction. The caller has checked what needs no state. */

import { type DeleteRangeRequest, type KeyValue, type PutRequest } from "../wire/kv.ts";
import { type Entry } from "./entry.ts";
import { type Failure, FAILURES } from "./errors.ts";
import { type Keyspace } from "./keyspace.ts";
import { keysOf, type Lease } from "./leases.ts";
import { endOf } from "./range.ts";
import { type DeleteRangeResult, type PutResult } from "./results.ts";

const NONE: readonly KeyValue[] = [];

/** Whether a put must be refused as things stand, the way a transaction asks before it writes. */
export function refusePut(keyspace: Keyspace, request: PutRequest): Failure | undefined {
  if (request.ignoreValue || request.ignoreLease) {
    if (keyspace.living(request.key) === undefined) return FAILURES.keyNotFound;
  }
  return refuseLease(keyspace, request.lease);
}

/** Refuses a lease that does not exist. */
export function refuseLease(keyspace: Keyspace, lease: string): Failure | undefined {
  if (lease === "" || keyspace.leases.get(lease) !== undefined) return undefined;
  return FAILURES.leaseNotFound;
}

/** Puts. The lease must exist, and the key too if something of it is to be kept. */
export function put(keyspace: Keyspace, request: PutRequest): PutResult {
  const { key } = request;
  let { value, lease } = request;
  let prevKv: KeyValue | undefined;
  if (request.prevKv || request.ignoreValue || request.ignoreLease) {
    const entry = keyspace.living(key);
    if (entry !== undefined) {
      const old = keyspace.keyValueAt(entry);
      if (request.ignoreValue) value = old.value;
      if (request.ignoreLease) lease = old.lease;
      if (request.prevKv) prevKv = old;
    }
  }
  keyspace.put(key, value, lease);
  return { type: "put", revision: keyspace.nextRevision, prevKv };
}

/** Deletes a key or a range. */
export function deleteRange(keyspace: Keyspace, request: DeleteRangeRequest): DeleteRangeResult {
  const { key, rangeEnd } = request;
  const entries: Entry[] = [];
  if (rangeEnd === "") {
    const entry = keyspace.living(key);
    if (entry !== undefined) entries.push(entry);
  } else {
    keyspace.tree.scan(key, endOf(rangeEnd), (entry) => {
      if (entry.alive) entries.push(entry);
      return true;
    });
  }
  const prevKvs = request.prevKv ? entries.map((entry) => keyspace.keyValueAt(entry)) : NONE;
  for (const entry of entries) keyspace.delete(entry);
  const revision = keyspace.currentRevision;
  return { type: "deleteRange", revision, deleted: entries.length, prevKvs };
}

/** Removes a lease and, in one revision and in order, the keys under it. */
export function revoke(keyspace: Keyspace, lease: Lease): void {
  for (const key of keysOf(lease)) keyspace.delete(keyspace.keys.get(key)!);
  keyspace.leases.remove(lease);
  keyspace.commit();
}
