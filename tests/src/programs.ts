/** Programs of others that talk to a cluster: run to their end, or held in a conversation. */

import { type ChildProcess, spawn, spawnSync } from "node:child_process";

import { eventually, PATIENCE_MS } from "./wait.ts";

export interface Ran {
  readonly status: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

/** Whether a program can be run. */
export function installed(program: string, ...args: readonly string[]): boolean {
  return spawnSync(program, args, { stdio: "ignore" }).status === 0;
}

const environment = { ...process.env, ETCDCTL_API: "3" };

/** Programs that run; none outlives this process. */
const talking = new Set<Conversation>();
process.on("exit", () => {
  for (const each of talking) each.kill();
});

/** Runs a program to its end. */
export async function run(
  program: string,
  args: readonly string[],
  stdin = "",
  deadlineMs: number = PATIENCE_MS,
): Promise<Ran> {
  const conversation = new Conversation(program, args);
  conversation.say(stdin);
  conversation.hangUp();
  const status = await conversation.ended(deadlineMs);
  return { status, stdout: conversation.stdout, stderr: conversation.stderr };
}

/** A program whose output is read while it runs. */
export class Conversation {
  stdout = "";
  stderr = "";
  private readonly child: ChildProcess;
  private status: number | null | undefined;

  constructor(program: string, args: readonly string[]) {
    this.child = spawn(program, args, { env: environment });
    talking.add(this);
    this.child.stdout!.on("data", (chunk: Buffer) => (this.stdout += chunk.toString()));
    this.child.stderr!.on("data", (chunk: Buffer) => (this.stderr += chunk.toString()));
    // A program that has read enough hangs up first.
    this.child.stdin!.on("error", () => {});
    this.child.once("error", (error) => {
      this.stderr += error.message;
      this.finish(127);
    });
    this.child.once("close", (status) => this.finish(status));
  }

  say(text: string): void {
    this.child.stdin!.write(text);
  }

  hangUp(): void {
    this.child.stdin!.end();
  }

  /** Waits until it has written something that matches. */
  hears(pattern: RegExp, deadlineMs?: number): Promise<RegExpExecArray> {
    return eventually(
      `the program writes ${pattern}`,
      () => {
        const match = pattern.exec(this.stdout);
        if (match !== null) return match;
        if (this.status !== undefined) {
          throw new Error(`it ended with ${this.status}: ${this.stdout}${this.stderr}`);
        }
        return undefined;
      },
      deadlineMs,
    );
  }

  /** Its exit status, once it has ended by itself. */
  async ended(deadlineMs?: number): Promise<number | null> {
    await eventually("the program ends", () => this.status !== undefined, deadlineMs);
    return this.status ?? null;
  }

  async interrupt(): Promise<void> {
    this.child.kill("SIGINT");
    await this.ended();
  }

  /** Stops its clock: it neither answers nor knows that time passes. */
  pause(): void {
    this.child.kill("SIGSTOP");
  }

  resume(): void {
    this.child.kill("SIGCONT");
  }

  kill(): void {
    this.child.kill("SIGKILL");
  }

  private finish(status: number | null): void {
    this.status ??= status;
    talking.delete(this);
  }
}
