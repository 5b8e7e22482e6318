/** Nodes that did not found the cluster: they join it, on ports of their own. */

import assert from "node:assert/strict";
import path from "node:path";

import type { Cluster } from "./cluster.ts";
import { NodeProcess, quorate } from "./node-process.ts";
import type { Ran } from "./programs.ts";
import { claimPorts, NODE_PORTS, type PortBlock } from "./ports.ts";
import { eventually } from "./wait.ts";

const NEWCOMERS = ["n4", "n5", "n6"] as const;
export type Newcomer = (typeof NEWCOMERS)[number];

/** What `/status` says of a newcomer, as far as tests look. */
interface Status {
  readonly healthy: boolean;
  readonly groups: readonly {
    readonly engine: string;
    readonly generation: number;
    readonly voters: readonly string[];
    readonly learners: readonly string[];
  }[];
}

export class Newcomers {
  private readonly cluster: Cluster;
  private readonly ports: PortBlock;
  private readonly processes = new Map<Newcomer, NodeProcess>();

  constructor(cluster: Cluster, ports: PortBlock) {
    this.cluster = cluster;
    this.ports = ports;
  }

  /** `host:port` for each purpose. */
  http(name: Newcomer): string {
    return this.at(name, 0);
  }

  peer(name: Newcomer): string {
    return this.at(name, 1);
  }

  etcd(name: Newcomer): string {
    return this.at(name, 2);
  }

  process(name: Newcomer): NodeProcess {
    const process = this.processes.get(name);
    assert.ok(process, `${name} was started`);
    return process;
  }

  /** Starts a node; with `contact`, a member's peer address, it joins. */
  launch(name: Newcomer, contact?: string): void {
    const { security } = this.cluster;
    const settings = {
      "--name": name,
      "--data-dir": path.join(this.cluster.directory, name),
      "--port-base": String(this.base(name)),
      ...(contact === undefined ? {} : { "--join": contact }),
      ...security?.nodeFlags(name),
    };
    const flags = security === undefined ? [] : ["--client-cert-auth"];
    const log = path.join(this.cluster.directory, `${name}.log`);
    const process = new NodeProcess({
      arguments: [...Object.entries(settings).flat(), ...flags],
      log,
    });
    this.processes.set(name, process);
  }

  async status(name: Newcomer): Promise<Status> {
    // Its shape is the command's own, checked by its own tests.
    return (await this.cluster.ask(this.http(name))) as Status;
  }

  /** Waits until a node serves and has the part. */
  async takesPart(name: Newcomer, part: "voters" | "learners"): Promise<void> {
    await eventually(`${name} is among the ${part}`, async () => {
      const process = this.process(name);
      if (!process.alive) throw new Error(process.complaints.join("; "));
      const { healthy, groups } = await this.status(name);
      return healthy && groups.every((group) => group[part].includes(name));
    });
  }

  async stop(): Promise<void> {
    await Promise.all([...this.processes.values()].map((process) => process.killed()));
    await this.ports.release();
  }

  private at(name: Newcomer, offset: number): string {
    return `127.0.0.1:${this.base(name) + offset}`;
  }

  private base(name: Newcomer): number {
    return this.ports.base + NEWCOMERS.indexOf(name) * NODE_PORTS;
  }
}

/** Runs a body with room for newcomers. */
export async function withNewcomers(
  cluster: Cluster,
  body: (newcomers: Newcomers) => Promise<void>,
): Promise<void> {
  const newcomers = new Newcomers(cluster, await claimPorts());
  try {
    await body(newcomers);
  } finally {
    await newcomers.stop();
  }
}

/** Runs `quorate members …` at a node's http port. */
export function members(http: string, ...args: readonly string[]): Promise<Ran> {
  return quorate("members", ...args, "--endpoints", http);
}

/** The same, when it must succeed; a leader that has just been elected, or a learner that lags, is waited for. */
export async function change(http: string, ...args: readonly string[]): Promise<string> {
  return eventually(`members ${args.join(" ")}`, async () => {
    const { status, stdout, stderr } = await members(http, ...args);
    // An attempt before this one may have done it, and its answer been lost.
    if (status !== 0 && !stderr.includes("is that already")) throw new Error(stderr);
    return stdout;
  });
}
