/**
 * Shared types as the core sees them: a branch of the document has a sequence of children and a map of
 * keys. Text, arrays, maps and XML are views of branches; the core does not tell them apart.
 */

import { type BlockIndex } from "./block-index.ts";

export const NONE = -1;

/** Numbers of shared types on the wire; a root has no number until it is opened. */
export const UNOPENED = -1;
export const ARRAY = 0;
export const MAP = 1;
export const TEXT = 2;
export const XML_ELEMENT = 3;
export const XML_FRAGMENT = 4;
export const XML_HOOK = 5;
export const XML_TEXT = 6;

/** A doubly linked list of items: the children of a branch, or all values that one key ever had. */
export class Sequence {
  /** Its number in the store. */
  readonly id: number;
  readonly branch: Branch;
  /** Null for the children. For a key, the last item is its value. */
  readonly key: string | null;
  first: number = NONE;
  last: number = NONE;
  /** Visible units. */
  length: number = 0;
  /** Items in the list, tombstones included. */
  items: number = 0;
  /** Format marks that ever were in the list. While there are none, text needs no attributes. */
  marks: number = 0;
  /** The transaction that changed it last. */
  stamp: number = 0;
  index: BlockIndex | null = null;

  constructor(id: number, branch: Branch, key: string | null) {
    this.id = id;
    this.branch = branch;
    this.key = key;
  }
}

export class Branch {
  /** {@link UNOPENED} or the number of the shared type. */
  kind: number;
  /** Of a root, an element or a hook; else empty. */
  readonly name: string;
  /** The item that holds it; {@link NONE} for a root or a branch not placed yet. */
  item: number = NONE;
  isRoot: boolean = false;
  /** Set once its content is gone for good. */
  isCollected: boolean = false;
  children: Sequence | null = null;
  keys: Map<string, Sequence> | null = null;
  /** The typed view, made once. */
  view: object | null = null;
  /** Functions that watch it; see `events.ts`. */
  watchers: Watchers | null = null;

  constructor(kind: number, name: string) {
    this.kind = kind;
    this.name = name;
  }
}

/** Callbacks of a branch: for its own changes, and for those below it. */
export interface Watchers {
  readonly own: Set<(event: never) => void>;
  readonly deep: Set<(events: never) => void>;
}
