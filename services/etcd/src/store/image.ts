/**
 * Images of a store: its log up to a revision, without what compaction has
 * made unreadable, and its leases. Nothing is copied when an image is begun:
 * the log only grows at its end, and is not swept while an image is open, so
 * the cut is a revision.
 *
 * An image is a sequence of items, each a length (four bytes, lowest first), a
 * kind and a body. Items do not heed the borders of pieces.
 */

import {
  type Codec,
  crc32c,
  encode,
  list,
  MalformedInput,
  Reader,
  struct,
  text,
  uint,
  Writer,
} from "@quorate/kernel";
import { type SnapshotSink, type SnapshotSource } from "@quorate/consensus";
import { binaryOf, writeBinary } from "../wire/binary.ts";
import { isReadable } from "./compaction.ts";
import { Keyspace } from "./keyspace.ts";
import { type Lease } from "./leases.ts";

/** Bytes to a piece, at most. */
const PIECE = 262_144;
/** Changes looked at for one piece, so that no piece takes long even where nothing is readable. */
const LOOKED = 8192;
/** Leases to an item. */
const BATCH = 1000;
/** No item is longer: nothing that big can have been put. */
const LONGEST = 0x4000_0000;

const FORMAT = 1;
/** Kinds of items. They are on disks: append, never renumber. */
const KIND = { padding: 0, header: 1, leases: 2, change: 3, end: 4 } as const;
const DELETED = 1;

interface Header {
  readonly format: number;
  readonly revision: number;
  /** One more than the compacted revision, which may be -1. */
  readonly compacted: number;
  readonly history: number;
}

const headerCodec: Codec<Header> = struct<Header>({
  format: uint,
  revision: uint,
  compacted: uint,
  history: uint,
});

type LeaseRow = Pick<Lease, "id" | "ttl" | "renewals">;
const leaseRows: Codec<readonly LeaseRow[]> = list(
  struct<LeaseRow>({ id: text, ttl: uint, renewals: uint }),
);

interface End {
  readonly changes: number;
  readonly digest: number;
  /** CRC-32C of all items before. */
  readonly checksum: number;
}
const endCodec: Codec<End> = struct<End>({ changes: uint, digest: uint, checksum: uint });

/** Reads the image of a store. */
export class ImageSource implements SnapshotSource {
  private readonly keyspace: Keyspace;
  private readonly revision: number;
  private readonly compactRevision: number;
  private readonly leases: readonly Lease[];
  private readonly digest: number;
  /** Written and not yet handed out, from `taken` on. */
  private readonly writer: Writer = new Writer();
  private taken = 0;
  private nextLease = 0;
  /** The next change to write. */
  private index = 0;
  private slot = 0;
  /** Changes written. */
  private changes = 0;
  /** Of all items written. */
  private checksum = 0;
  /** Whether the end has been written. */
  private ended = false;
  private closed = false;

  constructor(keyspace: Keyspace) {
    this.keyspace = keyspace;
    this.revision = keyspace.revision;
    this.compactRevision = keyspace.compactRevision;
    this.leases = keyspace.leases.list();
    this.digest = keyspace.digest();
    keyspace.pins++;
    this.item(
      KIND.header,
      encode(headerCodec, {
        format: FORMAT,
        revision: this.revision,
        compacted: this.compactRevision + 1,
        history: keyspace.history >>> 0,
      }),
    );
  }

  next(): Uint8Array | undefined {
    const { writer } = this;
    if (writer.length - this.taken < PIECE) this.fill();
    const length = Math.min(PIECE, writer.length - this.taken);
    if (length === 0) {
      if (this.ended) return undefined;
      this.item(KIND.padding, new Uint8Array(0));
      return this.next();
    }
    const piece = writer.bytes.slice(this.taken, this.taken + length);
    this.taken += length;
    if (this.taken === writer.length) {
      writer.length = 0;
      this.taken = 0;
    }
    return piece;
  }

  close(): void {
    if (this.closed) return;
    this.closed = true;
    this.keyspace.pins--;
  }

  /** Writes until there is enough for a piece, or enough work has been done. */
  private fill(): void {
    const { writer, leases, keyspace } = this;
    writer.bytes.copyWithin(0, this.taken, writer.length);
    writer.length -= this.taken;
    this.taken = 0;
    while (writer.length < PIECE && this.nextLease < leases.length) {
      const rows = leases.slice(this.nextLease, this.nextLease + BATCH);
      this.item(KIND.leases, encode(leaseRows, rows));
      this.nextLease += BATCH;
    }
    for (let looked = 0; writer.length < PIECE && looked < LOOKED && !this.ended; looked++) {
      const segment = keyspace.log.segments[this.index];
      if (segment !== undefined && this.slot === segment.count) {
        this.index++;
        this.slot = 0;
      } else if (segment === undefined || segment.modAt(this.slot) > this.revision) {
        this.item(
          KIND.end,
          encode(endCodec, {
            changes: this.changes,
            digest: this.digest,
            checksum: this.checksum,
          }),
        );
        this.ended = true;
      } else {
        const slot = this.slot++;
        if (isReadable(segment, slot, this.compactRevision)) this.change(slot);
      }
    }
  }

  private change(slot: number): void {
    const { writer } = this;
    const segment = this.keyspace.log.segments[this.index]!;
    const start = this.open(KIND.change);
    const version = segment.versionAt(slot);
    const { key } = segment.entries[slot]!;
    writer.byte(version === 0 ? DELETED : 0);
    uint.write(writer, segment.modAt(slot));
    uint.write(writer, segment.subAt(slot));
    uint.write(writer, key.length);
    writeBinary(writer, key);
    if (version > 0) {
      uint.write(writer, segment.createAt(slot));
      uint.write(writer, version);
      text.write(writer, segment.leaseAt(slot));
      writer.raw(segment.valueAt(slot));
    }
    this.seal(start);
    this.changes++;
  }

  private item(kind: number, body: Uint8Array): void {
    const start = this.open(kind);
    this.writer.raw(body);
    this.seal(start);
  }

  /** Begins an item and returns where it starts. */
  private open(kind: number): number {
    const { writer } = this;
    const start = writer.length;
    writer.reserve(5);
    writer.length += 4;
    writer.byte(kind);
    return start;
  }

  /** Ends the item that starts there. */
  private seal(start: number): void {
    const { bytes, length } = this.writer;
    const size = length - start - 4;
    for (let at = 0; at < 4; at++) bytes[start + at] = size >>> (8 * at);
    this.checksum = crc32c(bytes, start, length, this.checksum);
  }
}

/** Builds a store from an image. */
export class ImageSink implements SnapshotSink {
  private readonly keyspace: Keyspace = new Keyspace();
  private header: Header | undefined;
  /** Input that is not yet a whole item, from `read` on. */
  private readonly input: Writer = new Writer();
  private changes = 0;
  /** Of all items read. */
  private checksum = 0;
  private lastRevision = 0;
  private lastSub = -1;
  private ended = false;

  write(piece: Uint8Array): void {
    const { input } = this;
    input.raw(piece);
    let at = 0;
    while (input.length - at >= 5) {
      const { bytes } = input;
      const size =
        bytes[at]! | (bytes[at + 1]! << 8) | (bytes[at + 2]! << 16) | (bytes[at + 3]! << 24);
      if (size < 1 || size > LONGEST) throw new MalformedInput("no item of an image is that long");
      if (input.length - at - 4 < size) break;
      const checked = this.checksum;
      this.checksum = crc32c(bytes, at, at + 4 + size, checked);
      // The value of a change is copied into the log, so a view will do.
      this.item(bytes[at + 4]!, new Reader(bytes.subarray(at + 5, at + 4 + size)), checked);
      at += 4 + size;
    }
    input.bytes.copyWithin(0, at, input.length);
    input.length -= at;
  }

  /**
   * The store that the image was of.
   * @throws MalformedInput if the image was not whole.
   */
  finish(): Keyspace {
    if (!this.ended) throw new MalformedInput("the image ends early");
    return this.keyspace;
  }

  private item(kind: number, reader: Reader, checked: number): void {
    if (this.ended) throw new MalformedInput("the image goes on after its end");
    if (kind !== KIND.header && this.header === undefined) {
      throw new MalformedInput("the image has no header");
    }
    switch (kind) {
      case KIND.padding:
        break;
      case KIND.header:
        this.begin(headerCodec.read(reader));
        break;
      case KIND.leases:
        for (const { id, ttl, renewals } of leaseRows.read(reader)) {
          if (this.keyspace.leases.get(id) !== undefined) throw new MalformedInput("a lease twice");
          this.keyspace.leases.grant(id, ttl, renewals);
        }
        break;
      case KIND.change:
        this.change(reader);
        break;
      case KIND.end:
        this.end(endCodec.read(reader), checked);
        break;
      default:
        throw new MalformedInput("the image is of a later version");
    }
  }

  private begin(header: Header): void {
    if (this.header !== undefined) throw new MalformedInput("the image has two headers");
    if (header.format !== FORMAT) throw new MalformedInput("the image is of a later version");
    this.header = header;
  }

  private change(reader: Reader): void {
    const { keyspace } = this;
    const deleted = reader.byte() === DELETED;
    const revision = uint.read(reader);
    const sub = uint.read(reader);
    const later =
      revision > this.lastRevision || (revision === this.lastRevision && sub > this.lastSub);
    if (!later || revision > this.header!.revision) {
      throw new MalformedInput("the changes of the image are out of order");
    }
    this.lastRevision = revision;
    this.lastSub = sub;
    this.changes++;
    const key = binaryOf(reader.take(uint.read(reader)));
    const entry = keyspace.keys.get(key);
    if (deleted) {
      keyspace.record(entry, key, revision, sub, 0, 0, "", new Uint8Array(0));
      return;
    }
    const create = uint.read(reader);
    const version = uint.read(reader);
    const lease = text.read(reader);
    if (version === 0) throw new MalformedInput("a version of 0");
    const value = reader.take(reader.left);
    keyspace.record(entry, key, revision, sub, create, version, lease, value);
  }

  private end(end: End, checked: number): void {
    const { keyspace } = this;
    const header = this.header!;
    if (end.checksum !== checked) throw new MalformedInput("the image was altered");
    keyspace.revision = header.revision;
    keyspace.compactRevision = header.compacted - 1;
    keyspace.history = header.history | 0;
    if (end.changes !== this.changes || end.digest !== keyspace.digest()) {
      throw new MalformedInput("the image does not add up");
    }
    this.ended = true;
  }
}
