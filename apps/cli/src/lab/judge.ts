/** `quorate judge`: says of histories whether what clients saw can have happened. */

import { readFile } from "node:fs/promises";
import { text } from "node:stream/consumers";

import {
  HistoryError,
  judge as judgeLinearizable,
  judgeIsolation,
  judgeSequential,
  judgeSessions,
} from "@quorate/lab/judge";

import { CliError, EXIT, type ExitStatus, reasonOf } from "../errors.ts";
import { didYouMean } from "../terminal/suggest.ts";
import type { Terminal } from "../terminal/terminal.ts";

const PROMISES = ["linearizable", "sequential", "sessions", "isolation"] as const;

type Promised = (typeof PROMISES)[number];

export interface JudgeFlags {
  readonly promise?: string;
  readonly budget?: number;
  readonly json?: boolean;
}

/** What is said of one file: `verdict`, and where the trouble is. */
interface Ruling {
  readonly good: boolean;
  readonly json: { readonly verdict: string; readonly [field: string]: unknown };
  /** For people, after the verdict. */
  readonly details: readonly string[];
}

/** Judges files, `-` being standard input. Status 1 unless every one is good. */
export async function judge(
  files: readonly string[],
  flags: JudgeFlags,
  terminal: Terminal,
): Promise<ExitStatus> {
  const promised = promisedBy(flags.promise);
  let status: ExitStatus = EXIT.fine;
  for (const file of files) {
    const { good, json, details } = await ruling(file, promised, flags.budget);
    if (!good) status = EXIT.failed;
    if (flags.json === true) {
      terminal.write(`${JSON.stringify({ file, ...json })}\n`);
      continue;
    }
    const verdict = terminal.paint(good ? "green" : "red", json.verdict);
    terminal.write(`${[`${file}: ${verdict}`, ...details].join("; ")}\n`);
  }
  return status;
}

function promisedBy(name: string | undefined): Promised | undefined {
  if (name === undefined) return undefined;
  const known = PROMISES.find((promise) => promise === name);
  if (known !== undefined) return known;
  const reason = `--promise is one of ${PROMISES.join(", ")}${didYouMean(name, PROMISES)}`;
  throw new CliError({ code: "usage", reason });
}

async function ruling(
  file: string,
  promised: Promised | undefined,
  budget: number | undefined,
): Promise<Ruling> {
  try {
    const history = file === "-" ? await text(process.stdin) : await readFile(file, "utf8");
    return rule(history, promised ?? usualFor(history), budget === undefined ? {} : { budget });
  } catch (error) {
    const isExpected = error instanceof HistoryError || (error instanceof Error && "code" in error);
    if (!isExpected) throw error;
    const reason = reasonOf(error);
    return { good: false, json: { verdict: "unreadable", reason }, details: [reason] };
  }
}

/** Transactions are judged by their isolation, single operations by linearizability. */
function usualFor(history: string): Promised {
  return /^\s*\[?\s*\{[^]*?"type"\s*:\s*"txn"/.test(history.slice(0, 10_000))
    ? "isolation"
    : "linearizable";
}

function rule(history: string, promised: Promised, options: { readonly budget?: number }): Ruling {
  switch (promised) {
    case "linearizable": {
      const verdict = judgeLinearizable(history, options);
      if (verdict.verdict === "linearizable") return good("linearizable");
      const { key, op, order, exact } = verdict;
      const where = verdict.verdict === "illegal" ? "no order explains" : "the search stood at";
      return {
        good: false,
        json: { verdict: verdict.verdict, key, op, order, exact },
        details: [
          `key ${JSON.stringify(key)}`,
          `${where} operation ${op}`,
          `${order.length} operations of the key can be ordered before it`,
        ],
      };
    }
    case "sequential": {
      const verdict = judgeSequential(history, options);
      if (verdict.verdict === "sequential") return good("sequential");
      const { order, stuck } = verdict;
      const details = [`after ${order.length} operations none of ${stuck.join(", ")} can be next`];
      return { good: false, json: { verdict: verdict.verdict, order, stuck }, details };
    }
    case "sessions": {
      const verdict = judgeSessions(history);
      if (verdict.verdict === "guaranteed") return good("guaranteed");
      if (verdict.verdict === "unknown") {
        const details = [`key ${JSON.stringify(verdict.key)} needs a new value with every write`];
        return { good: false, json: verdict, details };
      }
      const details = verdict.findings.map(
        ({ key, guarantees }) => `key ${JSON.stringify(key)}: ${guarantees.join(" or ")}`,
      );
      return { good: false, json: verdict, details };
    }
    case "isolation": {
      const verdict = judgeIsolation(history);
      if (verdict.verdict === "strict-serializable") return good(verdict.verdict);
      const details = verdict.anomalies.map(({ type, steps }) => `${type}: ${steps.join(", ")}`);
      return {
        good: false,
        json: { ...verdict },
        details: [`rules out ${verdict.rulesOut}`, ...details],
      };
    }
  }
}

function good(verdict: string): Ruling {
  return { good: true, json: { verdict }, details: [] };
}
