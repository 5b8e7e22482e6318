/** Many runs of one subject: which settings and which scenario a seed stands for, and what came of them together. */

import { Random } from "@quorate/kernel";

import type { Settings, Subject } from "../subject.ts";
import type { Outcome } from "./play.ts";
import { type Run, settingsOf } from "./run.ts";
import { COMMON, special } from "./scenario.ts";

export interface FleetPlan {
  /** Parameters that all runs share; the others are drawn for each seed. */
  readonly given: Settings;
  /** The scenario of all runs; without it, each seed draws one, `swarm` half of the time. */
  readonly scenario?: string;
  readonly bug?: string;
  /** How long faults go on, in milliseconds of virtual time, if not as long as the scenario says. */
  readonly safetyMs?: number;
}

/** The run that `seed` stands for. @throws RunError for settings that the subject does not have. */
export function runOfSeed(subject: Subject, seed: number, plan: FleetPlan): Run {
  const dice = new Random(seed).fork(25);
  const drawn: { [name: string]: number } = {};
  for (const [name, { swarm }] of Object.entries(subject.parameters)) {
    if (swarm !== undefined) drawn[name] = swarm[dice.below(swarm.length)]!;
  }
  const any = dice.chance(1, 2) ? "swarm" : COMMON[dice.below(COMMON.length)]!.name;
  const own = special(subject);
  const common = own.length === 0 || dice.chance(9, 10);
  const chosen = common ? any : own[dice.below(own.length)]!.name;
  return {
    subject: subject.name,
    version: subject.version,
    settings: settingsOf(subject, { ...drawn, ...plan.given }),
    bug: plan.bug,
    seed,
    scenario: plan.scenario ?? chosen,
    interventions: [],
    until: undefined,
    safetyMs: plan.safetyMs,
  };
}

/** What runs came to, added up. */
export class Tally {
  runs = 0;
  steps = 0;
  /** Virtual time, in milliseconds. */
  ms = 0;
  asked = 0;
  served = 0;
  readonly marks: Map<string, number> = new Map();

  add(outcome: Pick<Outcome, "steps" | "atMs" | "asked" | "served" | "marks">): void {
    this.runs++;
    this.steps += outcome.steps;
    this.ms += outcome.atMs;
    this.asked += outcome.asked;
    this.served += outcome.served;
    for (const [name, count] of outcome.marks) {
      this.marks.set(name, (this.marks.get(name) ?? 0) + count);
    }
  }

  /** Marks of a subject that no run reached: what the fleet did not try. */
  unreached(subject: Subject): readonly string[] {
    return subject.marks.map(({ name }) => name).filter((name) => !this.marks.has(name));
  }
}
