/** A cluster of three `quorate serve`, each of which can be ended and started again. */

import { type ChildProcess, spawn } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";

import type { EngineName } from "@quorate/host";

import { freeBlock, QUORATE } from "./clusters.ts";

const NAMES = ["n1", "n2", "n3"];
const GIVE_UP_MS = 60_000;

/** What `/status` says, as far as it is read here. */
interface Status {
  readonly healthy: boolean;
  readonly peers: Readonly<Record<string, boolean>>;
  readonly groups: readonly {
    readonly role: string;
    readonly leader: string | null;
    readonly commitIndex: number;
    readonly appliedIndex: number;
  }[];
}

export class Served {
  private readonly base: number;
  private readonly engine: EngineName;
  private readonly directory: string = mkdtempSync(path.join(tmpdir(), "quorate-served-"));
  private readonly children: ChildProcess[] = [];

  /** Starts it; `whole` says when it serves. */
  static async start(engine: EngineName): Promise<Served> {
    const served = new Served(engine, await freeBlock());
    for (const node of NAMES.keys()) served.launch(node);
    return served;
  }

  private constructor(engine: EngineName, base: number) {
    this.engine = engine;
    this.base = base;
  }

  /** Where etcd's clients find all nodes but one. */
  portsBeside(node: number): readonly number[] {
    return [...NAMES.keys()].filter((other) => other !== node).map((other) => this.port(other) + 2);
  }

  launch(node: number): void {
    const cluster = NAMES.map((name, i) => `${name}=127.0.0.1:${this.port(i) + 1}`).join(",");
    const name = NAMES[node]!;
    const flags = {
      "--name": name,
      "--data-dir": path.join(this.directory, name),
      "--port-base": String(this.port(node)),
      "--cluster": cluster,
      "--services": "etcd",
      "--consensus": `etcd=${this.engine}`,
      "--log-level": "error",
    };
    const args = [QUORATE, "serve", ...Object.entries(flags).flat()];
    this.children[node] = spawn(process.execPath, args, { stdio: ["ignore", "ignore", "inherit"] });
  }

  /** Sends a signal and waits until the process is gone. */
  async end(node: number, signal: "SIGKILL" | "SIGTERM"): Promise<void> {
    const child = this.children[node]!;
    if (child.exitCode !== null || child.signalCode !== null) return;
    const gone = new Promise((resolve) => child.once("exit", resolve));
    child.kill(signal);
    await gone;
  }

  /** Waits until all nodes serve, follow one leader and have applied as much. Returns who leads. */
  async whole(): Promise<number> {
    const giveUp = performance.now() + GIVE_UP_MS;
    while (performance.now() < giveUp) {
      const leader = await this.leaderOfAll().catch(() => undefined);
      if (leader !== undefined) return leader;
      await new Promise((resolve) => setTimeout(resolve, 100));
    }
    throw new Error(`the ${this.engine} cluster is not whole after ${GIVE_UP_MS} ms`);
  }

  async stop(): Promise<void> {
    await Promise.all(this.children.map((_, node) => this.end(node, "SIGTERM")));
    rmSync(this.directory, { recursive: true, force: true });
  }

  private port(node: number): number {
    return this.base + 20 * node;
  }

  private async leaderOfAll(): Promise<number | undefined> {
    const statuses = await Promise.all(
      NAMES.map(async (_, node) => {
        const response = await fetch(`http://127.0.0.1:${this.port(node)}/status`);
        // Its shape is the command's own, checked by its own tests.
        return (await response.json()) as Status;
      }),
    );
    const groups = statuses.map(({ groups: [group] }) => group!);
    const [{ leader, commitIndex }] = groups as [Status["groups"][number]];
    const isWhole =
      statuses.every(({ healthy, peers }) => healthy && Object.values(peers).every(Boolean)) &&
      groups.every((group) => group.leader === leader && group.appliedIndex >= commitIndex);
    return isWhole && leader !== null ? NAMES.indexOf(leader) : undefined;
  }
}
