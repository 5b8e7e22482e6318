/** Writes a document in its stored form: visible text first, then the structure. See `stored-form.ts`. */

import { crc32c, Writer } from "@quorate/kernel";

import { type Branch, NONE, type Sequence } from "./branch.ts";
import {
  DELETED,
  GC,
  KIND,
  STRING,
  TOMBSTONE,
  TYPE,
  UNCOUNTED,
  writeContent,
  isDivisible,
} from "./content.ts";
import { type Doc } from "./doc.ts";
import { encodeState } from "./encode.ts";
import { BitWriter, type Model } from "./range-coder.ts";
import { type Store } from "./store.ts";
import {
  AS_COLUMNS,
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
import { writeBytes, writeText, writeUint } from "./wire.ts";

/**
 * The document in its own stored form, for {@link load}: smaller than an update, and its text can be read
 * without the rest. Everything is in it, parts that wait for missing updates too.
 */
export function save(doc: Doc): Uint8Array {
  const { store } = doc;
  const writer = new Writer();
  for (const byte of MAGIC) writer.byte(byte);
  writeUint(writer, FORMAT_VERSION);
  const texts = [...store.roots.values()].filter((root) => isPlainText(store, root));
  writeUint(writer, texts.length);
  for (const root of texts) {
    writeText(writer, root.name);
    writeText(writer, textOf(store, root));
  }
  const columns = new ColumnWriter(store, new Set(texts)).write();
  writer.byte(columns === null ? AS_UPDATE : AS_COLUMNS);
  writeBytes(writer, columns ?? encodeState(store, null));
  const waiting = doc.waiting();
  writeUint(writer, waiting.length);
  for (const update of waiting) writeBytes(writer, update);
  const checksum = crc32c(writer.bytes, 0, writer.length);
  for (let shift = 0; shift < 32; shift += 8) writer.byte((checksum >>> shift) & 0xff);
  return writer.finish();
}

/** True for a root that shows nothing but text: the stored text then is what its reader sees. */
function isPlainText(store: Store, { children }: Branch): boolean {
  if (children === null || children.length === 0) return false;
  for (let item = children.first; item !== NONE; item = store.next[item]!) {
    if (store.visible(item) > 0 && store.kind(item) !== STRING) return false;
  }
  return true;
}

function textOf(store: Store, { children }: Branch): string {
  const parts: string[] = [];
  for (let item = children!.first; item !== NONE; item = store.next[item]!) {
    if (store.visible(item) > 0) parts.push(store.content[item] as string);
  }
  return parts.join("");
}

class ColumnWriter {
  private readonly store: Store;
  private readonly texts: ReadonlySet<Branch>;
  private readonly plain = new Writer();
  private readonly coded = new Writer();
  private readonly bits = new BitWriter(this.coded);
  private readonly models = new Models();
  /** Text that is not in the stored visible text. */
  private readonly hidden: string[] = [];
  /** Place of each item among those of its client, and in its list. */
  private readonly rank: Int32Array;
  private readonly ordinal: Int32Array;
  private readonly branches: Branch[];
  private lastClient = 0;
  private readonly lastRank: number[];

  constructor(store: Store, texts: ReadonlySet<Branch>) {
    this.store = store;
    this.texts = texts;
    this.rank = new Int32Array(store.used);
    this.ordinal = new Int32Array(store.used);
    this.branches = [...store.roots.values()];
    this.lastRank = store.logs.map(() => -1);
    for (const log of store.logs) for (let i = 0; i < log.count; i++) this.rank[log.items[i]!] = i;
  }

  /** Null when an item's origins lie where the columns cannot point. */
  write(): Uint8Array | null {
    const { store, plain } = this;
    writeUint(plain, store.logs.length);
    for (const log of store.logs) {
      writeUint(plain, log.id);
      writeUint(plain, log.count);
    }
    writeUint(plain, store.roots.size);
    for (const root of store.roots.values()) {
      writeText(plain, root.name);
      plain.byte(this.texts.has(root) ? 1 : 0);
    }
    for (let i = 0; i < this.branches.length; i++)
      if (!this.writeBranch(this.branches[i]!)) return null;
    this.writeCollected();
    writeText(plain, this.hidden.join(""));
    this.bits.finish();
    const out = new Writer();
    writeBytes(out, plain.view());
    out.raw(this.coded.view());
    return out.finish();
  }

  private writeBranch(branch: Branch): boolean {
    const { plain } = this;
    const keys = [...(branch.keys?.values() ?? [])].filter(({ items }) => items > 0);
    writeUint(plain, branch.children?.items ?? 0);
    writeUint(plain, keys.length);
    for (const { key, items } of keys) {
      writeText(plain, key!);
      writeUint(plain, items);
    }
    if (branch.children !== null && !this.writeList(branch.children)) return false;
    return keys.every((list) => this.writeList(list));
  }

  private writeList(list: Sequence): boolean {
    const { store } = this;
    let ordinal = 0;
    for (let item = list.first; item !== NONE; item = store.next[item]!)
      this.ordinal[item] = ordinal++;
    const open = new Continuations();
    let state = 0;
    for (let item = list.first; item !== NONE; item = store.next[item]!) {
      state = this.writeItem(list, item, open, state);
      if (state < 0) return false;
    }
    return true;
  }

  /** Returns what the next item is guessed from, or a negative number when there is no way to say it. */
  private writeItem(list: Sequence, item: number, open: Continuations, state: number): number {
    const { store, bits, models, rank } = this;
    const client = store.client[item]!;
    const depth = this.continues(item) ? open.depthOf(client, rank[item]!) : NONE;
    const isContinuation = depth !== NONE;
    bits.number(models.isContinuation[state & 3]!, isContinuation ? 1 : 0);
    if (isContinuation) {
      bits.number(models.depth, depth);
      open.close(depth);
    } else {
      this.writeClient(client);
      bits.signed(models.rank, rank[item]! - this.lastRank[client]! - 1);
    }
    this.lastClient = client;
    this.lastRank[client] = rank[item]!;
    open.open(client, rank[item]!);
    const flags = store.flags[item]! & (KIND | DELETED);
    bits.number(models.flags[state >> 2]!, flags);
    if (isDivisible(flags & KIND)) bits.number(models.length[flags]!, store.length[item]!);
    this.writeItemContent(list, item, flags);
    const isShown = (flags & DELETED) === 0 ? 0 : 1;
    if (isContinuation) return (flags << 2) | 2 | isShown;
    if (!this.writeOrigin(item) || !this.writeRight(item)) return -1;
    return (flags << 2) | isShown;
  }

  private writeClient(client: number): void {
    const isSame = client === this.lastClient;
    this.bits.number(this.models.isSameClient, isSame ? 0 : 1);
    if (!isSame) this.bits.number(this.models.client, client);
  }

  /** True when the item is the rest of a run that was cut. */
  private continues(item: number): boolean {
    const { store, rank } = this;
    if (rank[item] === 0 || store.originClient[item] !== store.client[item]) return false;
    if (store.originClock[item] !== store.clock[item]! - 1) return false;
    const before = store.logs[store.client[item]!]!.items[rank[item]! - 1]!;
    return store.list[before] === store.list[item] && this.sameRight(before, item);
  }

  private sameRight(a: number, b: number): boolean {
    const { rightClient, rightClock } = this.store;
    return (
      rightClient[a] === rightClient[b] &&
      (rightClient[a] === NONE || rightClock[a] === rightClock[b])
    );
  }

  private writeOrigin(item: number): boolean {
    const { store, bits, models } = this;
    const client = store.originClient[item]!;
    const isFirst = store.prev[item] === NONE;
    const model = models.origin[isFirst ? 0 : store.isDeleted(store.prev[item]!) ? 1 : 2]!;
    if (client === NONE) {
      bits.number(model, NO_ORIGIN);
      return true;
    }
    const clock = store.originClock[item]!;
    const origin = store.find(client, clock);
    if (store.list[origin] !== store.list[item]) return false;
    const distance = this.ordinal[item]! - this.ordinal[origin]!;
    if (distance < 1) return false;
    const units = store.clock[origin]! + store.length[origin]! - 1 - clock;
    if (units === 0) bits.number(model, distance === 1 ? BEFORE : distance + 1);
    else this.writeInside(model, INSIDE_ORIGIN, distance, units);
    return true;
  }

  private writeRight(item: number): boolean {
    const { store, bits, models } = this;
    const client = store.rightClient[item]!;
    const before = store.prev[item]!;
    const next = store.next[item]!;
    const model = models.right[(next === NONE ? 0 : 1) | (before === NONE ? 0 : 2)]!;
    if (client === NONE) {
      bits.number(model, NO_RIGHT);
      return true;
    }
    if (before !== NONE && this.sameRight(before, item)) {
      bits.number(model, SAME_RIGHT);
      return true;
    }
    const right = store.find(client, store.rightClock[item]!);
    if (store.list[right] !== store.list[item]) return false;
    const distance = this.ordinal[right]! - this.ordinal[item]!;
    if (distance < 1) return false;
    const units = store.rightClock[item]! - store.clock[right]!;
    if (units === 0) bits.number(model, distance === 1 ? BEHIND : distance + 2);
    else this.writeInside(model, INSIDE_RIGHT, distance, units);
    return true;
  }

  private writeInside(model: Model, code: number, distance: number, units: number): void {
    this.bits.number(model, code);
    this.bits.number(this.models.inside, distance);
    this.bits.number(this.models.inside, units);
  }

  private writeItemContent(list: Sequence, item: number, flags: number): void {
    const { store, plain } = this;
    const kind = flags & KIND;
    const content = store.content[item]!;
    if (kind === TOMBSTONE || kind === GC) return;
    if (kind === STRING) {
      const isVisible = (flags & (DELETED | UNCOUNTED)) === 0;
      if (!(isVisible && list.key === null && this.texts.has(list.branch))) {
        this.hidden.push(content as string);
      }
      return;
    }
    writeContent(plain, kind, content, store.length[item]!, 0);
    if (kind === TYPE) this.branches.push(content as Branch);
  }

  /** Structs that lie in no list any more: only their ids are left. */
  private writeCollected(): void {
    const { store, bits, models } = this;
    for (const log of store.logs) {
      for (let i = 0; i < log.count; i++) {
        const item = log.items[i]!;
        if (store.kind(item) !== GC) continue;
        this.writeClient(log.index);
        this.lastClient = log.index;
        bits.number(models.rank, i);
        bits.number(models.length[GC]!, store.length[item]!);
      }
    }
  }
}
