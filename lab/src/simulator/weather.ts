/**
 * The weather of a run: how its network, disks and clocks behave by themselves.
 * What a nemesis does besides (crashes, partitions, stalled disks) is not here.
 *
 * All times are whole milliseconds, all probabilities whole parts in a thousand:
 * the same on every engine.
 */

export interface Weather {
  /** Message delay, `[min, max]`. */
  readonly latencyMs: readonly [min: number, max: number];
  /** How delays are spread over the range; `exponential`: most are short, and `max` is the longest. */
  readonly latencyShape: "uniform" | "exponential";
  /** Each directed link is slower than the range by a delay of its own, up to this. */
  readonly linkSpreadMs: number;
  /** Of 1,000 messages, how many are lost. */
  readonly lossPermille: number;
  /** Of 1,000 messages, how many arrive twice. */
  readonly duplicatePermille: number;
  /** Of 1,000 messages, how many clog their link: nothing on it arrives before a time up to {@link clogMs} from now. */
  readonly clogPermille: number;
  readonly clogMs: number;
  /** The most messages on their way on one directed link; the rest is lost. 0: no limit. */
  readonly capacity: number;
  /** Time to write what was persisted, `[min, max]`. */
  readonly syncMs: readonly [min: number, max: number];
  /** Of 1,000 writes, how many stall, for up to {@link stallMs} more. */
  readonly stallPermille: number;
  readonly stallMs: number;
  /** Of 1,000 checkpoints, how many are never completed. */
  readonly lostCheckpointPermille: number;
  /** In a crash, the disk may have kept some of what it had not reported yet: the first few records. */
  readonly tornWrites: boolean;
  /** Tell the other nodes, now and then, that a crashed one is unreachable. */
  readonly hints: boolean;
  /** Clocks run faster than true by up to this, in parts per thousand, each at a rate of its own. */
  readonly driftPermille: number;
  /** Clocks do not begin at 0, but each somewhere below this. */
  readonly clockOffsetMs: number;
}

/** Nothing goes wrong, and everything takes a millisecond. */
export const CALM: Weather = {
  latencyMs: [1, 1],
  latencyShape: "uniform",
  linkSpreadMs: 0,
  lossPermille: 0,
  duplicatePermille: 0,
  clogPermille: 0,
  clogMs: 0,
  capacity: 0,
  syncMs: [0, 0],
  stallPermille: 0,
  stallMs: 0,
  lostCheckpointPermille: 0,
  tornWrites: false,
  hints: false,
  driftPermille: 0,
  clockOffsetMs: 0,
};
