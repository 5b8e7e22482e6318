/**
 * What observers are told: computed when the transaction ends, before anything is freed, as plain data.
 *
 * A delta says how the list changed, in the form that Quill uses. Stretches of the list in which nothing
 * happened are skipped by blocks, so that an event costs what changed and not what is there.
 */

import { sameValue, type Value } from "./any.ts";
import { type Branch, NONE, type Sequence, TEXT, type Watchers, XML_TEXT } from "./branch.ts";
import { type Mark, STRING, type Subdocument, TYPE, UNCOUNTED, valueAt } from "./content.ts";
import { type Doc, type Tracker } from "./doc.ts";
import { type Attributes, recordOf } from "./formatting.ts";
import { Nested } from "./nested.ts";
import { type Store } from "./store.ts";

export type DeltaItem = Value | Nested | Subdocument;

/** One step of a delta. Text inserts strings and single embeds; lists insert arrays of items. */
export type DeltaStep =
  | { readonly retain: number; readonly attributes?: Attributes }
  | { readonly delete: number }
  | {
      readonly insert: string | DeltaItem | readonly DeltaItem[];
      readonly attributes?: Attributes;
    };

export type Delta = readonly DeltaStep[];

export interface KeyChange {
  readonly action: "add" | "update" | "delete";
  readonly oldValue: DeltaItem;
}

export interface ChangeEvent {
  /** What changed. */
  readonly target: Nested;
  /** The way to it from the type that is observed: keys and positions. */
  readonly path: readonly (string | number)[];
  readonly delta: Delta;
  readonly keys: ReadonlyMap<string, KeyChange>;
  /** As given with the change. */
  readonly origin: unknown;
  readonly isLocal: boolean;
}

/** Calls back after transactions that change `branch`, or anything at or below it. Returns the way to stop. */
export function watch<E>(
  doc: Doc,
  branch: Branch,
  reach: keyof Watchers,
  listener: (event: E) => void,
): () => void {
  let announcer = announcers.get(doc);
  if (announcer === undefined) announcers.set(doc, (announcer = new Announcer(doc)));
  branch.watchers ??= { own: new Set(), deep: new Set() };
  // Which events a listener takes follows from the set it is in.
  const set = branch.watchers[reach] as Set<(event: E) => void>;
  set.add(listener);
  announcer.count(1);
  let isOn = true;
  return () => {
    if (isOn) announcer.count(-1);
    isOn = false;
    set.delete(listener);
  };
}

const announcers = new WeakMap<Doc, Announcer>();

/** Makes the events of a document, as long as anybody listens. */
class Announcer implements Tracker {
  private readonly doc: Doc;
  private listeners = 0;
  private stop: (() => void) | null = null;

  constructor(doc: Doc) {
    this.doc = doc;
  }

  count(change: 1 | -1): void {
    this.listeners += change;
    if (this.listeners > 0) this.stop ??= this.doc.track(this);
    else {
      this.stop?.();
      this.stop = null;
    }
  }

  onTransaction(origin: unknown, isLocal: boolean): void {
    const { store } = this.doc;
    const changed = new Set<Branch>();
    for (const { branch } of store.changes.sequences) {
      if (isOld(store, branch)) changed.add(branch);
    }
    const deep = new Map<Watchers, [Branch, ChangeEvent][]>();
    for (const branch of changed) {
      const above = watchersAbove(store, branch);
      const own = branch.watchers?.own;
      if (above.length === 0 && (own === undefined || own.size === 0)) continue;
      const event = this.eventOf(branch, origin, isLocal);
      if (event.delta.length === 0 && event.keys.size === 0) continue;
      if (own !== undefined && own.size > 0) this.doc.later(() => call(own, event));
      for (const [watcher, from] of above) {
        const events = deep.get(watcher) ?? [];
        events.push([branch, { ...event, path: pathBetween(store, from, branch) }]);
        deep.set(watcher, events);
      }
    }
    for (const [{ deep: listeners }, entries] of deep) {
      const events = entries.map(([, event]) => event);
      events.sort((a, b) => a.path.length - b.path.length);
      this.doc.later(() => call(listeners, events));
    }
  }

  private eventOf(branch: Branch, origin: unknown, isLocal: boolean): ChangeEvent {
    const { doc } = this;
    const { store } = doc;
    const { children, keys } = branch;
    const isText = branch.kind === TEXT || branch.kind === XML_TEXT;
    const hasList = children !== null && children.stamp === store.changes.stamp;
    const changes = new Map<string, KeyChange>();
    for (const [key, list] of keys ?? []) {
      const change = list.stamp === store.changes.stamp ? keyChange(doc, list) : null;
      if (change !== null) changes.set(key, change);
    }
    const delta = hasList ? new DeltaMaker(doc, isText).of(children) : [];
    return { target: new Nested(doc, branch), path: [], delta, keys: changes, origin, isLocal };
  }
}

function call<E>(listeners: ReadonlySet<(event: never) => void>, event: E): void {
  for (const listener of listeners) (listener as (event: E) => void)(event);
}

/** True for what was there before the transaction and still is: nobody can watch anything else. */
function isOld(store: Store, branch: Branch): boolean {
  const { item } = branch;
  if (item === NONE) return true;
  return !store.isDeleted(item) && !isNew(store, item);
}

function isNew(store: Store, item: number): boolean {
  return store.clock[item]! >= store.changes.firstNew(store.logs[store.client[item]!]!);
}

function isErasedNow(store: Store, item: number): boolean {
  const log = store.logs[store.client[item]!]!;
  return store.isDeleted(item) && store.changes.hasErased(log, store.clock[item]!);
}

function watchersAbove(store: Store, branch: Branch): [Watchers, Branch][] {
  const found: [Watchers, Branch][] = [];
  for (let at = branch; ; at = store.sequenceOf(at.item).branch) {
    if (at.watchers !== null && at.watchers.deep.size > 0) found.push([at.watchers, at]);
    if (at.item === NONE) return found;
  }
}

function pathBetween(store: Store, from: Branch, to: Branch): (string | number)[] {
  const path: (string | number)[] = [];
  for (let at = to; at !== from; at = store.sequenceOf(at.item).branch) {
    path.push(store.sequenceOf(at.item).key ?? store.positionOf(at.item));
  }
  return path.reverse();
}

function keyChange(doc: Doc, list: Sequence): KeyChange | null {
  const { store } = doc;
  const { last } = list;
  let former = last;
  while (former !== NONE && isNew(store, former)) former = store.prev[former]!;
  const existed = former !== NONE && (!store.isDeleted(former) || isErasedNow(store, former));
  const oldValue = existed ? outputOf(doc, former, store.length[former]! - 1) : undefined;
  const exists = last !== NONE && !store.isDeleted(last);
  if (exists && last === former) return null;
  if (exists) return { action: existed ? "update" : "add", oldValue };
  return existed ? { action: "delete", oldValue } : null;
}

/** What a reader finds at a unit of an item. */
export function outputOf(doc: Doc, item: number, offset: number): DeltaItem {
  const { store } = doc;
  const value = valueAt(store.kind(item), store.content[item]!, offset);
  return store.kind(item) === TYPE ? new Nested(doc, value as Branch) : (value as DeltaItem);
}

/** Builds the delta of one list. */
class DeltaMaker {
  private readonly doc: Doc;
  private readonly isText: boolean;
  private readonly steps: DeltaStep[] = [];
  private retain = 0;
  private erased = 0;
  private text = "";
  private items: DeltaItem[] = [];
  /** Attributes before and after the transaction, at the place reached. */
  private readonly former = new Map<string, Value>();
  private readonly now = new Map<string, Value>();

  constructor(doc: Doc, isText: boolean) {
    this.doc = doc;
    this.isText = isText;
  }

  of(list: Sequence): Delta {
    const { store } = this.doc;
    const { stamp } = store.changes;
    for (let item = list.first; item !== NONE;) {
      const beyond = list.index === null ? NONE : list.index.skip(store, item, stamp);
      if (beyond === NONE) {
        this.pass(item);
        item = store.next[item]!;
      } else {
        if (store.offset > 0) this.keep(store.offset);
        item = beyond;
      }
    }
    this.flush();
    // What is kept at the end without a change goes without saying.
    const last = this.steps.at(-1);
    if (last !== undefined && "retain" in last && last.attributes === undefined) this.steps.pop();
    return this.steps;
  }

  private pass(item: number): void {
    const { store } = this.doc;
    const log = store.logs[store.client[item]!]!;
    const old = Math.max(
      0,
      Math.min(store.length[item]!, store.changes.firstNew(log) - store.clock[item]!),
    );
    const length = store.length[item]!;
    if (store.isMark(item)) return this.passMark(item, old > 0);
    if ((store.flags[item]! & UNCOUNTED) !== 0) return;
    if (store.isDeleted(item)) {
      if (old > 0 && store.changes.hasErased(log, store.clock[item]!)) this.remove(old);
      return;
    }
    if (old > 0) this.keep(old);
    if (old < length) this.insert(item, old, length);
  }

  private passMark(item: number, isOld: boolean): void {
    const { store } = this.doc;
    const isLive = !store.isDeleted(item);
    const wasLive = isOld && (isLive || isErasedNow(store, item));
    if (!isLive && !wasLive) return;
    this.flush();
    const { key, value } = store.content[item] as Mark;
    if (isLive) assign(this.now, key, value);
    if (wasLive) assign(this.former, key, value);
  }

  private keep(units: number): void {
    if (this.retain === 0) this.flush();
    this.retain += units;
  }

  private remove(units: number): void {
    if (this.erased === 0) this.flush();
    this.erased += units;
  }

  private insert(item: number, from: number, to: number): void {
    const { store } = this.doc;
    const isRun = this.isText ? this.text !== "" : this.items.length > 0;
    if (!isRun) this.flush();
    if (this.isText && store.kind(item) === STRING) {
      this.text += (store.content[item] as string).slice(from, to);
      return;
    }
    if (this.isText) this.flush();
    for (let i = from; i < to; i++) {
      const value = outputOf(this.doc, item, i);
      if (this.isText) this.push({ insert: value });
      else this.items.push(value);
    }
  }

  private flush(): void {
    if (this.retain > 0) {
      const attributes = this.difference();
      this.join(
        attributes === undefined ? { retain: this.retain } : { retain: this.retain, attributes },
      );
    }
    if (this.erased > 0) this.join({ delete: this.erased });
    if (this.text !== "") this.push({ insert: this.text });
    if (this.items.length > 0) this.steps.push({ insert: this.items });
    this.retain = 0;
    this.erased = 0;
    this.text = "";
    if (this.items.length > 0) this.items = [];
  }

  /** Adds a step, as part of the one before when both do the same. */
  private join(
    step:
      | { readonly retain: number; readonly attributes?: Attributes }
      | { readonly delete: number },
  ): void {
    const last = this.steps.at(-1);
    if (last !== undefined && "retain" in last && "retain" in step) {
      if (sameValue(last.attributes, step.attributes)) {
        this.steps[this.steps.length - 1] = { ...step, retain: last.retain + step.retain };
        return;
      }
    } else if (last !== undefined && "delete" in last && "delete" in step) {
      this.steps[this.steps.length - 1] = { delete: last.delete + step.delete };
      return;
    }
    this.steps.push(step);
  }

  private push(step: { readonly insert: string | DeltaItem }): void {
    const attributes = recordOf(this.now);
    const last = this.steps.at(-1);
    if (last !== undefined && "insert" in last && typeof last.insert === "string") {
      if (typeof step.insert === "string" && sameValue(last.attributes, attributes)) {
        this.steps[this.steps.length - 1] = { ...last, insert: last.insert + step.insert };
        return;
      }
    }
    this.steps.push(attributes === undefined ? step : { ...step, attributes });
  }

  /** What formatting changed at this place: null for attributes that no longer hold. */
  private difference(): Attributes | undefined {
    if (this.now.size === 0 && this.former.size === 0) return undefined;
    const changed = new Map<string, Value>();
    for (const [key, value] of this.now) {
      if (!sameValue(this.former.get(key), value)) changed.set(key, value);
    }
    for (const key of this.former.keys()) if (!this.now.has(key)) changed.set(key, null);
    return recordOf(changed);
  }
}

function assign(attributes: Map<string, Value>, key: string, value: Value): void {
  if (value === null) attributes.delete(key);
  else attributes.set(key, value);
}
