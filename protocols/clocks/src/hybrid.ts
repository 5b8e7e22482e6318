/**
 * Hybrid logical clocks (Kulkarni et al., _Logical physical clocks_, 2014):
 * stamps that grow along causal chains like Lamport's and stay close to
 * physical time like a wall clock's.
 *
 * - If a happened before b, a's stamp is smaller. Stamps alone are no unique
 *   names: two actors may make the same one, so the actor breaks ties.
 * - `ms` is never behind the wall clock of whoever made the stamp, and ahead of
 *   it only as far as the furthest clock heard of; one that is more than
 *   `maxAheadMs` ahead is refused before anything changes, or a single machine
 *   with a broken clock would drag all others into its future.
 * - A restart with a wall clock set back must not make a stamp again. The clock
 *   therefore reserves time: before it makes a stamp of a millisecond it
 *   persists a ceiling beyond it, and a new life begins at the ceiling. Under
 *   the kernel's write-ahead rule (K4) what follows waits for the record.
 */

import { type Codec, invariant, MalformedInput, struct, uint, union } from "@quorate/kernel";

import { type Actor, actorCodec, compareActors } from "./actor.ts";
import { ClockError, countable } from "./errors.ts";

export interface HybridStamp {
  /** Milliseconds of the wall clock, or of the clock furthest ahead that was heard of. */
  readonly ms: number;
  /** Tells apart stamps of one millisecond. Below {@link COUNTS}. */
  readonly count: number;
  readonly actor: Actor;
}

/** Counts run from 0 to here, exclusively; one more moves `ms` by 1. */
export const COUNTS = 0x1_0000;

/** What a hybrid clock writes down: no stamp of this life reaches `ms`. */
export interface CeilingRecord {
  readonly type: "ceiling";
  readonly ms: number;
}

/** Where records go: the kernel's `Context`, or whatever makes them durable before stamps leave. */
export interface Disk<Record> {
  persist(record: Record): unknown;
}

/** For clocks whose stamps nobody compares with those of an earlier life. */
export const noDisk: Disk<unknown> = Object.freeze({
  persist() {
    // Nothing outlives this life.
  },
});

export interface HybridOptions {
  /** A remote stamp may be this far ahead of the wall clock, at least twice the skew of healthy clocks. */
  readonly maxAheadMs: number;
  /** How far ahead a ceiling is set: a record each time so much time has passed, so much lost by a restart. */
  readonly reserveMs: number;
}

export const HYBRID_DEFAULTS: HybridOptions = Object.freeze({
  maxAheadMs: 60_000,
  reserveMs: 1_000,
});

/** The clock of one actor. Mutable, plain data. */
export class HybridClock {
  readonly actor: Actor;
  readonly options: HybridOptions;
  /** The last stamp made or heard of. */
  ms = 0;
  count = 0;
  /** Stamps with a lower `ms` are covered by a record. */
  ceiling = 0;

  constructor(actor: Actor, options: HybridOptions = HYBRID_DEFAULTS) {
    invariant(options.reserveMs >= 1, "a clock reserves at least a millisecond");
    this.actor = actor;
    this.options = options;
  }

  /** Takes up an earlier life: every new stamp is later than any of its. */
  recover(record: CeilingRecord): void {
    if (record.ms <= this.ms) return;
    this.ms = this.ceiling = record.ms;
    this.count = 0;
  }

  /**
   * A local event, or the sending of a message.
   * @param wallMs - The wall clock, in milliseconds.
   * @throws ClockError `overflow`
   */
  tick(wallMs: number, disk: Disk<CeilingRecord>): HybridStamp {
    return this.advance(Math.max(this.ms, wall(wallMs)), disk, undefined);
  }

  /**
   * The receipt of a message: an event later than the sending.
   * @throws ClockError `ahead` or `overflow`, and the clock is as it was
   */
  receive(stamp: HybridStamp, wallMs: number, disk: Disk<CeilingRecord>): HybridStamp {
    this.check(stamp, wallMs);
    return this.advance(Math.max(this.ms, stamp.ms, wall(wallMs)), disk, stamp);
  }

  /**
   * Refuses a stamp too far ahead of the wall clock.
   * @throws ClockError `ahead`
   */
  check(stamp: { readonly ms: number }, wallMs: number): void {
    const aheadMs = stamp.ms - wallMs;
    if (aheadMs <= this.options.maxAheadMs) return;
    throw new ClockError(
      "ahead",
      `a stamp is ${aheadMs} ms ahead, more than ${this.options.maxAheadMs}; look at the sender's clock`,
    );
  }

  /** Makes the first stamp at `ms` or later that is after the last one and after `remote`. */
  private advance(
    ms: number,
    disk: Disk<CeilingRecord>,
    remote: HybridStamp | undefined,
  ): HybridStamp {
    let count = 0;
    if (ms === this.ms) count = this.count + 1;
    if (ms === remote?.ms) count = Math.max(count, remote.count + 1);
    if (count >= COUNTS) {
      ms += 1;
      count = 0;
    }
    countable(ms + this.options.reserveMs);
    if (ms >= this.ceiling) {
      this.ceiling = ms + this.options.reserveMs;
      disk.persist({ type: "ceiling", ms: this.ceiling });
    }
    this.ms = ms;
    this.count = count;
    return { ms, count, actor: this.actor };
  }
}

function wall(ms: number): number {
  invariant(ms >= 0 && ms <= Number.MAX_SAFE_INTEGER, "wall clocks count milliseconds from 1970");
  return Math.floor(ms);
}

/** A total order that agrees with causality: by time, by count, then by actor. */
export function compareHybrid(a: HybridStamp, b: HybridStamp): number {
  return a.ms - b.ms || a.count - b.count || compareActors(a.actor, b.actor);
}

const countCodec: Codec<number> = {
  write: (writer, count) => uint.write(writer, count),
  read(reader) {
    const count = uint.read(reader);
    if (count >= COUNTS) throw new MalformedInput("count of a hybrid stamp too large");
    return count;
  },
};

export const hybridCodec: Codec<HybridStamp> = struct<HybridStamp>({
  ms: uint,
  count: countCodec,
  actor: actorCodec,
});

export const ceilingCodec: Codec<CeilingRecord> = union<CeilingRecord>({
  ceiling: [1, { ms: uint }],
});
