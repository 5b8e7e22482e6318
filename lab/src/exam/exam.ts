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
  /** Where to begin: 1 in an honest exam, or a seed that found it once, to see quickly that it still does. */
  readonly firstSeed?: number;
}

/** Once a bug is found, so many more runs may find it sooner: a short run is a small one. */
const MORE_RUNS = 40;

export const EXAM_BUDGET = 5_000_000;

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

/** Looks for one planted bug: seed after seed, in each of its scenarios in turn. */
export function examine(subject: Subject, bug: Bug, options: ExamOptions = {}): Graded {
  const { budget = EXAM_BUDGET, shrinkBudget = 0, firstSeed = 1 } = options;
  let events = 0;
  for (let runs = 0; events < budget; runs++) {
    const run = runOf(subject, bug, firstSeed, runs);
    const { finding, steps } = play(subject, run);
    events += steps;
    if (finding === undefined) continue;
    const expected = bug.breaks.includes(finding.claim);
    const found = { run, finding, runs: runs + 1, expected, shrunk: undefined };
    if (shrinkBudget === 0) return { bug, events, found };
    const shortest = shortestOf(subject, bug, found, firstSeed);
    const shrunk = shrink(subject, shortest, { budget: shrinkBudget });
    return { bug, events, found: { ...found, shrunk } };
  }
  return { bug, events, found: undefined };
}

/** The `nth` run in which to look for a bug. */
function runOf(subject: Subject, bug: Bug, firstSeed: number, nth: number): Run {
  const scenario = bug.scenarios[nth % bug.scenarios.length]!;
  const seed = firstSeed + Math.floor(nth / bug.scenarios.length);
  return runOfSeed(subject, seed, { given: bug.settings ?? {}, scenario, bug: bug.name });
}

/** Of the runs after the one that found the bug, the one that fails soonest in the same way. */
function shortestOf(subject: Subject, bug: Bug, found: Found, firstSeed: number): Run {
  let { run, finding } = found;
  for (let nth = found.runs; nth < found.runs + MORE_RUNS; nth++) {
    const other = runOf(subject, bug, firstSeed, nth);
    // A run that has not failed by then is no shorter; its spent budget is no finding.
    const sooner = play(subject, other, { budget: finding.step }).finding;
    if (sooner?.claim !== finding.claim) continue;
    run = other;
    finding = sooner;
  }
  return run;
}
