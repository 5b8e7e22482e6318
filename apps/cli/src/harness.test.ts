/** For the tests that run the real command: as processes, on ports that are free now. */

import assert from "node:assert/strict";
import { type ChildProcess, spawn } from "node:child_process";
import fs from "node:fs";
import net from "node:net";
import os from "node:os";
import path from "node:path";
import { createInterface } from "node:readline";
import type { TestContext } from "node:test";
import { fileURLToPath } from "node:url";

const COMMAND = fileURLToPath(new URL("../bin/quorate.mjs", import.meta.url));

export interface Ran {
  readonly status: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

export interface RunOptions {
  readonly env?: Readonly<Record<string, string>>;
  readonly input?: string;
  /** Standard output leads to somebody who has read enough already. */
  readonly unread?: boolean;
}

const endings = new WeakMap<TestContext, (() => unknown)[]>();

/** Runs `end` when the test ends, before what was registered before it. */
function atEnd(t: TestContext, end: () => unknown): void {
  const known = endings.get(t);
  if (known !== undefined) return void known.push(end);
  const stack = [end];
  endings.set(t, stack);
  t.after(async () => {
    for (const each of stack.toReversed()) await each();
  });
}

/** Settings of whoever runs the tests are not settings of what is tested. */
function environment(extra: Readonly<Record<string, string>> = {}): NodeJS.ProcessEnv {
  const clean = Object.entries(process.env).filter(([name]) => !name.startsWith("QUORATE_"));
  return { ...Object.fromEntries(clean), NODE_TEST_CONTEXT: "", ...extra };
}

/** Runs a command to its end. */
export function run(args: readonly string[], options: RunOptions = {}): Promise<Ran> {
  const { env, input, unread = false } = options;
  const child = spawn(process.execPath, [COMMAND, ...args], { env: environment(env) });
  let stdout = "";
  let stderr = "";
  child.stdout.on("data", (chunk: Buffer) => (stdout += chunk.toString()));
  if (unread) child.stdout.destroy();
  child.stderr.on("data", (chunk: Buffer) => (stderr += chunk.toString()));
  child.stdin.end(input ?? "");
  return new Promise((resolve) => {
    child.on("close", (status) => resolve({ status, stdout, stderr }));
  });
}

/** A command that goes on, line by line. It is ended with the test. */
export class Running {
  readonly child: ChildProcess;
  readonly lines: string[] = [];
  readonly exited: Promise<number | null>;
  stderr = "";
  private wake: () => void = () => {};
  private ended = false;

  constructor(t: TestContext, args: readonly string[], env?: Readonly<Record<string, string>>) {
    const child = spawn(process.execPath, [COMMAND, ...args], {
      env: environment(env),
      stdio: ["ignore", "pipe", "pipe"],
    });
    this.child = child;
    child.stderr.on("data", (chunk: Buffer) => (this.stderr += chunk.toString()));
    createInterface({ input: child.stdout }).on("line", (line) => {
      this.lines.push(line);
      this.wake();
    });
    this.exited = new Promise((resolve) => {
      child.on("close", (status) => {
        this.ended = true;
        this.wake();
        resolve(status);
      });
    });
    atEnd(t, async () => {
      child.kill("SIGTERM");
      await this.exited;
    });
  }

  /** The first line, from `from` on, that is as wanted; waits for it. */
  async line(wanted: (line: string) => boolean, from: number = 0): Promise<string> {
    for (;;) {
      const found = this.lines.slice(from).find((line) => wanted(line));
      if (found !== undefined) return found;
      if (this.ended)
        assert.fail(`ended before the line came: ${this.lines.join("\n")}${this.stderr}`);
      await new Promise<void>((resolve) => (this.wake = resolve));
    }
  }

  /** The first event with this name for which `wanted` holds. */
  async event(
    name: string,
    wanted: (event: Readonly<Record<string, unknown>>) => boolean = () => true,
  ): Promise<Readonly<Record<string, unknown>>> {
    const line = await this.line((each) => {
      const event = JSON.parse(each) as Record<string, unknown>;
      return event["event"] === name && wanted(event);
    });
    return JSON.parse(line) as Record<string, unknown>;
  }
}

/** A directory that goes with the test. */
export function temporaryDirectory(t: TestContext): string {
  const directory = fs.mkdtempSync(path.join(os.tmpdir(), "quorate-cli-"));
  atEnd(t, () => fs.rmSync(directory, { recursive: true, force: true }));
  return directory;
}

/** The first port of blocks for `nodes` nodes that are free now, below the system's own choices. */
export async function freePortBase(nodes: number): Promise<number> {
  for (;;) {
    const base = 10_000 + 20 * Math.floor(Math.random() * 1000);
    const ports = Array.from({ length: nodes }, (_, node) =>
      [0, 1, 2].map((at) => base + 20 * node + at),
    );
    const free = await Promise.all(ports.flat().map((port) => isFree(port)));
    if (free.every(Boolean)) return base;
  }
}

function isFree(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const server = net.createServer();
    server.once("error", () => resolve(false));
    server.listen(port, "127.0.0.1", () => server.close(() => resolve(true)));
  });
}

/** Asks until `wanted` holds; the test's own limit is the only one. */
export async function eventually(wanted: () => Promise<boolean>): Promise<void> {
  while (!(await wanted())) await new Promise((resolve) => setTimeout(resolve, 50));
}

/** Whether a process exists. */
export function alive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch {
    return false;
  }
}
