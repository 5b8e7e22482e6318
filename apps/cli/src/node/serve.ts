/** `quorate serve`: one node, from its settings to its last word. */

import { CliError, EXIT, type ExitStatus, reasonOf } from "../errors.ts";
import { nodeSettings } from "../settings/node-settings.ts";
import type { Terminal } from "../terminal/terminal.ts";
import { Lifeline } from "./lifeline.ts";
import { RunningNode } from "./running-node.ts";

/** What the command line said; flags by the names of the settings. */
export interface ServeFlags {
  readonly config?: string;
  readonly join?: string;
}

/** How long handing leadership over may take. */
const GRACE_MS = 2000;

/** After its last word, a node that has not ended by itself is ended. */
const LINGER_MS = 1000;

/** Why a node ends. */
type Ending = { readonly type: "told"; readonly graceMs: number } | { readonly type: "failed" };

/**
 * Runs a node until it is told to stop.
 * @throws CliError if it could not start, or stopped by itself.
 */
export async function serve(flags: ServeFlags, terminal: Terminal): Promise<ExitStatus> {
  const line = new Lifeline();
  process.on("uncaughtException", (error) => {
    // A bug, and its stack is all there is to find it by. The status says that a restart may help.
    process.stderr.write(`quorate: internal error: ${error.stack ?? error.message}\n`);
    process.exit(EXIT.bug);
  });
  try {
    if (flags.join !== undefined) {
      const reason =
        "--join is not in this version: name every node with --cluster on each of them";
      throw new CliError({ code: "settings", reason });
    }
    const settings = nodeSettings({ flags, environment: process.env, file: flags.config });
    await run(settings, line, terminal);
    return EXIT.fine;
  } catch (error) {
    await line.say({ type: "failed", reason: reasonOf(error) });
    throw error;
  } finally {
    line.hangUp();
    // A handle that something forgot would keep the process, its lock and its ports alive for ever.
    setTimeout(() => process.exit(), LINGER_MS).unref();
  }
}

async function run(
  settings: ReturnType<typeof nodeSettings>,
  line: Lifeline,
  terminal: Terminal,
): Promise<void> {
  let end: (ending: Ending) => void = () => {};
  const ended = new Promise<Ending>((resolve) => (end = resolve));
  let failure: unknown;
  const node = new RunningNode({
    settings,
    onLeader: (leadership) => void line.say({ type: "leader", ...leadership }),
    onFatal: (error) => {
      failure = error;
      end({ type: "failed" });
    },
  });
  const release = listenForStop(line, (graceMs) => end({ type: "told", graceMs }));
  try {
    const addresses = await node.start();
    void line.say({ type: "serving", addresses });
    terminal.write(`${settings.name} serves ${inWords(addresses)}\n`);
    const ending = await ended;
    await node.stop(ending.type === "told" ? ending.graceMs : 0);
    if (ending.type === "told") return;
    const reason = `stopped itself: ${reasonOf(failure)}`;
    throw new CliError({ code: "node", node: settings.name, reason });
  } finally {
    release();
  }
}

/** Signals, and the parent. Returns how to let go of the signals. */
function listenForStop(line: Lifeline, stop: (graceMs: number) => void): () => void {
  const onTerminate = (): void => stop(GRACE_MS);
  // Ctrl-C reaches every process of the terminal's group; a parent that holds the line decides.
  const onInterrupt = (): void => {
    if (!line.held) stop(GRACE_MS);
  };
  process.on("SIGTERM", onTerminate);
  process.on("SIGHUP", onInterrupt);
  process.on("SIGINT", onInterrupt);
  line.onStop(stop, GRACE_MS);
  return () => {
    process.off("SIGTERM", onTerminate);
    process.off("SIGHUP", onInterrupt);
    process.off("SIGINT", onInterrupt);
  };
}

function inWords(addresses: Readonly<Record<string, string>>): string {
  return Object.entries(addresses)
    .map(([name, address]) => `${name} ${address}`)
    .join(", ");
}
