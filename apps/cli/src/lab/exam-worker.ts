/** A thread that looks for planted bugs, one after the other. */

import { parentPort } from "node:worker_threads";

import { encodeRun, examine } from "@quorate/lab";
import { subjectNamed } from "@quorate/subjects";

/** One bug to look for. */
export interface Paper {
  readonly protocol: string;
  readonly bug: string;
  readonly budget: number;
  readonly shrink: boolean;
}

/** What came of it. The fields after `found` are there if it was. */
export interface Grade {
  readonly bug: string;
  readonly sentence: string;
  readonly events: number;
  readonly found: boolean;
  readonly scenario?: string;
  readonly seed?: number;
  readonly claim?: string;
  readonly text?: string;
  /** The smallest run that was made of it. */
  readonly run?: string;
  /** Decisions before and after shrinking. */
  readonly from?: number;
  readonly to?: number;
}

const SHRINK_BUDGET = 5_000_000;

function grade({ protocol, bug: name, budget, shrink }: Paper): Grade {
  const subject = subjectNamed(protocol);
  const bug = subject?.bugs.find((each) => each.name === name);
  if (subject === undefined || bug === undefined) throw new Error(`no bug ${name} of ${protocol}`);
  const graded = examine(subject, bug, { budget, shrinkBudget: shrink ? SHRINK_BUDGET : 0 });
  const { events, found } = graded;
  const { sentence } = bug;
  if (found === undefined || !found.expected) return { bug: name, sentence, events, found: false };
  const { run, finding, shrunk } = found;
  return {
    bug: name,
    sentence,
    events,
    found: true,
    scenario: run.scenario,
    seed: run.seed,
    claim: finding.claim,
    text: shrunk?.finding.text ?? finding.text,
    run: encodeRun(shrunk?.run ?? run, subject),
    ...(shrunk === undefined ? {} : { from: shrunk.from, to: shrunk.to }),
  };
}

parentPort?.on("message", (paper: Paper) => {
  // oxlint-disable-next-line unicorn/require-post-message-target-origin -- a thread, not a window
  parentPort?.postMessage(grade(paper));
});
