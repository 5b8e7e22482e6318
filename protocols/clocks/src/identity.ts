/**
 * Names for actors that are never used twice, over restarts, copies of a disk
 * and restored backups.
 *
 * A node's actor is its name with an _incarnation_: an epoch and a random
 * nonce, written down before the actor acts (K4 makes what it does wait for
 * the record). A new incarnation is a new entry in every vector, so one is
 * taken only when the old one may be in use elsewhere or may have forgotten:
 *
 * - nothing is remembered: a first start, or a lost disk (the nonce tells it
 *   apart from what was lost);
 * - the disk is in another _place_ than the record says: a copy. The place is
 *   what the driver knows to be one of its kind: an id of the data directory
 *   that copying does not copy, an instance id of the machine, or a nonce
 *   drawn at each start, which makes every life an incarnation;
 * - a peer knows of events of this actor that this node does not: a backup was
 *   restored, or a copy runs. {@link Incarnations.renew} is for that.
 *
 * What it cannot see: a backup restored in its old place that acts before it
 * hears from anybody who remembers. Whoever restores one gives it a new place.
 */

import { type Codec, invariant, text, uint, union } from "@quorate/kernel";

import { type Actor } from "./actor.ts";
import { type Disk } from "./hybrid.ts";

export interface IncarnationRecord {
  readonly type: "incarnation";
  /** Counts the incarnations of this name on this disk. */
  readonly epoch: number;
  /** Tells apart incarnations that do not remember each other. */
  readonly nonce: number;
  readonly place: string;
}

/** Stands between the parts of an actor; no name contains it. */
const SEPARATOR = "~";

/** The incarnations of one node. Mutable, plain data; a process keeps one and recovers it. */
export class Incarnations {
  readonly name: string;
  current: IncarnationRecord | undefined = undefined;

  /** @param name - The node's name, without `~`. */
  constructor(name: string) {
    invariant(name !== "" && !name.includes(SEPARATOR), "a node's name is not empty and without ~");
    this.name = name;
  }

  recover(record: IncarnationRecord): void {
    this.current = record;
  }

  /**
   * The actor of this life: the recovered one if it is in its place, else a new one.
   * @param nonce - Drawn by the caller, `ctx.choose(2 ** 32)` say, from as many values as unrelated
   * incarnations are likely to need.
   */
  start(disk: Disk<IncarnationRecord>, place: string, nonce: number): Actor {
    if (this.current?.place === place) return this.actor;
    return this.begin(disk, place, nonce);
  }

  /** A new incarnation: somebody else acts, or acted, under the present one. */
  renew(disk: Disk<IncarnationRecord>, nonce: number): Actor {
    invariant(this.current !== undefined, "an incarnation is started before it is renewed");
    return this.begin(disk, this.current.place, nonce);
  }

  /** Short, since it may stand in every entry: name, epoch and nonce. */
  get actor(): Actor {
    invariant(this.current !== undefined, "an incarnation is started before it acts");
    const { epoch, nonce } = this.current;
    return [this.name, epoch.toString(36), nonce.toString(36)].join(SEPARATOR);
  }

  private begin(disk: Disk<IncarnationRecord>, place: string, nonce: number): Actor {
    const epoch = (this.current?.epoch ?? 0) + 1;
    this.current = { type: "incarnation", epoch, nonce, place };
    disk.persist(this.current);
    return this.actor;
  }
}

/** The node that an actor made by {@link Incarnations} belongs to. */
export function nodeOf(actor: Actor): string {
  const end = actor.indexOf(SEPARATOR);
  return end < 0 ? actor : actor.slice(0, end);
}

export const incarnationCodec: Codec<IncarnationRecord> = union<IncarnationRecord>({
  incarnation: [1, { epoch: uint, nonce: uint, place: text }],
});
