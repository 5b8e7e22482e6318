/**
 * Makes a failing run small, in two ways. If much is decided in it, it looks for a
 * calmer run first that breaks the same claim: the same scenario, with other seeds
 * and most of the dice silent. Its nemeses still aim, while those in a list act at
 * the times written there. Then
 * it writes all decisions down and leaves out as many as it can (delta debugging,
 * Zeller & Hildebrandt 2002). What is left out comes out the dull way, so what is
 * left is what matters.
 */

import { fingerprint, invariant } from "@quorate/kernel";

import type { Subject } from "../subject.ts";
import type { Stretch } from "./chronicle.ts";
import { type Concern, concernOf, type Fate, type Intervention, nodesOf } from "./intervention.ts";
import { type Finding, type Outcome, planOf, play, type PlayOptions } from "./play.ts";
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
/** A list that is shortened may take this many steps more: who waits less, does more in the same time. */
const SLACK_STEPS = 1_000;
/** The search for a calmer run gets one in so many steps of the budget. */
const CALMER_SHARE = 2;
/** So much later than before may a run fail whose time was shortened. */
const SLACK_MS = 200;
/** No stretch that is left out is shorter. */
const SHORTEST_MS = 8;
/** Nor than this part of the run. */
const STRETCHES = 64;
/** A list of no more decisions is cut piece by piece at once. */
const SHORT = 100;
/** Seeds tried in calmer weather. */
const CALMER_SEEDS = 2_000;
/** A run in calmer weather may take this part of the steps of the best one. */
const CALMER_LENGTH = 0.75;
/** Dice thrown for the last moments of a run, for each length of these. */
const AGAIN_SEEDS = 200;
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
  return { run: writtenDown(run, outcome, outcome.finding), outcome };
}

function writtenDown(run: Run, { decisions }: Outcome, { atMs }: Finding): Run {
  return { ...run, scenario: LISTED, interventions: decisions, until: atMs };
}

class Shrinker {
  private readonly subject: Subject;
  private readonly found: Run;
  private readonly budget: number;
  private readonly from: number;
  private best: Run;
  private finding: Finding;
  private replays = 0;
  private spent = 0;
  /** Fingerprints of lists that do not break the claim. */
  private readonly tried: Set<number> = new Set();

  constructor(subject: Subject, run: Run, budget: number) {
    this.subject = subject;
    this.found = run;
    this.budget = budget;
    const { run: written, outcome } = listed(subject, run);
    this.best = written;
    this.finding = outcome.finding!;
    this.from = written.interventions.length;
    invariant(this.holds(written.interventions), "a run that was written down replays");
  }

  shrink(): Shrunk {
    if (this.found.scenario !== LISTED) {
      this.calmer();
      this.again();
    }
    for (let before = Infinity; before > this.best.interventions.length && !this.isSpent;) {
      before = this.best.interventions.length;
      this.dropGroups(kindOf);
      this.dropGroups(placeOf);
      this.dropStretches();
      this.dropChunks();
    }
    this.shorten();
    const { best: run, finding, from, replays, spent } = this;
    return { run, finding, from, to: run.interventions.length, replays, spent };
  }

  private get isSpent(): boolean {
    return this.spent >= this.budget;
  }

  /** Plays the scenario with other seeds and less weather, for a run with fewer decisions. */
  private calmer(): void {
    const weathers = quieter(this.best.interventions);
    const budget = this.budget / CALMER_SHARE;
    for (let i = 0; i < CALMER_SEEDS; i++) {
      for (const quiet of weathers) {
        if (this.spent >= budget || this.best.interventions.length <= SHORT) return;
        this.tryCalmer({ ...this.found, seed: this.found.seed + i }, quiet);
      }
    }
  }

  private tryCalmer(run: Run, quiet: ReadonlySet<Concern>): void {
    // One that is little shorter is not worth the time in which another may be much shorter.
    this.keepIfShorter(run, { quiet, budget: Math.ceil(this.finding.step * CALMER_LENGTH) });
  }

  /** Plays a run, and keeps it if it breaks the claim with fewer decisions. */
  private keepIfShorter(run: Run, options: PlayOptions): void {
    if (this.play(run, options).finding?.claim !== this.finding.claim) return;
    const outcome = this.play(run, { ...options, record: true });
    const { finding, decisions } = outcome;
    invariant(finding?.claim === this.finding.claim, "what is played again goes the same way");
    if (decisions.length >= this.best.interventions.length) return;
    this.finding = finding;
    this.best = writtenDown(run, outcome, finding);
  }

  /**
   * Plays what was done in the last moments alone, on a cluster that has just
   * begun, with dice for all else: the past of a long run is often needed for
   * nothing but a coincidence, and there are others.
   */
  private again(): void {
    const cluster = this.subject.open(this.found.settings, this.found.bug);
    const weather = planOf(this.found, cluster)?.weather;
    if (weather === undefined) return;
    for (let last = SHORTEST_MS * 4; last < this.finding.atMs; last *= 2) {
      const stretch = { from: 1, to: this.finding.atMs - last };
      const { decisions } = this.record(stretch);
      const interventions = decisions.filter(({ type }) => type === "action");
      const until = last + SLACK_MS;
      const run = { ...this.best, interventions, until };
      for (let seed = 1; seed <= AGAIN_SEEDS && !this.isSpent; seed++) {
        if (interventions.length >= this.best.interventions.length) return;
        this.keepIfShorter(run, { dice: { seed, weather }, budget: this.finding.step });
      }
    }
  }

  /** What is decided in the best run but for a stretch of it. */
  private record(without: Stretch): Outcome {
    return this.play(this.best, { budget: this.finding.step + 1, without, record: true });
  }

  /** Whether the claim still breaks with these decisions alone; keeps them if so. */
  private holds(
    interventions: readonly Intervention[],
    until: number | undefined = this.best.until,
  ): boolean {
    const mark = fingerprint(interventions);
    if (this.tried.has(mark)) return false;
    const candidate = { ...this.best, interventions, until };
    const budget = this.finding.step + SLACK_STEPS;
    const { finding } = this.play(candidate, { budget });
    if (finding?.claim !== this.finding.claim) {
      this.tried.add(mark);
      return false;
    }
    this.finding = finding;
    // Only what is kept is worth writing down: that takes longer than the run.
    const outcome = this.play(candidate, { budget, record: true });
    // What was written down again leaves out what nobody asked for any more.
    this.best = writtenDown(candidate, outcome, finding);
    return true;
  }

  private play(run: Run, options: PlayOptions): Outcome {
    const outcome = play(this.subject, run, options);
    this.replays++;
    this.spent += outcome.steps;
    return outcome;
  }

  /**
   * Leaves out stretches of time: the run before the last few moments first, then
   * shorter and shorter ones anywhere.
   */
  private dropStretches(): void {
    for (let last = SHORTEST_MS; last < this.finding.atMs && !this.isSpent; last *= 2) {
      this.dropStretch({ from: 1, to: this.finding.atMs - last });
    }
    const shortest = Math.max(SHORTEST_MS, this.finding.atMs / STRETCHES);
    for (let ms = this.finding.atMs >> 1; ms >= shortest; ms >>= 1) {
      for (let to = this.finding.atMs; to > 1 && !this.isSpent; to -= ms) {
        if (to <= this.finding.atMs) this.dropStretch({ from: Math.max(1, to - ms), to });
      }
    }
  }

  private dropStretch(without: Stretch): void {
    const ms = without.to - without.from;
    if (ms <= 0) return;
    const { decisions } = this.record(without);
    if (decisions.length >= this.best.interventions.length) return;
    this.holds(decisions, this.finding.atMs - ms + SLACK_MS);
  }

  private dropGroups(groupOf: (intervention: Intervention) => string): void {
    for (const group of new Set(this.best.interventions.map(groupOf))) {
      if (this.isSpent) return;
      const rest = this.best.interventions.filter((each) => groupOf(each) !== group);
      if (rest.length < this.best.interventions.length) this.holds(rest);
    }
  }

  private dropChunks(): void {
    for (let size = this.best.interventions.length >> 1; size >= 1; size >>= 1) {
      // From the end: what came last depends on nothing that follows.
      for (let end = this.best.interventions.length; end > 0 && !this.isSpent; end -= size) {
        const list = this.best.interventions;
        if (end > list.length) continue;
        const start = Math.max(0, end - size);
        this.holds([...list.slice(0, start), ...list.slice(end)]);
      }
    }
  }

  /** Makes delays that must be longer than usual as short as they can be. */
  private shorten(): void {
    for (let i = this.best.interventions.length - 1; i >= 0 && !this.isSpent;) {
      if (!this.shortened(i)) i--;
    }
  }

  private shortened(at: number): boolean {
    const fate = this.best.interventions[at];
    if (fate?.type !== "fate" || fate.value <= 2) return false;
    const shorter: Fate = { ...fate, value: fate.value >> 1 };
    return this.holds(this.best.interventions.with(at, shorter));
  }
}

/** What may be silent: everything that is often decided, then all but one of these, all but two, and nothing. */
function quieter(interventions: readonly Intervention[]): readonly ReadonlySet<Concern>[] {
  const counts = new Map<Concern, number>();
  for (const each of interventions) {
    if (each.type === "action") continue;
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

/** What is tried to be left out altogether. */
function kindOf(intervention: Intervention): string {
  return intervention.type === "action" ? intervention.action.type : concernOf(intervention);
}

/** All of one kind on one node or link. */
function placeOf(intervention: Intervention): string {
  const kind = kindOf(intervention);
  if (intervention.type === "fate") return `${kind} ${intervention.on}`;
  return `${kind} ${nodesOf(intervention).join(" ")}`;
}
