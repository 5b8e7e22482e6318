/** From words on the command line to what the lab examines. */

import {
  decodeRun,
  encodeRun,
  type Finding,
  type Run,
  RunError,
  SCENARIOS,
  type Settings,
  settingsOf,
  type Subject,
  subjectOf,
} from "@quorate/lab";
import { catalogue, subjectNamed } from "@quorate/subjects";

import { CliError } from "../errors.ts";
import { didYouMean } from "../terminal/suggest.ts";

function usage(reason: string): CliError {
  return new CliError({ code: "usage", reason });
}

/** @throws CliError for a protocol that the lab does not know. */
export function protocolOf(name: string): Subject {
  const subject = subjectNamed(name);
  if (subject !== undefined) return subject;
  const names = catalogue.map((each) => each.name);
  throw usage(`no protocol ${name}${didYouMean(name, names)}; there are ${names.join(", ")}`);
}

/** Parameters from `--nodes` and `--set name=value`. @throws CliError */
export function settingsFrom(
  subject: Subject,
  { nodes, set = [] }: { readonly nodes?: number; readonly set?: readonly string[] },
): Settings {
  const settings: { [name: string]: number } = {};
  if (nodes !== undefined) settings["nodes"] = nodes;
  for (const each of set) {
    const [, name, value] = /^([A-Za-z]\w*)=(\d+)$/.exec(each) ?? [];
    if (name === undefined) throw usage(`--set ${each}: it must be name=number`);
    settings[name] = Number(value);
  }
  understood(() => settingsOf(subject, settings));
  return settings;
}

/** @throws CliError for a scenario that there is not. */
export function checkScenario(name: string | undefined): void {
  const names = SCENARIOS.map((each) => each.name);
  if (name === undefined || names.includes(name)) return;
  throw usage(`no scenario ${name}${didYouMean(name, names)}; there are ${names.join(", ")}`);
}

/** @throws CliError for a bug that the subject does not have. */
export function checkBug(subject: Subject, name: string | undefined): void {
  const names = subject.bugs.map((each) => each.name);
  if (name === undefined || names.includes(name)) return;
  throw usage(`${subject.name} has no bug ${name}${didYouMean(name, names)}; see --list`);
}

/** A run as it was printed. @throws CliError for one that cannot be understood, or is of another version. */
export function runFrom(text: string): { readonly subject: Subject; readonly run: Run } {
  const subject = protocolOf(understood(() => subjectOf(text)));
  const run = understood(() => decodeRun(text, subject));
  if (run.version !== subject.version) {
    const versions = `the run is of ${subject.name}@${run.version}, this is ${subject.name}@${subject.version}`;
    throw usage(`${versions}: it would not go the same way`);
  }
  return { subject, run };
}

/** @throws CliError in place of a RunError. */
export function understood<T>(read: () => T): T {
  try {
    return read();
  } catch (error) {
    if (error instanceof RunError) throw usage(error.message);
    throw error;
  }
}

/** What a claim promises, in words. */
function claimText(subject: Subject, claim: string): string {
  switch (claim) {
    case "liveness":
      return "once the faults stop, the cluster works again";
    case "livelock":
      return "a run comes to an end";
    case "stops":
      return "no node gives up";
    default:
      return subject.claims.find(({ id }) => id === claim)?.text ?? claim;
  }
}

/** `I3 broke at 1.218 s (event 799): …`, and what I3 says. */
export function findingText(subject: Subject, finding: Finding): string {
  const { claim, text, atMs, step } = finding;
  return `${claim} broke at ${atMs} ms (event ${step}): ${text}\n  ${claim}: ${claimText(subject, claim)}\n`;
}

export function replayCommand(subject: Subject, run: Run): string {
  return `quorate replay ${encodeRun(run, subject)}`;
}
