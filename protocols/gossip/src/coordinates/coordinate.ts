/** A point in the space whose distances are round-trip times (Dabek et al. 2004, Vivaldi). */

export interface Coordinate {
  /** Seconds; {@link DIMENSIONS} of them. */
  readonly vector: readonly number[];
  /** How far it is believed to be off, relative to the distance. */
  readonly error: number;
  /** Seconds that every path from here takes besides the distance. */
  readonly adjustment: number;
  /** Seconds on the access link: paths go up at one end and down at the other. */
  readonly height: number;
}

export const DIMENSIONS = 8;
