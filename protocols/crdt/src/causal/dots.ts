/**
 * Dots in memory: one number for each, so that sets of them are arrays of
 * numbers. An actor is interned to a small index at first sight; the index is
 * a replica's own and never leaves it.
 */

/** `counter * INDEXES + index`. */
export type PackedDot = number;

/** Indexes run from 0 to here, exclusively. */
export const INDEXES = 0x1_0000;

/** Counters run from 1 to here: 2^37 acts of one actor. */
export const MAX_COUNTER = 0x1f_ffff_ffff;

export function pack(index: number, counter: number): PackedDot {
  return counter * INDEXES + index;
}

export function indexOf(dot: PackedDot): number {
  return dot % INDEXES;
}

export function counterOf(dot: PackedDot): number {
  return Math.floor(dot / INDEXES);
}
