/** Reads a document from its stored form: the text at once, the structure when it is needed. */

import { crc32c, Reader } from "@quorate/kernel";

import { BlockIndex, INDEXED_FROM } from "./block-index.ts";
import { type Branch, NONE, type Sequence } from "./branch.ts";
import {
  DELETED,
  flagsOf,
  FORMAT,
  GC,
  isDivisible,
  KIND,
  lengthOf,
  STRING,
  takeContent,
  TOMBSTONE,
  TYPE,
} from "./content.ts";
import { tidy } from "./collect.ts";
import { Doc, type DocOptions, type Sealed } from "./doc.ts";
import { stage } from "./decode.ts";
import { DocumentError, refusal } from "./errors.ts";
import { Pending } from "./pending.ts";
import { BitReader } from "./range-coder.ts";
import { type ClientLog, type Store } from "./store.ts";
import {
  AS_UPDATE,
  BEFORE,
  BEHIND,
  Continuations,
  FORMAT_VERSION,
  INSIDE_ORIGIN,
  INSIDE_RIGHT,
  MAGIC,
  Models,
  NO_ORIGIN,
  NO_RIGHT,
  SAME_RIGHT,
} from "./stored-form.ts";
import { MAX_CLOCK, takeBytes, takeCount, takeSmall, takeText, takeUint } from "./wire.ts";

/**
 * Opens a document written by {@link save}. Text of roots can be read at once; the structure is decoded
 * at the first change, merge or encoding.
 * @throws DocumentError `malformed` when the bytes are damaged or something else.
 */
export function load(bytes: Uint8Array, options: DocOptions): Doc {
  try {
    const end = bytes.length - 4;
    const reader = new Reader(bytes.subarray(0, Math.max(end, 0)));
    for (const byte of MAGIC) if (reader.byte() !== byte) throw damaged("not a stored document");
    const checksum = new DataView(bytes.buffer, bytes.byteOffset + end, 4).getUint32(0, true);
    if (crc32c(bytes, 0, end) !== checksum) throw damaged("the checksum does not match");
    const version = takeUint(reader);
    if (version !== FORMAT_VERSION) throw damaged(`form ${version} is not known here`);
    const texts = new Map<string, string>();
    for (let left = takeCount(reader); left > 0; left--) {
      const name = takeText(reader);
      texts.set(name, takeText(reader));
    }
    const isUpdate = reader.byte() === AS_UPDATE;
    const structure = takeBytes(reader);
    const waiting: Uint8Array[] = [];
    for (let left = takeCount(reader); left > 0; left--) waiting.push(takeBytes(reader));
    const doc = new Doc(options, new Structure(texts, structure, isUpdate));
    for (const update of waiting) doc.apply(update);
    return doc;
  } catch (error) {
    throw refusal(error);
  }
}

function damaged(why: string): DocumentError {
  return new DocumentError("malformed", `a stored document cannot be read: ${why}`);
}

class Structure implements Sealed {
  private readonly texts: ReadonlyMap<string, string>;
  private readonly bytes: Uint8Array;
  private readonly isUpdate: boolean;

  constructor(texts: ReadonlyMap<string, string>, bytes: Uint8Array, isUpdate: boolean) {
    this.texts = texts;
    this.bytes = bytes;
    this.isUpdate = isUpdate;
  }

  text(name: string): string | undefined {
    return this.texts.get(name);
  }

  open(store: Store): void {
    if (this.isUpdate) {
      store.changes.begin();
      new Pending(store, Infinity).apply(stage(store, this.bytes));
      store.changes.settle();
      tidy(store, false);
      return;
    }
    try {
      new ColumnReader(store, this.bytes, this.texts).read();
    } catch (error) {
      throw refusal(error);
    }
  }
}

/** What the columns say of an item's origins, until all clocks are known. */
const CONTINUES = -2;

class ColumnReader {
  private readonly store: Store;
  private readonly texts: ReadonlyMap<string, string>;
  private readonly plain: Reader;
  private readonly bits: BitReader;
  private readonly models = new Models();
  private readonly logs: ClientLog[] = [];
  private readonly ranks: Int32Array[] = [];
  private readonly lastRank: number[] = [];
  private lastClient = 0;
  private readonly branches: Branch[] = [];
  private readonly plainTexts = new Set<Branch>();
  private readonly hidden: number[] = [];
  private readonly indexed: Sequence[] = [];
  /** Origins inside a run: how many of its units lie behind, or before, by the item that has the origin. */
  private readonly behindOrigin = new Map<number, number>();
  private readonly beforeRight = new Map<number, number>();
  /** How many items there may be, given the bytes: a coded item takes at least a fraction of a bit. */
  private readonly limit: number;

  constructor(store: Store, bytes: Uint8Array, texts: ReadonlyMap<string, string>) {
    this.store = store;
    this.texts = texts;
    const reader = new Reader(bytes);
    this.plain = new Reader(takeBytes(reader));
    this.bits = new BitReader(reader.take(reader.left));
    this.limit = 4096 + bytes.length * 256;
  }

  read(): void {
    const { plain, store } = this;
    let total = 0;
    for (let left = takeCount(plain); left > 0; left--) {
      const log = store.logFor(takeUint(plain));
      log.count = takeSmall(plain);
      total += log.count;
      if (total > this.limit) throw damaged("more items than its bytes can hold");
      log.items = new Int32Array(log.count).fill(NONE);
      this.logs.push(log);
      this.ranks.push(log.items);
      this.lastRank.push(-1);
    }
    for (let left = takeCount(plain); left > 0; left--) {
      const root = store.root(takeText(plain));
      if (plain.byte() === 1) this.plainTexts.add(root);
      this.branches.push(root);
    }
    for (let i = 0; i < this.branches.length; i++) this.readBranch(this.branches[i]!);
    while (store.used < total) this.readCollected();
    this.fillHidden(takeText(plain));
    this.setClocks();
    for (const list of this.indexed) list.index = new BlockIndex(store, list);
    store.trim();
  }

  private readBranch(branch: Branch): void {
    const { plain, store } = this;
    const children = takeSmall(plain);
    const keys: (readonly [Sequence, number])[] = [];
    for (let left = takeCount(plain); left > 0; left--) {
      const list = store.keyed(branch, takeText(plain));
      keys.push([list, takeSmall(plain)]);
    }
    if (children > 0) this.readList(store.children(branch), children);
    for (const [list, count] of keys) this.readList(list, count);
  }

  private readList(list: Sequence, count: number): void {
    const { store } = this;
    const first = store.used;
    if (first + count > this.limit) throw damaged("more items than its bytes can hold");
    const open = new Continuations();
    const isPlain = list.key === null && this.plainTexts.has(list.branch);
    const text = isPlain ? (this.texts.get(list.branch.name) ?? "") : null;
    let at = 0;
    let state = 0;
    for (let i = 0; i < count; i++) {
      const item = store.fresh();
      store.list[item] = list.id;
      store.prev[item] = i === 0 ? NONE : item - 1;
      store.next[item] = i === count - 1 ? NONE : item + 1;
      state = this.readItem(item, open, state, i, count);
      const kind = store.kind(item);
      if (store.flags[item] !== STRING || text === null) this.readContent(item, kind);
      else {
        store.content[item] = text.slice(at, at + store.length[item]!);
        at += store.length[item]!;
      }
      list.length += store.visible(item);
      if (kind === FORMAT) list.marks++;
    }
    if (text !== null && at !== text.length) throw damaged("text and structure differ");
    list.first = count === 0 ? NONE : first;
    list.last = count === 0 ? NONE : store.used - 1;
    list.items = count;
    if (count > INDEXED_FROM && list.key === null) this.indexed.push(list);
  }

  private readItem(
    item: number,
    open: Continuations,
    state: number,
    i: number,
    count: number,
  ): number {
    const { store, bits, models } = this;
    const isContinuation = bits.number(models.isContinuation[state & 3]!) === 1;
    let client: number;
    let rank: number;
    if (isContinuation) {
      if (!open.close(bits.number(models.depth))) throw damaged("a run without a beginning");
      ({ client, rank } = open);
    } else {
      client = this.readClient();
      rank = bits.signed(models.rank) + this.lastRank[client]! + 1;
    }
    this.take(item, client, rank);
    open.open(client, rank);
    const flags = bits.number(models.flags[state >> 2]!);
    if (flags > (KIND | DELETED) || (flags & KIND) === GC) throw damaged("no item has such flags");
    store.flags[item] = flagsOf(flags & KIND) | flags;
    store.length[item] = isDivisible(flags & KIND) ? bits.number(models.length[flags]!) : 1;
    const isShown = (flags & DELETED) === 0 ? 0 : 1;
    if (isContinuation) {
      store.originClient[item] = CONTINUES;
      return (flags << 2) | 2 | isShown;
    }
    this.readOrigins(item, i, count);
    return (flags << 2) | isShown;
  }

  private readClient(): number {
    const { bits, models } = this;
    if (bits.number(models.isSameClient) !== 0) this.lastClient = bits.number(models.client);
    if (this.lastClient >= this.logs.length) throw damaged("an unknown client");
    return this.lastClient;
  }

  /** Gives an item its place among those of its client. */
  private take(item: number, client: number, rank: number): void {
    const ranks = this.ranks[client]!;
    if (ranks[rank] !== NONE) throw damaged("two items in one place");
    ranks[rank] = item;
    this.lastClient = client;
    this.lastRank[client] = rank;
    this.store.client[item] = this.logs[client]!.index;
  }

  /** Until clocks are known, the clock columns hold the codes. */
  private readOrigins(item: number, i: number, count: number): void {
    const { store, bits, models } = this;
    const isDead = i > 0 && store.isDeleted(item - 1);
    const origin = bits.number(models.origin[i === 0 ? 0 : isDead ? 1 : 2]!);
    let back = origin === NO_ORIGIN ? 0 : origin === BEFORE ? 1 : origin - 1;
    if (origin === INSIDE_ORIGIN) {
      back = bits.number(models.inside);
      this.behindOrigin.set(item, bits.number(models.inside));
    }
    const right = bits.number(models.right[(i === count - 1 ? 0 : 1) | (i === 0 ? 0 : 2)]!);
    let ahead = right === NO_RIGHT || right === SAME_RIGHT ? 0 : right === BEHIND ? 1 : right - 2;
    if (right === INSIDE_RIGHT) {
      ahead = bits.number(models.inside);
      this.beforeRight.set(item, bits.number(models.inside));
    }
    if (back > i || ahead >= count - i || (right === SAME_RIGHT && i === 0)) {
      throw damaged("an origin outside of its list");
    }
    store.originClient[item] = back === 0 ? NONE : 0;
    store.originClock[item] = back;
    store.rightClient[item] = right === SAME_RIGHT ? CONTINUES : ahead === 0 ? NONE : 0;
    store.rightClock[item] = ahead;
  }

  private readContent(item: number, kind: number): void {
    const { store, plain } = this;
    if (kind === TOMBSTONE) return;
    if (kind === STRING) {
      this.hidden.push(item);
      return;
    }
    const content = takeContent(plain, kind);
    if (lengthOf(kind, content) !== store.length[item])
      throw damaged("a content of another length");
    store.content[item] = content;
    if (kind !== TYPE) return;
    (content as Branch).item = item;
    this.branches.push(content as Branch);
  }

  private readCollected(): void {
    const { store, bits, models } = this;
    const item = store.fresh();
    this.take(item, this.readClient(), bits.number(models.rank));
    store.flags[item] = flagsOf(GC);
    store.length[item] = bits.number(models.length[GC]!);
    store.list[item] = store.next[item] = store.prev[item] = NONE;
    store.originClient[item] = store.rightClient[item] = NONE;
  }

  private fillHidden(text: string): void {
    let at = 0;
    for (const item of this.hidden) {
      this.store.content[item] = text.slice(at, at + this.store.length[item]!);
      at += this.store.length[item]!;
    }
    if (at !== text.length) throw damaged("text and structure differ");
  }

  /** Ranks and lengths give clocks; clocks give origins. */
  private setClocks(): void {
    const { store } = this;
    const { clock, length, originClient, originClock, rightClient, rightClock, client } = store;
    for (const log of this.logs) {
      let next = 0;
      for (const item of log.items) {
        if (item === NONE || length[item]! < 1) throw damaged("a gap in what a client wrote");
        clock[item] = next;
        next += length[item]!;
        if (next > MAX_CLOCK) throw damaged("a clock beyond 2^31");
      }
      log.next = next;
    }
    for (let item = 0; item < store.used; item++) {
      if (originClient[item] === CONTINUES) {
        const log = store.logs[client[item]!]!;
        const before = store.find(log.index, clock[item]! - 1);
        originClient[item] = log.index;
        originClock[item] = clock[item]! - 1;
        rightClient[item] = rightClient[before]!;
        rightClock[item] = rightClock[before]!;
        continue;
      }
      const origin = item - originClock[item]!;
      if (originClient[item] !== NONE) {
        originClient[item] = client[origin]!;
        originClock[item] =
          clock[origin]! + length[origin]! - 1 - (this.behindOrigin.get(item) ?? 0);
        if (originClock[item]! < clock[origin]!) throw damaged("an origin outside of its run");
      } else originClock[item] = NONE;
      if (rightClient[item] === CONTINUES) {
        rightClient[item] = rightClient[item - 1]!;
        rightClock[item] = rightClock[item - 1]!;
      } else if (rightClient[item] === NONE) rightClock[item] = NONE;
      else {
        const right = item + rightClock[item]!;
        rightClient[item] = client[right]!;
        rightClock[item] = clock[right]! + (this.beforeRight.get(item) ?? 0);
        if (rightClock[item]! >= clock[right]! + length[right]!) {
          throw damaged("an origin outside of its run");
        }
      }
    }
  }
}
