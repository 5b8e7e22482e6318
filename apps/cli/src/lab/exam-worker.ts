/** A thread that looks for planted bugs, one after the other. */

import { parentPort } from "node:worker_threads";

import { encodeRun, examine } from "@quorate/lab";
import { subjectNamed } from "@quorate/subjects";
import { huntPlanted, plantedOf } from "@quorate/subjects/models";

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
  /** Random runs, runs with a nemesis that aims, or the model checker, which is asked last. */
  readonly by?: "seeds" | "nemesis" | "checker";
  /** The checker's model, and how many states it saw. */
  readonly hunt?: string;
  readonly states?: number;
  /** Steps of its counterexample. */
  readonly path?: number;
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

const SHRINK_BUDGET = 10_000_000;
/** A run of more decisions is hard to read: the checker's counterexample, which is shortest, may be better. */
const LEGIBLE = 60;
/** The most states of each of its models then. */
const HUNT_STATES = 1_000_000;

function grade({ protocol, bug: name, budget, shrink }: Paper): Grade {
  const subject = subjectNamed(protocol);
  const bug = subject?.bugs.find((each) => each.name === name);
  if (subject === undefined || bug === undefined) throw new Error(`no bug ${name} of ${protocol}`);
  const graded = examine(subject, bug, { budget, shrinkBudget: shrink ? SHRINK_BUDGET : 0 });
  const { events, found } = graded;
  const { sentence } = bug;
  if (found === undefined || !found.expected) {
    return { bug: name, sentence, events, found: false, ...hunted(protocol, name) };
  }
  const { run, finding, shrunk } = found;
  return {
    bug: name,
    sentence,
    events,
    found: true,
    by: run.scenario === "swarm" ? "seeds" : "nemesis",
    scenario: run.scenario,
    seed: run.seed,
    claim: finding.claim,
    text: shrunk?.finding.text ?? finding.text,
    run: encodeRun(shrunk?.run ?? run, subject),
    ...(shrunk === undefined ? {} : { from: shrunk.from, to: shrunk.to }),
    ...((shrunk?.to ?? 0) > LEGIBLE ? shorter(protocol, name) : {}),
  };
}

/** The checker's counterexample beside a run that did not become small. */
function shorter(protocol: string, bug: string): Partial<Grade> {
  const { hunt, states, path } = hunted(protocol, bug, HUNT_STATES);
  if (hunt === undefined || states === undefined || path === undefined) return {};
  return { hunt, states, path };
}

/** What models find of a bug that no seed found, if there are any that could. */
function hunted(protocol: string, bug: string, maxStates?: number): Partial<Grade> {
  if (!plantedOf(protocol).includes(bug)) return {};
  const { hunt, states, verdict } = huntPlanted(protocol, bug, { maxStates });
  const { violation } = verdict;
  if (violation === undefined) return { states };
  const text = violation.promise;
  const path = violation.trace.length;
  return { found: true, by: "checker", hunt, states, path, claim: text.split(":", 1)[0]!, text };
}

parentPort?.on("message", (paper: Paper) => {
  // oxlint-disable-next-line unicorn/require-post-message-target-origin -- a thread, not a window
  parentPort?.postMessage(grade(paper));
});
