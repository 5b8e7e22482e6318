/** `quorate serve`: one node, from its settings to its last word. */

import { CliError, EXIT, type ExitStatus, reasonOf } from "../errors.ts";
import { type Book, writeBook } from "../members/book.ts";
import { join } from "../members/join.ts";
import { type CompleteSettings, joined, nodeSettings } from "../settings/node-settings.ts";
import type { Terminal } from "../terminal/terminal.ts";
import { Lifeline } from "./lifeline.ts";
import { askTls, RunningNode } from "./running-node.ts";

/** What the command line said; flags by the names of the settings. */
export interface ServeFlags {
  readonly config?: string;
}

/** How long handing leadership over may take. */
const GRACE_MS = 2000;

/** How long a member may take to say who the cluster is. */
const ASK_MS = 1500;
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

async function run(settings: CompleteSettings, line: Lifeline, terminal: Terminal): Promise<void> {
  let end: (ending: Ending) => void = () => {};
  const ended = new Promise<Ending>((resolve) => (end = resolve));
  const release = listenForStop(line, (graceMs) => end({ type: "told", graceMs }));
  try {
    const isNew = settings.membership === "joins";
    const book = isNew ? await askToJoin(settings, ended, terminal) : undefined;
    // Told to stop while it waited.
    if (isNew && book === undefined) return;
    let failure: unknown;
    const node = new RunningNode({
      settings: book === undefined ? settings : joined(settings, book),
      onLeader: (leadership) => void line.say({ type: "leader", ...leadership }),
      onFatal: (error) => {
        failure = error;
        end({ type: "failed" });
      },
    });
    const addresses = await node.start();
    // The node's directory is there now. From here on it starts without being told whom to ask.
    if (book !== undefined) writeBook(settings.dataDir, book);
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

/** Waits until the cluster has taken the node in; undefined if the node is told to stop before. */
async function askToJoin(
  settings: CompleteSettings,
  ended: Promise<Ending>,
  terminal: Terminal,
): Promise<Book | undefined> {
  const { name, host, portBase, join: contacts, clientTls } = settings;
  const stop = new AbortController();
  void ended.then(() => stop.abort());
  return join({
    self: { name, host, portBase },
    contacts,
    ask: { timeoutMs: ASK_MS, tls: askTls(clientTls) },
    onWait: (what) => terminal.write(`${name} waits for ${what}\n`),
    signal: stop.signal,
  });
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
