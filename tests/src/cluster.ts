/**
 * A cluster of three real processes on this machine, to be broken: started in a
 * directory of its own on ports of its own, and gone without a trace when the
 * test is over, unless it failed: then the nodes' logs are kept.
 */

import assert from "node:assert/strict";
import fs from "node:fs";
import os from "node:os";
import path from "node:path";

import { NodeProcess } from "./node-process.ts";
import { claimPorts, NODE_PORTS, type PortBlock } from "./ports.ts";
import { eventually, PATIENCE_MS } from "./wait.ts";

export const NAMES = ["n1", "n2", "n3"] as const;
export type NodeName = (typeof NAMES)[number];

/** What `/status` says of the one group, as far as tests look. */
interface GroupStatus {
  readonly role: string;
  readonly term: number;
  readonly leader: NodeName | null;
  readonly commitIndex: number;
  readonly appliedIndex: number;
  readonly figures: Readonly<Record<string, number>>;
}

export interface NodeStatus {
  readonly name: NodeName;
  readonly pid: number;
  readonly healthy: boolean;
  readonly peers: Readonly<Record<string, boolean>>;
  readonly group: GroupStatus;
}

/** What can replicate the store. */
export const ENGINES = ["raft", "paxos", "zab"] as const;
type EngineName = (typeof ENGINES)[number];

export interface ClusterOptions {
  /** Which engine replicates the store; that of `QUORATE_TEST_ENGINE`, or `raft`, unless told. */
  readonly engine?: EngineName;
  /** Further flags of `quorate serve`, for every node. */
  readonly flags?: readonly string[];
}

/** A node that does not answer at all must not hold up the test that paused it. */
const STATUS_MS = 1000;

export class Cluster {
  readonly directory: string;
  private readonly ports: PortBlock;
  private readonly flags: readonly string[];
  private readonly processes = new Map<NodeName, NodeProcess>();

  constructor(ports: PortBlock, { flags = [], engine }: ClusterOptions) {
    this.ports = ports;
    const chosen = engine ?? process.env["QUORATE_TEST_ENGINE"] ?? "raft";
    this.flags = ["--consensus", `etcd=${chosen}`, ...flags];
    this.directory = fs.mkdtempSync(path.join(os.tmpdir(), "quorate-"));
  }

  get portBase(): number {
    return this.ports.base;
  }

  dataDir(name: NodeName): string {
    return path.join(this.directory, name);
  }

  /** `host:port` of a node's port for etcd's clients. */
  etcd(name: NodeName): string {
    return `127.0.0.1:${this.base(name) + 2}`;
  }

  /** All of them, first `name`. */
  endpoints(name: NodeName = "n1"): readonly string[] {
    return [name, ...NAMES.filter((other) => other !== name)].map((each) => this.etcd(each));
  }

  base(name: NodeName): number {
    return this.ports.base + NAMES.indexOf(name) * NODE_PORTS;
  }

  others(name: NodeName): readonly NodeName[] {
    return NAMES.filter((other) => other !== name);
  }

  /** The process of a node. */
  process(name: NodeName): NodeProcess {
    const process = this.processes.get(name);
    assert.ok(process, `${name} was started`);
    return process;
  }

  /** Starts a node; `flags` replace those of the same names. Does not wait until it serves. */
  launch(name: NodeName, flags: Readonly<Record<string, string>> = {}): NodeProcess {
    assert.ok(this.processes.get(name)?.alive !== true, `${name} does not run`);
    const process = this.launchAside(name, flags);
    this.processes.set(name, process);
    return process;
  }

  /** Starts a process as that node beside the one that runs. */
  launchAside(name: NodeName, flags: Readonly<Record<string, string>> = {}): NodeProcess {
    const cluster = NAMES.map((each) => `${each}=127.0.0.1:${this.base(each) + 1}`).join(",");
    const settings = {
      "--name": name,
      "--data-dir": this.dataDir(name),
      "--port-base": String(this.base(name)),
      "--cluster": cluster,
      ...flags,
    };
    return new NodeProcess({
      arguments: [...Object.entries(settings).flat(), ...this.flags],
      log: path.join(this.directory, `${name}.log`),
    });
  }

  /** Starts nodes and waits until they serve. */
  async start(...names: readonly NodeName[]): Promise<void> {
    for (const name of names) this.launch(name);
    await this.serving(...names);
  }

  /** Waits until nodes serve under a leader. */
  async serving(...names: readonly NodeName[]): Promise<void> {
    for (const name of names) {
      await eventually(`${name} serves`, async () => {
        const process = this.process(name);
        if (!process.alive) throw new Error(process.complaints.join("; "));
        return (await this.status(name)).healthy;
      });
    }
  }

  /** @throws Error if the node does not answer. */
  async status(name: NodeName): Promise<NodeStatus> {
    const response = await fetch(`http://127.0.0.1:${this.base(name)}/status`, {
      signal: AbortSignal.timeout(STATUS_MS),
    });
    // Its shape is the command's own, checked by its own tests.
    const { groups, ...rest } = (await response.json()) as Omit<NodeStatus, "group"> & {
      readonly groups: readonly GroupStatus[];
    };
    return { ...rest, group: groups[0]! };
  }

  /** Waits for a leader that a majority of all nodes follows in one term. */
  leader(deadlineMs: number = PATIENCE_MS): Promise<NodeName> {
    return eventually(
      "a majority follows one leader",
      async () => {
        const answers = await Promise.allSettled(NAMES.map((name) => this.status(name)));
        const statuses = answers.flatMap((answer) =>
          answer.status === "fulfilled" ? [answer.value] : [],
        );
        return statuses.find(
          ({ name, group }) =>
            group.role === "leader" &&
            statuses.filter((each) => each.group.leader === name && each.group.term === group.term)
              .length *
              2 >
              NAMES.length,
        )?.name;
      },
      deadlineMs,
    );
  }

  /** Waits until nodes have applied as much as the foremost of them had when this was called. */
  async caughtUp(...names: readonly NodeName[]): Promise<void> {
    const statuses = await Promise.all(names.map((name) => this.status(name)));
    const goal = Math.max(...statuses.map(({ group }) => group.commitIndex));
    for (const name of names) {
      await eventually(`${name} has applied ${goal} entries`, async () => {
        const { group } = await this.status(name);
        return group.appliedIndex >= goal;
      });
    }
  }

  /** Ends everything at once. */
  async stop(): Promise<void> {
    await Promise.all([...this.processes.values()].map((process) => process.killed()));
    await this.ports.release();
  }

  /** Copies the nodes' logs to where they stay. */
  keepLogs(): string {
    const kept = fs.mkdtempSync(path.join(os.tmpdir(), "quorate-failed-"));
    for (const file of fs.readdirSync(this.directory)) {
      if (/\.(log|jsonl)$/.test(file)) {
        fs.copyFileSync(path.join(this.directory, file), path.join(kept, file));
      }
    }
    return kept;
  }
}

/** Runs a test on a cluster of three serving nodes, and cleans up after it. */
export async function withCluster(
  options: ClusterOptions,
  body: (cluster: Cluster) => Promise<void>,
): Promise<void> {
  const cluster = new Cluster(await claimPorts(), options);
  try {
    await cluster.start(...NAMES);
    await body(cluster);
  } catch (error) {
    // Their logs are complete once they have ended.
    await cluster.stop();
    console.error(`the nodes' logs are in ${cluster.keepLogs()}`);
    throw error;
  } finally {
    await cluster.stop();
    fs.rmSync(cluster.directory, { recursive: true, force: true });
  }
}
