/** Clusters of real `serf` agents and of ours, in any mix, on ports of one block. */

import assert from "node:assert/strict";
import fs from "node:fs";
import { createRequire } from "node:module";
import os from "node:os";
import path from "node:path";

import { claimPorts, type PortBlock } from "./ports.ts";
import { Conversation, type Ran, run } from "./programs.ts";
import { eventually, PATIENCE_MS } from "./wait.ts";

const QUORATE = path.join(
  path.dirname(createRequire(import.meta.url).resolve("quorate/package.json")),
  "bin/quorate.mjs",
);

/** Runs a `quorate` command to its end. */
export function quorate(...args: readonly string[]): Promise<Ran> {
  return run(process.execPath, [QUORATE, ...args]);
}

/** Whose program runs an agent: `r`eal ones are HashiCorp's, `q` ours. */
export type Kind = "r" | "q";

/** A member as the `serf` command shows it. */
export interface Shown {
  readonly name: string;
  readonly status: string;
  readonly tags: Readonly<Record<string, string>>;
}

export interface StartOptions {
  /** Agents to join, by name. */
  readonly join?: readonly string[];
  /** More flags, with one dash. */
  readonly flags?: readonly string[];
}

const JOINED = /Join completed/;
/** How our agent and the real one say that whom they wanted to join did not answer soon enough. */
const LATE = /no address could be joined: .*no answer in time|Failed to join .*i\/o timeout/;

/** Gossip and RPC of an agent lie so far apart in a block of sixty ports, whose twentieth is the claim. */
const RPC_OFFSET = 30;
const AGENTS = 15;

interface Agent {
  readonly kind: Kind;
  readonly name: string;
  readonly gossip: number;
  readonly rpc: number;
  process: Conversation;
}

export class SerfCluster {
  readonly directory: string = fs.mkdtempSync(path.join(os.tmpdir(), "quorate-serf-"));
  private readonly ports: PortBlock;
  private readonly agents = new Map<string, Agent>();

  private constructor(ports: PortBlock) {
    this.ports = ports;
  }

  /** Runs `play` with a cluster that is gone afterwards. */
  static async with(play: (cluster: SerfCluster) => Promise<void>): Promise<void> {
    const cluster = new SerfCluster(await claimPorts());
    try {
      await play(cluster);
    } catch (error) {
      cluster.tell();
      throw error;
    } finally {
      for (const { process } of cluster.agents.values()) process.kill();
      await cluster.ports.release();
      fs.rmSync(cluster.directory, { recursive: true });
    }
  }

  /** What agents wrote last, when something went wrong. */
  private tell(): void {
    for (const { kind, name, process } of this.agents.values()) {
      const text = `${process.stdout}${process.stderr}`;
      console.error(`--- ${name} (${kind === "q" ? "quorate" : "serf"})\n${text.slice(-3000)}`);
    }
  }

  get names(): readonly string[] {
    return [...this.agents.keys()];
  }

  /**
   * Starts an agent, or starts it again after its end: on the ports and with
   * the handler it had, maybe with the other program. Resolves when it runs.
   */
  async start(kind: Kind, name: string, options: StartOptions = {}): Promise<void> {
    for (const deadline = performance.now() + PATIENCE_MS; ;) {
      const process = this.launch(kind, name, options);
      await process.hears(/Serf agent running!/);
      if (options.join === undefined || options.join.length === 0) return;
      const told = (): string => process.stdout + process.stderr;
      await eventually(
        `${name} has joined, or not`,
        () => JOINED.test(told()) || LATE.test(told()),
      );
      if (JOINED.test(told())) return;
      // An agent ends that joined nobody. The local profile has it wait for a second only, which a
      // machine that does much else may need for the answer. A supervisor starts it again.
      await process.ended();
      assert.ok(performance.now() < deadline, `${name} joined nobody: ${told()}`);
    }
  }

  private launch(kind: Kind, name: string, { join = [], flags = [] }: StartOptions): Conversation {
    const before = this.agents.get(name);
    const index = this.agents.size;
    assert.ok(before !== undefined || index < AGENTS);
    const gossip = before?.gossip ?? this.ports.base + index;
    const rpc = before?.rpc ?? this.ports.base + RPC_OFFSET + index;
    const given = [
      `-node=${name}`,
      `-bind=127.0.0.1:${gossip}`,
      `-rpc-addr=127.0.0.1:${rpc}`,
      `-event-handler=${this.handler(name)}`,
      ...join.map((other) => `-join=${this.address(other)}`),
      ...flags,
    ];
    const process =
      kind === "r"
        ? new Conversation("serf", ["agent", ...given])
        : new Conversation(globalThis.process.execPath, [QUORATE, "agent", ...given]);
    this.agents.set(name, { kind, name, gossip, rpc, process });
    return process;
  }

  /** Writes down user events and queries; answers queries with the agent's name. */
  private handler(name: string): string {
    const log = this.heardFile(name);
    return `user,query=echo "$SERF_EVENT $SERF_USER_EVENT$SERF_QUERY_NAME $(cat)" >> ${log}; test $SERF_EVENT = user || echo -n "this is $SERF_SELF_NAME"`;
  }

  private heardFile(name: string): string {
    return path.join(this.directory, `${name}.heard`);
  }

  /** Events and queries that an agent's handler was given, in order. */
  heard(name: string): readonly string[] {
    const file = this.heardFile(name);
    if (!fs.existsSync(file)) return [];
    return fs
      .readFileSync(file, "utf8")
      .split("\n")
      .filter((line) => line !== "");
  }

  /** Waits until an agent has ended by itself. */
  ended(name: string): Promise<number | null> {
    return this.agent(name).process.ended();
  }

  address(name: string): string {
    return `127.0.0.1:${this.agent(name).gossip}`;
  }

  rpcAddress(name: string): string {
    return `127.0.0.1:${this.agent(name).rpc}`;
  }

  private agent(name: string): Agent {
    const agent = this.agents.get(name);
    assert.ok(agent !== undefined, `no agent ${name}`);
    return agent;
  }

  /** Has the `serf` command ask an agent. */
  try(name: string, command: string, ...args: readonly string[]): Promise<Ran> {
    return run("serf", [command, `-rpc-addr=${this.rpcAddress(name)}`, ...args]);
  }

  /** The same, which must succeed. */
  async serf(name: string, command: string, ...args: readonly string[]): Promise<string> {
    const { status, stdout, stderr } = await this.try(name, command, ...args);
    assert.equal(status, 0, `serf ${command} at ${name}: ${stdout}${stderr}`);
    return stdout;
  }

  /** A `serf` command that goes on. */
  follow(name: string, command: string, ...args: readonly string[]): Conversation {
    return new Conversation("serf", [command, `-rpc-addr=${this.rpcAddress(name)}`, ...args]);
  }

  /** Members as an agent sees them, by name. */
  async members(name: string): Promise<readonly Shown[]> {
    const shown = JSON.parse(await this.serf(name, "members", "-format=json")) as {
      readonly members: readonly Shown[];
    };
    return shown.members
      .map(({ name: of, status, tags }) => ({ name: of, status, tags }))
      .toSorted((a, b) => (a.name < b.name ? -1 : 1));
  }

  /** Waits until every agent that runs sees the members so: `a alive, b failed`. */
  async agree(
    expected: string,
    by: readonly string[] = this.names,
    deadlineMs?: number,
  ): Promise<void> {
    const seen = new Map<string, string>();
    await eventually(
      `${by.join(", ")} see ${expected}`,
      async () => {
        for (const name of by) {
          const members = await this.members(name);
          const text = members.map(({ name: of, status }) => `${of} ${status}`).join(", ");
          seen.set(name, text);
          if (text !== expected) throw new Error(`${name} sees ${text}`);
        }
        return true;
      },
      deadlineMs,
    );
  }

  /** Everybody is alive, and everybody knows. */
  allAlive(deadlineMs?: number): Promise<void> {
    const sorted = this.names.toSorted();
    return this.agree(sorted.map((name) => `${name} alive`).join(", "), sorted, deadlineMs);
  }

  pause(name: string): void {
    this.agent(name).process.pause();
  }

  resume(name: string): void {
    this.agent(name).process.resume();
  }

  /** As a power cut would. */
  async kill(name: string): Promise<void> {
    const { process } = this.agent(name);
    process.kill();
    await process.ended();
  }

  /** Has it leave, as an operator at its terminal would. Resolves to its exit status. */
  async interrupt(name: string): Promise<number | null> {
    const { process } = this.agent(name);
    await process.interrupt();
    return process.ended();
  }
}
