/**
 * When a crash is noticed, from the settings alone: what SWIM (§4.3, bounded
 * completeness) and Lifeguard (dynamic suspicion timeouts) promise where no
 * packet is lost and nobody is slow.
 */

import type { SwimConfig } from "../config.ts";
import { ln } from "../logarithm.ts";
import { Suspicion } from "./suspicion.ts";

/** Milliseconds from the last answer of a member until others declare it dead. */
export interface DetectionBounds {
  /** Nobody may be sooner: a probe must fail, and a suspect has its time. */
  readonly leastMs: number;
  /** All know by then: everybody's turn has come to probe it, and so to confirm the suspicion. */
  readonly mostMs: number;
  /** Nobody is sooner where no suspicion is confirmed: what lies beyond is no work of Lifeguard's. */
  readonly unconfirmedMs: number;
}

/** Bounds for the crash of one among `members`, the crashed one included. */
export function detectionBounds(config: SwimConfig, members: number): DetectionBounds {
  const { probeIntervalMs, gossipIntervalMs, gossipNodes } = config;
  const { minMs, maxMs, wanted } = new Suspicion(
    config,
    { known: members, present: members },
    config.name,
    0,
    0,
  );
  // First in one round and last in the next.
  const turnMs = (2 * members - 1) * probeIntervalMs;
  const spreadMs = Math.ceil(ln(members) / ln(1 + gossipNodes)) * gossipIntervalMs;
  return {
    leastMs: probeIntervalMs + minMs,
    mostMs: turnMs + probeIntervalMs + minMs + spreadMs,
    unconfirmedMs: probeIntervalMs + (wanted === 0 ? minMs : maxMs),
  };
}
