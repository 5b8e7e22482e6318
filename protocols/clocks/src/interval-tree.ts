/**
 * Interval tree clocks (Almeida, Baquero and Fonte, _Interval tree clocks_,
 * 2008): causality without names. A stamp is an identity, a part of the
 * interval [0, 1), and a record of events, a function from that interval to
 * integers. `fork` cuts the identity in two, `join` puts two together again,
 * and an `event` raises the function somewhere over the own part.
 *
 * Nobody hands out names, and what a participant needed is given back with its
 * stamp. The duty in return (C6): a stamp is in one place. Copies of it, a
 * restored backup or a fork whose message was sent twice, own one part twice
 * and break the order silently where `join` does not meet them both.
 *
 * Stamps are immutable values in normal form.
 */

import { type Order, orderOf } from "./actor.ts";
import { ClockError, countable } from "./errors.ts";

/** A part of [0, 1): none of it (0), all of it (1), or parts of its halves. */
export type Identity = 0 | 1 | readonly [left: Identity, right: Identity];

/** A function on [0, 1): constant, or `base` plus one on each half. */
export type Events = number | readonly [base: number, left: Events, right: Events];

export class IntervalStamp {
  readonly identity: Identity;
  readonly events: Events;

  constructor(identity: Identity, events: Events) {
    this.identity = identity;
    this.events = events;
  }

  /** The first stamp of a system. It is made once: all others are forked from it. */
  static readonly seed: IntervalStamp = new IntervalStamp(1, 0);

  /** Cuts the identity in two. The receiver of `this` must not be used any more. */
  fork(): readonly [IntervalStamp, IntervalStamp] {
    const [left, right] = split(this.identity);
    return [new IntervalStamp(left, this.events), new IntervalStamp(right, this.events)];
  }

  /** A stamp for a message: the same events, no identity. */
  peek(): IntervalStamp {
    return new IntervalStamp(0, this.events);
  }

  /**
   * One event more.
   * @throws ClockError `anonymous` without an identity, or `overflow`
   */
  event(): IntervalStamp {
    if (this.identity === 0)
      throw new ClockError("anonymous", "fork a stamp for whoever has events");
    const filled = fill(this.identity, this.events);
    if (!sameEvents(filled, this.events)) return new IntervalStamp(this.identity, filled);
    return new IntervalStamp(this.identity, grow(this.identity, this.events).events);
  }

  /**
   * Both identities and what either knows: the end of a fork, or the receipt of a message.
   * @throws ClockError `overlap` for identities with a part in common
   */
  join(other: IntervalStamp): IntervalStamp {
    return new IntervalStamp(
      sum(this.identity, other.identity),
      joinEvents(this.events, other.events),
    );
  }

  /** Whether everything `other` knows is known here. */
  includes(other: IntervalStamp): boolean {
    return leq(other.events, 0, this.events, 0);
  }

  compare(other: IntervalStamp): Order {
    return orderOf(other.includes(this), this.includes(other));
  }

  /** The JSON form: identity and events as nested arrays. */
  toJSON(): readonly [Identity, Events] {
    return [this.identity, this.events];
  }
}

function split(identity: Identity): readonly [Identity, Identity] {
  if (identity === 0) return [0, 0];
  if (identity === 1) {
    return [
      [1, 0],
      [0, 1],
    ];
  }
  const [left, right] = identity;
  if (left === 0) {
    const [a, b] = split(right);
    return [
      [0, a],
      [0, b],
    ];
  }
  if (right === 0) {
    const [a, b] = split(left);
    return [
      [a, 0],
      [b, 0],
    ];
  }
  return [
    [left, 0],
    [0, right],
  ];
}

function sum(a: Identity, b: Identity): Identity {
  if (a === 0) return b;
  if (b === 0) return a;
  if (a === 1 || b === 1) {
    throw new ClockError("overlap", "two stamps own the same part: one is a copy, retire it");
  }
  return normalIdentity(sum(a[0], b[0]), sum(a[1], b[1]));
}

/** The normal form of an identity with these halves. */
export function normalIdentity(left: Identity, right: Identity): Identity {
  if (left === 0 && right === 0) return 0;
  if (left === 1 && right === 1) return 1;
  return [left, right];
}

function base(events: Events): number {
  return typeof events === "number" ? events : events[0];
}

function highest(events: Events): number {
  if (typeof events === "number") return events;
  return events[0] + Math.max(highest(events[1]), highest(events[2]));
}

function raise(events: Events, by: number): Events {
  if (by === 0) return events;
  if (typeof events === "number") return events + by;
  return [events[0] + by, events[1], events[2]];
}

/** The normal form: in every node one half has base 0, and equal constant halves are no node. */
export function normalEvents(n: number, left: Events, right: Events): Events {
  if (typeof left === "number" && left === right) return n + left;
  const least = Math.min(base(left), base(right));
  return [n + least, raise(left, -least), raise(right, -least)];
}

function joinEvents(a: Events, b: Events): Events {
  if (typeof a === "number" && typeof b === "number") return Math.max(a, b);
  const left: Exclude<Events, number> = typeof a === "number" ? [a, 0, 0] : a;
  const right: Exclude<Events, number> = typeof b === "number" ? [b, 0, 0] : b;
  if (left[0] > right[0]) return joinEvents(right, left);
  const by = right[0] - left[0];
  return normalEvents(
    left[0],
    joinEvents(left[1], raise(right[1], by)),
    joinEvents(left[2], raise(right[2], by)),
  );
}

/** Whether `a` plus `x` is at most `b` plus `y` everywhere. */
function leq(a: Events, x: number, b: Events, y: number): boolean {
  if (typeof a === "number") return a + x <= base(b) + y;
  const [n, left, right] = a;
  if (typeof b === "number") {
    return n + x <= b + y && leq(left, n + x, b, y) && leq(right, n + x, b, y);
  }
  const [m, otherLeft, otherRight] = b;
  return (
    n + x <= m + y && leq(left, n + x, otherLeft, m + y) && leq(right, n + x, otherRight, m + y)
  );
}

/** Raises what lies under the identity as far as that makes the function simpler, and never above what is known. */
function fill(identity: Identity, events: Events): Events {
  if (identity === 0 || typeof events === "number") return events;
  if (identity === 1) return highest(events);
  const [n, left, right] = events;
  if (identity[0] === 1) {
    const filled = fill(identity[1], right);
    return normalEvents(n, Math.max(highest(left), base(filled)), filled);
  }
  if (identity[1] === 1) {
    const filled = fill(identity[0], left);
    return normalEvents(n, filled, Math.max(highest(right), base(filled)));
  }
  return normalEvents(n, fill(identity[0], left), fill(identity[1], right));
}

/** Making a leaf into a node costs more than any depth. */
const NEW_NODE = 1_000;

/** The cheapest raise by 1 under the identity: no new node if one can do without, then near the root. */
function grow(
  identity: Identity,
  events: Events,
): { readonly events: Events; readonly cost: number } {
  if (identity === 1 && typeof events === "number") {
    return { events: countable(events + 1), cost: 0 };
  }
  if (typeof events === "number") {
    const grown = grow(identity, [events, 0, 0]);
    return { events: grown.events, cost: grown.cost + NEW_NODE };
  }
  const [n, left, right] = events;
  const [mineLeft, mineRight]: readonly [Identity, Identity] =
    typeof identity === "number" ? [identity, identity] : identity;
  if (mineLeft === 0) {
    const grown = grow(mineRight, right);
    return { events: [n, left, grown.events], cost: grown.cost + 1 };
  }
  const grownLeft = grow(mineLeft, left);
  if (mineRight !== 0) {
    const grownRight = grow(mineRight, right);
    if (grownRight.cost <= grownLeft.cost) {
      return { events: [n, left, grownRight.events], cost: grownRight.cost + 1 };
    }
  }
  return { events: [n, grownLeft.events, right], cost: grownLeft.cost + 1 };
}

function sameEvents(a: Events, b: Events): boolean {
  if (typeof a === "number" || typeof b === "number") return a === b;
  return a === b || (a[0] === b[0] && sameEvents(a[1], b[1]) && sameEvents(a[2], b[2]));
}
