/**
 * Everything in a run that could have come out otherwise, asked one question at
 * a time. Who answers decides what kind of run it is: dice, by the weather; or a
 * list of answers written down in an earlier run, which is how a failing run is
 * replayed, edited and made small.
 *
 * Nodes are numbered in the order in which the cluster names them.
 */

import { Random } from "@quorate/kernel";

import { CALM, type Weather } from "./weather.ts";

/** A message, or its second copy, that never arrives. */
export const LOST = -1;

export interface Fates {
  /** Delay of the next message on a directed link, or {@link LOST}. `crowded`: the link is full. */
  message(from: number, to: number, crowded: boolean, now: number): number;
  /** Delay of a second copy of the message just asked about, or {@link LOST}. */
  copy(from: number, to: number): number;
  /** A timer's jitter, in `[0, range]`. */
  jitter(node: number, timer: string, range: number): number;
  /** How long a node's next write takes. */
  write(node: number): number;
  /** Whether a node's next checkpoint is never completed. */
  losesCheckpoint(node: number): boolean;
  /** Whether a node, with other input due at the same moment, puts off `onIdle`. */
  busy(node: number): boolean;
  /** What a node's process chooses, in `[0, count)`. */
  choice(node: number, count: number): number;
  /** How many of `unsynced` records survive a node's crash, the oldest first. */
  kept(node: number, unsynced: number): number;
  /** When `node` hears that `gone` is unreachable, or {@link LOST}. */
  hint(node: number, gone: number): number;
  /** How much faster than true a node's clock runs, in parts per thousand. */
  rate(node: number): number;
  /** Where a node's clock begins. */
  offset(node: number): number;
  /** From now on the weather is fair: nothing is lost, repeated or stalled. */
  calm(): void;
}

/** -256·ln(1 − (i + ½)/64), rounded: logarithms differ between engines, this table does not. */
const EXPONENTIAL: readonly number[] = [
  2, 6, 10, 14, 19, 23, 27, 32, 36, 41, 46, 51, 56, 61, 66, 71, 76, 82, 87, 93, 99, 105, 111, 117,
  124, 130, 137, 144, 151, 158, 166, 173, 181, 190, 198, 207, 216, 226, 236, 246, 256, 268, 279,
  291, 304, 318, 332, 347, 363, 380, 398, 418, 439, 463, 488, 517, 549, 585, 628, 680, 744, 830,
  961, 1242,
];
const LONGEST = EXPONENTIAL.at(-1)!;

/** In fair weather, delays vary by no more than this. */
const FAIR_MS = 10;

/** Answers by dice. Each concern has a generator of its own, so that one draw more in one leaves the others as they were. */
export class Dice implements Fates {
  private weather: Weather;
  private readonly network: Random;
  private readonly disks: Random;
  private readonly timers: Random;
  private readonly turns: Random;
  private readonly choices: Random;
  private readonly crashes: Random;
  private readonly clocks: Random;
  /** Mixed into what a link's own delay is made of. */
  private readonly salt: number;
  private readonly clogged: Map<number, number> = new Map();

  constructor(seed: number, weather: Weather) {
    this.weather = weather;
    const root = new Random(seed);
    this.network = root.fork(1);
    this.disks = root.fork(2);
    this.timers = root.fork(3);
    this.turns = root.fork(4);
    this.choices = root.fork(5);
    this.crashes = root.fork(6);
    this.clocks = root.fork(7);
    this.salt = root.next();
  }

  message(from: number, to: number, crowded: boolean, now: number): number {
    const { lossPermille, clogPermille, clogMs } = this.weather;
    if (crowded) return LOST;
    if (lossPermille > 0 && this.network.chance(lossPermille, 1000)) return LOST;
    const delay = this.latency(from, to);
    if (clogPermille === 0) return delay;
    const link = from * 0x1_0000 + to;
    if (this.network.chance(clogPermille, 1000)) {
      this.clogged.set(link, now + this.network.below(clogMs + 1));
    }
    return Math.max(delay, (this.clogged.get(link) ?? 0) - now);
  }

  copy(from: number, to: number): number {
    const { duplicatePermille } = this.weather;
    if (duplicatePermille === 0 || !this.network.chance(duplicatePermille, 1000)) return LOST;
    return this.latency(from, to);
  }

  private latency(from: number, to: number): number {
    const { latencyMs, latencyShape, linkSpreadMs } = this.weather;
    const [min, max] = latencyMs;
    let delay = min;
    if (max > min) {
      delay =
        latencyShape === "uniform"
          ? min + this.network.below(max - min + 1)
          : min + Math.floor((EXPONENTIAL[this.network.below(64)]! * (max - min)) / LONGEST);
    }
    if (linkSpreadMs === 0) return delay;
    const mixed = Math.imul(this.salt ^ (from * 0x9e37 + to), 0x85ebca6b) >>> 8;
    return delay + (mixed % (linkSpreadMs + 1));
  }

  jitter(_node: number, _timer: string, range: number): number {
    return this.timers.below(range + 1);
  }

  write(_node: number): number {
    const { syncMs, stallPermille, stallMs } = this.weather;
    const [min, max] = syncMs;
    const usual = max > min ? min + this.disks.below(max - min + 1) : min;
    if (stallPermille === 0 || !this.disks.chance(stallPermille, 1000)) return usual;
    return usual + this.disks.below(stallMs + 1);
  }

  losesCheckpoint(_node: number): boolean {
    const { lostCheckpointPermille } = this.weather;
    return lostCheckpointPermille > 0 && this.disks.chance(lostCheckpointPermille, 1000);
  }

  busy(_node: number): boolean {
    return this.turns.chance(1, 2);
  }

  choice(_node: number, count: number): number {
    return this.choices.below(count);
  }

  kept(_node: number, unsynced: number): number {
    return this.weather.tornWrites && unsynced > 0 ? this.crashes.below(unsynced + 1) : 0;
  }

  hint(_node: number, _gone: number): number {
    if (!this.weather.hints || this.crashes.chance(1, 2)) return LOST;
    const [min, max] = this.weather.latencyMs;
    return min + this.crashes.below(max - min + 1);
  }

  rate(_node: number): number {
    const { driftPermille } = this.weather;
    return driftPermille === 0 ? 0 : this.clocks.below(driftPermille + 1);
  }

  offset(_node: number): number {
    const { clockOffsetMs } = this.weather;
    return clockOffsetMs === 0 ? 0 : this.clocks.below(clockOffsetMs);
  }

  calm(): void {
    const [min, max] = this.weather.latencyMs;
    const [quick, slow] = this.weather.syncMs;
    this.clogged.clear();
    this.weather = {
      ...CALM,
      latencyMs: [min, Math.min(max, min + FAIR_MS)],
      syncMs: [quick, Math.min(slow, quick + FAIR_MS)],
    };
  }
}
