/** `quorate exam`: planted bugs, and by what each was found. */

import { availableParallelism } from "node:os";
import { Worker } from "node:worker_threads";

import { EXAM_BUDGET, type Subject } from "@quorate/lab";

import { EXIT, type ExitStatus } from "../errors.ts";
import { type Cell, table } from "../terminal/table.ts";
import type { Terminal } from "../terminal/terminal.ts";
import type { Grade, Paper } from "./exam-worker.ts";
import { checkBug, protocolOf } from "./protocols.ts";

export interface ExamFlags {
  readonly bug?: string;
  readonly budget?: number;
  readonly shrink?: boolean;
  readonly jobs?: number;
  readonly json?: boolean;
}

/** @throws CliError for a protocol or a bug that there is not. */
export async function exam(
  protocol: string,
  flags: ExamFlags,
  terminal: Terminal,
): Promise<ExitStatus> {
  const subject = protocolOf(protocol);
  checkBug(subject, flags.bug);
  const bugs = subject.bugs.map(({ name }) => name).filter((name) => name === (flags.bug ?? name));
  const grades = new Map<string, Grade>();
  const live = terminal.interactive && flags.json !== true;
  await hand(subject, bugs, flags, (grade) => {
    grades.set(grade.bug, grade);
    if (flags.json === true) terminal.write(`${JSON.stringify(grade)}\n`);
    if (live) terminal.write(`\r\u001B[K${grades.size}/${bugs.length} bugs, last ${grade.bug}`);
  });
  if (live) terminal.write("\r\u001B[K");
  const all = bugs.flatMap((name) => grades.get(name) ?? []);
  if (flags.json !== true) terminal.write(report(protocol, all, terminal));
  return all.every((grade) => grade.found) ? EXIT.fine : EXIT.failed;
}

/** Hands the bugs out to worker threads, one at a time. */
async function hand(
  subject: Subject,
  bugs: readonly string[],
  flags: ExamFlags,
  onGrade: (grade: Grade) => void,
): Promise<void> {
  const left = [...bugs];
  const jobs = Math.min(flags.jobs ?? availableParallelism(), bugs.length);
  const work = (): Promise<void> =>
    new Promise((resolve, reject) => {
      const worker = new Worker(new URL("./exam-worker.js", import.meta.url));
      const next = (): void => {
        const bug = left.shift();
        if (bug === undefined) return void worker.terminate();
        const paper: Paper = {
          protocol: subject.name,
          bug,
          budget: flags.budget ?? EXAM_BUDGET,
          shrink: flags.shrink !== false,
        };
        // oxlint-disable-next-line unicorn/require-post-message-target-origin -- a thread, not a window
        worker.postMessage(paper);
      };
      worker.on("message", (grade: Grade) => {
        onGrade(grade);
        next();
      });
      worker.on("error", reject);
      worker.on("exit", () => resolve());
      next();
    });
  await Promise.all(Array.from({ length: jobs }, work));
}

function report(protocol: string, grades: readonly Grade[], { paint }: Terminal): string {
  const columns = [
    { title: "bug" },
    { title: "found by" },
    { title: "seed", align: "right" },
    { title: "events", align: "right" },
    { title: "broke" },
    { title: "decisions" },
  ] as const;
  const rows = grades.map((grade): readonly Cell[] => {
    const { bug, events, found, by, hunt, states, path, scenario, seed, claim } = grade;
    const { from, to } = grade;
    if (!found) return [bug, { text: "missed", colour: "red" }, "", String(events)];
    if (by === "checker") {
      return [bug, `checker: ${hunt}`, "", String(events), claim ?? "", `${states} states`];
    }
    const shrunk = to === undefined ? "" : `${from} to ${to}`;
    const size = path === undefined ? shrunk : `${shrunk}; checker: ${path} steps`;
    return [bug, scenario ?? "", String(seed), String(events), claim ?? "", size];
  });
  const runs = grades
    .filter(({ found }) => found)
    .map(({ bug, sentence, run, path }) => {
      // A checker's counterexample is the shortest there is; it is found again, not replayed.
      const again =
        run === undefined || path !== undefined
          ? `check ${protocol} --bug ${bug}`
          : `replay ${run}`;
      return `\n${paint("bold", bug)}: ${sentence}\n  quorate ${again}\n`;
    });
  const found = grades.filter((grade) => grade.found).length;
  const verdict = paint(
    found === grades.length ? "green" : "red",
    `${found} of ${grades.length} bugs found.`,
  );
  return `${table(columns, rows, paint)}${runs.join("")}\n${verdict}\n`;
}
