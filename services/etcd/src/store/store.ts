/**
 * The replicated state of the etcd service: a multi-version key-value store
 * with transactions, leases and watches, after etcd's v3 data model.
 *
 * Commands come in the order of consensus through {@link EtcdStore.apply};
 * everything else only reads. A command that is refused changes nothing.
 */

import { type Codec, decode, MalformedInput, text } from "@quorate/kernel";
import {
  type Applied,
  type SnapshotSink,
  type SnapshotSource,
  type StateMachine,
} from "@quorate/consensus";
import { type Binary } from "../wire/binary.ts";
import { type RangeRequest, type TxnRequest } from "../wire/kv.ts";
import {
  readCompaction,
  readDeleteRange,
  readLeaseGrant,
  readLeaseRevoke,
  readPut,
  readTxn,
} from "../wire/kv-codecs.ts";
import { type ChangeQuery, type Changes, changesSince } from "./changes.ts";
import {
  checkDeleteRange,
  checkLeaseTtl,
  checkPut,
  checkRange,
  checkTxn,
  isReadOnly,
} from "./check.ts";
import { type LeaseExpiry, leaseExpiry, TAG } from "./commands.ts";
import { Sweeper } from "./compaction.ts";
import { type Failure, FAILURES } from "./errors.ts";
import { hashKv, type HashResult } from "./hash.ts";
import { ImageSink, ImageSource } from "./image.ts";
import { Keyspace } from "./keyspace.ts";
import { keysOf } from "./leases.ts";
import { deleteRange, put, refuseLease, refusePut, revoke } from "./operations.ts";
import { range, type RangeResult } from "./range.ts";
import { type EtcdResult, resultCodec, type TxnResult } from "./results.ts";
import { transact } from "./txn.ts";

/** Changes swept for each command applied after a compaction: removal outpaces writing eightfold. */
const SWEPT_PER_COMMAND = 8;

/** What is known of a lease. */
export interface LeaseInfo {
  readonly id: string;
  /** Seconds granted. */
  readonly ttl: number;
  /** How many keep-alives were commands. */
  readonly renewals: number;
}

/** How big the store is, in bytes but for the counts. */
export interface StoreSizes {
  /** Keys that exist now. */
  readonly keys: number;
  readonly leases: number;
  /** Keys and values that exist now. */
  readonly live: number;
  /** Memory for all versions, an estimate. */
  readonly total: number;
}

export class EtcdStore implements StateMachine<EtcdResult> {
  readonly results: Codec<EtcdResult> = resultCodec;
  /** Told before history becomes unreadable, so that watchers can be shown it. Must change nothing. */
  beforeCompaction: (() => void) | undefined;
  private keyspace: Keyspace = new Keyspace();
  private sweeper: Sweeper = new Sweeper();

  /** Revision of the last change. */
  get revision(): number {
    return this.keyspace.revision;
  }

  /** The oldest revision that can be read, -1 if all can. */
  get compactRevision(): number {
    return this.keyspace.compactRevision;
  }

  apply(command: Uint8Array, _at?: Applied): EtcdResult {
    let result: EtcdResult;
    try {
      result = this.dispatch(command);
    } catch (error) {
      // Bytes are decoded before anything is changed, so nothing was.
      if (!(error instanceof MalformedInput)) throw error;
      result = FAILURES.malformed;
    }
    this.sweeper.sweep(this.keyspace, SWEPT_PER_COMMAND);
    return result;
  }

  // What gateways ask.

  /** Answers a range request that passed {@link checkRange}. */
  range(request: RangeRequest): RangeResult | Failure {
    return checkRange(request) ?? range(this.keyspace, request);
  }

  /** Answers a transaction that changes nothing ({@link isReadOnly}), without consensus. */
  readTxn(request: TxnRequest): TxnResult | Failure {
    const refused = checkTxn(request, Infinity);
    if (refused !== undefined) return refused;
    return isReadOnly(request) ? transact(this.keyspace, request) : FAILURES.malformed;
  }

  /** The next batch of events for a watch. */
  changes(query: ChangeQuery): Changes {
    return changesSince(this.keyspace, query);
  }

  lease(id: string): LeaseInfo | undefined {
    return this.keyspace.leases.get(id);
  }

  /** Keys put under a lease, in order. */
  leaseKeys(id: string): readonly Binary[] {
    const lease = this.keyspace.leases.get(id);
    return lease === undefined ? [] : keysOf(lease);
  }

  /** All leases, in no particular order. */
  leases(): readonly LeaseInfo[] {
    return this.keyspace.leases.list();
  }

  /** etcd's HashKV up to a revision, 0 for the current one. Takes time. */
  hashKv(revision: number = 0): HashResult | Failure {
    return hashKv(this.keyspace, revision);
  }

  sizes(): StoreSizes {
    const { tree, keys, leases, log, liveBytes } = this.keyspace;
    // Entry, place in the tree and in the map; keys are about as long as the living ones.
    const total = log.footprint + keys.size * 150;
    return { keys: tree.live, leases: leases.size, live: liveBytes, total };
  }

  /**
   * Goes on removing compacted history, when there is nothing better to do.
   * Changes no answer, digest or hash.
   * @param budget - Changes to look at; Infinity finishes the job.
   * @returns whether all is done.
   */
  sweep(budget: number): boolean {
    this.sweeper.sweep(this.keyspace, budget);
    return this.sweeper.idle;
  }

  // Images.

  snapshot(): SnapshotSource {
    return new ImageSource(this.keyspace);
  }

  receive(): SnapshotSink {
    return new ImageSink();
  }

  install(image: SnapshotSink): void {
    if (!(image instanceof ImageSink)) throw new MalformedInput("not an image of an etcd store");
    this.keyspace = image.finish();
    this.sweeper = new Sweeper();
    this.sweeper.restart();
  }

  digest(): number {
    return this.keyspace.digest();
  }

  private dispatch(command: Uint8Array): EtcdResult {
    const { keyspace } = this;
    switch (command[0]) {
      case TAG.put: {
        const request = readPut(command, 1, command.length);
        const refused = checkPut(request) ?? refuseInOrder(keyspace, request);
        if (refused !== undefined) return refused;
        const result = put(keyspace, request);
        keyspace.commit();
        return result;
      }
      case TAG.deleteRange: {
        const request = readDeleteRange(command, 1, command.length);
        const refused = checkDeleteRange(request);
        if (refused !== undefined) return refused;
        const result = deleteRange(keyspace, request);
        keyspace.commit();
        return result;
      }
      case TAG.txn: {
        const request = readTxn(command, 1, command.length);
        const refused = checkTxn(request, Infinity);
        if (refused !== undefined) return refused;
        const result = transact(keyspace, request);
        keyspace.commit();
        return result;
      }
      case TAG.compact:
        return this.compact(readCompaction(command, 1, command.length).revision);
      default:
        return this.dispatchLease(command);
    }
  }

  private compact(revision: number): EtcdResult {
    const { keyspace } = this;
    if (revision <= keyspace.compactRevision) return FAILURES.compacted;
    if (revision > keyspace.revision) return FAILURES.futureRevision;
    this.beforeCompaction?.();
    keyspace.compactRevision = revision;
    this.sweeper.restart();
    return { type: "compact", revision: keyspace.revision };
  }

  private dispatchLease(command: Uint8Array): EtcdResult {
    const { keyspace } = this;
    const { leases } = keyspace;
    switch (command[0]) {
      case TAG.leaseGrant: {
        const request = readLeaseGrant(command, 1, command.length);
        return this.grant(request.id, request.ttl);
      }
      case TAG.leaseRevoke: {
        const lease = leases.get(readLeaseRevoke(command, 1, command.length).id);
        if (lease === undefined) return FAILURES.leaseNotFound;
        revoke(keyspace, lease);
        return { type: "leaseRevoke", revision: keyspace.revision };
      }
      case TAG.leaseExpire: {
        const expiry = decode(leaseExpiry, command.subarray(1));
        return this.expire(expiry.leases);
      }
      case TAG.leaseKeepAlive: {
        const lease = leases.get(decode(text, command.subarray(1)));
        if (lease !== undefined) leases.renew(lease);
        return { type: "leaseKeepAlive", revision: keyspace.revision, ttl: lease?.ttl ?? 0 };
      }
      default:
        return FAILURES.malformed;
    }
  }

  private grant(id: string, ttl: number): EtcdResult {
    const { leases, revision } = this.keyspace;
    if (id === "") return FAILURES.leaseNotFound;
    const refused = checkLeaseTtl(ttl);
    if (refused !== undefined) return refused;
    if (leases.get(id) !== undefined) return FAILURES.leaseExists;
    const granted = Math.max(1, ttl);
    leases.grant(id, granted);
    return { type: "leaseGrant", revision, id, ttl: granted };
  }

  private expire(due: LeaseExpiry["leases"]): EtcdResult {
    const { keyspace } = this;
    const expired: string[] = [];
    for (const { id, renewals } of due) {
      const lease = keyspace.leases.get(id);
      if (lease === undefined || lease.renewals !== renewals) continue;
      revoke(keyspace, lease);
      expired.push(id);
    }
    return { type: "leaseExpire", revision: keyspace.revision, expired };
  }
}

/** A single put looks at its lease before its key; a transaction the other way round. */
function refuseInOrder(
  keyspace: Keyspace,
  request: Parameters<typeof refusePut>[1],
): Failure | undefined {
  return refuseLease(keyspace, request.lease) ?? refusePut(keyspace, request);
}
