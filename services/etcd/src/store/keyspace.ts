/**
 * The keys and their history: what a put and a deletion do, and nothing of
 * requests, errors or responses.
 *
 * The changes of one command share a revision, which is the store's once
 * {@link Keyspace.commit} is called. Living keys are found through a map, in
 * order through a tree; both lead to an {@link Entry}, and that into the log.
 */

import { type Binary } from "../wire/binary.ts";
import { type KeyValue } from "../wire/kv.ts";
import { Entry, hashBytes, hashText, mix } from "./entry.ts";
import { LeaseTable } from "./leases.ts";
import { ChangeLog, type Place } from "./log.ts";
import { KeyTree } from "./tree.ts";

const EMPTY: Uint8Array = new Uint8Array(0);

export class Keyspace {
  /** Revision of the last change. An empty store is at 1. */
  revision = 1;
  /** History before this revision is gone; -1 if nothing was ever compacted. */
  compactRevision = -1;
  /** Changes made by the present command. */
  changes = 0;
  /** Every key with a change in the log. */
  readonly keys: Map<Binary, Entry> = new Map();
  readonly tree: KeyTree = new KeyTree();
  readonly log: ChangeLog = new ChangeLog();
  readonly leases: LeaseTable = new LeaseTable();
  /** Sum of the hashes of all living keys' newest changes. */
  liveHash = 0;
  /** A hash over all changes ever made, in order. */
  history = 0;
  /** Bytes of all living keys and their values. */
  liveBytes = 0;
  /** Open images of the log: while there are any nothing is removed from it. */
  pins = 0;

  /** The revision that changes of the present command get. */
  get nextRevision(): number {
    return this.revision + 1;
  }

  /** What a read within the present command calls the current revision. */
  get currentRevision(): number {
    return this.changes > 0 ? this.revision + 1 : this.revision;
  }

  /** Ends the present command: if it changed something the revision grows by one. */
  commit(): void {
    if (this.changes > 0) this.revision++;
    this.changes = 0;
  }

  /** A key that exists now. */
  living(key: Binary): Entry | undefined {
    const entry = this.keys.get(key);
    return entry !== undefined && entry.alive ? entry : undefined;
  }

  /** Puts a value. The lease, if any, must exist. */
  put(key: Binary, value: Uint8Array, lease: string): void {
    const revision = this.nextRevision;
    const entry = this.keys.get(key);
    let create = revision;
    let version = 1;
    if (entry !== undefined) {
      version += entry.segment.versionAt(entry.slot);
      if (version > 1) create = entry.segment.createAt(entry.slot);
    }
    const hash = this.record(entry, key, revision, this.changes++, create, version, lease, value);
    this.history = mix(this.history, hash);
  }

  /** Deletes a key that exists now. */
  delete(entry: Entry): void {
    const sub = this.changes++;
    const hash = this.record(entry, entry.key, this.nextRevision, sub, 0, 0, "", EMPTY);
    this.history = mix(this.history, hash);
  }

  /**
   * Appends a change to the log and brings all that is derived from it up to
   * date. Images are restored through it, too.
   * @param entry - What is known of the key so far.
   * @param version - 0 for a deletion.
   * @returns the hash of the change.
   */
  record(
    entry: Entry | undefined,
    key: Binary,
    revision: number,
    sub: number,
    create: number,
    version: number,
    lease: string,
    value: Uint8Array,
  ): number {
    const keyHash = entry === undefined ? hashText(key) : entry.hash;
    const hash = hashChange(keyHash, revision, create, version, lease, value);
    if (entry === undefined) {
      const segment = this.log.tailFor(value.length);
      const created = new Entry(key, keyHash, segment, segment.count);
      segment.append(created, revision, sub, create, version, 0, 0, 0, hash, lease, value);
      this.keys.set(key, created);
      this.tree.insert(created);
      if (version > 0) this.noteLiving(created, hash, lease);
      return hash;
    }
    const { alive } = entry;
    if (alive) this.noteGone(entry);
    this.supersede(entry, revision, sub, create, version, hash, lease, value);
    if (version > 0) this.noteLiving(entry, hash, lease);
    if (alive !== version > 0) this.tree.enliven(key, alive ? -1 : 1);
    return hash;
  }

  /** What the log holds at a place. */
  keyValueAt(place: Place, keysOnly: boolean = false): KeyValue {
    const { segment, slot } = place;
    return {
      key: segment.entries[slot]!.key,
      createRevision: segment.createAt(slot),
      modRevision: segment.modAt(slot),
      version: segment.versionAt(slot),
      value: keysOnly ? EMPTY : segment.valueAt(slot),
      lease: segment.leaseAt(slot),
    };
  }

  /** Forgets a key of which nothing is left in the log. */
  forget(entry: Entry): void {
    if (this.keys.get(entry.key) !== entry) return;
    this.keys.delete(entry.key);
    this.tree.remove(entry.key);
  }

  /** A checksum of everything that replicas must agree upon. */
  digest(): number {
    let hash = mix(this.liveHash, this.revision);
    hash = mix(hash, this.compactRevision);
    hash = mix(hash, this.tree.live);
    hash = mix(hash, this.leases.hash);
    return (this.history & 0x1f_ffff) * 0x1_0000_0000 + (hash >>> 0);
  }

  /** Appends a change to a key that has one already. */
  private supersede(
    entry: Entry,
    revision: number,
    sub: number,
    create: number,
    version: number,
    hash: number,
    lease: string,
    value: Uint8Array,
  ): void {
    const { segment: old, slot } = entry;
    const jump = this.log.jumpFrom(entry);
    const previous = old.sequenceAt(slot);
    const depth = old.depthAt(slot) + 1;
    old.supersede(slot, revision);
    const segment = this.log.tailFor(value.length);
    entry.slot = segment.append(
      entry,
      revision,
      sub,
      create,
      version,
      previous,
      jump,
      depth,
      hash,
      lease,
      value,
    );
    entry.segment = segment;
  }

  private noteLiving(entry: Entry, hash: number, lease: string): void {
    this.liveHash = (this.liveHash + hash) | 0;
    this.liveBytes += entry.key.length + entry.segment.valueLengthAt(entry.slot);
    if (lease !== "") this.leases.attach(lease, entry);
  }

  private noteGone(entry: Entry): void {
    const { segment, slot } = entry;
    this.liveHash = (this.liveHash - segment.hashAt(slot)) | 0;
    this.liveBytes -= entry.key.length + segment.valueLengthAt(slot);
    const lease = segment.leaseAt(slot);
    if (lease !== "") this.leases.detach(lease, entry);
  }
}

/** The hash of a change, the same on all replicas. */
function hashChange(
  keyHash: number,
  revision: number,
  create: number,
  version: number,
  lease: string,
  value: Uint8Array,
): number {
  let hash = mix(hashBytes(value), keyHash);
  hash = mix(hash, revision);
  hash = mix(hash, create);
  hash = mix(hash, version);
  if (lease !== "") hash = mix(hash, hashText(lease));
  return hash >>> 0;
}
