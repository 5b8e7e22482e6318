/**
 * Undo and redo of one's own changes, with those of others left alone.
 *
 * A step remembers which ids it inserted and which it deleted. Undoing deletes the former and places the
 * latter anew, under new ids, where they were. What a step may still bring back keeps its content.
 */

import { type Branch, NONE } from "./branch.ts";
import { contains, sortRanges } from "./changes.ts";
import { copyOf, GC, KEPT, REDONE } from "./content.ts";
import { type Doc, type Tracker } from "./doc.ts";
import { compose, erase, integrate } from "./integrate.ts";
import { type ClientLog, type Store } from "./store.ts";
import { type SharedType } from "./view.ts";

export interface UndoOptions {
  /** What is undone: changes at or below these types. Default: everything. */
  readonly scope?: readonly SharedType[];
  /** Changes with these origins are undone. Default: those without one (null). */
  readonly origins?: readonly unknown[];
  /** Milliseconds; changes closer together than `mergeMs` are one step. Without it each is its own. */
  readonly now?: () => number;
  /** Default: 500. */
  readonly mergeMs?: number;
}

type Ranges = Map<ClientLog, number[]>;

/** One thing to undo or redo: ids inserted and ids deleted. */
interface Step {
  readonly inserted: Ranges;
  readonly deleted: Ranges;
}

export class UndoManager implements Tracker {
  private readonly doc: Doc;
  private readonly scope: ReadonlySet<Branch> | null;
  private readonly origins: Set<unknown>;
  private readonly now: (() => number) | null;
  private readonly mergeMs: number;
  private undos: Step[] = [];
  private redos: Step[] = [];
  private mode: "capture" | "undo" | "redo" = "capture";
  private lastAt = -Infinity;
  private readonly stop: () => void;

  constructor(doc: Doc, options: UndoOptions = {}) {
    this.doc = doc;
    this.scope = options.scope === undefined ? null : new Set(options.scope.map((v) => v.branch));
    this.origins = new Set(options.origins ?? [null]);
    this.origins.add(this);
    this.now = options.now ?? null;
    this.mergeMs = options.mergeMs ?? 500;
    this.stop = doc.track(this);
  }

  get canUndo(): boolean {
    return this.undos.length > 0;
  }

  get canRedo(): boolean {
    return this.redos.length > 0;
  }

  /** The next change begins a step of its own. */
  cut(): void {
    this.lastAt = -Infinity;
  }

  /** Takes back the last step; false when nothing was left to take back. */
  undo(): boolean {
    return this.pop("undo");
  }

  /** Brings back what the last undo took; false when there is nothing. */
  redo(): boolean {
    return this.pop("redo");
  }

  /** Forgets all steps. */
  clear(): void {
    const { store } = this.doc;
    for (const { deleted } of [...this.undos, ...this.redos]) {
      for (const item of items(store, deleted)) keep(store, item, false);
    }
    this.undos = [];
    this.redos = [];
  }

  /** Watches no more. */
  close(): void {
    this.clear();
    this.stop();
  }

  onTransaction(origin: unknown): void {
    const { store } = this.doc;
    const { changes } = store;
    if (!this.origins.has(origin)) return;
    if (!changes.sequences.some(({ branch }) => this.covers(branch))) return;
    const step = stepOf(store);
    for (const item of items(store, step.deleted)) {
      if (this.covers(store.sequenceOf(item).branch)) keep(store, item, true);
    }
    const stack = this.mode === "undo" ? this.redos : this.undos;
    if (this.mode === "capture") this.redos = [];
    const at = this.now === null ? 0 : this.now();
    const last = stack.at(-1);
    const isNear = this.now !== null && at - this.lastAt < this.mergeMs;
    if (this.mode === "capture" && last !== undefined && isNear) {
      merge(last.inserted, step.inserted);
      merge(last.deleted, step.deleted);
    } else stack.push(step);
    this.lastAt = this.mode === "capture" ? at : -Infinity;
  }

  private covers(branch: Branch): boolean {
    const { scope } = this;
    if (scope === null) return true;
    const { store } = this.doc;
    for (let at = branch; ; at = store.sequenceOf(at.item).branch) {
      if (scope.has(at)) return true;
      if (at.item === NONE || at.isCollected) return false;
    }
  }

  private pop(mode: "undo" | "redo"): boolean {
    const stack = mode === "undo" ? this.undos : this.redos;
    this.mode = mode;
    try {
      for (let step = stack.pop(); step !== undefined; step = stack.pop()) {
        if (this.revert(step)) return true;
      }
      return false;
    } finally {
      this.mode = "capture";
    }
  }

  private revert(step: Step): boolean {
    const { doc } = this;
    doc.begin(this, true);
    try {
      return this.run(step);
    } finally {
      doc.end();
    }
  }

  private run(step: Step): boolean {
    const { store } = this.doc;
    const doomed: number[] = [];
    for (const item of items(store, step.inserted)) {
      const now = latest(store, item);
      if (!store.isDeleted(now) && this.covers(store.sequenceOf(now).branch)) doomed.push(now);
    }
    const wanted = new Set<number>();
    for (const item of items(store, step.deleted)) {
      const log = store.logs[store.client[item]!]!;
      // What came and went within the step was never there.
      if (contains(step.inserted.get(log) ?? [], store.clock[item]!)) continue;
      if (this.covers(store.sequenceOf(item).branch)) wanted.add(item);
    }
    const revival = new Revival(this.doc, wanted, (item) => this.isOurs(step, item));
    let hasChanged = false;
    for (const item of wanted) if (revival.revive(item) !== NONE) hasChanged = true;
    // Children before parents.
    for (const item of doomed.toReversed()) {
      if (!store.isDeleted(item)) hasChanged = true;
      erase(store, item);
    }
    return hasChanged;
  }

  /** True when the item will go with this step, or went with one of ours. */
  private isOurs(step: Step, item: number): boolean {
    const { store } = this.doc;
    const log = store.logs[store.client[item]!]!;
    const clock = store.clock[item]!;
    if (contains(step.inserted.get(log) ?? [], clock)) return true;
    return [...this.undos, ...this.redos].some(({ deleted }) =>
      contains(deleted.get(log) ?? [], clock),
    );
  }
}

/** Places deleted items anew. */
class Revival {
  private readonly doc: Doc;
  private readonly wanted: ReadonlySet<number>;
  private readonly isOurs: (item: number) => boolean;

  constructor(doc: Doc, wanted: ReadonlySet<number>, isOurs: (item: number) => boolean) {
    this.doc = doc;
    this.wanted = wanted;
    this.isOurs = isOurs;
  }

  /** Returns the item that stands for `item` now; {@link NONE} when others' changes are in the way. */
  revive(item: number): number {
    const { doc } = this;
    const { store } = doc;
    if (isRedone(store, item)) return nextOf(store, item);
    const sequence = store.sequenceOf(item);
    let parent = sequence.branch.item;
    if (parent !== NONE && store.isDeleted(parent)) {
      if (!isRedone(store, parent)) {
        if (!this.wanted.has(parent) || this.revive(parent) === NONE) return NONE;
      }
      while (isRedone(store, parent)) parent = nextOf(store, parent);
    }
    const branch = parent === NONE ? sequence.branch : (store.content[parent] as Branch);
    const { key } = sequence;
    const target = key === null ? store.children(branch) : store.keyed(branch, key);
    let left = NONE;
    let right = NONE;
    if (key === null) {
      left = this.counterpart(store.prev[item]!, parent, store.prev);
      right = this.counterpart(item, parent, store.next);
    } else {
      left = this.predecessor(item, target.last);
      if (left === BLOCKED) return NONE;
      if (left !== NONE && store.sequenceOf(left).branch.item !== parent) left = target.last;
    }
    const kind = store.kind(item);
    const content = copyOf(kind, store.content[item]!);
    const clock = doc.log.next;
    const revived = compose(store, doc.log, kind, content, store.length[item]!, left, right);
    store.redone.set(item, [doc.log.index, clock]);
    store.flags[item]! |= REDONE;
    integrate(store, target, revived, left, right, new Map());
    keep(store, revived, true);
    return revived;
  }

  /** The first item from `start` on, in the direction of `step`, that is or stands for one below `parent`. */
  private counterpart(start: number, parent: number, step: Int32Array): number {
    const { store } = this.doc;
    const isNext = step === store.next;
    let at = start;
    while (at !== NONE) {
      let trace = at;
      while (trace !== NONE && store.sequenceOf(trace).branch.item !== parent) {
        trace = isRedone(store, trace) ? nextOf(store, trace) : NONE;
      }
      if (trace !== NONE) return trace;
      at = isNext ? store.next[at]! : store.prev[at]!;
    }
    return NONE;
  }

  /** The value of a key behind which the old one may come back. */
  private predecessor(item: number, last: number): number {
    const { store } = this.doc;
    if (store.next[item] === NONE) return last;
    let left = item;
    for (;;) {
      const after = store.next[left]!;
      if (after === NONE) return left;
      if (!isRedone(store, after) && !this.isOurs(after)) return BLOCKED;
      left = after;
      while (isRedone(store, left)) left = nextOf(store, left);
    }
  }
}

const BLOCKED = -2;

function isRedone(store: Store, item: number): boolean {
  return (store.flags[item]! & REDONE) !== 0;
}

function nextOf(store: Store, item: number): number {
  const [client, clock] = store.redone.get(item)!;
  return store.startingAt(client, clock);
}

/** The item that stands for `item` after any number of undos and redos. */
function latest(store: Store, item: number): number {
  let at = item;
  while (isRedone(store, at)) at = nextOf(store, at);
  return at;
}

/** What the running transaction inserted and deleted. */
function stepOf(store: Store): Step {
  const { changes } = store;
  const inserted: Ranges = new Map();
  for (const log of changes.written) inserted.set(log, [log.before, log.next - log.before]);
  const deleted: Ranges = new Map();
  for (const log of changes.deleted) deleted.set(log, log.deletes.slice());
  return { inserted, deleted };
}

function merge(into: Ranges, from: Ranges): void {
  for (const [log, ranges] of from) {
    const all = into.get(log) ?? [];
    all.push(...ranges);
    sortRanges(all);
    into.set(log, all);
  }
}

/** The items of these ranges, cut at their ends; collected ones left out. */
function items(store: Store, ranges: Ranges): number[] {
  const found: number[] = [];
  for (const [log, pairs] of ranges) {
    for (let i = 0; i < pairs.length; i += 2) {
      const clock = pairs[i]!;
      const end = clock + pairs[i + 1]!;
      store.startingAt(log.index, clock);
      store.endingAt(log.index, end - 1);
      for (let at = store.at(log, clock); at < log.count; at++) {
        const item = log.items[at]!;
        if (store.clock[item]! >= end) break;
        if (store.kind(item) !== GC) found.push(item);
      }
    }
  }
  return found;
}

/** Keeps an item's content, and that of the types above it, or lets it go. */
function keep(store: Store, item: number, isKept: boolean): void {
  for (let at = item; at !== NONE; at = store.sequenceOf(at).branch.item) {
    if (((store.flags[at]! & KEPT) !== 0) === isKept) return;
    store.flags[at]! ^= KEPT;
  }
}
