/**
 * Feeds watchers from the store's log of changes.
 *
 * A watcher is *synced* when it has seen everything up to the present revision.
 * New changes are read once and handed to the synced watchers they concern,
 * found by key or by range. Others (started in the past, or whose stream reads
 * slowly) are *lagging*: they are fed in bounded rounds until they have caught
 * up, so that none delays another and none makes the server remember anything
 * on its behalf. Lagging watchers that cannot take more are *stalled* until
 * they say otherwise.
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
  /** The first revision it has not been told of. The hub's to change. */
  next: number;
  /** Takes events of whole revisions, all there are up to `revision`. Previous values may be there unasked. */
  deliver(events: readonly Event[], revision: number): void;
  /** What it wanted to see has been compacted away. Called once, after which it is forgotten. */
  lost(compactRevision: number): void;
  /** Whether it can take more now; if not, {@link WatchHub.resume} follows. */
  readonly ready: boolean;
}

/** A batch ends with the revision that reaches so many events or bytes. */
const BATCH_EVENTS = 1000;
const BATCH_BYTES = 1 << 20;
/** Watchers fed, and events handed to them, in one round. */
const ROUND_WATCHERS = 64;
const ROUND_EVENTS = 4 * BATCH_EVENTS;

export class WatchHub {
  private readonly store: EtcdStore;
  private readonly onSettled: () => void;
  /** All before this revision has been handed to the synced watchers. */
  private next: number;
  private readonly byKey = new Map<Binary, Set<Watcher>>();
  private readonly ranges = new Set<Watcher>();
  private readonly lagging = new Set<Watcher>();
  private readonly stalled = new Set<Watcher>();
  private round: NodeJS.Immediate | undefined;
  /** Of the synced watchers, how many want to know what keys were before. */
  private wantPrevious = 0;
  private syncedCount = 0;

  /** @param onSettled - Called when watchers have been told things; {@link hasSeenAll} may have changed. */
  constructor(store: EtcdStore, onSettled: () => void) {
    this.store = store;
    this.onSettled = onSettled;
    this.next = store.revision + 1;
  }

  /** All watchers. */
  get size(): number {
    return this.syncedCount + this.slow;
  }

  /** Watchers that are behind. */
  get slow(): number {
    return this.lagging.size + this.stalled.size;
  }

  add(watcher: Watcher): void {
    if (watcher.next <= this.store.revision) this.lag(watcher);
    else this.sync(watcher);
  }

  remove(watcher: Watcher): void {
    if (!this.lagging.delete(watcher) && !this.stalled.delete(watcher)) this.unsync(watcher);
  }

  /** Whether a watcher has been told all up to the present revision, and wanted to be. */
  hasSeenAll(watcher: Watcher): boolean {
    const { revision } = this.store;
    // One that waits for a revision to come has not seen that one.
    if (this.next <= revision || watcher.next > revision + 1) return false;
    return !this.lagging.has(watcher) && !this.stalled.has(watcher);
  }

  /** A watcher that was not ready is again. */
  resume(watcher: Watcher): void {
    if (this.stalled.delete(watcher)) this.lag(watcher);
  }

  /** The store has moved on: tells the synced watchers. */
  advance(): void {
    const last = this.store.revision;
    while (this.next <= last) {
      if (this.syncedCount === 0) {
        this.next = last + 1;
        break;
      }
      const from = this.next;
      const changes = this.read(from, "\0", NO_END, this.wantPrevious > 0);
      if (changes.type === "compacted") {
        // A snapshot replaced what lay between: everyone looks for themselves.
        this.next = last + 1;
        for (const watcher of this.synced())
          if (watcher.next <= last) this.fallBehind(watcher, from);
        break;
      }
      this.next = changes.next;
      this.distribute(changes.events, from);
    }
    this.onSettled();
  }

  close(): void {
    if (this.round !== undefined) clearImmediate(this.round);
    this.round = undefined;
    for (const watchers of [this.byKey, this.ranges, this.lagging, this.stalled]) watchers.clear();
    this.syncedCount = 0;
    this.wantPrevious = 0;
  }

  /** Hands events of the revisions from `from` to before `this.next` to whom they concern. */
  private distribute(events: readonly Event[], from: number): void {
    const told = new Map<Watcher, Event[]>();
    for (const event of events) {
      const watchers = this.byKey.get(event.kv.key);
      if (watchers !== undefined) for (const watcher of watchers) collect(told, watcher, event);
      for (const watcher of this.ranges) {
        if (covers(watcher.target, event.kv.key)) collect(told, watcher, event);
      }
    }
    const { next } = this;
    for (const [watcher, wanted] of told) {
      if (watcher.ready) {
        watcher.next = next;
        watcher.deliver(wanted, next - 1);
      } else this.fallBehind(watcher, from);
    }
  }

  /** A synced watcher has missed what happened since `from`, but nothing before. */
  private fallBehind(watcher: Watcher, from: number): void {
    this.unsync(watcher);
    // Where nothing concerned it, its own mark was left behind.
    if (watcher.next < from) watcher.next = from;
    if (watcher.ready) this.lag(watcher);
    else this.stalled.add(watcher);
  }

  private feedLagging(): void {
    this.round = undefined;
    let watchers = Math.min(this.lagging.size, ROUND_WATCHERS);
    let events = ROUND_EVENTS;
    for (const watcher of this.lagging) {
      if (watchers-- === 0 || events <= 0) break;
      // To the back of the queue, so that everyone has a turn.
      this.lagging.delete(watcher);
      if (watcher.ready) {
        this.lagging.add(watcher);
        events -= this.feed(watcher);
      } else this.stalled.add(watcher);
    }
    if (this.lagging.size > 0) this.scheduleRound();
    this.onSettled();
  }

  /** Tells a lagging watcher some of what it has missed. Returns how many events that were. */
  private feed(watcher: Watcher): number {
    const { key, rangeEnd, prevKv } = watcher.target;
    const changes = this.read(watcher.next, key, rangeEnd, prevKv);
    if (changes.type === "compacted") {
      this.lagging.delete(watcher);
      watcher.lost(changes.compactRevision);
      return 0;
    }
    const events = changes.events.filter((event) => wants(watcher.target, event));
    watcher.next = changes.next;
    if (events.length > 0) watcher.deliver(events, changes.next - 1);
    // Unless it was removed on the occasion.
    if (watcher.next > this.store.revision && this.lagging.delete(watcher)) this.sync(watcher);
    return events.length;
  }

  private read(from: number, key: Binary, rangeEnd: Binary, prevKv: boolean): Changes {
    const limits = { maxEvents: BATCH_EVENTS, maxBytes: BATCH_BYTES };
    return this.store.changes({ from, key, rangeEnd, prevKv, ...limits });
  }

  private lag(watcher: Watcher): void {
    this.lagging.add(watcher);
    this.scheduleRound();
  }

  private scheduleRound(): void {
    this.round ??= setImmediate(() => this.feedLagging());
  }

  private sync(watcher: Watcher): void {
    const { key, rangeEnd, prevKv } = watcher.target;
    this.syncedCount++;
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
    if (!this.ranges.delete(watcher) && watchers?.delete(watcher) !== true) return;
    if (watchers?.size === 0) this.byKey.delete(key);
    this.syncedCount--;
    if (prevKv) this.wantPrevious--;
  }

  private synced(): readonly Watcher[] {
    const exact = Array.from(this.byKey.values(), (watchers) => Array.from(watchers));
    return [...this.ranges, ...exact.flat()];
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
