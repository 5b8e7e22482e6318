/**
 * Causal broadcast (Birman, Schiper and Stephenson, _Lightweight causal and
 * atomic group multicast_, 1991): messages reach the application once, and
 * after all that their senders had seen.
 *
 * This is what operation-based types need of the network (Shapiro et al. 2011,
 * §2.2): operations that commute when concurrent, and otherwise come in order.
 * Deltas of this package need less: they may come in any order, twice, or be
 * made up for by a state. In causal order nobody ever sees an answer before
 * its question.
 *
 * Resending is the caller's: what is `missing` tells what to ask for.
 */

import { type Actor, type Dot, VersionVector } from "@quorate/clocks";
import { invariant } from "@quorate/kernel";

import { CrdtError } from "./errors.ts";

/** A message, who sent it, and what the sender had seen before it. */
export interface Stamped<Operation> {
  readonly dot: Dot;
  readonly after: VersionVector;
  readonly operation: Operation;
}

/** One participant. Mutable, plain data. */
export class CausalBroadcast<Operation> {
  readonly actor: Actor;
  /** What was delivered here, own messages included. */
  delivered: VersionVector = VersionVector.empty;
  /** What came too early, by sender and number. */
  private readonly early: Map<string, Stamped<Operation>> = new Map();
  private readonly limit: number;

  /** @param limit - So many early messages are kept; one more is refused and must be sent again. */
  constructor(actor: Actor, limit: number = 10_000) {
    this.actor = actor;
    this.limit = limit;
  }

  /** Stamps a message of this participant's, which has delivered it to itself. To be sent to all others. */
  send(operation: Operation): Stamped<Operation> {
    const after = this.delivered;
    this.delivered = after.increment(this.actor);
    return {
      dot: { actor: this.actor, counter: this.delivered.get(this.actor) },
      after,
      operation,
    };
  }

  /**
   * Takes a message from the network, in any order, any number of times.
   * @returns what may be delivered now, in order.
   * @throws CrdtError `gap` if too much waits already, `duplicateActor` for messages under this name
   */
  receive(stamped: Stamped<Operation>): readonly Operation[] {
    const { actor, counter } = stamped.dot;
    if (this.delivered.has(actor, counter)) return [];
    if (actor === this.actor) {
      throw new CrdtError("duplicateActor", `${actor} sends elsewhere; go on under a new actor`);
    }
    const name = nameOf(stamped.dot);
    if (this.early.size >= this.limit && !this.isDue(stamped)) {
      throw new CrdtError("gap", `more than ${this.limit} messages wait for earlier ones`);
    }
    this.early.set(name, stamped);
    const due: Operation[] = [];
    for (let next = this.nextDue(); next !== undefined; next = this.nextDue()) {
      this.early.delete(nameOf(next.dot));
      this.delivered = this.delivered.increment(next.dot.actor);
      due.push(next.operation);
    }
    return due;
  }

  /** What is known to have been sent and has not come: for each sender, the first and the last number lacking. */
  get missing(): readonly { readonly actor: Actor; readonly from: number; readonly to: number }[] {
    let known = VersionVector.empty;
    for (const { dot, after } of this.early.values()) {
      known = known.merge(after).merge(VersionVector.of([[dot.actor, dot.counter - 1]]));
    }
    return known.actors
      .map((actor) => ({ actor, from: this.delivered.get(actor) + 1, to: known.get(actor) }))
      .filter(({ from, to }) => from <= to);
  }

  private nextDue(): Stamped<Operation> | undefined {
    for (const stamped of this.early.values()) if (this.isDue(stamped)) return stamped;
    return undefined;
  }

  private isDue({ dot, after }: Stamped<Operation>): boolean {
    invariant(dot.counter > after.get(dot.actor), "a message is after its sender's others");
    return dot.counter === this.delivered.get(dot.actor) + 1 && this.delivered.includes(after);
  }
}

function nameOf({ actor, counter }: Dot): string {
  return `${counter} ${actor}`;
}
