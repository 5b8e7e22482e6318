/**
 * The HPACK decoder (RFC 7541): one per connection, for the peer's header blocks.
 *
 * A busy client sends the same few bytes again and again: every field indexed. Such a block neither reads anything but
 * the tables nor changes them, so its meaning stays the same until the dynamic table changes. The decoder therefore
 * keeps a small direct-mapped cache from the bytes of a block to its decoded form, stamped with the version of the
 * dynamic table; a hit costs a hash and a comparison, and hands out the same HeaderBlock object again, with whatever the
 * layer above has noted in it.
 */

import { type Field, HeaderBlock, makeField } from "./header-block.ts";
import { decodeHuffman } from "./huffman.ts";
import { ConnectionError, Http2Code } from "./protocol.ts";
import { firstDynamicIndex, staticTable } from "./static-table.ts";

const cacheSlots = 32;
const maxCachedBytes = 256;

interface CachedBlock {
  readonly bytes: Uint8Array;
  readonly version: number;
  readonly block: HeaderBlock;
}

/** Decodes header blocks; throws a COMPRESSION_ERROR after which the connection cannot go on. */
export class HpackDecoder {
  /** What we allow the peer, in our SETTINGS_HEADER_TABLE_SIZE. */
  private readonly capacityLimit: number;
  /** The largest decoded list we keep. */
  private readonly listLimit: number;
  /** The capacity in force, at most the limit. */
  private capacity: number;
  /** The dynamic table as a ring; `newest` is where entry 62 lies. */
  private readonly ring: (Field | undefined)[];
  private newest = 0;
  private count = 0;
  private size = 0;
  /** Raised whenever the dynamic table changes. */
  private version = 0;
  private readonly cache: (CachedBlock | undefined)[] = Array.from({ length: cacheSlots });
  /** Where Huffman strings are decoded. */
  private scratch: Buffer = Buffer.alloc(256);
  /** Where the reader stands within the block. */
  private at = 0;

  constructor(capacityLimit: number, listLimit: number) {
    this.capacityLimit = capacityLimit;
    this.capacity = capacityLimit;
    this.listLimit = listLimit;
    let slots = 1;
    while (slots * 32 < capacityLimit) slots *= 2;
    this.ring = Array.from({ length: slots });
  }

  /** Decodes the block in `source[start, end)`, all its fragments joined. The result may be shared: do not change it. */
  decode(source: Buffer, start: number, end: number): HeaderBlock {
    const length = end - start;
    if (length > maxCachedBytes) return this.decodeFields(source, start, end);
    let hash = length;
    for (let i = start; i < end; i++) hash = (Math.imul(hash, 31) + source[i]!) | 0;
    const slot = (hash ^ (hash >>> 16)) & (cacheSlots - 1);
    const cached = this.cache[slot];
    if (cached !== undefined && cached.version === this.version) {
      if (same(cached.bytes, source, start, length)) return cached.block;
    }
    const version = this.version;
    const block = this.decodeFields(source, start, end);
    if (version === this.version) {
      this.cache[slot] = { bytes: Buffer.from(source.subarray(start, end)), version, block };
    }
    return block;
  }

  private decodeFields(source: Buffer, start: number, end: number): HeaderBlock {
    const block = new HeaderBlock();
    let sizeUpdateAllowed = true;
    this.at = start;
    while (this.at < end) {
      const byte = source[this.at]!;
      if (byte >= 0x80) {
        block.add(this.field(this.integer(source, end, 0x7f)), this.listLimit);
      } else if (byte >= 0x40) {
        const field = this.literal(source, end, 0x3f);
        this.insert(field);
        block.add(field, this.listLimit);
      } else if (byte >= 0x20) {
        if (!sizeUpdateAllowed) throw compressionError("a table size update within a block");
        this.resize(this.integer(source, end, 0x1f));
        continue;
      } else {
        block.add(this.literal(source, end, 0x0f), this.listLimit);
      }
      sizeUpdateAllowed = false;
    }
    return block;
  }

  /** RFC 7541 §5.1, bounded: nothing in a header block is larger than 2^28. */
  private integer(source: Buffer, end: number, mask: number): number {
    let value = source[this.at++]! & mask;
    if (value < mask) return value;
    for (let shift = 0; shift < 28; shift += 7) {
      if (this.at >= end) throw compressionError("a header block ends within an integer");
      const byte = source[this.at++]!;
      value += (byte & 0x7f) << shift;
      if (byte < 0x80) return value;
    }
    throw compressionError("an integer in a header block is too large");
  }

  private literal(source: Buffer, end: number, mask: number): Field {
    const index = this.integer(source, end, mask);
    const name = index === 0 ? this.string(source, end) : this.field(index).name;
    return makeField(name, this.string(source, end));
  }

  private string(source: Buffer, end: number): string {
    if (this.at >= end) throw compressionError("a header block ends before a string");
    const huffman = source[this.at]! >= 0x80;
    const length = this.integer(source, end, 0x7f);
    const from = this.at;
    if (length > end - from) throw compressionError("a header block ends within a string");
    this.at = from + length;
    if (!huffman) return source.toString("latin1", from, this.at);
    if (this.scratch.length < length * 2) this.scratch = Buffer.alloc(length * 2);
    return this.scratch.toString("latin1", 0, decodeHuffman(source, from, this.at, this.scratch));
  }

  private field(index: number): Field {
    if (index === 0) throw compressionError("header field 0 does not exist");
    if (index < firstDynamicIndex) return staticTable[index - 1]!;
    const age = index - firstDynamicIndex;
    if (age >= this.count) throw compressionError(`header field ${index} is not in the table`);
    return this.ring[(this.newest - age) & (this.ring.length - 1)]!;
  }

  private insert(field: Field): void {
    this.version++;
    if (field.size > this.capacity) {
      this.evictTo(0);
      return;
    }
    this.evictTo(this.capacity - field.size);
    this.newest = (this.newest + 1) & (this.ring.length - 1);
    this.ring[this.newest] = field;
    this.count++;
    this.size += field.size;
  }

  private resize(capacity: number): void {
    if (capacity > this.capacityLimit) throw compressionError("the table is grown past its limit");
    this.capacity = capacity;
    this.version++;
    this.evictTo(capacity);
  }

  private evictTo(size: number): void {
    while (this.size > size) {
      const oldest = (this.newest - this.count + 1) & (this.ring.length - 1);
      this.size -= this.ring[oldest]!.size;
      this.ring[oldest] = undefined;
      this.count--;
    }
  }
}

function compressionError(reason: string): ConnectionError {
  return new ConnectionError(Http2Code.compressionError, reason);
}

function same(bytes: Uint8Array, source: Uint8Array, start: number, length: number): boolean {
  if (bytes.length !== length) return false;
  for (let i = 0; i < length; i++) if (bytes[i] !== source[start + i]) return false;
  return true;
}
