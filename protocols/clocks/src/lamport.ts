/**
 * Lamport clocks (Lamport, _Time, clocks, and the ordering of events in a
 * distributed system_, 1978): one integer that grows along every causal chain.
 *
 * If a happened before b, then a's time is smaller. The converse does not
 * hold: of two stamps one cannot say whether they are concurrent. With the
 * actor as a tie-break stamps are totally ordered, in an order that agrees
 * with causality.
 */

import { type Codec, struct, uint } from "@quorate/kernel";

import { type Actor, actorCodec, compareActors } from "./actor.ts";
import { countable } from "./errors.ts";

export interface LamportStamp {
  readonly time: number;
  readonly actor: Actor;
}

/** The clock of one actor. Mutable, plain data. */
export class LamportClock {
  readonly actor: Actor;
  /** The time of the last event, 0 before the first. */
  time: number;

  constructor(actor: Actor, time: number = 0) {
    this.actor = actor;
    this.time = time;
  }

  /**
   * A local event, or the sending of a message.
   * @throws ClockError `overflow`
   */
  tick(): LamportStamp {
    this.time = countable(this.time + 1);
    return { time: this.time, actor: this.actor };
  }

  /**
   * The receipt of a message: an event of its own, later than the sending.
   * @throws ClockError `overflow`, and the clock is as it was
   */
  receive(stamp: LamportStamp): LamportStamp {
    this.time = countable(Math.max(this.time, stamp.time) + 1);
    return { time: this.time, actor: this.actor };
  }
}

/** A total order that agrees with causality: by time, then by actor. */
export function compareLamport(a: LamportStamp, b: LamportStamp): number {
  return a.time - b.time || compareActors(a.actor, b.actor);
}

export const lamportCodec: Codec<LamportStamp> = struct<LamportStamp>({
  time: uint,
  actor: actorCodec,
});
