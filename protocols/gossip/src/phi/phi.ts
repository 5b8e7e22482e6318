/**
 * The accrual failure detector (Hayashibara, Défago, Yared, Katayama 2004) on
 * gossiped heartbeats, as Cassandra uses it: each node counts its heartbeats,
 * and passes on the highest count it knows of everybody. How long a count
 * stands still, against how long it used to, is the suspicion.
 *
 * Silence of t, where beats used to come every m on average, has probability
 * e^(-t/m) if they come at random, so phi = -log10 of that = t / (m ln 10).
 * The paper fits a normal distribution; Cassandra's exponential one needs no
 * function that differs between engines.
 */

import type { Context, NodeId, Process, Speaks } from "@quorate/kernel";

import type { FailureDetector } from "../detector.ts";

export interface PhiConfig {
  readonly peers: readonly NodeId[];
  /** How often a node beats and gossips. */
  readonly beatMs: number;
  /** To how many others each time. */
  readonly fanout: number;
  /** Suspicion from which a node is taken for gone: at 8, wrong once in 10^8 silences, if they are random. */
  readonly threshold: number;
  /** How many intervals make up the average. */
  readonly window: number;
}

export const PHI_DEFAULTS: Omit<PhiConfig, "peers"> = Object.freeze({
  beatMs: 1000,
  fanout: 1,
  threshold: 8,
  window: 1000,
});

type Beats = readonly (readonly [node: NodeId, count: number])[];

export type PhiWords = Speaks<{
  /** With `ask`, the receiver answers with the counts that it knows higher. */
  Message: { readonly type: "beats"; readonly beats: Beats; readonly ask: boolean };
  Timer: "beat";
  /** Begins a life: counts of an earlier one are all lower. */
  Record: { readonly life: number };
  Output: { readonly type: "gone" | "back"; readonly node: NodeId };
}>;

interface Arrivals {
  readonly count: number;
  readonly at: number;
  /** Sum and number of the intervals in the average. */
  readonly sumMs: number;
  readonly intervals: number;
  readonly gone: boolean;
}

/** No life beats as often. */
const BEATS_PER_LIFE = 0x1_0000_0000;

export class PhiAccrual implements Process<PhiWords>, FailureDetector {
  private readonly config: PhiConfig;
  private life = 0;
  private beat = 0;
  private readonly arrivals: Map<NodeId, Arrivals> = new Map();

  constructor(config: PhiConfig) {
    this.config = Object.freeze({ ...config });
  }

  recover({ life }: PhiWords["Record"]): void {
    this.life = life;
  }

  onStart(ctx: Context<PhiWords>): void {
    ctx.persist({ life: ++this.life });
    this.beat = this.life * BEATS_PER_LIFE;
    const { beatMs, peers } = this.config;
    for (const node of peers) {
      if (node === ctx.self) continue;
      // As if beats had come, slowly, so that a young average is not jumpy.
      this.arrivals.set(node, {
        count: 0,
        at: ctx.now,
        sumMs: 2 * beatMs,
        intervals: 1,
        gone: false,
      });
    }
    ctx.setTimer("beat", 1, beatMs);
  }

  onTimer(ctx: Context<PhiWords>): void {
    ctx.setTimer("beat", this.config.beatMs);
    this.beat++;
    const beats: [NodeId, number][] = [[ctx.self, this.beat]];
    for (const [node, { count }] of this.arrivals) if (count > 0) beats.push([node, count]);
    const others = [...this.arrivals.keys()];
    for (let i = 0; i < this.config.fanout && others.length > 0; i++) {
      const [to] = others.splice(ctx.choose(others.length), 1);
      ctx.send(to!, { type: "beats", beats, ask: true });
    }
    this.judge(ctx);
  }

  onMessage(ctx: Context<PhiWords>, from: NodeId, { beats, ask }: PhiWords["Message"]): void {
    if (ask) this.answer(ctx, from, new Map(beats));
    for (const [node, count] of beats) {
      const known = this.arrivals.get(node);
      if (known === undefined || count <= known.count) continue;
      this.arrivals.set(node, this.after(known, count, ctx.now));
      if (known.gone) ctx.outputEagerly({ type: "back", node });
    }
  }

  private answer(ctx: Context<PhiWords>, to: NodeId, told: ReadonlyMap<NodeId, number>): void {
    const beats: [NodeId, number][] = [[ctx.self, this.beat]];
    for (const [node, { count }] of this.arrivals) {
      if (count > (told.get(node) ?? 0)) beats.push([node, count]);
    }
    ctx.send(to, { type: "beats", beats, ask: false });
  }

  private after(known: Arrivals, count: number, now: number): Arrivals {
    const { window } = this.config;
    // Beyond the window, a new interval takes the place of an average one.
    const full = known.intervals >= window;
    const sumMs = known.sumMs * (full ? 1 - 1 / window : 1) + (now - known.at);
    return { count, at: now, sumMs, intervals: full ? window : known.intervals + 1, gone: false };
  }

  private judge(ctx: Context<PhiWords>): void {
    for (const [node, known] of this.arrivals) {
      if (known.gone || this.phiOf(known, ctx.now) < this.config.threshold) continue;
      this.arrivals.set(node, { ...known, gone: true });
      ctx.outputEagerly({ type: "gone", node });
    }
  }

  private phiOf({ at, sumMs, intervals }: Arrivals, now: number): number {
    return (now - at) / ((sumMs / intervals) * Math.LN10);
  }

  /** The suspicion of a node at a time. */
  phi(node: NodeId, now: number): number | undefined {
    const known = this.arrivals.get(node);
    return known === undefined ? undefined : this.phiOf(known, now);
  }

  opinionOf(node: NodeId): "present" | "gone" | "unknown" {
    const known = this.arrivals.get(node);
    if (known === undefined) return "unknown";
    return known.gone ? "gone" : "present";
  }
}
