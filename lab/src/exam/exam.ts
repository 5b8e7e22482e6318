/**
 * The exam: planted bugs that the lab must find within a budget of events. A lab
 * that finds nothing in a correct protocol proves little; one that finds every
 * mistake that was made on purpose proves that it looks.
 */

import { runOfSeed } from "../run/fleet.ts";
import { type Finding, play } from "../run/play.ts";
import type { Run } from "../run/run.ts";
import { shrink, type Shrunk } from "../run/shrink.ts";
import type { Bug, Subject } from "../subject.ts";

export interface ExamOptions {
  /** The most events for one bug, all its scenarios together. */
  readonly budget?: number;
  /** The most events for making its run small; 0: leave it as it was found. */
  readonly shrinkBudget?: number;
}

export const EXAM_BUDGET = 3_000_000;

/** What the lab made of one planted bug. */
export interface Graded {
  readonly bug: Bug;
  /** Events until it was found, or until the budget was spent. */
  readonly events: number;
  readonly found: Found | undefined;
}

export interface Found {
  readonly run: Run;
  readonly finding: Finding;
  /** Runs that it took. */
  readonly runs: number;
  /** Whether the finding is one of those that the bug should lead to. */
  readonly expected: boolean;
  readonly shrunk: Shrunk | undefined;
}

/** Looks for one planted bug: seeds 1, 2, … in each of its scenarios in turn. */
export function examine(subject: Subject, bug: Bug, options: ExamOptions = {}): Graded {
  const { budget = EXAM_BUDGET, shrinkBudget = 0 } = options;
  let events = 0;
  for (let runs = 0; events < budget; runs++) {
    const scenario = bug.scenarios[runs % bug.scenarios.length]!;
    const seed = 1 + Math.floor(runs / bug.scenarios.length);
    const given = bug.settings ?? {};
    const run = runOfSeed(subject, seed, { given, scenario, bug: bug.name });
    const { finding, steps } = play(subject, run);
    events += steps;
    if (finding === undefined) continue;
    const expected = bug.breaks.includes(finding.claim);
    const shrunk = shrinkBudget > 0 ? shrink(subject, run, { budget: shrinkBudget }) : undefined;
    return { bug, events, found: { run, finding, runs: runs + 1, expected, shrunk } };
  }
  return { bug, events, found: undefined };
}
