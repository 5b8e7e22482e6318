/**
 * A document as a replica like any other of this package: {@link Crdt} on a {@link Doc}.
 *
 * Two things differ from a bare document. A change that only deletes lets a clock of its maker pass, since
 * in the format of Yjs deletions have none: the version tells all that was seen, deletions too. And merging
 * writes nothing: marks that became redundant stay, so that it is a join.
 */

import { type Actor, VersionVector } from "@quorate/clocks";

import { type Crdt } from "../crdt.ts";
import { CrdtError, type CrdtErrorCode } from "../errors.ts";
import { sameBytes } from "../same-bytes.ts";
import { Doc, type DocOptions, type Tracker } from "./doc.ts";
import { clocksOf } from "./encode.ts";
import { DocumentError, type DocumentErrorCode } from "./errors.ts";
import { tick } from "./integrate.ts";
import { type Root } from "./roots.ts";
import { mergeUpdates } from "./updates.ts";

/** The roots of a document, by name. */
export type Roots = Readonly<Record<string, Root<object, unknown>>>;

/** What readers see: each root as plain data. */
export type RootValues<R extends Roots> = {
  readonly [Name in keyof R]: ReturnType<R[Name]["read"]>;
};

/** What `mutate` lends: the view of each root. */
export type RootViews<R extends Roots> = {
  readonly [Name in keyof R]: R[Name] extends Root<infer View, unknown> ? View : never;
};

/** How to open the document of a replica; see {@link DocOptions}. */
export type ReplicaOptions = Pick<DocOptions, "client" | "pendingBytes">;

const CODES: Readonly<Partial<Record<DocumentErrorCode, CrdtErrorCode>>> = Object.freeze({
  malformed: "malformed",
  "too-large": "tooLarge",
  "duplicate-client": "duplicateActor",
  "pending-full": "gap",
});

const NOTHING = new Uint8Array(0);

export class DocumentReplica<R extends Roots> implements Crdt<RootValues<R>, RootViews<R>> {
  /** For cursors, awareness, undo and observers. What is changed here is in the next delta, too. */
  readonly doc: Doc;
  /** The views of the roots. */
  readonly root: RootViews<R>;
  private readonly roots: R;
  private unsent: Uint8Array[] = [];
  /** How many transactions of others changed anything. */
  private heard = 0;

  /**
   * @param roots - The document's roots: `{ body: richTextRoot, tags: arrayRoot }`.
   * @param state - A replica as it was encoded, to go on with; any update of Yjs will do.
   * @throws CrdtError `malformed`, `tooLarge`
   */
  constructor(roots: R, options: ReplicaOptions, state?: Uint8Array) {
    this.roots = roots;
    this.doc = new Doc({ ...options, cleansUp: false });
    const views = Object.entries(roots).map(([name, { View }]) => [
      name,
      this.doc.root(name, View),
    ]);
    this.root = Object.fromEntries(views) as RootViews<R>;
    if (state !== undefined) this.apply(state);
    this.doc.claim();
    this.watch();
  }

  get actor(): Actor {
    return String(this.doc.client);
  }

  get value(): RootValues<R> {
    const values = Object.entries(this.roots).map(([name, root]) => [
      name,
      root.read(this.root[name] as object),
    ]);
    return Object.fromEntries(values) as RootValues<R>;
  }

  get version(): VersionVector {
    return VersionVector.of(
      [...clocksOf(this.doc.store)].map(([client, clock]) => [String(client), clock]),
    );
  }

  mutate(edit: (views: RootViews<R>) => void): void {
    this.doc.transact(() => edit(this.root));
  }

  delta(): Uint8Array | undefined {
    const { unsent } = this;
    if (unsent.length === 0) return undefined;
    this.unsent = [];
    return unsent.length === 1 ? unsent[0] : mergeUpdates(unsent);
  }

  merge(bytes: Uint8Array): boolean {
    const waited = this.waiting();
    const { heard } = this;
    this.apply(bytes);
    return this.heard > heard || !sameBytes(waited, this.waiting());
  }

  encode(): Uint8Array {
    return this.doc.encode();
  }

  /**
   * Nothing: content goes as soon as it is deleted, and the ids that stay are what edits that nobody has
   * seen yet may name as their neighbours. Nor do marks go that mean nothing now: an edit yet to come may
   * rely on one.
   */
  stable(_frontier: VersionVector): number {
    return 0;
  }

  private watch(): void {
    const { doc } = this;
    const tracker: Tracker = {
      onTransaction: (_origin, isLocal) => {
        if (!isLocal) this.heard++;
        else if (doc.log.stamp !== doc.store.changes.stamp) tick(doc.store, doc.log);
      },
    };
    doc.track(tracker);
    doc.onUpdate((update, _origin, isLocal) => {
      if (isLocal) this.unsent.push(update);
    });
  }

  private apply(bytes: Uint8Array): void {
    try {
      this.doc.apply(bytes);
    } catch (error) {
      const code = error instanceof DocumentError ? CODES[error.code] : undefined;
      throw code === undefined ? error : new CrdtError(code, (error as DocumentError).message);
    }
  }

  /** What waits for updates that have not arrived, whatever it arrived in. */
  private waiting(): Uint8Array {
    return this.doc.isWaiting ? mergeUpdates(this.doc.waiting()) : NOTHING;
  }
}
