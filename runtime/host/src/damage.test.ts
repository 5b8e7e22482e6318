/** Real nodes of every engine on disks that have lost what was acknowledged: unknown is not absent (R36, M27, B24). */

import assert from "node:assert/strict";
import { existsSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { mkdtemp, rm } from "node:fs/promises";
import net, { type AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import path from "node:path";
import { test } from "node:test";

import { type SnapshotSink, type SnapshotSource, type StateMachine } from "@quorate/consensus";
import { type Codec, uint } from "@quorate/kernel";
import { StorageError } from "@quorate/storage";

import type { EngineName } from "./engines.ts";
import { HostError } from "./errors.ts";
import { type Group } from "./group.ts";
import { Node } from "./node.ts";
import { type Address } from "./transport/transport.ts";

/** Counts what it was told, and how often. */
class Count implements StateMachine<number> {
  readonly results: Codec<number> = Object.freeze({ ...uint });
  total = 0;

  apply(): number {
    return ++this.total;
  }

  snapshot(): SnapshotSource {
    const pieces = [new TextEncoder().encode(String(this.total))];
    return { next: () => pieces.pop(), close: () => {} };
  }

  receive(): SnapshotSink & { total: number } {
    return {
      total: 0,
      write(piece) {
        this.total = Number(new TextDecoder().decode(piece));
      },
    };
  }

  install(image: SnapshotSink): void {
    ({ total: this.total } = image as SnapshotSink & { total: number });
  }

  digest(): number {
    return this.total;
  }
}

interface Member {
  readonly node: Node;
  readonly group: Group<number>;
}

class Cluster {
  readonly up = new Map<string, Member>();
  private readonly directory: string;
  private readonly addresses: ReadonlyMap<string, Address>;
  private readonly engine: EngineName;

  constructor(directory: string, addresses: ReadonlyMap<string, Address>, engine: EngineName) {
    this.directory = directory;
    this.addresses = addresses;
    this.engine = engine;
  }

  async start(name: string): Promise<Group<number>> {
    const dataDir = path.join(this.directory, name);
    const onFatal = (error: unknown): void => assert.fail(String(error));
    const node = new Node({ name, members: this.addresses, dataDir, onFatal });
    const log = { electionMs: 600, heartbeatMs: 60 };
    const { engine } = this;
    const group = node.replicate({ id: 1, name: "count", machine: new Count(), engine, log });
    await node.start();
    this.up.set(name, { node, group });
    return group;
  }

  async stop(...names: readonly string[]): Promise<void> {
    const nodes = names.flatMap((name) => this.up.get(name)?.node ?? []);
    await Promise.all(nodes.map((node) => node.stop({ graceMs: 1 })));
    for (const name of names) this.up.delete(name);
  }

  /** Inverts so many bytes of a node's log at each of some fractions of what is written. */
  damage(name: string, length: number, ...fractions: readonly number[]): void {
    const wal = path.join(this.directory, name, "wal");
    const file = path.join(
      wal,
      readdirSync(wal).find((each) => each.endsWith(".wal"))!,
    );
    const bytes = readFileSync(file);
    const end = bytes.findLastIndex((byte) => byte !== 0);
    for (const fraction of fractions) {
      const start = Math.floor(end * fraction);
      for (let at = start; at < start + length; at++) bytes[at]! ^= 0xff;
    }
    writeFileSync(file, bytes);
  }
}

async function freePort(): Promise<number> {
  const server = net.createServer();
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const { port } = server.address() as AddressInfo;
  await new Promise((resolve) => server.close(resolve));
  return port;
}

async function withCluster(
  engine: EngineName,
  names: readonly string[],
  run: (cluster: Cluster) => Promise<void>,
): Promise<void> {
  const directory = await mkdtemp(path.join(tmpdir(), "quorate-damage-"));
  const addresses = new Map<string, Address>();
  for (const name of names) addresses.set(name, { host: "127.0.0.1", port: await freePort() });
  const cluster = new Cluster(directory, addresses, engine);
  try {
    await Promise.all(names.map((name) => cluster.start(name)));
    await run(cluster);
  } finally {
    await cluster.stop(...cluster.up.keys());
    if (existsSync(directory)) await rm(directory, { recursive: true });
  }
}

async function execute(group: Group<number>, count: number): Promise<void> {
  for (let i = 0; i < count; i++) await group.execute(new Uint8Array(200).fill(i));
}

async function eventually(what: string, holds: () => boolean): Promise<void> {
  for (let left = 3_000; !holds(); left--) {
    assert.ok(left > 0, what);
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
}

for (const engine of ["raft", "paxos", "zab"] as const) {
  test(`on ${engine}, a follower whose log is damaged in the middle gets it from the others and serves`, () =>
    withCluster(engine, ["n1", "n2", "n3"], async (cluster) => {
      const { group } = cluster.up.get("n1")!;
      await execute(group, 150);
      await eventually("n3 has all", () => cluster.up.get("n3")!.group.machine.digest() === 150);
      await cluster.stop("n3");
      cluster.damage("n3", 2_000, 0.2, 0.6);
      const again = await cluster.start("n3");
      assert.ok((again.log.damaged?.size ?? 0) > 10, "entries are lost");
      await again.read("linearizable");
      assert.equal(again.machine.digest(), 150);
      assert.equal(again.log.damaged?.size, 0);
      await execute(again, 1);
      // What was mended is on its disk: it starts without the others.
      await cluster.stop("n3");
      const last = await cluster.start("n3");
      assert.equal(last.log.damaged?.size, 0);
    }));

  test(`on ${engine}, who would lead does not before it has its log again, and nothing acknowledged is lost`, () =>
    withCluster(engine, ["n1", "n2", "n3"], async (cluster) => {
      await execute(cluster.up.get("n1")!.group, 20);
      await cluster.stop("n3");
      await execute(cluster.up.get("n1")!.group, 100);
      await eventually("n2 has all", () => cluster.up.get("n2")!.group.machine.digest() === 120);
      await cluster.stop("n1", "n2");
      // Only n1 and n2 have most of it, and now n2 has lost some: n2 and n3 are a majority without it.
      cluster.damage("n2", 2_000, 0.3, 0.65);
      const bereft = await cluster.start("n2");
      const behind = await cluster.start("n3");
      await new Promise((resolve) => setTimeout(resolve, 2_500));
      assert.ok(!bereft.isLeader && !behind.isLeader, "nobody leads without it");
      assert.ok((bereft.log.damaged?.size ?? 0) > 0);
      await cluster.start("n1");
      await Promise.all([bereft.read("linearizable"), behind.read("linearizable")]);
      assert.equal(bereft.machine.digest(), 120);
      assert.equal(behind.machine.digest(), 120);
      assert.equal(bereft.log.damaged?.size, 0);
    }));

  test(`on ${engine}, alone, a node with lost entries says that nobody can send them again`, () =>
    withCluster(engine, ["n1"], async (cluster) => {
      await execute(cluster.up.get("n1")!.group, 100);
      await cluster.stop("n1");
      cluster.damage("n1", 1_000, 0.4);
      await assert.rejects(cluster.start("n1"), (error: unknown) => {
        assert.ok(error instanceof HostError);
        assert.match(
          error.message,
          /^\d+ entries of count are damaged.*restore the data directory/,
        );
        return true;
      });
    }));

  test(`on ${engine}, without its vote or its promise a node does not start, and says what to do`, () =>
    withCluster(engine, ["n1", "n2", "n3"], async (cluster) => {
      await execute(cluster.up.get("n1")!.group, 60);
      await cluster.stop("n2");
      // The first records are of terms, votes and lives.
      cluster.damage("n2", 400, 0.003);
      await assert.rejects(cluster.start("n2"), (error: unknown) => {
        assert.ok(error instanceof StorageError);
        assert.match(
          error.message,
          /cannot be done without: restore it from a copy, or remove this/,
        );
        return true;
      });
      await execute(cluster.up.get("n1")!.group, 1);
    }));
}
