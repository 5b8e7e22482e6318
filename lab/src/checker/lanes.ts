/**
 * Fingerprints of states as two lanes of 32 bits. A state is a list of small
 * numbers in places; each number in its place has a random-looking pair of lanes,
 * and a fingerprint is their sum (Zobrist 1970). A step changes few numbers, so
 * that it changes a fingerprint by a few additions; messages in no order are a
 * sum by nature.
 */

/** The place of all messages whose order does not matter. Above any other place. */
export const IN_FLIGHT: number = 1 << 20;

export function lowLane(place: number, value: number): number {
  let h = Math.imul(value + 0x3c6ef372, 0x9e3779b1) ^ Math.imul(place + 1, 0x85ebca6b);
  h = Math.imul(h ^ (h >>> 16), 0x7feb352d);
  h = Math.imul(h ^ (h >>> 15), 0x846ca68b);
  return h ^ (h >>> 16);
}

export function highLane(place: number, value: number): number {
  let h = Math.imul(value + 0x1b873593, 0xc2b2ae3d) ^ Math.imul(place + 7, 0x27d4eb2f);
  h = Math.imul(h ^ (h >>> 15), 0x2c1b3c6d);
  h = Math.imul(h ^ (h >>> 12), 0x297a2d39);
  return h ^ (h >>> 15);
}
