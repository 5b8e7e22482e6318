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

  /** Waits until all nodes serve and follow one leader. Returns who leads. */
  async whole(): Promise<number> {
    const giveUp = performance.now() + GIVE_UP_MS;
    let seen = "";
    while (performance.now() < giveUp) {
      try {
        const statuses = await this.statuses();
        const leader = leaderOfAll(statuses);
        if (leader !== undefined) return leader;
        seen = JSON.stringify(statuses);
      } catch (error) {
        // Not all of them listen yet.
        seen = String(error);
      }
      await new Promise((resolve) => setTimeout(resolve, 100));
    }
    throw new Error(`the ${this.engine} cluster is not whole after ${GIVE_UP_MS} ms: ${seen}`);
  }

  async stop(): Promise<void> {
    await Promise.all(this.children.map((_, node) => this.end(node, "SIGTERM")));
    rmSync(this.directory, { recursive: true, force: true });
  }

  private port(node: number): number {
    return this.base + 20 * node;
  }

  private statuses(): Promise<readonly Status[]> {
    return Promise.all(
      NAMES.map(async (_, node) => {
        const response = await fetch(`http://127.0.0.1:${this.port(node)}/status`);
        // Its shape is the command's own, checked by its own tests.
        return (await response.json()) as Status;
      }),
    );
  }
}

function leaderOfAll(statuses: readonly Status[]): number | undefined {
  const groups = statuses.flatMap((status) => status.groups);
  const leader = groups[0]?.leader ?? null;
  const isWhole =
    statuses.every(({ healthy, peers }) => healthy && Object.values(peers).every(Boolean)) &&
    groups.every((group) => group.leader === leader);
  return isWhole && leader !== null ? NAMES.indexOf(leader) : undefined;
}
