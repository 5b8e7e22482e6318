/** A thread that runs a share of a fleet's seeds and reports now and then. */

import { parentPort, workerData } from "node:worker_threads";

import { encodeRun, type Finding, type FleetPlan, play, runOfSeed, Tally } from "@quorate/lab";
import { subjectNamed } from "@quorate/subjects";

/** Seeds `first`, `first + step`, … up to `last`. */
export interface Task {
  readonly protocol: string;
  readonly plan: FleetPlan;
  readonly first: number;
  readonly step: number;
  readonly last: number;
}

export interface Failure {
  readonly seed: number;
  readonly run: string;
  readonly finding: Finding;
}

/** What was done since the last report. */
export interface Progress {
  readonly runs: number;
  readonly steps: number;
  readonly ms: number;
  readonly asked: number;
  readonly served: number;
  readonly marks: ReadonlyMap<string, number>;
  readonly failures: readonly Failure[];
}

const REPORT_MS = 250;
/** One run in so many deep-freezes what nodes hand over. */
const FREEZE_EVERY = 8;

function work({ protocol, plan, first, step, last }: Task): void {
  const subject = subjectNamed(protocol);
  if (subject === undefined) throw new Error(`no protocol ${protocol}`);
  let tally = new Tally();
  let failures: Failure[] = [];
  let reported = performance.now();
  const report = (): void => {
    const { runs, steps, ms, asked, served, marks } = tally;
    if (runs === 0) return;
    const progress: Progress = { runs, steps, ms, asked, served, marks, failures };
    // oxlint-disable-next-line unicorn/require-post-message-target-origin -- a thread, not a window
    parentPort?.postMessage(progress);
    tally = new Tally();
    failures = [];
    reported = performance.now();
  };
  for (let seed = first; seed <= last; seed += step) {
    const run = runOfSeed(subject, seed, plan);
    const outcome = play(subject, run, { freeze: seed % FREEZE_EVERY === 0 });
    tally.add(outcome);
    const { finding } = outcome;
    if (finding !== undefined) failures.push({ seed, run: encodeRun(run, subject), finding });
    if (performance.now() - reported > REPORT_MS) report();
  }
  report();
}

work(workerData as Task); // Whoever starts this thread gives it a task.
