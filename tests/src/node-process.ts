/** One `quorate serve`: a real process, and everything that can be done to it. */

import { type ChildProcess, spawn } from "node:child_process";
import fs from "node:fs";
import { createRequire } from "node:module";
import path from "node:path";

import { type Ran, run } from "./programs.ts";
import { PATIENCE_MS, within } from "./wait.ts";

const COMMAND = path.join(
  path.dirname(createRequire(import.meta.url).resolve("quorate/package.json")),
  "bin/quorate.mjs",
);

/** Runs a command of ours to its end. */
export function quorate(...args: readonly string[]): Promise<Ran> {
  return run(process.execPath, [COMMAND, ...args]);
}

/** How a process ended. */
export interface Ended {
  readonly status: number | null;
  readonly signal: NodeJS.Signals | null;
}

export interface NodeProcessOptions {
  readonly arguments: readonly string[];
  /** Where what it writes is appended. */
  readonly log: string;
}

/** All that run; none outlives this process, however it ends. */
const running = new Set<NodeProcess>();
process.on("exit", () => {
  for (const node of running) node.kill();
});

export class NodeProcess {
  readonly pid: number;
  readonly ended: Promise<Ended>;
  private readonly child: ChildProcess;
  /** What it wrote to standard error. */
  private text = "";

  constructor({ arguments: args, log }: NodeProcessOptions) {
    const environment = Object.fromEntries(
      Object.entries(process.env).filter(
        ([name]) => !/^(QUORATE_|NODE_V8_COVERAGE|NODE_TEST_CONTEXT)/.test(name),
      ),
    );
    // The channel is what tells a node that this process is gone.
    this.child = spawn(process.execPath, [COMMAND, "serve", ...args], {
      stdio: ["ignore", "ignore", "pipe", "ipc"],
      env: environment,
    });
    this.pid = this.child.pid ?? 0;
    const file = fs.createWriteStream(log, { flags: "a" });
    this.child.stderr!.on("data", (chunk: Buffer) => {
      this.text += chunk.toString();
      file.write(chunk);
    });
    running.add(this);
    this.ended = new Promise((resolve) => {
      this.child.once("close", (status, signal) => {
        running.delete(this);
        file.end(() => resolve({ status, signal }));
      });
    });
  }

  /** What it said to people: standard error without the log, which is JSON. */
  get complaints(): readonly string[] {
    return this.text.split("\n").filter((line) => line !== "" && !line.startsWith("{"));
  }

  get alive(): boolean {
    return running.has(this);
  }

  /** As a power cut would: no last words. */
  kill(): void {
    this.child.kill("SIGKILL");
  }

  async killed(): Promise<void> {
    this.kill();
    await this.ended;
  }

  /** Asks it politely. */
  terminate(): Promise<Ended> {
    this.child.kill("SIGTERM");
    return this.end();
  }

  /** Waits until it has ended by itself. */
  end(deadlineMs: number = PATIENCE_MS): Promise<Ended> {
    return within(`process ${this.pid} ends`, this.ended, deadlineMs);
  }

  /** Stops its clock: it neither answers nor knows that time passes. */
  pause(): void {
    this.child.kill("SIGSTOP");
  }

  resume(): void {
    this.child.kill("SIGCONT");
  }
}
