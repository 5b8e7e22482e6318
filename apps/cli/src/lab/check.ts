/** `quorate check`: searches models of protocols for broken promises, and counts the published ones. */

import type { Vocabulary } from "@quorate/kernel";
import {
  type Action,
  actionText,
  type Progress,
  type Verdict,
  type Violation,
} from "@quorate/lab/checker";
import { type Publication, PUBLICATIONS } from "@quorate/lab/published";
import {
  type CheckableModel,
  huntPlanted,
  MODELS,
  PLANTABLE,
  plantedOf,
  type Settings,
  unaskedOf,
} from "@quorate/subjects/models";

import { CliError, EXIT, type ExitStatus } from "../errors.ts";
import { didYouMean } from "../terminal/suggest.ts";
import type { Terminal } from "../terminal/terminal.ts";

export interface CheckFlags {
  readonly published?: boolean;
  readonly bug?: string;
  readonly model?: string;
  readonly set?: readonly string[];
  readonly maxStates?: number;
  readonly reduce?: boolean;
  readonly json?: boolean;
}

/** Searches one protocol's models. Status 1: a promise was broken, or a count is not the published one. */
export function check(
  protocol: string | undefined,
  flags: CheckFlags,
  terminal: Terminal,
): ExitStatus {
  if (flags.published === true) return countPublished(protocol, flags, terminal);
  if (flags.bug !== undefined) return hunt(protocol, flags.bug, flags, terminal);
  const models = chosen(protocol, flags.model);
  let status: ExitStatus = EXIT.fine;
  for (const model of models) {
    const settings = withSettings(model, flags.set ?? []);
    const { verdict, seconds } = timed(
      terminal,
      flags,
      `${model.protocol} ${model.model}`,
      (tell) =>
        model.run(settings, {
          onProgress: tell,
          reduce: flags.reduce !== false,
          ...(flags.maxStates === undefined ? {} : { maxStates: flags.maxStates }),
        }),
    );
    if (flags.json === true) {
      terminal.write(`${JSON.stringify(record(model, settings, verdict, seconds))}\n`);
    } else terminal.write(report(model, settings, verdict, seconds, terminal));
    if (verdict.violation !== undefined) status = EXIT.failed;
  }
  return status;
}

function chosen(
  protocol: string | undefined,
  model: string | undefined,
): readonly CheckableModel[] {
  const protocols = [...new Set(MODELS.map((known) => known.protocol))];
  const usage = (reason: string): never => {
    throw new CliError({ code: "usage", reason });
  };
  if (protocol === undefined) {
    return usage(`say what to check: ${protocols.join(", ")}, or --published`);
  }
  const all = MODELS.filter((known) => known.protocol === protocol);
  if (all.length === 0) {
    return usage(`no models of "${protocol}"${didYouMean(protocol, protocols)}`);
  }
  if (model === undefined) return all;
  const one = all.filter((known) => known.model === model);
  const names = all.map((known) => known.model);
  if (one.length === 0) {
    usage(
      `${protocol} has no model "${model}", but ${names.join(", ")}${didYouMean(model, names)}`,
    );
  }
  return one;
}

/** The model's settings, some of them replaced: `crashes=2`. */
function withSettings(model: CheckableModel, wanted: readonly string[]): Settings {
  const settings: Record<string, number> = { ...model.settings };
  for (const text of wanted) {
    const match = /^(\w+)=(\d{1,9})$/.exec(text);
    const [, name = "", value = ""] = match ?? [];
    if (!Object.hasOwn(settings, name)) {
      const names = Object.keys(settings).join(", ");
      const reason = `--set ${text}: ${model.protocol} ${model.model} has NAME=NUMBER for ${names}`;
      throw new CliError({ code: "usage", reason });
    }
    settings[name] = Number(value);
  }
  return settings;
}

/** Plants a bug of the exam and looks for it. Status 0: it was found. */
function hunt(
  protocol: string | undefined,
  bug: string,
  flags: CheckFlags,
  terminal: Terminal,
): ExitStatus {
  if (protocol === undefined || !PLANTABLE.includes(protocol)) {
    const near = protocol === undefined ? "" : didYouMean(protocol, PLANTABLE);
    const reason = `bugs are planted into models of ${PLANTABLE.join(", ")}${near}`;
    throw new CliError({ code: "usage", reason });
  }
  if (unaskedOf(protocol).includes(bug)) {
    const instead = `quorate simulate ${protocol} --bug ${bug}`;
    const reason = `models ask neither for reads nor for progress, and ${bug} breaks nothing else; try ${instead}`;
    throw new CliError({ code: "usage", reason });
  }
  const names = plantedOf(protocol);
  if (!names.includes(bug)) {
    const reason = `${protocol} has no bug "${bug}", but ${names.join(", ")}${didYouMean(bug, names)}`;
    throw new CliError({ code: "usage", reason });
  }
  const [tell, wipe] = progressOf(terminal, flags);
  const { hunt, states, verdict } = huntPlanted(protocol, bug, {
    maxStates: flags.maxStates,
    onProgress: tell,
  });
  wipe();
  const { violation } = verdict;
  if (flags.json === true) {
    terminal.write(
      `${JSON.stringify({ protocol, bug, hunt, states, violation: told(violation) })}\n`,
    );
  } else if (violation === undefined) {
    terminal.write(`${bug}: ${terminal.paint("red", "not found")} in ${grouped(states)} states\n`);
  } else {
    const found = terminal.paint("green", "found");
    terminal.write(`${bug}: ${found} by ${hunt} after ${grouped(states)} states\n`);
    terminal.write(`${runText(violation, terminal).join("\n")}\n`);
  }
  return violation === undefined ? EXIT.failed : EXIT.fine;
}

function countPublished(
  protocol: string | undefined,
  flags: CheckFlags,
  terminal: Terminal,
): ExitStatus {
  if (protocol !== undefined) {
    throw new CliError({ code: "usage", reason: "--published counts all published models" });
  }
  let status: ExitStatus = EXIT.fine;
  for (const publication of PUBLICATIONS) {
    const { verdict, seconds } = timed(terminal, flags, publication.model, (onProgress) =>
      publication.count({ onProgress }),
    );
    const agrees = verdict.states === publication.published && verdict.violation === undefined;
    if (!agrees) status = EXIT.failed;
    terminal.write(
      flags.json === true
        ? publicationJson(publication, verdict.states, seconds)
        : publicationLine(publication, verdict.states, seconds, agrees, terminal),
    );
  }
  return status;
}

function publicationJson(
  { model, parameters, published }: Publication,
  states: number,
  seconds: number,
): string {
  return `${JSON.stringify({ model, parameters, states, published, seconds })}\n`;
}

function publicationLine(
  { model, parameters, published }: Publication,
  states: number,
  seconds: number,
  agrees: boolean,
  { paint }: Terminal,
): string {
  const sign = agrees
    ? paint("green", "as published")
    : paint("red", `published: ${grouped(published)}`);
  return `${model} (${settingsText(parameters)}): ${grouped(states)} states, ${sign}, ${seconds} s\n`;
}

/** Runs a search, and shows a person how far it is. */
function timed<V extends Vocabulary>(
  terminal: Terminal,
  flags: CheckFlags,
  name: string,
  run: (tell: (progress: Progress) => void) => Verdict<V>,
): { readonly verdict: Verdict<V>; readonly seconds: number } {
  const begun = performance.now();
  const [tell, wipe] = progressOf(terminal, flags);
  const verdict = run((progress) => tell(name, progress));
  wipe();
  return { verdict, seconds: Math.round(performance.now() - begun) / 1000 };
}

/** How to show a person how far a search is, and how to end that. */
function progressOf(
  terminal: Terminal,
  flags: CheckFlags,
): readonly [tell: (name: string, progress: Progress) => void, wipe: () => void] {
  const shows = terminal.interactive && flags.json !== true;
  let told = performance.now();
  let searched = "";
  let begun = told;
  const tell = (name: string, { states, depth, waiting }: Progress): void => {
    const now = performance.now();
    if (name !== searched) [searched, begun] = [name, now];
    if (!shows || now - told < 200) return;
    told = now;
    const rate = Math.round((1000 * states) / Math.max(1, now - begun));
    const line = `${name}: ${grouped(states)} states, depth ${depth}, ${grouped(waiting)} waiting, ${grouped(rate)}/s`;
    terminal.write(`\r\u001B[K${line}`);
  };
  return [tell, () => void (shows && terminal.write("\r\u001B[K"))];
}

function record(
  { protocol, model }: CheckableModel,
  settings: Settings,
  verdict: Verdict<Vocabulary>,
  seconds: number,
): object {
  const { states, transitions, depth, coverage, bounds, collisionProbability } = verdict;
  const { unreached, violation } = verdict;
  return {
    protocol,
    model,
    parameters: settings,
    states,
    transitions,
    depth,
    coverage,
    bounds: Object.fromEntries(bounds),
    collisionProbability,
    unreached,
    violation: told(violation),
    seconds,
  };
}

function told(violation: Violation<Vocabulary> | undefined): object | null {
  if (violation === undefined) return null;
  return { promise: violation.promise, trace: violation.trace.map(readable) };
}

/** An action as JSON, with bytes as lists of numbers. */
function readable(action: Action<Vocabulary>): unknown {
  return JSON.parse(
    JSON.stringify(action, (_, value: unknown) =>
      value instanceof Uint8Array ? [...value] : value,
    ),
  );
}

function report(
  { protocol, model, summary }: CheckableModel,
  settings: Settings,
  verdict: Verdict<Vocabulary>,
  seconds: number,
  terminal: Terminal,
): string {
  const { paint } = terminal;
  const { states, depth, coverage, bounds, violation, unreached, collisionProbability } = verdict;
  // A search that gave up has seen too little to say that anything holds.
  const fine = coverage === "stopped" ? paint("yellow", "holds so far") : paint("green", "holds");
  const sign = violation === undefined ? fine : paint("red", "broken");
  const lines = [
    `${paint("bold", `${protocol} ${model}`)}: ${sign}; ${summary}`,
    `  ${grouped(states)} states, depth ${depth}, ${coverage}, ${seconds} s; ${settingsText(settings)}`,
  ];
  for (const [bound, count] of bounds)
    lines.push(`  bound: ${bound} (cut off ${grouped(count)} steps)`);
  if (collisionProbability > 0) {
    lines.push(`  probability that a state was missed: ${collisionProbability.toExponential(1)}`);
  }
  if (violation === undefined && unreached.length > 0) {
    lines.push(`  ${paint("yellow", "never reached")}: ${unreached.join(", ")}`);
  }
  if (violation !== undefined) lines.push(...runText(violation, terminal));
  return `${lines.join("\n")}\n`;
}

/** A broken promise and the shortest run to it. */
function runText(
  { promise, trace }: Violation<Vocabulary>,
  { paint }: Terminal,
): readonly string[] {
  return [
    `  ${paint("red", promise)}`,
    "  the shortest way there:",
    ...trace.map((action, i) => `  ${String(i + 1).padStart(4)}  ${actionText(action)}`),
  ];
}

function settingsText(settings: Readonly<Record<string, number | boolean>>): string {
  return Object.entries(settings)
    .map(([name, value]) => `${name} ${value}`)
    .join(", ");
}

function grouped(count: number): string {
  return String(count).replaceAll(/\B(?=(\d{3})+$)/g, ",");
}
