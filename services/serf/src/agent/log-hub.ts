/**
 * The agent's log: JSON lines on standard error as everywhere in Quorate, and
 * lines in Serf's format for whoever watches with `serf monitor`. A new watcher
 * is shown the last lines first.
 */

import { type Logger, type LogLevel } from "@quorate/host";
import { pino } from "pino";

/** Serf's names of levels, from the most talkative. */
export const SERF_LEVELS = ["TRACE", "DEBUG", "INFO", "WARN", "ERR"] as const;
export type SerfLevel = (typeof SERF_LEVELS)[number];

/** Pino's numbers of them. */
const NUMBERS: { readonly [L in SerfLevel]: number } = {
  TRACE: 10,
  DEBUG: 20,
  INFO: 30,
  WARN: 40,
  ERR: 50,
};

/** As Serf keeps. */
const KEPT_LINES = 512;

interface Line {
  readonly level: number;
  readonly json: string;
}

export interface Watcher {
  readonly level: SerfLevel;
  /** A line in Serf's format, without its end. */
  readonly onLine: (line: string) => void;
}

export class LogHub {
  readonly logger: Logger;
  private threshold: number;
  private readonly sink: (json: string) => void;
  private readonly kept: Line[] = [];
  private readonly watchers = new Set<Watcher>();

  /** @param sink takes what `level` lets through, as JSON lines. */
  constructor(name: string, level: LogLevel, sink: (json: string) => void) {
    this.threshold = thresholdOf(level);
    this.sink = sink;
    // Watchers may want more than the log itself, so everything comes here.
    this.logger = pino({ name, level: "trace" }, { write: (json: string) => this.write(json) });
  }

  /** What goes to the log from now on. */
  setLevel(level: LogLevel): void {
    this.threshold = thresholdOf(level);
  }

  /** Shows the last lines, then every new one. Returns how to stop it. */
  watch(watcher: Watcher): () => void {
    for (const line of this.kept) this.show(line, watcher);
    this.watchers.add(watcher);
    return () => this.watchers.delete(watcher);
  }

  private write(json: string): void {
    const line = { level: levelOf(json), json };
    if (line.level >= this.threshold) this.sink(json);
    this.kept.push(line);
    if (this.kept.length > KEPT_LINES) this.kept.shift();
    for (const watcher of this.watchers) this.show(line, watcher);
  }

  private show({ level, json }: Line, watcher: Watcher): void {
    if (level >= NUMBERS[watcher.level]) watcher.onLine(inSerfsFormat(json));
  }
}

function thresholdOf(level: LogLevel): number {
  return level === "silent" ? Infinity : (pino.levels.values[level] ?? Infinity);
}

/** Pino puts the level first. */
function levelOf(json: string): number {
  return Number(json.slice('{"level":'.length, json.indexOf(",")));
}

const PLAIN_FIELDS = new Set(["level", "time", "pid", "hostname", "name", "msg", "service"]);

/** `2026/11/27 22:38:42 [INFO] agent: member-join name=n2`. */
function inSerfsFormat(json: string): string {
  // Our own line, which pino wrote.
  const line = JSON.parse(json) as Readonly<Record<string, unknown>>;
  const time = new Date(Number(line["time"])).toISOString();
  const stamp = `${time.slice(0, 10).replaceAll("-", "/")} ${time.slice(11, 19)}`;
  const level = SERF_LEVELS.findLast((each) => NUMBERS[each] <= Number(line["level"])) ?? "TRACE";
  const fields = Object.entries(line)
    .filter(([key]) => !PLAIN_FIELDS.has(key))
    .map(([key, value]) => ` ${key}=${typeof value === "string" ? value : JSON.stringify(value)}`);
  return `${stamp} [${level}] agent: ${String(line["msg"])}${fields.join("")}`;
}
