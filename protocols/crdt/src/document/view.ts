/**
 * What all views of shared types have in common, and how a shared type is told before one knows its kind.
 */

import { copyValue, type Value } from "./any.ts";
import { Branch, NONE, type Sequence } from "./branch.ts";
import { BINARY, type Subdocument, TYPE } from "./content.ts";
import { type Doc } from "./doc.ts";
import { DocumentError } from "./errors.ts";
import { type ChangeEvent, watch } from "./events.ts";
import { compose, integrate, NO_CONFLICTS } from "./integrate.ts";
import { Nested } from "./nested.ts";

/** A shared type that is to be inserted: made by the `draft` functions of the views. */
export class Draft {
  readonly kind: number;
  readonly name: string;
  readonly fill: (doc: Doc, branch: Branch) => void;

  constructor(kind: number, name: string, fill: (doc: Doc, branch: Branch) => void) {
    this.kind = kind;
    this.name = name;
    this.fill = fill;
  }
}

/** What can be put into a document: plain values, bytes, or a new shared type. */
export type Input = Value | Draft;
/** What can be found in a document. */
export type Output = Value | Nested | Subdocument;

export abstract class SharedType {
  readonly doc: Doc;
  /** The branch in the core, for the parts of this package. */
  readonly branch: Branch;

  constructor(doc: Doc, branch: Branch) {
    this.doc = doc;
    this.branch = branch;
  }

  /** False once it has been deleted: reading finds nothing, changing is refused. */
  get isAttached(): boolean {
    const { item } = this.branch;
    return !this.branch.isCollected && (item === NONE || !this.doc.store.isDeleted(item));
  }

  /** The shared type that holds this one; undefined for a root. */
  get parent(): Nested | undefined {
    const { item, isCollected } = this.branch;
    if (item === NONE || isCollected) return undefined;
    return new Nested(this.doc, this.doc.store.sequenceOf(item).branch);
  }

  /** Calls `listener` after each transaction that changed this type itself; returns the way to stop. */
  observe(listener: (event: ChangeEvent) => void): () => void {
    return watch(this.doc, this.branch, "own", listener);
  }

  /** Calls `listener` after each transaction that changed this type or any below it. */
  observeDeep(listener: (events: readonly ChangeEvent[]) => void): () => void {
    return watch(this.doc, this.branch, "deep", listener);
  }
}

/** Checks, when a view is about to change its branch. */
export function attached(view: SharedType): void {
  if (view.isAttached) return;
  throw new DocumentError("detached", "this shared type has been deleted");
}

/**
 * Runs one change of a view inside a transaction.
 * @throws DocumentError `detached`.
 */
export function change(view: SharedType, run: () => void): void {
  attached(view);
  view.doc.begin(null, true);
  try {
    run();
  } finally {
    view.doc.end();
  }
}

/**
 * Places one value, bytes or draft that is not part of a run. Returns its item.
 * Values must have been copied.
 */
export function placeOne(
  doc: Doc,
  sequence: Sequence,
  input: Draft | Uint8Array,
  left: number,
  right: number,
): number {
  const { store } = doc;
  const isDraft = input instanceof Draft;
  const content = isDraft ? new Branch(input.kind, input.name) : input;
  const item = compose(store, doc.log, isDraft ? TYPE : BINARY, content, 1, left, right);
  integrate(store, sequence, item, left, right, NO_CONFLICTS);
  if (isDraft) input.fill(doc, content as Branch);
  return item;
}

/** A private copy of what a caller wants to insert. */
export function checkedInput(input: Input): Input {
  return input instanceof Draft ? input : copyValue(input);
}
