/** One `serve` process: started, listened to, and stopped. */

import { type ChildProcess, spawn } from "node:child_process";
import fs from "node:fs";
import { fileURLToPath } from "node:url";

import type { NodeWord, StopWord } from "../node/lifeline.ts";

export interface ChildOptions {
  /** Arguments of `quorate serve`. */
  readonly arguments: readonly string[];
  /** Where its standard error goes. */
  readonly log: string;
  readonly onWord: (word: NodeWord) => void;
  readonly onExit: (status: number | null, signal: string | null) => void;
}

/** A log of a former run that is larger is put aside when a node starts. */
const LOG_BYTES = 16 << 20;
const COMMAND = fileURLToPath(new URL("../../bin/quorate.mjs", import.meta.url));

export class Child {
  readonly pid: number;
  /** Why it will exit, in its own words. */
  reason: string | undefined;
  private readonly process: ChildProcess;

  constructor({ arguments: args, log, onWord, onExit }: ChildOptions) {
    const descriptor = openLog(log);
    // Debuggers' ports cannot be shared; everything else this process was given, the node is too.
    const inherited = process.execArgv.filter((argument) => !argument.startsWith("--inspect"));
    this.process = spawn(process.execPath, [...inherited, COMMAND, "serve", ...args], {
      stdio: ["ignore", "ignore", descriptor, "ipc"],
    });
    fs.closeSync(descriptor);
    this.pid = this.process.pid ?? 0;
    this.process.on("message", (word: NodeWord) => {
      if (word.type === "failed" || word.type === "removed") this.reason = word.reason;
      onWord(word);
    });
    this.process.on("error", (error) => {
      this.reason = error.message;
      // A process that could not be made does not exit either.
      if (this.pid === 0) onExit(1, null);
    });
    this.process.on("exit", onExit);
  }

  /** Asks it to stop, and to hand leadership over within `graceMs`. */
  stop(graceMs: number): void {
    const word: StopWord = { type: "stop", graceMs };
    if (this.process.connected) this.process.send(word, () => {});
  }

  kill(): void {
    this.process.kill("SIGKILL");
  }
}

function openLog(path: string): number {
  const size = fs.statSync(path, { throwIfNoEntry: false })?.size ?? 0;
  if (size > LOG_BYTES) fs.renameSync(path, `${path}.old`);
  return fs.openSync(path, "a");
}
