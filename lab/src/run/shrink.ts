/**
 * Makes a failing run small. It is written down and reduced (`reduction.ts`). If
 * much is left, the same claim may break in a smaller way: the scenario is played
 * with other seeds and most of its dice silent, and what fails soon is reduced too.
 * Its nemeses still aim there, while those in a list act at the times written in it.
 */

import { invariant } from "@quorate/kernel";

import type { Cluster, Subject } from "../subject.ts";
import { type Entry, isDecision } from "./chronicle.ts";
import { type Concern, concernOf } from "./intervention.ts";
import { type Finding, type Outcome, play, type PlayOptions } from "./play.ts";
import { Purse } from "./purse.ts";
import { Reduction, type Written, writtenDown } from "./reduction.ts";
import { LISTED, type Run } from "./run.ts";

export interface Shrunk {
  /** A listed run that breaks the same claim. */
  readonly run: Run;
  readonly finding: Finding;
  /** Decisions of the run as it was found, and of the small one. */
  readonly from: number;
  readonly to: number;
  /** How many runs it took, and their steps. */
  readonly replays: number;
  readonly spent: number;
}

export interface ShrinkOptions {
  /** Stop after so many steps of replays. */
  readonly budget?: number;
}

const BUDGET = 10_000_000;
/** Other seeds get one in so many steps of the budget. */
const CALMER_SHARE = 10;
/** No other seeds are tried for a run with no more decisions. */
const FEW = 10;
/** Seeds tried. */
const CALMER_SEEDS = 2_000;
/** Each may take so many times the steps of the best run so far, */
const CALMER_STEPS = 2;
/** and these in any case, but never more than the run that was found. */
const CALMER_LEAST_STEPS = 300;
/** What is decided no more often than this is left to the dice: it is easy to leave out later. */
const SELDOM = 20;

/** @throws InvariantViolation if `run` does not fail, or does not replay. */
export function shrink(subject: Subject, run: Run, options: ShrinkOptions = {}): Shrunk {
  return new Shrinker(subject, run, options.budget ?? BUDGET).shrink();
}

/** A run written down: the same run as a list of its decisions. @throws InvariantViolation if it does not fail */
export function listed(
  subject: Subject,
  run: Run,
): { readonly run: Run; readonly outcome: Outcome } {
  const outcome = play(subject, run, { record: true });
  invariant(outcome.finding !== undefined, "only a failing run is written down");
  return { run: writtenDown(run, outcome, outcome.finding).run, outcome };
}

class Shrinker {
  private readonly given: Run;
  private readonly cluster: Cluster;
  private readonly budget: number;
  private readonly purse: Purse;
  /** The given run as a list. */
  private readonly found: Written;
  private best: Written;
  /** Runs that were reduced, by their seeds and steps: silence where nothing was to be heard makes no other run. */
  private readonly reduced: Set<string> = new Set();

  constructor(subject: Subject, run: Run, budget: number) {
    this.given = run;
    this.cluster = subject.open(run.settings, run.bug);
    this.budget = budget;
    this.purse = new Purse(subject, budget);
    const { run: list, outcome } = listed(subject, run);
    this.found = writtenDown(list, outcome, outcome.finding!);
    this.best = this.found;
    this.replay();
  }

  shrink(): Shrunk {
    this.best = this.reduce(this.found);
    // A run that is busy for ever shows that in no fewer steps.
    const isEndless = this.found.finding.claim === "livelock";
    if (this.given.scenario !== LISTED && !isEndless) this.calmer();
    this.replay();
    const { run, finding } = this.best;
    const { replays, spent } = this.purse;
    const from = this.found.run.interventions.length;
    return { run, finding, from, to: run.interventions.length, replays, spent };
  }

  /** What was written down must go the same way, without the run that it comes from. */
  private replay(): void {
    const { claim, step } = this.best.finding;
    const { finding } = this.purse.play(this.best.run, {});
    invariant(
      finding?.claim === claim && finding.step === step,
      "a run that was written down replays",
    );
  }

  private reduce(written: Written): Written {
    return new Reduction(this.purse, this.cluster.nodes, written).reduce();
  }

  /** Plays the scenario with other seeds and less weather, for a run that can be made smaller. */
  private calmer(): void {
    this.purse.keep(Math.ceil(this.budget / CALMER_SHARE));
    const weathers = quieter(this.found.entries);
    for (let i = 0; i < CALMER_SEEDS; i++) {
      for (const quiet of weathers) {
        if (this.purse.isSpent || this.best.run.interventions.length <= FEW) return;
        this.tryCalmer({ ...this.given, seed: this.given.seed + i }, quiet);
      }
    }
  }

  private tryCalmer(run: Run, quiet: ReadonlySet<Concern>): void {
    const { claim, step } = this.found.finding;
    const room = Math.max(CALMER_LEAST_STEPS, this.best.finding.step * CALMER_STEPS);
    const options: PlayOptions = { quiet, budget: Math.min(step, room) };
    const first = this.purse.play(run, options).finding;
    const name = `${run.seed} ${first?.step}`;
    if (first?.claim !== claim || this.reduced.has(name)) return;
    this.reduced.add(name);
    const outcome = this.purse.play(run, { ...options, record: true });
    invariant(outcome.finding?.claim === claim, "what is played again goes the same way");
    const small = this.reduce(writtenDown(run, outcome, outcome.finding));
    if (small.run.interventions.length < this.best.run.interventions.length) this.best = small;
  }
}

/** What may be silent: everything that is often decided, then all but one of these, all but two, and nothing. */
function quieter(entries: readonly Entry[]): readonly ReadonlySet<Concern>[] {
  const counts = new Map<Concern, number>();
  for (const each of entries) {
    if (each.type === "action" || !isDecision(each)) continue;
    const concern = concernOf(each);
    counts.set(concern, (counts.get(concern) ?? 0) + 1);
  }
  const often = [...counts].flatMap(([concern, count]) => (count > SELDOM ? [concern] : []));
  const without = (...loud: readonly Concern[]): ReadonlySet<Concern> =>
    new Set(often.filter((concern) => !loud.includes(concern)));
  const sets = [without(), ...often.map((one) => without(one))];
  for (const [i, one] of often.entries()) {
    for (const other of often.slice(i + 1)) sets.push(without(one, other));
  }
  return [...sets, without(...often)];
}
