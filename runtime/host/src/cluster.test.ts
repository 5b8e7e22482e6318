import assert from "node:assert/strict";
import { mkdtemp, rm } from "node:fs/promises";
import net, { type AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import path from "node:path";
import { test } from "node:test";

import {
  type Applied,
  type SnapshotSink,
  type SnapshotSource,
  type StateMachine,
} from "@quorate/consensus";
import { type Codec, crc32c, uint } from "@quorate/kernel";

import { HostError } from "./errors.ts";
import { type Group } from "./group.ts";
import { Node } from "./node.ts";
import { MEMBERS, STRANGER } from "./certificates.test.ts";
import { type Address, type PeerTls } from "./transport/transport.ts";

/** Remembers every command; answers each with how many came before it. */
class Journal implements StateMachine<number> {
  readonly results: Codec<number> = Object.freeze({ ...uint });
  lines: string[] = [];

  apply(command: Uint8Array, _at: Applied): number {
    return this.lines.push(new TextDecoder().decode(command)) - 1;
  }

  snapshot(): SnapshotSource {
    const pieces = [new TextEncoder().encode(JSON.stringify(this.lines))];
    return { next: () => pieces.pop(), close: () => {} };
  }

  receive(): SnapshotSink & { lines: string[] } {
    return {
      lines: [],
      write(piece) {
        this.lines = JSON.parse(new TextDecoder().decode(piece)) as string[];
      },
    };
  }

  install(image: SnapshotSink): void {
    ({ lines: this.lines } = image as SnapshotSink & { lines: string[] });
  }

  digest(): number {
    return crc32c(new TextEncoder().encode(this.lines.join("\n")));
  }
}

interface Member {
  readonly node: Node;
  readonly group: Group<number>;
  readonly fatal: unknown[];
}

async function freePort(): Promise<number> {
  const server = net.createServer();
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const { port } = server.address() as AddressInfo;
  await new Promise((resolve) => server.close(resolve));
  return port;
}

class Cluster {
  readonly members = new Map<string, Member>();
  readonly directory: string;
  readonly addresses: ReadonlyMap<string, Address>;

  private readonly tls: PeerTls | undefined;

  constructor(directory: string, addresses: ReadonlyMap<string, Address>, tls?: PeerTls) {
    this.directory = directory;
    this.addresses = addresses;
    this.tls = tls;
  }

  async start(name: string, dataDir: string = name, tls = this.tls): Promise<Member> {
    const fatal: unknown[] = [];
    const node = new Node({
      name,
      members: this.addresses,
      dataDir: path.join(this.directory, dataDir),
      tls,
      onFatal: (error) => fatal.push(error),
    });
    const group = node.replicate({
      id: 1,
      name: "journal",
      machine: new Journal(),
      log: { electionMs: 600, heartbeatMs: 60 },
      replica: { checkpointBytes: 20_000, keepBytes: 2_000 },
    });
    const member = { node, group, fatal };
    this.members.set(name, member);
    await node.start();
    return member;
  }

  async stop(name: string, graceMs = 0): Promise<void> {
    await this.members.get(name)?.node.stop({ graceMs: Math.max(1, graceMs) });
    this.members.delete(name);
  }

  member(name: string): Member {
    return this.members.get(name)!;
  }

  async leader(): Promise<string> {
    for (;;) {
      for (const [name, { group }] of this.members) if (group.isLeader) return name;
      await new Promise((resolve) => setTimeout(resolve, 10));
    }
  }
}

async function withCluster(run: (cluster: Cluster) => Promise<void>, tls?: PeerTls): Promise<void> {
  const directory = await mkdtemp(path.join(tmpdir(), "quorate-host-"));
  const addresses = new Map<string, Address>();
  for (const name of ["n1", "n2", "n3"]) {
    addresses.set(name, { host: "127.0.0.1", port: await freePort() });
  }
  const cluster = new Cluster(directory, addresses, tls);
  try {
    await Promise.all([...addresses.keys()].map((name) => cluster.start(name)));
    await run(cluster);
  } finally {
    await Promise.all([...cluster.members.keys()].map((name) => cluster.stop(name)));
    await rm(directory, { recursive: true });
  }
}

function bytes(text: string): Uint8Array {
  return new TextEncoder().encode(text);
}

async function converged(cluster: Cluster, lines: number): Promise<void> {
  for (const { group } of cluster.members.values()) {
    await group.read("linearizable");
    assert.equal((group.machine as Journal).lines.length, lines);
  }
  const digests = [...cluster.members.values()].map(({ group }) => group.machine.digest());
  assert.equal(new Set(digests).size, 1);
}

test("commands from every node are executed once, in one order", async () => {
  await withCluster(async (cluster) => {
    const names = [...cluster.addresses.keys()];
    const results = await Promise.all(
      Array.from({ length: 300 }, (_, i) =>
        cluster.member(names[i % 3]!).group.execute(bytes(`line ${i}`)),
      ),
    );
    assert.equal(new Set(results).size, 300);
    await converged(cluster, 300);
  });
});

test("a stopped leader is replaced, and catches up from a snapshot when it returns", async () => {
  await withCluster(async (cluster) => {
    await cluster.member("n1").group.execute(bytes("before"));
    const old = await cluster.leader();
    await cluster.stop(old);
    const survivor = [...cluster.members.keys()][0]!;
    const { group } = cluster.member(survivor);
    for (let i = 0; i < 40; i++) {
      await Promise.all(
        Array.from({ length: 20 }, (_, j) =>
          group.execute(bytes(`after ${i} ${j} ${"x".repeat(50)}`)),
        ),
      );
    }
    await cluster.start(old);
    await converged(cluster, 801);
    assert.deepEqual(cluster.member(old).fatal, []);
  });
});

test("a restarted cluster has everything it acknowledged", async () => {
  await withCluster(async (cluster) => {
    for (let i = 0; i < 30; i++) await cluster.member("n2").group.execute(bytes(`x${i}`));
    const names = [...cluster.addresses.keys()];
    await Promise.all(names.map((name) => cluster.stop(name)));
    await Promise.all(names.map((name) => cluster.start(name)));
    await converged(cluster, 30);
  });
});

test("leadership is handed over on request, without losing a command", async () => {
  await withCluster(async (cluster) => {
    await cluster.member("n1").group.execute(bytes("first"));
    const from = await cluster.leader();
    const to = [...cluster.members.keys()].find((name) => name !== from)!;
    const writing = Promise.all(
      Array.from({ length: 50 }, (_, i) => cluster.member(from).group.execute(bytes(`x${i}`))),
    );
    // Whether a transfer succeeds in time is up to the machine; that it can, and loses nothing, is not.
    for (let leader = from; leader !== to; leader = await cluster.leader()) {
      await cluster
        .member(leader)
        .group.transfer(to)
        .catch(() => {});
    }
    await writing;
    await converged(cluster, 51);
  });
});

test("a session's command is executed once although it was sent twice", async () => {
  await withCluster(async (cluster) => {
    const session = await cluster.member("n1").group.openSession();
    assert.equal(await session.execute(bytes("a")), 0);
    const again = { session: session.id, sequence: 1 };
    assert.equal(await cluster.member("n2").group.execute(bytes("a"), { once: again }), 0);
    assert.equal(await session.execute(bytes("b")), 1);
    await converged(cluster, 2);
  });
});

test("a node whose directory was wiped is refused, and says why", async () => {
  await withCluster(async (cluster) => {
    await cluster.member("n1").group.execute(bytes("x"));
    await cluster.stop("n3");
    const { node, fatal } = await cluster.start("n3", "n3-new");
    while (fatal.length === 0) await new Promise((resolve) => setTimeout(resolve, 10));
    assert.ok(fatal[0] instanceof HostError);
    assert.match(fatal[0].message, /data directory of n3 was wiped or replaced/);
    await node.stop();
    await cluster.member("n1").group.execute(bytes("y"));
  });
});

test("a second node on the same directory is refused", async () => {
  await withCluster(async (cluster) => {
    const twin = new Node({
      name: "n1",
      members: cluster.addresses,
      dataDir: path.join(cluster.directory, "n1"),
      onFatal: () => assert.fail(),
    });
    await assert.rejects(twin.start(), /in use|locked/);
  });
});

test("members speak mutual TLS, and a certificate of another name is not let in", async () => {
  await withCluster(async (cluster) => {
    await cluster.member("n1").group.execute(bytes("x"));
    await cluster.stop("n3");
    const { node } = await cluster.start("n3", "n3", STRANGER);
    await cluster.member("n2").group.execute(bytes("y"));
    assert.deepEqual([...node.peers.values()], [false, false]);
    assert.equal(node.groups[0]!.status().leader, undefined);
    await cluster.stop("n3");
    await cluster.start("n3");
    await converged(cluster, 2);
  }, MEMBERS);
});
