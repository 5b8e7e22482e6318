/** Bugs of the exam, looked for by models instead of random runs. */

import type { Vocabulary } from "@quorate/kernel";
import type { Verdict } from "@quorate/lab/checker";

import { raftBugs } from "../raft/bugs.ts";
import { huntRaft, RAFT_HUNTS } from "./raft-hunts.ts";

export interface PlantedVerdict {
  readonly bug: string;
  /** The model that found it, or the last one that was searched. */
  readonly hunt: string;
  /** Of all models together. */
  readonly states: number;
  readonly verdict: Verdict<Vocabulary>;
}

/** Names of bugs that {@link huntPlanted} knows. */
export const PLANTED: readonly string[] = raftBugs.map(({ bug }) => bug.name);

/**
 * Looks for a planted bug of Raft in every aimed model.
 *
 * @param maxStates - Of each model.
 * @throws RangeError if the exam has no such bug.
 */
export function huntPlanted(bug: string, maxStates?: number): PlantedVerdict {
  const planted = raftBugs.find((known) => known.bug.name === bug);
  if (planted === undefined) throw new RangeError(`the exam of raft has no bug ${bug}`);
  // Where it is aimed at comes first.
  const hunts = RAFT_HUNTS.toSorted((a, b) => Number(b.bug === bug) - Number(a.bug === bug));
  const { hunt, states, verdict } = huntRaft((config) => planted.make(config), maxStates, hunts);
  return { bug, hunt, states, verdict };
}
