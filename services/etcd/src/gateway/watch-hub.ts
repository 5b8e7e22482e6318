/**
 * Feeds watchers from the store's log of changes.
 *
 * A watcher is *synced* when it has seen everything up to the present revision.
 * New changes are read once and handed to the synced watchers they concern,
 * found by key or by range. Others (started in the past, or whose stream reads
 * slowly) are fed in bounded rounds until they have caught up, so that none
 * delays another and none makes the server remember anything on its behalf.
 */

import { type Changes, type Event } from "../store/changes.ts";
import { type EtcdStore } from "../store/store.ts";
import { type Binary, NO_END } from "../wire/binary.ts";

export interface WatchTarget {
  readonly key: Binary;
  readonly rangeEnd: Binary;
  readonly prevKv: boolean;
  readonly hidePuts: boolean;
  readonly hideDeletes: boolean;
}

export interface Watcher {
  readonly target: WatchTarget;
  /** The first revision it has not been told of. */
  next: number;
  /** Takes events of whole revisions. */
  deliver(events: readonly Event[], revision: number): void;
  /** What it wanted to see has been compacted away. Called once, after which it is forgotten. */
  lost(compactRevision: number): void;
  /** Whether it can take more now. */
  readonly ready: boolean;
}

/** Events a lagging watcher gets in one round. */
const ROUND_EVENTS = 1000;
/** Watchers fed in one round. */
const ROUND_WATCHERS = 512;

export class WatchHub {
  private readonly store: EtcdStore;
  /** All before this revision has been handed to the synced watchers. */
  private next: number;
  private readonly byKey = new Map<Binary, Set<Watcher>>();
  private readonly ranges = new Set<Watcher>();
  private readonly lagging = new Set<Watcher>();
  private round: NodeJS.Immediate | undefined;
  /** Of the synced watchers, how many want to know what keys were before. */
  private wantPrevious = 0;

  constructor(store: EtcdStore) {
    this.store = store;
    this.next = store.revision + 1;
  }

  get size(): number {
    let count = this.ranges.size + this.lagging.size;
    for (const watchers of this.byKey.values()) count += watchers.size;
    return count;
  }

  add(watcher: Watcher): void {
    if (watcher.next < this.next) this.lag(watcher);
    else this.sync(watcher);
  }

  remove(watcher: Watcher): void {
    if (!this.lagging.delete(watcher)) this.unsync(watcher);
  }

  isSynced(watcher: Watcher): boolean {
    return !this.lagging.has(watcher);
  }

  /** A watcher that was not ready is again. */
  resume(watcher: Watcher): void {
    if (this.lagging.has(watcher)) this.scheduleRound();
  }

  /** The store has moved on: tells the synced watchers. */
  advance(): void {
    const last = this.store.revision;
    while (this.next <= last) {
      if (this.byKey.size === 0 && this.ranges.size === 0) {
        this.next = last + 1;
        return;
      }
      const changes = this.read(this.next, "\0", NO_END, this.wantPrevious > 0);
      if (changes.type === "compacted") {
        // A snapshot replaced what lay between: everyone looks for themselves.
        for (const watcher of this.synced()) this.lag(watcher);
        this.next = last + 1;
        return;
      }
      this.next = changes.next;
      this.distribute(changes.events, changes.next);
    }
  }

  private distribute(events: readonly Event[], next: number): void {
    const told = new Map<Watcher, Event[]>();
    for (const event of events) {
      const watchers = this.byKey.get(event.kv.key);
      if (watchers !== undefined) for (const watcher of watchers) collect(told, watcher, event);
      for (const watcher of this.ranges) {
        if (covers(watcher.target, event.kv.key)) collect(told, watcher, event);
      }
    }
    for (const [watcher, wanted] of told) {
      if (!watcher.ready) {
        this.lag(watcher);
        continue;
      }
      watcher.next = next;
      watcher.deliver(wanted, next - 1);
    }
  }

  private feedLagging(): void {
    this.round = undefined;
    let fed = 0;
    let waiting = false;
    for (const watcher of this.lagging) {
      if (!watcher.ready) continue;
      if (++fed > ROUND_WATCHERS) {
        waiting = true;
        break;
      }
      this.feed(watcher);
      if (this.lagging.has(watcher)) {
        // To the back of the queue, so that everyone has a turn.
        this.lagging.delete(watcher);
        this.lagging.add(watcher);
        waiting ||= watcher.ready;
      }
    }
    if (waiting) this.scheduleRound();
  }

  private feed(watcher: Watcher): void {
    const { key, rangeEnd, prevKv } = watcher.target;
    const changes = this.read(watcher.next, key, rangeEnd, prevKv);
    if (changes.type === "compacted") {
      this.lagging.delete(watcher);
      watcher.lost(changes.compactRevision);
      return;
    }
    const events = changes.events.filter((event) => wants(watcher.target, event));
    watcher.next = changes.next;
    if (events.length > 0) watcher.deliver(events, changes.next - 1);
    if (watcher.next >= this.next && this.lagging.delete(watcher)) this.sync(watcher);
  }

  private read(from: number, key: Binary, rangeEnd: Binary, prevKv: boolean): Changes {
    return this.store.changes({ from, key, rangeEnd, prevKv, maxEvents: ROUND_EVENTS });
  }

  private lag(watcher: Watcher): void {
    this.unsync(watcher);
    this.lagging.add(watcher);
    this.scheduleRound();
  }

  private scheduleRound(): void {
    this.round ??= setImmediate(() => this.feedLagging());
  }

  private sync(watcher: Watcher): void {
    const { key, rangeEnd, prevKv } = watcher.target;
    if (prevKv) this.wantPrevious++;
    if (rangeEnd !== "") {
      this.ranges.add(watcher);
      return;
    }
    const watchers = this.byKey.get(key);
    if (watchers === undefined) this.byKey.set(key, new Set([watcher]));
    else watchers.add(watcher);
  }

  private unsync(watcher: Watcher): void {
    const { key, prevKv } = watcher.target;
    const watchers = this.byKey.get(key);
    const wasSynced = this.ranges.delete(watcher) || watchers?.delete(watcher) === true;
    if (watchers?.size === 0) this.byKey.delete(key);
    if (wasSynced && prevKv) this.wantPrevious--;
  }

  private synced(): readonly Watcher[] {
    const exact = Array.from(this.byKey.values(), (watchers) => Array.from(watchers));
    return [...this.ranges, ...exact.flat()];
  }

  close(): void {
    if (this.round !== undefined) clearImmediate(this.round);
    this.byKey.clear();
    this.ranges.clear();
    this.lagging.clear();
  }
}

function collect(told: Map<Watcher, Event[]>, watcher: Watcher, event: Event): void {
  // One that began in the future, or has been told already, waits for its revision.
  if (event.kv.modRevision < watcher.next || !wants(watcher.target, event)) return;
  const events = told.get(watcher);
  if (events === undefined) told.set(watcher, [event]);
  else events.push(event);
}

function wants(target: WatchTarget, event: Event): boolean {
  return event.type === "put" ? !target.hidePuts : !target.hideDeletes;
}

function covers({ key, rangeEnd }: WatchTarget, changed: Binary): boolean {
  return changed >= key && (rangeEnd === NO_END || changed < rangeEnd);
}
