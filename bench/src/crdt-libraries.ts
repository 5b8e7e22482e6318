/** Text documents of four libraries behind one face. */

import * as Automerge from "@automerge/automerge";
import { Doc, load, save, SharedText } from "@quorate/crdt/document";
import { LoroDoc, type LoroText } from "loro-crdt";
import * as Yjs from "yjs";

export interface Replica {
  splice(at: number, deleted: number, inserted: string): void;
  /** Ends a transaction. */
  commit(): void;
  apply(update: Uint8Array): void;
  applyAll(updates: readonly Uint8Array[]): void;
  encode(): Uint8Array;
  text(): string;
  readonly length: number;
}

export interface Library {
  readonly name: string;
  /** Opens a transaction for the edits to come, when the library knows such a thing. */
  create(client: number, onUpdate?: (update: Uint8Array) => void): Replica;
  /** Bytes to a document that has been read. */
  load(bytes: Uint8Array): { text(): string };
  /** Its own stored form, when it has one beside updates. */
  readonly stored?: {
    save(bytes: Uint8Array): Uint8Array;
    load(bytes: Uint8Array): { text(): string; touch(): void };
  };
}

class OurReplica implements Replica {
  private readonly doc: Doc;
  private readonly body: SharedText;

  constructor(doc: Doc, onUpdate?: (update: Uint8Array) => void) {
    this.doc = doc;
    this.body = doc.root("t", SharedText);
    if (onUpdate !== undefined) doc.onUpdate(onUpdate);
  }

  splice(at: number, deleted: number, inserted: string): void {
    if (deleted > 0) this.body.delete(at, deleted);
    if (inserted !== "") this.body.insert(at, inserted);
  }
  commit(): void {}
  transact(run: () => void): void {
    this.doc.transact(run);
  }
  apply(update: Uint8Array): void {
    this.doc.apply(update);
  }
  applyAll(updates: readonly Uint8Array[]): void {
    this.doc.transact(() => {
      for (const update of updates) this.doc.apply(update);
    });
  }
  encode(): Uint8Array {
    return this.doc.encode();
  }
  text(): string {
    return this.body.toString();
  }
  get length(): number {
    return this.body.length;
  }
}

const ours: Library = {
  name: "quorate",
  create: (client, onUpdate) => new OurReplica(new Doc({ client }), onUpdate),
  load(bytes) {
    const replica = new OurReplica(new Doc({ client: 0xffff }));
    replica.apply(bytes);
    replica.text();
    return replica;
  },
  stored: {
    save(bytes) {
      const doc = new Doc({ client: 0xffff });
      doc.apply(bytes);
      return save(doc);
    },
    load(bytes) {
      const body = load(bytes, { client: 0xffff }).root("t", SharedText);
      return {
        text: () => body.toString(),
        touch: () => {
          body.insert(0, "x");
        },
      };
    },
  },
};

class YjsReplica implements Replica {
  private readonly doc = new Yjs.Doc();
  private readonly body = this.doc.getText("t");

  constructor(client: number, onUpdate?: (update: Uint8Array) => void) {
    this.doc.clientID = client;
    if (onUpdate !== undefined) this.doc.on("update", onUpdate);
  }

  splice(at: number, deleted: number, inserted: string): void {
    if (deleted > 0) this.body.delete(at, deleted);
    if (inserted !== "") this.body.insert(at, inserted);
  }
  commit(): void {}
  transact(run: () => void): void {
    this.doc.transact(run);
  }
  apply(update: Uint8Array): void {
    Yjs.applyUpdate(this.doc, update);
  }
  applyAll(updates: readonly Uint8Array[]): void {
    this.doc.transact(() => {
      for (const update of updates) Yjs.applyUpdate(this.doc, update);
    });
  }
  encode(): Uint8Array {
    return Yjs.encodeStateAsUpdate(this.doc);
  }
  text(): string {
    // The typed signature hides that Y.Text has a toString of its own.
    return (this.body as { toString(): string }).toString();
  }
  get length(): number {
    return this.body.length;
  }
}

const yjs: Library = {
  name: "yjs",
  create: (client, onUpdate) => new YjsReplica(client, onUpdate),
  load(bytes) {
    const replica = new YjsReplica(0xffff);
    replica.apply(bytes);
    replica.text();
    return replica;
  },
};

class LoroReplica implements Replica {
  private readonly doc = new LoroDoc();
  private readonly body: LoroText = this.doc.getText("t");

  constructor(client: number, onUpdate?: (update: Uint8Array) => void) {
    this.doc.setPeerId(BigInt(client));
    if (onUpdate !== undefined) this.doc.subscribeLocalUpdates(onUpdate);
  }

  splice(at: number, deleted: number, inserted: string): void {
    if (deleted > 0) this.body.delete(at, deleted);
    if (inserted !== "") this.body.insert(at, inserted);
  }
  commit(): void {
    this.doc.commit();
  }
  apply(update: Uint8Array): void {
    this.doc.import(update);
  }
  applyAll(updates: readonly Uint8Array[]): void {
    this.doc.importBatch([...updates]);
  }
  encode(): Uint8Array {
    return this.doc.export({ mode: "snapshot" });
  }
  text(): string {
    return this.body.toString();
  }
  get length(): number {
    return this.body.length;
  }
}

const loro: Library = {
  name: "loro",
  create: (client, onUpdate) => new LoroReplica(client, onUpdate),
  load(bytes) {
    const replica = new LoroReplica(0xffff);
    replica.apply(bytes);
    replica.text();
    return replica;
  },
};

interface AutomergeText extends Record<string, unknown> {
  t: string;
}

/** All replicas grow from one change, so that they mean the same text. */
const ROOT = Automerge.save(Automerge.from<AutomergeText>({ t: "" }, { actor: "00" }));

class AutomergeReplica implements Replica {
  private doc: Automerge.Doc<AutomergeText>;
  private readonly onUpdate: ((update: Uint8Array) => void) | undefined;
  private pending: (readonly [number, number, string])[] = [];

  constructor(client: number, onUpdate?: (update: Uint8Array) => void, bytes: Uint8Array = ROOT) {
    const actor = client.toString(16).padStart(16, "0");
    this.doc = Automerge.load<AutomergeText>(bytes, { actor });
    this.onUpdate = onUpdate;
  }

  splice(at: number, deleted: number, inserted: string): void {
    this.pending.push([at, deleted, inserted]);
  }
  commit(): void {
    const patches = this.pending;
    this.pending = [];
    this.doc = Automerge.change(this.doc, (draft) => {
      for (const [at, deleted, inserted] of patches) {
        Automerge.splice(draft, ["t"], at, deleted, inserted);
      }
    });
    if (this.onUpdate === undefined) return;
    const change = Automerge.getLastLocalChange(this.doc);
    if (change !== undefined) this.onUpdate(change);
  }
  apply(update: Uint8Array): void {
    [this.doc] = Automerge.applyChanges(this.doc, [update]);
  }
  applyAll(updates: readonly Uint8Array[]): void {
    [this.doc] = Automerge.applyChanges(this.doc, [...updates]);
  }
  encode(): Uint8Array {
    return Automerge.save(this.doc);
  }
  text(): string {
    return this.doc.t;
  }
  get length(): number {
    return this.doc.t.length;
  }
}

const automerge: Library = {
  name: "automerge",
  create: (client, onUpdate) => new AutomergeReplica(client, onUpdate),
  load(bytes) {
    const replica = new AutomergeReplica(0xffff, undefined, bytes);
    replica.text();
    return replica;
  },
};

export const LIBRARIES: readonly Library[] = [yjs, ours, loro, automerge];

/** Runs edits as one transaction where the library has transactions around them. */
export function transaction(replica: Replica, run: () => void): void {
  if (replica instanceof OurReplica || replica instanceof YjsReplica) replica.transact(run);
  else run();
  replica.commit();
}
