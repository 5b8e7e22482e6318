/**
 * How long a suspect has to refute (Lifeguard, "dynamic suspicion timeouts").
 *
 * It starts long and is cut with every other member that suspects the same on
 * its own: one accuser may be the one that is ill, several agree for a reason.
 */

import type { SwimConfig } from "../config.ts";
import { ln, log10 } from "../logarithm.ts";
import type { Incarnation, Name } from "../member.ts";

export class Suspicion {
  readonly incarnation: Incarnation;
  readonly startedAt: number;
  /** How many confirmations bring the timeout down to its least. */
  readonly wanted: number;
  readonly minMs: number;
  readonly maxMs: number;
  /** Its end was slept through once, and it was given more time. */
  prolonged = false;
  /** Who said so, the first accuser among them. */
  private readonly accusers: Set<Name>;

  /** `known` members, of which `present` are there, suspect and accuser included. */
  constructor(
    config: SwimConfig,
    { known, present }: { readonly known: number; readonly present: number },
    accuser: Name,
    incarnation: Incarnation,
    now: number,
  ) {
    const { suspicionMult, suspicionMaxMult } = config;
    this.incarnation = incarnation;
    this.startedAt = now;
    // Without as many bystanders as confirmations wanted there is no point in waiting for them.
    const wanted = Math.max(0, suspicionMult - 2);
    this.wanted = present - 2 < wanted ? 0 : wanted;
    this.minMs = suspicionMinMs(config, known);
    this.maxMs = suspicionMaxMult * this.minMs;
    this.accusers = new Set([accuser]);
  }

  get confirmations(): number {
    return this.accusers.size - 1;
  }

  /** Whether `accuser` is news that counts. */
  confirm(accuser: Name): boolean {
    if (this.confirmations >= this.wanted || this.accusers.has(accuser)) return false;
    this.accusers.add(accuser);
    return true;
  }

  /** How long from `now` until the suspect is declared dead. */
  leftMs(now: number): number {
    return this.timeoutMs() - (now - this.startedAt);
  }

  private timeoutMs(): number {
    const { minMs, maxMs, wanted, confirmations } = this;
    if (wanted === 0) return minMs;
    const share = ln(confirmations + 1) / ln(wanted + 1);
    return Math.max(minMs, Math.floor(maxMs - share * (maxMs - minMs)));
  }
}

/** suspicionMult * max(1, log10 n) * probe interval. */
export function suspicionMinMs(config: SwimConfig, known: number): number {
  const scale = Math.max(1, log10(Math.max(1, known)));
  return Math.floor(
    (config.suspicionMult * Math.floor(scale * 1000 + 1e-6) * config.probeIntervalMs) / 1000,
  );
}
