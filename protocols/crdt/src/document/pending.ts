/**
 * Applies what has been read, and keeps what came too early.
 *
 * Structs that depend on others which have not arrived are kept as small updates of one client each, with
 * the one id they wait for. When that id arrives they are read again. Deletions of unknown structs wait
 * likewise. Everything kept is part of what the document encodes, and its size is bounded.
 */

import { NONE } from "./branch.ts";
import { encodeWaiting, writeDeleteSet, written } from "./encode.ts";
import { type Section, stage, type Staged } from "./decode.ts";
import { DocumentError } from "./errors.ts";
import { eraseRange, OF_PARENT, Placement } from "./integrate.ts";
import { sortRanges } from "./changes.ts";
import { type ClientLog, type Store } from "./store.ts";
import { writeUint } from "./wire.ts";

interface Waiting {
  readonly bytes: Uint8Array;
  /** What it waits for: a client's index, and a clock that client must have written. */
  readonly client: number;
  readonly clock: number;
}

export class Pending {
  private readonly store: Store;
  private readonly placement: Placement;
  private waiting: Waiting[] = [];
  private bytes = 0;
  private readonly limit: number;
  /** Deletions of unknown structs: ranges by client index. */
  private readonly deletes = new Map<number, number[]>();

  constructor(store: Store, limit: number) {
    this.store = store;
    this.placement = new Placement(store);
    this.limit = limit;
  }

  get isEmpty(): boolean {
    return this.waiting.length === 0 && this.deletes.size === 0;
  }

  /** @throws DocumentError `pending-full` when an update of this size might not find room to wait. */
  admit(size: number): void {
    if (this.bytes > 0 && this.bytes + size > this.limit) {
      throw new DocumentError(
        "pending-full",
        `${this.bytes} bytes wait for missing updates; synchronise before sending more`,
      );
    }
  }

  /** Places all of `staged` whose dependencies are known, and whatever waited for that. */
  apply(staged: Staged): void {
    this.run(staged);
    while (this.retry());
    this.retryDeletes();
  }

  private run(staged: Staged): void {
    const { sections, keys, deletes } = staged;
    this.placement.keys = keys;
    const rests = place(this.store, this.placement, sections);
    for (const { section, client, clock } of rests) {
      const bytes = encodeWaiting(this.store, section.log, section.at, section.end, keys);
      this.waiting.push({ bytes, client, clock });
      this.bytes += bytes.length;
    }
    for (const { section } of rests) {
      for (let item = section.end - 1; item >= section.at; item--) this.store.release(item);
    }
    for (let i = 0; i < deletes.length; i += 3) {
      this.erase(this.store.logs[deletes[i]!]!, deletes[i + 1]!, deletes[i + 2]!);
    }
  }

  private erase(log: ClientLog, clock: number, length: number): void {
    const end = clock + length;
    eraseRange(this.store, log, clock, end);
    if (end <= log.next) return;
    const from = Math.max(clock, log.next);
    const ranges = this.deletes.get(log.index);
    if (ranges === undefined) this.deletes.set(log.index, [from, end - from]);
    else {
      ranges.push(from, end - from);
      sortRanges(ranges);
    }
  }

  /** Reads again one round of what waits for something that is known now. */
  private retry(): boolean {
    if (this.waiting.length === 0) return false;
    const { logs } = this.store;
    const ready = this.waiting.filter(({ client, clock }) => logs[client]!.next > clock);
    if (ready.length === 0) return false;
    this.waiting = this.waiting.filter(({ client, clock }) => logs[client]!.next <= clock);
    for (const { bytes } of ready) {
      this.bytes -= bytes.length;
      this.run(stage(this.store, bytes));
    }
    return true;
  }

  private retryDeletes(): void {
    if (this.deletes.size === 0) return;
    for (const [index, ranges] of this.deletes) {
      const log = this.store.logs[index]!;
      if (log.next <= ranges[0]!) continue;
      this.deletes.delete(index);
      for (let i = 0; i < ranges.length; i += 2) this.erase(log, ranges[i]!, ranges[i + 1]!);
    }
  }

  /** What waits, as updates. */
  updates(): readonly Uint8Array[] {
    return this.waiting.map(({ bytes }) => bytes);
  }

  /** Deletions that wait, as an update. */
  deletesUpdate(): Uint8Array {
    const { logs } = this.store;
    const deletes = new Map([...this.deletes].map(([index, ranges]) => [logs[index]!.id, ranges]));
    return written((writer) => {
      writeUint(writer, 0);
      writeDeleteSet(writer, deletes);
    });
  }
}

const NOTHING: readonly Rest[] = [];

interface Rest {
  readonly section: Section;
  readonly client: number;
  readonly clock: number;
}

/**
 * Places items in an order in which each comes after what it depends on, clients with high ids first:
 * a scan among concurrent items then stops early. Returns what is left, with what it waits for.
 */
function place(store: Store, placement: Placement, sections: Section[]): readonly Rest[] {
  if (sections.length === 0) return NOTHING;
  if (sections.length === 1) {
    const section = sections[0]!;
    const missing = advance(store, placement, section, NONE, 0);
    return missing === NONE ? NOTHING : [{ section, client: missing, clock: store.offset }];
  }
  return placeMany(store, placement, sections);
}

function placeMany(store: Store, placement: Placement, sections: Section[]): readonly Rest[] {
  sections.sort((a, b) => b.log.id - a.log.id);
  const byClient = new Map<number, Section>();
  const rests: Rest[] = [];
  for (const section of sections) {
    // A second section of a client waits its turn in the loop below.
    if (!byClient.has(section.log.index)) byClient.set(section.log.index, section);
  }
  const stack: Section[] = [];
  /** What the section at the same place of the stack waits for. */
  const needs: number[] = [];
  const busy = new Set<Section>();
  for (const start of sections) {
    if (start.at === start.end || busy.has(start)) continue;
    stack.push(start);
    busy.add(start);
    while (stack.length > 0) {
      const top = stack[stack.length - 1]!;
      const depth = needs.length;
      const untilClient = depth === 0 ? NONE : needs[depth - 2]!;
      const until = depth === 0 ? 0 : needs[depth - 1]!;
      const missing = advance(store, placement, top, untilClient, until);
      if (missing === NONE) {
        busy.delete(top);
        stack.pop();
        needs.length = Math.max(0, depth - 2);
        continue;
      }
      const other = byClient.get(missing);
      if (other !== undefined && other.at < other.end && !busy.has(other)) {
        stack.push(other);
        busy.add(other);
        needs.push(missing, store.offset);
        continue;
      }
      // Dead end: it stays busy, so that whatever needs it is at a dead end too.
      rests.push({ section: top, client: missing, clock: store.offset });
      stack.pop();
      needs.length = Math.max(0, depth - 2);
    }
  }
  return rests;
}

/**
 * Places the items of `section` until it is empty, until client `until` has written the clock `enough`,
 * or until one depends on something unknown: then returns that client, the clock in `store.offset`.
 */
function advance(
  store: Store,
  placement: Placement,
  section: Section,
  until: number,
  enough: number,
): number {
  const { log, end } = section;
  const { logs } = store;
  while (section.at < end) {
    const item = section.at;
    const known = log.next - store.clock[item]!;
    if (known < 0) {
      store.offset = store.clock[item]! - 1;
      return log.index;
    }
    if (known >= store.length[item]!) {
      section.at++;
      store.release(item);
      continue;
    }
    const missing = dependency(store, item);
    if (missing !== NONE) return missing;
    section.at++;
    placement.place(item, known);
    if (until !== NONE && logs[until]!.next > enough) return NONE;
  }
  return NONE;
}

/** The client of the first id that `item` depends on and that is unknown, with the clock in `store.offset`. */
function dependency(store: Store, item: number): number {
  const { logs, originClient, originClock, rightClient, rightClock } = store;
  const origin = originClient[item]!;
  if (origin !== NONE && originClock[item]! >= logs[origin]!.next) {
    store.offset = originClock[item]!;
    return origin;
  }
  const right = rightClient[item]!;
  if (right !== NONE && rightClock[item]! >= logs[right]!.next) {
    store.offset = rightClock[item]!;
    return right;
  }
  if (store.list[item] === OF_PARENT && store.prev[item]! >= logs[store.next[item]!]!.next) {
    store.offset = store.prev[item]!;
    return store.next[item]!;
  }
  return NONE;
}
