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
import { Security } from "./security.ts";
import { eventually, PATIENCE_MS } from "./wait.ts";
import { Wires } from "./wires.ts";

export const NAMES = ["n1", "n2", "n3"] as const;
export type NodeName = (typeof NAMES)[number];

/** What `/status` says of the one group, as far as tests look. */
interface GroupStatus {
  readonly engine: string;
  readonly generation: number;
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
  /** Whether the nodes reach each other over {@link Wires}, and speak nothing but consensus over them. */
  readonly wires?: boolean;
  /** Whether everybody shows certificates to everybody, made for this cluster. */
  readonly tls?: boolean;
}

/** Flags of a node and what they are set to; undefined leaves one out. */
type Flags = Readonly<Record<string, string | undefined>>;

/** A node that does not answer at all must not hold up the test that paused it. */
const STATUS_MS = 1000;

export class Cluster {
  readonly directory: string;
  /** The certificates, where there are any. */
  readonly security: Security | undefined;
  private readonly ports: PortBlock;
  private readonly flags: readonly string[];
  private readonly processes = new Map<NodeName, NodeProcess>();
  private readonly strung: Wires<NodeName> | undefined;

  constructor(
    ports: PortBlock,
    { flags = [], engine, wires = false, tls = false }: ClusterOptions,
  ) {
    this.ports = ports;
    const chosen = engine ?? process.env["QUORATE_TEST_ENGINE"] ?? "raft";
    this.flags = [
      "--consensus",
      `etcd=${chosen}`,
      "--services",
      wires ? "etcd" : "etcd,serf",
      ...(tls ? ["--client-cert-auth"] : []),
      ...flags,
    ];
    this.directory = fs.mkdtempSync(path.join(os.tmpdir(), "quorate-"));
    this.security = tls ? new Security(this.directory) : undefined;
    this.strung = wires ? new Wires(NAMES, (name) => this.base(name) + 1) : undefined;
  }

  /** The network between the nodes; clients reach every node all the same. */
  get wires(): Wires<NodeName> {
    assert.ok(this.strung, "the cluster has wires");
    return this.strung;
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

  /** Starts a node; `flags` replace those of the same names, or do without them. Does not wait until it serves. */
  launch(name: NodeName, flags: Flags = {}): NodeProcess {
    assert.ok(this.processes.get(name)?.alive !== true, `${name} does not run`);
    const process = this.launchAside(name, flags);
    this.processes.set(name, process);
    return process;
  }

  /** Starts a process as that node beside the one that runs. */
  launchAside(name: NodeName, flags: Flags = {}): NodeProcess {
    const port = (each: NodeName): number =>
      (each === name ? undefined : this.strung?.port(name, each)) ?? this.base(each) + 1;
    const cluster = NAMES.map((each) => `${each}=127.0.0.1:${port(each)}`).join(",");
    const settings: Flags = {
      "--name": name,
      "--data-dir": this.dataDir(name),
      "--port-base": String(this.base(name)),
      "--cluster": cluster,
      ...this.security?.nodeFlags(name),
      ...flags,
    };
    const given = Object.entries(settings).flatMap(([flag, value]) => {
      return value === undefined ? [] : [flag, value];
    });
    return new NodeProcess({
      arguments: [...given, ...this.flags],
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
    // Its shape is the command's own, checked by its own tests.
    const { groups, ...rest } = (await this.ask(`127.0.0.1:${this.base(name)}`)) as Omit<
      NodeStatus,
      "group"
    > & {
      readonly groups: readonly GroupStatus[];
    };
    return { ...rest, group: groups[0]! };
  }

  /** What a node at `host:port` answers for `/status`. @throws Error if it does not. */
  async ask(http: string): Promise<unknown> {
    if (this.security !== undefined) {
      return this.security.get(`https://${http}/status`, STATUS_MS);
    }
    const response = await fetch(`http://${http}/status`, {
      signal: AbortSignal.timeout(STATUS_MS),
    });
    return response.json();
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
    await this.strung?.close();
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
export async function withCluster<T>(
  options: ClusterOptions,
  body: (cluster: Cluster) => Promise<T>,
): Promise<T> {
  const cluster = new Cluster(await claimPorts(), options);
  try {
    if (options.wires === true) await cluster.wires.open();
    await cluster.start(...NAMES);
    return await body(cluster);
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
