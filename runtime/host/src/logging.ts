/** The structured log of a node: JSON lines on standard error. */

import { type Level, type Logger, pino } from "pino";

export type { Logger };
export type LogLevel = Level | "silent";

/** Synchronous: the last words before an exit are those that matter. */
export function createLogger(name: string, level: LogLevel): Logger {
  return pino({ name, level }, pino.destination({ dest: 2, sync: true }));
}
