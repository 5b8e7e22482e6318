/**
 * Network coordinates (Dabek, Cox, Kaashoek, Morris 2004; Ledlie, Gardner,
 * Seltzer 2007 for the filter and gravity; Lee et al. 2007 for adjustments):
 * every measured round trip pulls this node towards or away from the other, so
 * that distances come to predict round trips nobody measured.
 *
 * Only +, -, *, / and square roots of IEEE doubles are used, all of which are
 * exact to the last bit, so that a run is the same on every engine.
 */

import type { Context } from "@quorate/kernel";

import type { Name } from "../member.ts";
import type { GossipWords } from "../words.ts";
import { type Coordinate, DIMENSIONS } from "./coordinate.ts";

const ERROR_MAX = 1.5;
/** How fast the error estimate, and the position, follow a sample (c_e and c_c of the paper). */
const ERROR_GAIN = 0.25;
const POSITION_GAIN = 0.25;
const ADJUSTMENT_WINDOW = 20;
const HEIGHT_MIN = 1e-5;
const FILTER_SAMPLES = 3;
/** Seconds from the origin at which gravity pulls by a second. */
const GRAVITY_RHO = 150;
const RTT_MAX_SECONDS = 10;
/** Closer than a microsecond is the same point. */
const ZERO = 1e-6;

/** Where everybody begins. */
export const ORIGIN: Coordinate = Object.freeze({
  vector: Object.freeze(Array.from({ length: DIMENSIONS }, () => 0)),
  error: ERROR_MAX,
  adjustment: 0,
  height: HEIGHT_MIN,
});

/** The round trip between two points, in seconds, as far as they tell. */
export function estimateSeconds(a: Coordinate, b: Coordinate): number {
  const raw = rawDistance(a, b);
  const adjusted = raw + a.adjustment + b.adjustment;
  return adjusted > 0 ? adjusted : raw;
}

/** Whether a stranger's coordinate may be calculated with. */
export function isSound(coordinate: Coordinate): boolean {
  const { vector, error, adjustment, height } = coordinate;
  return (
    vector.length === DIMENSIONS &&
    vector.every(Number.isFinite) &&
    Number.isFinite(error) &&
    Number.isFinite(adjustment) &&
    Number.isFinite(height)
  );
}

export class Vivaldi {
  coordinate: Coordinate = ORIGIN;
  /** The last few round trips to each peer: their median is less noisy than any. */
  private readonly samples: Map<Name, readonly number[]> = new Map();
  private readonly adjustments: number[] = [];
  private adjustmentAt = 0;

  /** Takes in a round trip to a peer at `other`. Unsound ones are ignored. */
  update(ctx: Context<GossipWords>, peer: Name, other: Coordinate, rttSeconds: number): void {
    if (!isSound(other) || !(rttSeconds >= 0 && rttSeconds <= RTT_MAX_SECONDS)) return;
    const rtt = Math.max(ZERO, this.filter(peer, rttSeconds));
    this.follow(ctx, other, rtt);
    this.adjust(other, rtt);
    this.gravitate(ctx);
    if (!isSound(this.coordinate)) this.coordinate = ORIGIN;
  }

  forget(peer: Name): void {
    this.samples.delete(peer);
  }

  private filter(peer: Name, rtt: number): number {
    const samples = [...(this.samples.get(peer) ?? []), rtt].slice(-FILTER_SAMPLES);
    this.samples.set(peer, samples);
    return samples.toSorted((a, b) => a - b)[Math.floor(samples.length / 2)]!;
  }

  private follow(ctx: Context<GossipWords>, other: Coordinate, rtt: number): void {
    const { coordinate } = this;
    const distance = estimateSeconds(coordinate, other);
    const wrongness = Math.abs(distance - rtt) / rtt;
    const weight = coordinate.error / Math.max(ZERO, coordinate.error + other.error);
    const gain = ERROR_GAIN * weight;
    const error = Math.min(ERROR_MAX, gain * wrongness + coordinate.error * (1 - gain));
    const force = POSITION_GAIN * weight * (rtt - distance);
    this.coordinate = pushed(ctx, { ...coordinate, error }, force, other);
  }

  private adjust(other: Coordinate, rtt: number): void {
    this.adjustments[this.adjustmentAt] = rtt - rawDistance(this.coordinate, other);
    this.adjustmentAt = (this.adjustmentAt + 1) % ADJUSTMENT_WINDOW;
    let sum = 0;
    for (const sample of this.adjustments) sum += sample;
    this.coordinate = { ...this.coordinate, adjustment: sum / (2 * ADJUSTMENT_WINDOW) };
  }

  /** Keeps the whole space from drifting away. */
  private gravitate(ctx: Context<GossipWords>): void {
    const share = estimateSeconds(ORIGIN, this.coordinate) / GRAVITY_RHO;
    this.coordinate = pushed(ctx, this.coordinate, -(share * share), ORIGIN);
  }
}

/** `point` moved away from `other`, or towards it by a negative force. */
function pushed(
  ctx: Context<GossipWords>,
  point: Coordinate,
  force: number,
  other: Coordinate,
): Coordinate {
  const difference = point.vector.map((value, i) => value - other.vector[i]!);
  const distance = magnitude(difference);
  if (distance <= ZERO) {
    // Two in one place part in a random direction.
    const direction = difference.map(() => ctx.choose(0x1_0000) / 0x1_0000 - 0.5);
    const length = magnitude(direction);
    const unit = length > ZERO ? direction.map((value) => value / length) : difference;
    return { ...point, vector: point.vector.map((value, i) => value + unit[i]! * force) };
  }
  const vector = point.vector.map((value, i) => value + (difference[i]! / distance) * force);
  const height = ((point.height + other.height) * force) / distance + point.height;
  return { ...point, vector, height: Math.max(HEIGHT_MIN, height) };
}

function rawDistance(a: Coordinate, b: Coordinate): number {
  return magnitude(a.vector.map((value, i) => value - b.vector[i]!)) + a.height + b.height;
}

function magnitude(vector: readonly number[]): number {
  let sum = 0;
  for (const value of vector) sum += value * value;
  return Math.sqrt(sum);
}
