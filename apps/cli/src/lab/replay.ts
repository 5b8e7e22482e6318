/** `quorate replay`: a run again, exactly, as a story. */

import {
  encodeRun,
  type Outcome,
  play,
  type Run,
  shrink,
  type Subject,
  Tracer,
  traceText,
} from "@quorate/lab";

import { EXIT, type ExitStatus } from "../errors.ts";
import type { Terminal } from "../terminal/terminal.ts";
import { findingText, replayCommand, runFrom, understood } from "./protocols.ts";

export interface ReplayFlags {
  readonly shrink?: boolean;
  readonly brief?: boolean;
  readonly quiet?: boolean;
  readonly json?: boolean;
}

/** @throws CliError for a run that cannot be understood. */
export async function replay(
  text: string,
  flags: ReplayFlags,
  terminal: Terminal,
): Promise<ExitStatus> {
  const { subject, run: given } = runFrom(text);
  const run = flags.shrink === true ? smallest(subject, given, flags, terminal) : given;
  // Nobody reads the trace of a quiet replay, and that of a long run does not fit into memory.
  const tracer = flags.quiet === true ? undefined : new Tracer(subject.words);
  const options = tracer === undefined ? {} : { spectator: tracer };
  const outcome = understood(() => play(subject, run, options));
  if (flags.json === true) {
    for (const event of tracer?.finish() ?? []) terminal.write(`${JSON.stringify(event)}\n`);
    terminal.write(endJson(subject, run, outcome));
  } else {
    if (tracer !== undefined) {
      const { nodes } = subject.open(run.settings, run.bug);
      terminal.write(traceText(tracer.finish(), nodes, { brief: flags.brief === true }));
    }
    terminal.write(endText(subject, outcome, terminal));
  }
  return outcome.finding === undefined ? EXIT.fine : EXIT.failed;
}

function smallest(subject: Subject, run: Run, flags: ReplayFlags, terminal: Terminal): Run {
  if (understood(() => play(subject, run)).finding === undefined) return run;
  const shrunk = shrink(subject, run);
  if (flags.json !== true) {
    const { from, to, replays } = shrunk;
    terminal.write(
      `Shrunk from ${from} decisions to ${to}, by ${replays} replays:\n  ${replayCommand(subject, shrunk.run)}\n\n`,
    );
  }
  return shrunk.run;
}

function endJson(subject: Subject, run: Run, { finding, steps, atMs }: Outcome): string {
  const end = { kind: "end", run: encodeRun(run, subject), finding: finding ?? null };
  return `${JSON.stringify({ ...end, events: steps, virtualMs: atMs })}\n`;
}

function endText(subject: Subject, { finding, steps, atMs }: Outcome, { paint }: Terminal): string {
  if (finding === undefined) {
    return (
      paint("green", `\nEvery claim held: ${steps} events in ${atMs} ms of virtual time.`) + "\n"
    );
  }
  return `\n${paint("red", findingText(subject, finding).trimEnd())}\n`;
}
