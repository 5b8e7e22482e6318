/** The log of a node: JSON lines on standard error, by the pino that the host brings. */

import { createRequire } from "node:module";

import type { NodeOptions } from "@quorate/host";

export type Logger = NonNullable<NodeOptions["logger"]>;

interface Pino {
  (options: object, destination: object): Logger;
  readonly destination: (options: object) => object;
}

/** Synchronous: the last words before an exit are those that matter. */
export function createLogger(name: string, level: string): Logger {
  const fromHost = createRequire(import.meta.resolve("@quorate/host"));
  // The signature is pino's; its types belong to the host's dependency.
  const pino = fromHost("pino") as Pino;
  return pino({ name, level }, pino.destination({ dest: 2, sync: true }));
}
