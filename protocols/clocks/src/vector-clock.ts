/**
 * Vector clocks (Fidge 1988, Mattern 1989): a version vector that counts the
 * events of processes, receipts included. Stamps are ordered exactly as
 * happened-before orders events.
 *
 * The price is an entry for every process that ever took part. A version
 * vector of an object counts its updates only: for "has this replica seen that
 * write" take that one, without a clock.
 */

import { type Actor } from "./actor.ts";
import { VersionVector } from "./version-vector.ts";

/** The clock of one process. Mutable, plain data; its stamps are immutable. */
export class VectorClock {
  readonly actor: Actor;
  /** The stamp of the last event: what that event knows. */
  stamp: VersionVector;

  constructor(actor: Actor, stamp: VersionVector = VersionVector.empty) {
    this.actor = actor;
    this.stamp = stamp;
  }

  /** A local event, or the sending of a message that carries the stamp. */
  tick(): VersionVector {
    return (this.stamp = this.stamp.increment(this.actor));
  }

  /** The receipt of a message: an event of its own. */
  receive(stamp: VersionVector): VersionVector {
    return (this.stamp = this.stamp.merge(stamp).increment(this.actor));
  }
}
