/** Watches a fleet and tells what it found. */

import type { Subject } from "@quorate/lab";

import { EXIT, type ExitStatus } from "../errors.ts";
import { type Cell, table } from "../terminal/table.ts";
import type { Terminal } from "../terminal/terminal.ts";
import { duration } from "../terminal/units.ts";
import type { Fleet } from "./fleet.ts";

const CLEAR_LINE = "\r\u001B[K";
const BAR = 30;
const SHOWN_FAILURES = 10;

/** Runs the fleet to its end. */
export async function reportFleet(
  subject: Subject,
  fleet: Fleet,
  json: boolean,
  terminal: Terminal,
): Promise<ExitStatus> {
  const started = performance.now();
  const live = terminal.interactive && !json;
  await fleet.run(() => {
    if (live) terminal.write(CLEAR_LINE + progressLine(fleet, performance.now() - started));
  });
  const wallMs = performance.now() - started;
  if (live) terminal.write(CLEAR_LINE);
  terminal.write(
    json ? reportJson(subject, fleet, wallMs) : reportText(subject, fleet, wallMs, terminal),
  );
  return fleet.failed === 0 ? EXIT.fine : EXIT.failed;
}

function progressLine({ tally, total, failed }: Fleet, ms: number): string {
  const done = Math.floor((BAR * tally.runs) / Math.max(1, total));
  const bar = "#".repeat(done) + ".".repeat(BAR - done);
  const left =
    tally.runs === 0 ? "" : `, ${duration((ms * (total - tally.runs)) / tally.runs)} left`;
  return `[${bar}] ${tally.runs}/${total} runs, ${perSecond(tally.steps, ms)}, ${failed} failed${left}`;
}

function perSecond(events: number, ms: number): string {
  return `${thousands(Math.round((events * 1000) / Math.max(1, ms)))} events/s`;
}

function thousands(value: number): string {
  return String(value).replaceAll(/\B(?=(\d{3})+$)/g, ",");
}

function reportJson(subject: Subject, fleet: Fleet, wallMs: number): string {
  const { tally, failures, failed, jobs } = fleet;
  const lines: object[] = failures.map(({ seed, run, finding }) => ({
    event: "failure",
    seed,
    run,
    finding,
  }));
  lines.push({
    event: "summary",
    protocol: subject.name,
    version: subject.version,
    runs: tally.runs,
    failed,
    events: tally.steps,
    virtualMs: tally.ms,
    asked: tally.asked,
    served: tally.served,
    seconds: Number((wallMs / 1000).toFixed(3)),
    jobs,
    marks: Object.fromEntries(subject.marks.map(({ name }) => [name, tally.marks.get(name) ?? 0])),
  });
  return lines.map((line) => `${JSON.stringify(line)}\n`).join("");
}

function reportText(subject: Subject, fleet: Fleet, wallMs: number, { paint }: Terminal): string {
  const { tally, failed, failures, jobs } = fleet;
  const marks = subject.marks.map(({ name, text }): readonly Cell[] => {
    const count = tally.marks.get(name) ?? 0;
    return [count === 0 ? { text: "never", colour: "yellow" } : thousands(count), name, text];
  });
  const columns = [
    { title: "times", align: "right" },
    { title: "mark" },
    { title: "sometimes" },
  ] as const;
  const size = `${thousands(tally.steps)} events, ${duration(tally.ms)} of virtual time`;
  const speed = `${duration(wallMs)} on ${jobs} threads, ${perSecond(tally.steps, wallMs)}`;
  const operations = `${thousands(tally.asked)} operations asked, ${thousands(tally.served)} served`;
  const verdict =
    failed === 0
      ? paint("green", `${thousands(tally.runs)} runs, every claim held.`)
      : paint("red", `${thousands(failed)} of ${thousands(tally.runs)} runs failed.`);
  const shown = failures.slice(0, SHOWN_FAILURES).map(({ run, finding }) => {
    const { claim, text, atMs } = finding;
    return `\n${paint("red", claim)} at ${atMs} ms: ${text}\n  quorate replay ${run}\n`;
  });
  const more = failed > shown.length ? `\n… and ${failed - shown.length} more\n` : "";
  return `${table(columns, marks, paint)}${shown.join("")}${more}\n${verdict}\n${size}; ${operations}\n${speed}\n`;
}
