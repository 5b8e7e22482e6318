/**
 * A run as a value: everything that decides how it goes, in one line that fits
 * into a URL and a shell without quotes.
 *
 *     raft@1,nodes=3,seed=17,scenario=swarm
 *     raft@1,nodes=3,seed=17,scenario=swarm,safety=3600000
 *     raft@1,nodes=3,seed=17,scenario=list,until=2210,do=1200.crash.n1~1350.start.n1
 */

import type { Settings, Subject } from "../subject.ts";
import { type Intervention, readToken, token } from "./intervention.ts";

export interface Run {
  /** Name and version of the subject. A run of another version may go otherwise. */
  readonly subject: string;
  readonly version: number;
  /** Every parameter. */
  readonly settings: Settings;
  /** The planted bug, if any. */
  readonly bug: string | undefined;
  readonly seed: number;
  /** The name of a scenario, or {@link LISTED}. */
  readonly scenario: string;
  /** What happens besides; all that happens if the scenario is {@link LISTED}. */
  readonly interventions: readonly Intervention[];
  /** When a listed run ends, in milliseconds; otherwise the scenario knows. */
  readonly until: number | undefined;
  /** How long faults go on, in milliseconds, in place of the seconds that the scenario has in mind. */
  readonly safetyMs: number | undefined;
}

/** The scenario in which nothing happens but what the run lists. */
export const LISTED = "list";

/** Why a run could not be read. */
export class RunError extends Error {
  override readonly name = "RunError";
}

/** All parameters of a subject: those given, and what the others usually are. @throws RunError */
export function settingsOf(subject: Subject, given: Settings): Settings {
  const settings: { [name: string]: number } = {};
  for (const [name, { fallback }] of Object.entries(subject.parameters)) settings[name] = fallback;
  for (const [name, value] of Object.entries(given)) {
    const parameter = subject.parameters[name];
    if (parameter === undefined) {
      const known = Object.keys(subject.parameters).join(", ");
      throw new RunError(`${subject.name} has no parameter ${name}; it has ${known}`);
    }
    const { min, max } = parameter;
    if (!(Number.isSafeInteger(value) && value >= min && value <= max)) {
      throw new RunError(`${name} is ${value}, but must be a whole number from ${min} to ${max}`);
    }
    settings[name] = value;
  }
  return settings;
}

export function encodeRun(run: Run, subject: Subject): string {
  const fields = [`${run.subject}@${run.version}`];
  for (const [name, value] of Object.entries(run.settings)) {
    if (subject.parameters[name]?.fallback !== value) fields.push(`${name}=${value}`);
  }
  if (run.bug !== undefined) fields.push(`bug=${run.bug}`);
  fields.push(`seed=${run.seed}`, `scenario=${run.scenario}`);
  if (run.safetyMs !== undefined && run.scenario !== LISTED) fields.push(`safety=${run.safetyMs}`);
  if (run.until !== undefined) fields.push(`until=${run.until}`);
  if (run.interventions.length > 0) fields.push(`do=${run.interventions.map(token).join("~")}`);
  return fields.join(",");
}

/** The name of the subject that an encoded run is about. @throws RunError */
export function subjectOf(text: string): string {
  const name = /^([A-Za-z0-9-]+)@\d+(,|$)/.exec(text)?.[1];
  if (name === undefined)
    throw new RunError("a run begins with a protocol and its version: raft@1");
  return name;
}

/** @throws RunError that says what cannot be understood. */
export function decodeRun(text: string, subject: Subject): Run {
  const [head = "", ...fields] = text.trim().split(",");
  const version = Number(head.slice(head.indexOf("@") + 1));
  const settings: { [name: string]: number } = {};
  let bug: string | undefined;
  let seed = 1;
  let scenario = LISTED;
  let until: number | undefined;
  let safetyMs: number | undefined;
  let interventions: readonly Intervention[] = [];
  for (const field of fields) {
    const equals = field.indexOf("=");
    const name = field.slice(0, equals);
    const value = field.slice(equals + 1);
    if (equals < 1) throw new RunError(`"${field}" is not of the form name=value`);
    if (name === "bug") bug = value;
    else if (name === "seed") seed = natural(name, value);
    else if (name === "scenario") scenario = value;
    else if (name === "until") until = natural(name, value);
    else if (name === "safety") safetyMs = natural(name, value);
    else if (name === "do") interventions = readList(value);
    else settings[name] = natural(name, value);
  }
  if (bug !== undefined && !subject.bugs.some((each) => each.name === bug)) {
    throw new RunError(`${subject.name} has no bug named ${bug}`);
  }
  return {
    subject: subject.name,
    version,
    settings: settingsOf(subject, settings),
    bug,
    seed,
    scenario,
    interventions,
    until,
    safetyMs,
  };
}

function readList(text: string): readonly Intervention[] {
  try {
    return text
      .split("~")
      .filter((each) => each !== "")
      .map(readToken);
  } catch (error) {
    throw new RunError(error instanceof RangeError ? error.message : String(error));
  }
}

function natural(name: string, text: string): number {
  const value = Number(text);
  if (/^\d{1,16}$/.test(text) && Number.isSafeInteger(value)) return value;
  throw new RunError(`${name} is "${text}", but must be a whole number`);
}
