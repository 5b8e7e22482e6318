/** Members come and go while the cluster works: real sockets, real disks, one process. */

import assert from "node:assert/strict";
import { mkdtemp, rm } from "node:fs/promises";
import net, { type AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import path from "node:path";
import { test } from "node:test";

import type { MembershipChange } from "@quorate/consensus";
import { Journal } from "@quorate/consensus/conformance";

import type { EngineName } from "./engines.ts";
import { HostError } from "./errors.ts";
import { type Group, type Member } from "./group.ts";
import { Node } from "./node.ts";
import { type Address } from "./transport/transport.ts";

const FOUNDERS = ["n1", "n2", "n3"];

async function freePort(): Promise<number> {
  const server = net.createServer();
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const { port } = server.address() as AddressInfo;
  await new Promise((resolve) => server.close(resolve));
  return port;
}

class Cluster {
  readonly running = new Map<string, { readonly node: Node; readonly group: Group<number> }>();
  readonly fatal: unknown[] = [];
  private readonly directory: string;
  private readonly engine: EngineName;
  private readonly addresses = new Map<string, Address>();

  constructor(directory: string, engine: EngineName) {
    this.directory = directory;
    this.engine = engine;
  }

  /** Gives a node an address. Before it starts. */
  async settle(name: string): Promise<void> {
    this.addresses.set(name, { host: "127.0.0.1", port: await freePort() });
  }

  async start(name: string): Promise<void> {
    // Founders are told of founders only; a newcomer is told of them and of itself.
    const told = [...this.addresses].filter(([each]) => FOUNDERS.includes(each) || each === name);
    const node = new Node({
      name,
      members: new Map(told),
      founders: FOUNDERS,
      dataDir: path.join(this.directory, name),
      onFatal: (error) => this.fatal.push(error),
    });
    const group = node.replicate({
      id: 1,
      name: "journal",
      machine: new Journal(),
      engine: this.engine,
      log: { electionMs: 300, heartbeatMs: 50 },
      replica: { checkpointBytes: 4_000, keepBytes: 500 },
    });
    this.running.set(name, { node, group });
    await node.start();
  }

  async stop(name: string): Promise<void> {
    await this.running.get(name)?.node.stop({ graceMs: 1 });
    this.running.delete(name);
  }

  /** Why a node does not start: it knows for certain, or the others do and tell it. */
  async refusal(name: string): Promise<unknown> {
    try {
      await this.start(name);
    } catch (error) {
      return error;
    }
    while (this.fatal.length === 0) await pause();
    return this.fatal.splice(0)[0];
  }

  group(name: string): Group<number> {
    return this.running.get(name)!.group;
  }

  address(name: string): string {
    const { host, port } = this.addresses.get(name)!;
    return `${host}:${port}`;
  }

  /** Asks at `name` until it is done; a leader that has just been elected, or is gone, is no failure. */
  async reconfigure(name: string, ...changes: readonly MembershipChange[]): Promise<void> {
    for (;;) {
      try {
        await this.group(name).reconfigure(changes);
        return;
      } catch (error) {
        if (!(error instanceof HostError)) throw error;
        const { data } = error;
        if (data.code === "changeRefused" && data.problem === "alreadyMember") return;
        if (data.code === "changeRefused" && data.problem === "unknownMember") return;
        const passing = data.code === "changeRefused" && data.problem !== "usedName";
        if (!passing && data.code !== "rejected") throw error;
        await pause();
      }
    }
  }

  async until(name: string, holds: (members: readonly Member[]) => boolean): Promise<void> {
    while (!holds(this.group(name).members)) await pause();
  }
}

function pause(): Promise<void> {
  return new Promise((resolve) => {
    setTimeout(resolve, 20);
  });
}

async function withCluster(
  engine: EngineName,
  run: (cluster: Cluster) => Promise<void>,
): Promise<void> {
  const directory = await mkdtemp(path.join(tmpdir(), "quorate-members-"));
  const cluster = new Cluster(directory, engine);
  try {
    for (const name of [...FOUNDERS, "n4"]) await cluster.settle(name);
    await Promise.all(FOUNDERS.map((name) => cluster.start(name)));
    await run(cluster);
    assert.deepEqual(cluster.fatal, []);
  } finally {
    await Promise.all([...cluster.running.keys()].map((name) => cluster.stop(name)));
    await rm(directory, { recursive: true });
  }
}

function bytes(text: string): Uint8Array {
  return new TextEncoder().encode(text);
}

function partOf(members: readonly Member[], name: string): Member["part"] | undefined {
  return members.find(({ node }) => node === name)?.part;
}

for (const engine of ["raft", "paxos", "zab"] as const) {
  test(`${engine}: a fourth node joins, catches up from a snapshot, votes, and replaces one that leaves`, async () => {
    await withCluster(engine, async (cluster) => {
      for (let i = 0; i < 100; i++)
        await cluster.group("n1").execute(bytes(`line ${i} ${"x".repeat(80)}`));
      await cluster.start("n4");
      const address = cluster.address("n4");
      await cluster.reconfigure("n2", { type: "add", node: "n4", as: "voter", address });
      await cluster.until("n4", (members) => partOf(members, "n4") === "voter");
      await cluster.group("n4").read("linearizable");
      assert.equal((cluster.group("n4").machine as Journal).lines.length, 100);

      await cluster.reconfigure("n4", { type: "remove", node: "n1" });
      await cluster.until("n4", (members) => partOf(members, "n1") === undefined);
      await cluster.stop("n1");
      // With n1 gone two of {n2 n3 n4} decide, n4 among them.
      await cluster.stop("n3");
      assert.equal(await cluster.group("n4").execute(bytes("after")), 100);
      // A restart finds the members in the log, whatever it was told.
      await cluster.start("n3");
      await cluster.stop("n2");
      assert.equal(await cluster.group("n3").execute(bytes("again")), 101);
      assert.equal(partOf(cluster.group("n3").members, "n4"), "voter");
      assert.equal(partOf(cluster.group("n3").members, "n1"), undefined);
    });
  });

  test(`${engine}: a learner follows without voting, is promoted and demoted; refusals say why`, async () => {
    await withCluster(engine, async (cluster) => {
      await cluster.start("n4");
      const address = cluster.address("n4");
      await cluster.reconfigure("n1", { type: "add", node: "n4", as: "learner", address });
      await cluster.group("n3").execute(bytes("x"));
      await cluster.until("n4", (members) => partOf(members, "n4") === "learner");
      await cluster.reconfigure("n3", { type: "promote", node: "n4" });
      await cluster.until("n4", (members) => partOf(members, "n4") === "voter");
      await cluster.reconfigure("n3", { type: "demote", node: "n4" });
      await cluster.until("n4", (members) => partOf(members, "n4") === "learner");
      await assert.rejects(
        cluster.group("n2").reconfigure([{ type: "add", node: "n1", as: "voter" }]),
        /the members stay as they are: n1 is that already/,
      );
    });
  });

  test(`${engine}: a node that was removed stops, says so, and does not start again`, async () => {
    await withCluster(engine, async (cluster) => {
      await cluster.start("n4");
      const address = cluster.address("n4");
      await cluster.reconfigure("n1", { type: "add", node: "n4", as: "learner", address });
      await cluster.until("n4", (members) => partOf(members, "n4") === "learner");
      await cluster.reconfigure("n1", { type: "remove", node: "n4" });
      while (cluster.fatal.length === 0) await pause();
      const [error] = cluster.fatal.splice(0);
      assert.match(String(error), /n4 was removed from the cluster/);
      await cluster.stop("n4");
      const others = FOUNDERS.map((name) => cluster.running.get(name)!.node);
      while (others.some((node) => node.peers.has("n4"))) await pause();
      assert.match(String(await cluster.refusal("n4")), /no member named n4|n4 was removed/);
      assert.equal(await cluster.group("n2").execute(bytes("x")), 0);
    });
  });
}
