/**
 * A replicated document: named shared types, changed in transactions, merged from updates.
 *
 * A transaction collects what it does; when it ends, changes are told to undo steps and observers'
 * events are computed, garbage is freed, runs are joined and the update is written. Only then are callbacks
 * called, with the document at rest: a callback may change it or apply an update like anybody else.
 */

import { type Branch, UNOPENED } from "./branch.ts";
import { tidy } from "./collect.ts";
import { markOf, stage, type Staged, withdraw } from "./decode.ts";
import { clocksOf, encodeChanges, encodeState, writeClocks, written } from "./encode.ts";
import { DocumentError } from "./errors.ts";
import { cleanUp, type UntidyTexts, untidyTexts } from "./clean-up.ts";
import { Pending } from "./pending.ts";
import { type ClientLog, Store } from "./store.ts";
import { decodeClocks, mergeUpdates } from "./updates.ts";

export interface DocOptions {
  /**
   * Identifies this replica among all that ever write the document: below 2^53, never used by two at a
   * time, nor again after a crash unless everything written under it was kept. Random 32 bits will do.
   */
  readonly client: number;
  /** Frees what was deleted, as Yjs does. History (see `history.ts`) needs it off. Default: true. */
  readonly collects?: boolean;
  /**
   * Deletes, after each remote change, marks of formatted texts that mean nothing, as Yjs does. That is a
   * change of one's own, which others hear of: without it applying an update writes nothing. Default: true.
   */
  readonly cleansUp?: boolean;
  /** How many bytes may wait for updates that have not arrived. Default: 64 MiB. */
  readonly pendingBytes?: number;
}

/** A typed view of a shared type. Constructed by {@link Doc.root} and `Nested.as`, not by callers. */
export interface ViewClass<V extends object> {
  new (doc: Doc, branch: Branch): V;
  readonly kind: number;
}

/** What happens at the end of each transaction, before anything is freed. For undo and for views. */
export interface Tracker {
  onTransaction(origin: unknown, isLocal: boolean): void;
}

/** Called with an update that brings others to the same state, and the origin given with the change. */
export type UpdateListener = (update: Uint8Array, origin: unknown, isLocal: boolean) => void;

/** A document stored as one's own snapshot, of which only the text has been looked at. */
export interface Sealed {
  /** The text of a root, when it can be told without the structure. */
  text(name: string): string | undefined;
  /** Fills an empty store. */
  open(store: Store): void;
}

/** The origin of transactions that delete marks which mean nothing, after a remote change. */
export const CLEAN_UP = "clean-up";

const DEFAULT_PENDING_BYTES = 64 * 1024 * 1024;

export class Doc {
  private readonly columns = new Store();
  private sealed: Sealed | null;
  private readonly pending: Pending;
  private own: ClientLog;
  /** True once this replica has written under its client id since it was opened, or has claimed it. */
  private hasWritten = false;
  readonly collects: boolean;
  private readonly cleansUp: boolean;
  private depth = 0;
  private origin: unknown = null;
  private isLocal = true;
  private untidy: UntidyTexts | null = null;
  private readonly listeners = new Set<UpdateListener>();
  private readonly trackers = new Set<Tracker>();
  private readonly callbacks: (() => void)[] = [];
  private isCalling = false;

  constructor(options: DocOptions, sealed: Sealed | null = null) {
    this.sealed = sealed;
    this.collects = options.collects ?? true;
    this.cleansUp = options.cleansUp ?? true;
    this.pending = new Pending(this.columns, options.pendingBytes ?? DEFAULT_PENDING_BYTES);
    this.own = this.columns.logFor(checkedClient(options.client));
  }

  /** The columns, for the parts of this package. */
  get store(): Store {
    if (this.sealed !== null) {
      const { sealed } = this;
      this.sealed = null;
      sealed.open(this.columns);
    }
    return this.columns;
  }

  /** What a stored document says about a root without being opened. */
  peek(name: string): string | undefined {
    return this.sealed?.text(name);
  }

  /** The log that this replica's changes go to, for the parts of this package. */
  get log(): ClientLog {
    return this.own;
  }

  get client(): number {
    return this.own.id;
  }

  /** Goes on under another client id: the way out of `duplicate-client`. */
  become(client: number): void {
    this.own = this.store.logFor(checkedClient(client));
    this.hasWritten = false;
    this.columns.typing = -1;
  }

  /**
   * Says that everything written under this client id is here: from now on `apply` refuses what goes beyond
   * it, also before the first change of one's own.
   */
  claim(): void {
    this.hasWritten = true;
  }

  /**
   * The shared type with this name. Everybody may open it; it exists from the first change on.
   * @throws DocumentError `wrong-type` when it was opened as another kind before.
   */
  root<V extends object>(name: string, View: ViewClass<V>): V {
    const branch = this.columns.root(name);
    if (branch.kind === UNOPENED) branch.kind = View.kind;
    return viewOf(this, branch, View);
  }

  /** Names of the roots that were opened or written to. */
  rootNames(): readonly string[] {
    return [...this.store.roots.keys()];
  }

  /**
   * Runs changes as one: one event per type, one update. Nested calls join the outer one. What `run` did
   * before it threw stays done, as in any other program.
   */
  transact<T>(run: () => T, origin: unknown = null): T {
    this.begin(origin, true);
    try {
      return run();
    } finally {
      this.end();
    }
  }

  /** Opens a transaction, or joins the one that runs. For the parts of this package; see {@link end}. */
  begin(origin: unknown, isLocal: boolean): void {
    if (this.depth++ > 0) return;
    this.origin = origin;
    this.isLocal = isLocal;
    this.store.changes.begin();
  }

  end(): void {
    if (this.depth > 1) {
      this.depth--;
      return;
    }
    try {
      const { changes } = this.columns;
      if (!changes.isEmpty) this.finish();
      else if (changes.splits.length > 0) tidy(this.columns, false);
    } finally {
      this.depth = 0;
    }
    if (this.untidy !== null) this.cleanUp();
    if (this.callbacks.length > 0) this.call();
  }

  /** What concurrent formatting left behind goes in a transaction of its own, which others hear of. */
  private cleanUp(): void {
    const untidy = this.untidy!;
    this.untidy = null;
    this.begin(CLEAN_UP, true);
    try {
      cleanUp(this.columns, untidy);
    } finally {
      this.end();
    }
  }

  private finish(): void {
    const store = this.columns;
    const { changes } = store;
    const { origin, isLocal } = this;
    if (this.own.stamp === changes.stamp && isLocal) this.hasWritten = true;
    if (changes.deleted.length > 0) changes.settle();
    if (this.isPlain && this.listeners.size === 0 && isTyping(store)) return;
    for (const tracker of this.trackers) tracker.onTransaction(origin, isLocal);
    if (!isLocal && this.cleansUp) this.untidy = untidyTexts(store);
    tidy(store, this.collects);
    if (this.listeners.size === 0) return;
    const update = encodeChanges(store);
    this.later(() => {
      for (const listener of this.listeners) listener(update, origin, isLocal);
    });
  }

  /** True while nobody needs to know an item's fate apart from its neighbours': deletions may join at once. */
  get isPlain(): boolean {
    return this.collects && this.trackers.size === 0;
  }

  /** True outside of transactions while nobody listens. */
  get isQuiet(): boolean {
    return this.depth === 0 && this.listeners.size === 0 && this.trackers.size === 0;
  }

  /** Calls back once the running transaction is done. For the parts of this package. */
  later(callback: () => void): void {
    this.callbacks.push(callback);
  }

  private call(): void {
    if (this.isCalling) return;
    this.isCalling = true;
    try {
      for (let next = this.callbacks.shift(); next !== undefined; next = this.callbacks.shift()) {
        next();
      }
    } finally {
      this.isCalling = false;
    }
  }

  /** Watches every transaction before its garbage is freed; returns the way to stop. */
  track(tracker: Tracker): () => void {
    this.trackers.add(tracker);
    return () => {
      this.trackers.delete(tracker);
    };
  }

  /** Calls `listener` with the update of every transaction; returns the way to stop. */
  onUpdate(listener: UpdateListener): () => void {
    this.listeners.add(listener);
    return () => {
      this.listeners.delete(listener);
    };
  }

  /**
   * Merges an update made by this package or by Yjs (v1). Known parts are skipped; parts that depend on
   * updates still missing wait for them.
   * @throws DocumentError `malformed`, `too-large`, `duplicate-client` or `pending-full`; nothing has
   * changed then.
   */
  apply(update: Uint8Array, origin: unknown = null): void {
    const { store } = this;
    const mark = markOf(store);
    const staged = stage(store, update, [], mark);
    try {
      this.refuseDuplicates(staged);
      this.pending.admit(update.length, staged);
    } catch (error) {
      withdraw(store, mark);
      throw error;
    }
    const isLoad = mark.used === 0;
    this.begin(origin, false);
    try {
      this.pending.apply(staged);
    } finally {
      this.end();
    }
    if (isLoad && store.used > 0) store.trim();
  }

  private refuseDuplicates({ sections }: Staged): void {
    if (!this.hasWritten) return;
    for (const { log, end } of sections) {
      if (log !== this.own) continue;
      const last = end - 1;
      const next = this.columns.clock[last]! + this.columns.length[last]!;
      if (next > log.next) {
        throw new DocumentError(
          "duplicate-client",
          `somebody else writes as client ${log.id}; go on under another id with become()`,
        );
      }
    }
  }

  /**
   * Everything a replica with this state vector lacks, as one update; without one, the whole document.
   * @throws DocumentError `malformed` for bytes that are no state vector.
   */
  encode(stateVector?: Uint8Array): Uint8Array {
    const known = stateVector === undefined ? null : decodeClocks(stateVector);
    const state = encodeState(this.store, known);
    return this.pending.isEmpty ? state : mergeUpdates([state, ...this.waiting()]);
  }

  /** What this replica has seen, for {@link encode} of another. */
  stateVector(): Uint8Array {
    return written((writer) => {
      writeClocks(writer, clocksOf(this.store));
    });
  }

  /** Updates of which parts wait for others, to be stored with the document. */
  waiting(): readonly Uint8Array[] {
    if (this.pending.isEmpty) return [];
    return [...this.pending.updates(), this.pending.deletesUpdate()];
  }

  /** True while parts of applied updates wait for others. */
  get isWaiting(): boolean {
    return !this.pending.isEmpty;
  }
}

/** True when the transaction only made a run of its own longer: there is nothing to free or to join. */
function isTyping({ changes, clock }: Store): boolean {
  const log = changes.written[0];
  if (log === undefined || changes.written.length > 1) return false;
  if (changes.deleted.length > 0 || changes.splits.length > 0) return false;
  return clock[log.items[log.count - 1]!]! < log.before;
}

function checkedClient(client: number): number {
  if (Number.isSafeInteger(client) && client >= 0) return client;
  throw new DocumentError("out-of-range", `${client} is not a client id: an integer below 2^53`);
}

/** The one view of a branch, made at first use. */
export function viewOf<V extends object>(doc: Doc, branch: Branch, View: ViewClass<V>): V {
  if (branch.kind !== View.kind) {
    throw new DocumentError("wrong-type", `this shared type is not a ${View.name}`);
  }
  const view = (branch.view ??= new View(doc, branch));
  if (view instanceof View) return view;
  throw new DocumentError("wrong-type", `this shared type is not a ${View.name}`);
}
