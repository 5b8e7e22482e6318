/**
 * Makes a failing run small: writes all its decisions down, then leaves out as
 * many as it can while the same claim still breaks (delta debugging, Zeller &
 * Hildebrandt 2002). What is left out comes out the dull way, so what is left is
 * what matters.
 */

import { invariant } from "@quorate/kernel";

import type { Subject } from "../subject.ts";
import type { Fate, Intervention } from "./intervention.ts";
import { type Finding, type Outcome, play } from "./play.ts";
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

const BUDGET = 5_000_000;
/** A replay may take this much longer than the run it came from. */
const SLACK_STEPS = 1_000;

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
  const { atMs } = outcome.finding;
  const interventions = outcome.decisions;
  return { run: { ...run, scenario: LISTED, interventions, until: atMs }, outcome };
}

class Shrinker {
  private readonly subject: Subject;
  private readonly budget: number;
  private readonly from: number;
  private best: Run;
  private finding: Finding;
  private replays = 0;
  private spent = 0;

  constructor(subject: Subject, run: Run, budget: number) {
    this.subject = subject;
    this.budget = budget;
    const { run: written, outcome } = listed(subject, run);
    this.best = written;
    this.finding = outcome.finding!;
    this.from = written.interventions.length;
    invariant(this.holds(written.interventions), "a run that was written down replays");
  }

  shrink(): Shrunk {
    for (let before = Infinity; before > this.best.interventions.length && !this.isSpent;) {
      before = this.best.interventions.length;
      this.dropKinds();
      this.dropChunks();
    }
    this.shorten();
    const { run, finding, from, replays, spent } = {
      run: this.best,
      finding: this.finding,
      from: this.from,
      replays: this.replays,
      spent: this.spent,
    };
    return { run, finding, from, to: run.interventions.length, replays, spent };
  }

  private get isSpent(): boolean {
    return this.spent >= this.budget;
  }

  /** Whether the claim still breaks with these decisions alone; keeps them if so. */
  private holds(interventions: readonly Intervention[]): boolean {
    const candidate = { ...this.best, interventions };
    const budget = this.finding.step + SLACK_STEPS;
    const outcome = play(this.subject, candidate, { record: true, budget });
    this.replays++;
    this.spent += outcome.steps;
    if (outcome.finding?.claim !== this.finding.claim) return false;
    this.finding = outcome.finding;
    // What was written down again leaves out what nobody asked for any more.
    this.best = { ...candidate, interventions: outcome.decisions, until: outcome.finding.atMs };
    return true;
  }

  private dropKinds(): void {
    for (const kind of new Set(this.best.interventions.map(kindOf))) {
      if (this.isSpent) return;
      this.holds(this.best.interventions.filter((each) => kindOf(each) !== kind));
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

/** What is tried to be left out altogether. */
function kindOf(intervention: Intervention): string {
  if (intervention.type === "action") return intervention.action.type;
  return intervention.kind === "message" && intervention.value < 0 ? "loss" : intervention.kind;
}
