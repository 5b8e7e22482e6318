/**
 * The columns of a stored document: which number is guessed from what.
 *
 * Items are stored list by list in document order, so that the list itself needs no origins: most of an
 * item's origins are its neighbours, and the others are a few items away (or inside a run that grew together
again, when concurrent insertions went elsewhere). A clock is stored as the item's
 * rank among those of its client; lengths then give it back. A run that was cut by a later insertion goes
 * on with the next rank behind it: such continuations nest like brackets and are named by their depth.
 */

import { NONE } from "./branch.ts";
import { Model } from "./range-coder.ts";

export const MAGIC: readonly number[] = [0x51, 0x44, 0x4f, 0x43];
export const FORMAT_VERSION = 1;
/** The structure as columns. */
export const AS_COLUMNS = 0;
/** The structure as a Yjs v1 update: for documents that a peer has made in a way the columns cannot say. */
export const AS_UPDATE = 1;

/**
 * Codes of an origin: the last unit of the item before, none, a unit inside some run (its distance in items
 * and the units behind it follow), or (less one) the last unit of the item that many back.
 */
export const BEFORE = 0;
export const NO_ORIGIN = 1;
export const INSIDE_ORIGIN = 2;
/**
 * Codes of a right origin: the first unit of the item behind, none, the one of the item before, a unit
 * inside some run (distance and units before it follow), or (less two) the item that many ahead.
 */
export const BEHIND = 0;
export const NO_RIGHT = 1;
export const SAME_RIGHT = 2;
export const INSIDE_RIGHT = 3;

/** Everything guessed, one set for writing and one, going through the same states, for reading. */
export class Models {
  readonly isContinuation: readonly Model[] = [new Model(), new Model(), new Model(), new Model()];
  readonly depth: Model = new Model();
  readonly isSameClient: Model = new Model();
  readonly client: Model = new Model();
  readonly rank: Model = new Model();
  /** By the flags of the item before. */
  readonly flags: readonly Model[] = Array.from({ length: 32 }, () => new Model());
  /** By the item's own flags. */
  readonly length: readonly Model[] = Array.from({ length: 32 }, () => new Model());
  readonly origin: readonly Model[] = [new Model(), new Model(), new Model()];
  readonly inside: Model = new Model();
  readonly right: readonly Model[] = [new Model(), new Model(), new Model(), new Model()];
}

/** Items of one list that may still be continued, innermost last: client index and the rank to come. */
export class Continuations {
  private readonly clients: number[] = [];
  private readonly ranks: number[] = [];

  /** How deep the item that (client, rank) continues lies; {@link NONE} when it does not lie here. */
  depthOf(client: number, rank: number): number {
    for (let at = this.ranks.length - 1; at >= 0; at--) {
      if (this.ranks[at] === rank && this.clients[at] === client) return this.ranks.length - 1 - at;
    }
    return NONE;
  }

  /** Forgets what lies inside the item at `depth` and that item; leaves its client and rank in the fields. */
  close(depth: number): boolean {
    const at = this.ranks.length - 1 - depth;
    if (at < 0) return false;
    this.client = this.clients[at]!;
    this.rank = this.ranks[at]!;
    this.clients.length = at;
    this.ranks.length = at;
    return true;
  }

  client: number = 0;
  rank: number = 0;

  open(client: number, rank: number): void {
    this.clients.push(client);
    this.ranks.push(rank + 1);
  }
}
