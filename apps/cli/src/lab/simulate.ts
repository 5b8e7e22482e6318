/** `quorate simulate`: one seed, told in full, or a fleet of them, added up. */

import { writeFileSync } from "node:fs";

import {
  encodeRun,
  type Outcome,
  play,
  type Run,
  runOfSeed,
  SCENARIOS,
  type Subject,
  Tracer,
  traceText,
} from "@quorate/lab";

import { CliError, EXIT, type ExitStatus } from "../errors.ts";
import { table } from "../terminal/table.ts";
import type { Terminal } from "../terminal/terminal.ts";
import { duration } from "../terminal/units.ts";
import { Fleet, type Shard } from "./fleet.ts";
import { reportFleet } from "./fleet-report.ts";
import { experiment, isExperiment } from "./gossip-experiments.ts";
import {
  checkBug,
  checkScenario,
  findingText,
  protocolOf,
  replayCommand,
  settingsFrom,
} from "./protocols.ts";

export interface SimulateFlags {
  readonly seed?: number;
  readonly seeds?: number;
  readonly shard?: string;
  readonly jobs?: number;
  readonly scenario?: string;
  readonly nodes?: number | readonly number[];
  readonly experiment?: string;
  readonly svg?: string;
  readonly set?: readonly string[];
  readonly bug?: string;
  readonly history?: string;
  readonly trace?: string;
  readonly list?: boolean;
  readonly json?: boolean;
}

const SEEDS = 100;

/** @throws CliError for flags that make no sense. */
export async function simulate(
  protocol: string,
  flags: SimulateFlags,
  terminal: Terminal,
): Promise<ExitStatus> {
  const subject = protocolOf(protocol);
  if (isExperiment(flags)) {
    if (protocol === "gossip") return experiment(flags, terminal);
    throw new CliError({ code: "usage", reason: "only gossip has experiments" });
  }
  if (flags.list === true) return list(subject, terminal);
  const { nodes, ...others } = flags;
  const given = settingsFrom(subject, typeof nodes === "number" ? { ...others, nodes } : others);
  checkScenario(flags.scenario);
  checkBug(subject, flags.bug);
  const plan = {
    given,
    ...(flags.scenario === undefined ? {} : { scenario: flags.scenario }),
    ...(flags.bug === undefined ? {} : { bug: flags.bug }),
  };
  if (flags.seed !== undefined && flags.seeds === undefined)
    return one(subject, runOfSeed(subject, flags.seed, plan), flags, terminal);
  if (flags.trace !== undefined || flags.history !== undefined) {
    throw new CliError({
      code: "usage",
      reason: "--trace and --history need one --seed, without --seeds",
    });
  }
  const shard = shardOf(flags.shard);
  const seeds = { first: flags.seed ?? 1, count: flags.seeds ?? SEEDS };
  const fleet = new Fleet(subject, plan, seeds, shard, flags.jobs);
  return reportFleet(subject, fleet, flags.json === true, terminal);
}

/** Plays one run and tells how it went. */
function one(subject: Subject, run: Run, flags: SimulateFlags, terminal: Terminal): ExitStatus {
  const tracer = flags.trace === undefined ? undefined : new Tracer(subject.words);
  const outcome = play(subject, run, {
    history: flags.history !== undefined,
    ...(tracer === undefined ? {} : { spectator: tracer }),
  });
  if (flags.history !== undefined) writeFileSync(flags.history, outcome.history ?? "");
  if (tracer !== undefined) writeTrace(flags.trace!, tracer, subject, run, terminal);
  terminal.write(
    flags.json === true ? oneJson(subject, run, outcome) : oneText(subject, run, outcome),
  );
  return outcome.finding === undefined ? EXIT.fine : EXIT.failed;
}

function writeTrace(
  file: string,
  tracer: Tracer,
  subject: Subject,
  run: Run,
  terminal: Terminal,
): void {
  const events = tracer.finish();
  if (file === "-") {
    terminal.write(traceText(events, subject.open(run.settings, run.bug).nodes));
  } else writeFileSync(file, events.map((event) => `${JSON.stringify(event)}\n`).join(""));
}

function oneJson(subject: Subject, run: Run, outcome: Outcome): string {
  const { finding, steps, atMs, asked, served, marks } = outcome;
  const value = {
    run: encodeRun(run, subject),
    finding: finding ?? null,
    events: steps,
    virtualMs: atMs,
    asked,
    served,
    marks: Object.fromEntries(marks),
  };
  return `${JSON.stringify(value)}\n`;
}

function oneText(subject: Subject, run: Run, outcome: Outcome): string {
  const { finding, steps, atMs, asked, served } = outcome;
  const size = `${steps} events in ${duration(atMs)} of virtual time; ${asked} operations asked, ${served} served`;
  if (finding === undefined) return `${encodeRun(run, subject)}\nEvery claim held: ${size}.\n`;
  const replay = replayCommand(subject, run);
  return `${findingText(subject, finding)}after ${size}\nReplay:  ${replay}\nShrink:  ${replay} --shrink\n`;
}

/** `2/8` is the second of eight shares. @throws CliError */
function shardOf(text: string | undefined): Shard {
  if (text === undefined) return { index: 1, count: 1 };
  const [, index, count] = /^(\d{1,6})\/(\d{1,6})$/.exec(text) ?? [];
  const shard = { index: Number(index), count: Number(count) };
  if (shard.index >= 1 && shard.index <= shard.count) return shard;
  throw new CliError({ code: "usage", reason: `--shard ${text}: it must be i/n with 1 ≤ i ≤ n` });
}

function list(subject: Subject, terminal: Terminal): ExitStatus {
  const { paint } = terminal;
  const heading = (text: string): void => terminal.write(`\n${paint("bold", text)}\n`);
  terminal.write(`${subject.name}@${subject.version}: ${subject.summary}\n`);
  heading("Parameters (--set name=value)");
  const parameters = Object.entries(subject.parameters).map(([name, each]) => [
    name,
    String(each.fallback),
    `${each.min} to ${each.max}`,
    each.summary,
  ]);
  const columns = ["name", "usual", "allowed", "meaning"].map((title) => ({ title }));
  terminal.write(table(columns, parameters, paint));
  heading("Scenarios (--scenario)");
  const scenarios = SCENARIOS.map(({ name, summary }) => [name, summary]);
  terminal.write(table([{ title: "name" }, { title: "trouble" }], scenarios, paint));
  heading("Claims");
  const claims = subject.claims.map(({ id, text }) => [id, text]);
  terminal.write(table([{ title: "claim" }, { title: "promise" }], claims, paint));
  heading("Bugs to plant (--bug)");
  const bugs = subject.bugs.map(({ name, sentence }) => [name, sentence]);
  terminal.write(table([{ title: "name" }, { title: "what it breaks" }], bugs, paint));
  return EXIT.fine;
}
