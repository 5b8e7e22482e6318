/**
 * The columns of a document: everything the core knows, as typed arrays under item numbers.
 *
 * An item is a run of consecutive clocks of one client that lie side by side in one list and share one
 * fate. "Origin" is always the last unit of something, "right origin" the first. Numbers are private to
 * the store and are used again when an item has been joined into its neighbour; ids (client, clock) are
 * what lasts. Clients are interned: columns hold their index, real ids appear on the wire and in ties.
 */

import { INDEXED_FROM, BlockIndex } from "./block-index.ts";
import { Branch, NONE, Sequence, UNOPENED } from "./branch.ts";
import { Changes } from "./changes.ts";
import {
  type Content,
  DELETED,
  FORMAT,
  GC,
  headOf,
  KIND,
  REDONE,
  severed,
  STRING,
  tailOf,
  UNCOUNTED,
} from "./content.ts";

/** Everything one client has written, in clock order. */
export class ClientLog {
  readonly id: number;
  readonly index: number;
  items: Int32Array = new Int32Array(2);
  count: number = 0;
  /** The next clock. */
  next: number = 0;
  /** Where the last search ended. */
  hint: number = 0;
  /** The transaction that wrote last, and the next clock before it. */
  stamp: number = 0;
  before: number = 0;
  /** The transaction that deleted last, and what: clock and length, in pairs. */
  deleteStamp: number = 0;
  deletes: number[] = [];

  constructor(id: number, index: number) {
    this.id = id;
    this.index = index;
  }
}

const START_CAPACITY = 8;

export class Store {
  client: Int32Array = new Int32Array(START_CAPACITY);
  clock: Int32Array = new Int32Array(START_CAPACITY);
  length: Int32Array = new Int32Array(START_CAPACITY);
  flags: Uint8Array = new Uint8Array(START_CAPACITY);
  originClient: Int32Array = new Int32Array(START_CAPACITY);
  originClock: Int32Array = new Int32Array(START_CAPACITY);
  rightClient: Int32Array = new Int32Array(START_CAPACITY);
  rightClock: Int32Array = new Int32Array(START_CAPACITY);
  next: Int32Array = new Int32Array(START_CAPACITY);
  prev: Int32Array = new Int32Array(START_CAPACITY);
  list: Int32Array = new Int32Array(START_CAPACITY);
  block: Int32Array = new Int32Array(START_CAPACITY);
  readonly content: Content[] = [];
  /** Item numbers below are or were in use; those given back are chained through `next`. */
  used: number = 0;
  private free = NONE;

  readonly logs: ClientLog[] = [];
  private readonly logOf = new Map<number, ClientLog>();
  private recent: ClientLog | null = null;
  readonly roots: Map<string, Branch> = new Map();
  readonly sequences: (Sequence | null)[] = [];
  private readonly freeSequences: number[] = [];
  /** Ids of the items that undo steps have placed anew, by item: client index and clock. */
  readonly redone: Map<number, readonly [number, number]> = new Map();
  readonly changes: Changes = new Changes();
  /** The run that local typing extends, and the position behind it; every other change forgets it. */
  typing: number = NONE;
  typingAt: number = 0;
  /** Second result of searches: units before the position inside the item found. */
  offset: number = 0;

  // Items

  private capacity(): number {
    return this.client.length;
  }

  private resize(capacity: number): void {
    const wider = (column: Int32Array): Int32Array => {
      const copy = new Int32Array(capacity);
      copy.set(column.length > capacity ? column.subarray(0, capacity) : column);
      return copy;
    };
    const flags = new Uint8Array(capacity);
    flags.set(this.flags.length > capacity ? this.flags.subarray(0, capacity) : this.flags);
    this.flags = flags;
    this.client = wider(this.client);
    this.clock = wider(this.clock);
    this.length = wider(this.length);
    this.originClient = wider(this.originClient);
    this.originClock = wider(this.originClock);
    this.rightClient = wider(this.rightClient);
    this.rightClock = wider(this.rightClock);
    this.next = wider(this.next);
    this.prev = wider(this.prev);
    this.list = wider(this.list);
    this.block = wider(this.block);
  }

  /** Makes room for `count` more items at once. */
  reserve(count: number): void {
    if (this.used + count > this.capacity()) this.resize(this.used + count);
  }

  /** Gives back what growth has reserved: worth it after a load, since loaded documents are many. */
  trim(): void {
    if (this.capacity() > this.used + (this.used >> 4)) this.resize(this.used);
    if (this.content.length > this.used) this.content.length = this.used;
    for (const log of this.logs) {
      if (log.items.length > log.count) log.items = log.items.slice(0, log.count);
    }
  }

  /** A number beyond all others: items of an update lie side by side until they are placed. */
  fresh(): number {
    if (this.used === this.capacity())
      this.resize(Math.max((this.used * 3) >> 1, this.used + START_CAPACITY));
    this.content[this.used] = null;
    return this.used++;
  }

  allocate(): number {
    const item = this.free;
    if (item === NONE) return this.fresh();
    this.free = this.next[item]!;
    return item;
  }

  release(item: number): void {
    this.content[item] = null;
    if (item === this.used - 1) this.used--;
    else {
      this.next[item] = this.free;
      this.free = item;
    }
  }

  kind(item: number): number {
    return this.flags[item]! & KIND;
  }

  isDeleted(item: number): boolean {
    return (this.flags[item]! & DELETED) !== 0;
  }

  isMark(item: number): boolean {
    return (this.flags[item]! & KIND) === FORMAT;
  }

  /** Units that `item` takes among its list's positions. */
  visible(item: number): number {
    return (this.flags[item]! & (DELETED | UNCOUNTED)) === 0 ? this.length[item]! : 0;
  }

  // Clients

  /** The log of a client, made at first sight. */
  logFor(id: number): ClientLog {
    const { recent } = this;
    if (recent !== null && recent.id === id) return recent;
    let log = this.logOf.get(id);
    if (log === undefined) {
      log = new ClientLog(id, this.logs.length);
      this.logs.push(log);
      this.logOf.set(id, log);
    }
    this.recent = log;
    return log;
  }

  knownLog(id: number): ClientLog | undefined {
    return this.logOf.get(id);
  }

  /** Forgets clients interned since there were `count`: the update that named them was refused. */
  forgetClients(count: number): void {
    while (this.logs.length > count) this.logOf.delete(this.logs.pop()!.id);
    this.recent = null;
  }

  /** Appends an item to its client's log. */
  append(item: number): void {
    const log = this.logs[this.client[item]!]!;
    this.changes.wrote(log);
    if (log.count === log.items.length) {
      const items = new Int32Array(log.count * 2 + 2);
      items.set(log.items);
      log.items = items;
    }
    log.items[log.count++] = item;
    log.next += this.length[item]!;
  }

  /** The place in the log's items of the one that holds `clock`, which is below `log.next`. */
  at(log: ClientLog, clock: number): number {
    const { items, count, hint } = log;
    const { clock: clocks, length } = this;
    if (hint < count) {
      const item = items[hint]!;
      if (clocks[item]! <= clock) {
        if (clock < clocks[item]! + length[item]!) return hint;
        if (hint + 1 < count) {
          const after = items[hint + 1]!;
          if (clock < clocks[after]! + length[after]!) return (log.hint = hint + 1);
        }
      }
    }
    if (clock >= clocks[items[count - 1]!]!) return (log.hint = count - 1);
    let low = 0;
    let high = count - 1;
    while (low < high) {
      const middle = (low + high + 1) >> 1;
      if (clocks[items[middle]!]! <= clock) low = middle;
      else high = middle - 1;
    }
    return (log.hint = low);
  }

  /** The item that holds a known id. */
  find(client: number, clock: number): number {
    const log = this.logs[client]!;
    return log.items[this.at(log, clock)]!;
  }

  // Shared types

  root(name: string): Branch {
    let branch = this.roots.get(name);
    if (branch === undefined) {
      branch = new Branch(UNOPENED, name);
      branch.isRoot = true;
      this.roots.set(name, branch);
    }
    return branch;
  }

  children(branch: Branch): Sequence {
    return (branch.children ??= this.newSequence(branch, null));
  }

  keyed(branch: Branch, key: string): Sequence {
    branch.keys ??= new Map();
    let sequence = branch.keys.get(key);
    if (sequence === undefined) {
      sequence = this.newSequence(branch, key);
      branch.keys.set(key, sequence);
    }
    return sequence;
  }

  private newSequence(branch: Branch, key: string | null): Sequence {
    const id = this.freeSequences.pop() ?? this.sequences.length;
    const sequence = new Sequence(id, branch, key);
    this.sequences[id] = sequence;
    return sequence;
  }

  /** Forgets a list whose items are all gone. */
  dropSequence(sequence: Sequence): void {
    this.sequences[sequence.id] = null;
    this.freeSequences.push(sequence.id);
    if (sequence.key !== null) sequence.branch.keys?.delete(sequence.key);
    else sequence.branch.children = null;
  }

  /** The list an item lies in. Collected structs lie in none and must not be asked. */
  sequenceOf(item: number): Sequence {
    return this.sequences[this.list[item]!]!;
  }

  // The list

  /** Links `item` into `sequence` behind `left`, or at the front. */
  link(sequence: Sequence, item: number, left: number): void {
    const right = left === NONE ? sequence.first : this.next[left]!;
    this.typing = NONE;
    this.prev[item] = left;
    this.next[item] = right;
    if (left === NONE) sequence.first = item;
    else this.next[left] = item;
    if (right === NONE) sequence.last = item;
    else this.prev[right] = item;
    this.list[item] = sequence.id;
    sequence.items++;
    sequence.length += this.visible(item);
    if (this.isMark(item)) sequence.marks++;
    if (sequence.index !== null) sequence.index.insert(this, item, left, this.changes.stamp);
    else if (sequence.items > INDEXED_FROM && sequence.key === null) {
      sequence.index = new BlockIndex(this, sequence);
    }
    this.changes.touched(sequence);
  }

  /** The visible units of `item` have changed by `delta`. */
  resized(item: number, delta: number): void {
    const sequence = this.sequences[this.list[item]!]!;
    this.typing = NONE;
    sequence.length += delta;
    sequence.index?.resize(this, item, delta, this.changes.stamp);
    this.changes.touched(sequence);
  }

  /**
   * Finds the item that holds the unit before `position` (at least 1, at most the length), and leaves
   * in `offset` how many of its units lie before the position.
   */
  seek(sequence: Sequence, position: number): number {
    if (sequence.index !== null) return sequence.index.seek(this, position);
    let left = position;
    let item = sequence.first;
    for (;;) {
      const units = this.visible(item);
      if (left <= units) break;
      left -= units;
      item = this.next[item]!;
    }
    this.offset = left;
    return item;
  }

  /** How many visible units of the list lie before `item`. */
  positionOf(item: number): number {
    const sequence = this.sequenceOf(item);
    if (sequence.index !== null) return sequence.index.positionOf(this, item);
    let position = 0;
    for (let at = sequence.first; at !== item; at = this.next[at]!) position += this.visible(at);
    return position;
  }

  /** Cuts `item` before its unit `offset`; the tail is a new item right behind it. */
  split(item: number, offset: number): number {
    const log = this.logs[this.client[item]!]!;
    const at = this.at(log, this.clock[item]!);
    this.typing = NONE;
    const tail = this.allocate();
    const flags = this.flags[item]!;
    const content = this.content[item]!;
    this.client[tail] = this.client[item]!;
    this.clock[tail] = this.clock[item]! + offset;
    this.length[tail] = this.length[item]! - offset;
    this.length[item] = offset;
    this.flags[tail] = flags;
    this.originClient[tail] = this.client[item]!;
    this.originClock[tail] = this.clock[tail]! - 1;
    this.rightClient[tail] = this.rightClient[item]!;
    this.rightClock[tail] = this.rightClock[item]!;
    this.list[tail] = this.list[item]!;
    if ((flags & KIND) === STRING && content !== null) {
      [this.content[item], this.content[tail]] = severed(content as string, offset);
    } else {
      this.content[tail] = tailOf(flags & KIND, content, offset);
      this.content[item] = headOf(flags & KIND, content, offset);
    }
    const redone = (flags & REDONE) === 0 ? undefined : this.redone.get(item);
    if (redone !== undefined) this.redone.set(tail, [redone[0], redone[1] + offset]);
    insertAt(log, at + 1, tail);
    const right = this.next[item]!;
    const sequence = this.sequenceOf(item);
    this.prev[tail] = item;
    this.next[tail] = right;
    this.next[item] = tail;
    if (right === NONE) sequence.last = tail;
    else this.prev[right] = tail;
    sequence.items++;
    sequence.index?.insertPart(this, tail, item);
    this.changes.splits.push(this.client[tail]!, this.clock[tail]!);
    return tail;
  }

  /** The item that ends with a known id, cut out if need be. Collected structs are not cut. */
  endingAt(client: number, clock: number): number {
    const item = this.find(client, clock);
    const offset = clock - this.clock[item]! + 1;
    if (offset !== this.length[item]! && this.kind(item) !== GC) this.split(item, offset);
    return item;
  }

  /** The item that starts with a known id, cut out if need be. */
  startingAt(client: number, clock: number): number {
    const item = this.find(client, clock);
    const offset = clock - this.clock[item]!;
    return offset === 0 || this.kind(item) === GC ? item : this.split(item, offset);
  }

  /** Takes `item`, whose units its left neighbour has taken over, out of its list. */
  unlink(item: number): void {
    const sequence = this.sequenceOf(item);
    const left = this.prev[item]!;
    const right = this.next[item]!;
    if (this.typing === item) this.typing = NONE;
    sequence.index?.absorb(this, item, this.visible(item));
    this.next[left] = right;
    if (right === NONE) sequence.last = left;
    else this.prev[right] = left;
    sequence.items--;
  }
}

function insertAt(log: ClientLog, at: number, item: number): void {
  if (log.count === log.items.length) {
    const items = new Int32Array(log.count * 2 + 2);
    items.set(log.items.subarray(0, at));
    items.set(log.items.subarray(at, log.count), at + 1);
    log.items = items;
  } else log.items.copyWithin(at + 1, at, log.count);
  log.items[at] = item;
  log.count++;
}
