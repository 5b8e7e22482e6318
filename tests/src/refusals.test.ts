/** What a node refuses: each with one clear line, status 1, and no harm done. */

import assert from "node:assert/strict";
import fs from "node:fs";
import path from "node:path";
import { test } from "node:test";

import { agree, fill, lead, works } from "./checks.ts";
import { connect, outcomeOf } from "./client.ts";
import { type Cluster, ENGINES, NAMES, type NodeName, withCluster } from "./cluster.ts";
import { fingerprint, flipBit, mountSmall, walFiles } from "./disk.ts";
import type { NodeProcess } from "./node-process.ts";
import { claimPorts, close, listen } from "./ports.ts";
import { eventually } from "./wait.ts";

/** Asserts that a process ends with status 1 and one line that matches. */
async function refuses(node: NodeProcess, line: RegExp): Promise<void> {
  const ended = await node.end();
  assert.equal(node.complaints.length, 1, node.complaints.join("\n"));
  assert.match(node.complaints[0]!, line);
  assert.deepEqual(ended, { status: 1, signal: null });
}

/** Asserts that a node refuses its directory and leaves every byte of it as it is. */
async function refusesIntact(cluster: Cluster, name: NodeName, line: RegExp): Promise<void> {
  const before = fingerprint(cluster.dataDir(name));
  await refuses(cluster.launch(name), line);
  assert.deepEqual(fingerprint(cluster.dataDir(name)), before, "nothing was modified");
}

test("a node whose directory was wiped is refused, and the others go on", () =>
  withCluster({}, async (cluster) => {
    await fill(cluster, "n1", 100);
    const leader = await cluster.leader();
    const [victim] = cluster.others(leader);
    await cluster.process(victim!).killed();
    fs.rmSync(cluster.dataDir(victim!), { recursive: true });
    await refuses(cluster.launch(victim!), /^quorate: .*refused.*(director|memory|data)/);
    await works(cluster, leader);
  }));

for (const engine of ENGINES) {
  test(`a byte flipped in the middle of the log is found, and what it damaged comes from the others (${engine})`, () =>
    withCluster({ engine }, async (cluster) => {
      await fill(cluster, "n1", 400, 100);
      await cluster.caughtUp("n1", "n2", "n3");
      await cluster.process("n2").killed();
      flipBit(walFiles(cluster.dataDir("n2"), "segment").at(-1)!);
      await cluster.start("n2");
      await works(cluster, "n2");
      await agree(cluster);
    }));
}

test("a checkpoint with a bad checksum keeps the node out until it is mended", () =>
  withCluster({ flags: ["--checkpoint-bytes", "65536"] }, async (cluster) => {
    await fill(cluster, "n1", 400, 1000);
    await eventually("n3 has a checkpoint", () => {
      return walFiles(cluster.dataDir("n3"), "checkpoint").length > 0;
    });
    await cluster.process("n3").killed();
    const mend = flipBit(walFiles(cluster.dataDir("n3"), "checkpoint").at(-1)!);
    await refusesIntact(cluster, "n3", /^quorate: .*checkpoint-.*\.ckpt is damaged at offset \d+/);
    await works(cluster, "n1");
    mend();
    await cluster.start("n3");
    await works(cluster, "n3");
    await agree(cluster);
  }));

test("a second process on a directory is refused, and the first does not notice", () =>
  withCluster({}, async (cluster) => {
    const { pid } = cluster.process("n1");
    const ports = await claimPorts();
    try {
      const members = [ports.base, cluster.base("n2"), cluster.base("n3")];
      const list = members.map((base, index) => `${NAMES[index]}=127.0.0.1:${base + 1}`).join(",");
      const flags = { "--port-base": String(ports.base), "--cluster": list };
      const second = cluster.launchAside("n1", flags);
      await refuses(second, new RegExp(`^quorate: .*n1 is in use by process ${pid}`));
    } finally {
      await ports.release();
    }
    await works(cluster, "n1");
  }));

test("a node of another cluster is refused, on its own directory and by its peers", () =>
  withCluster({}, async (cluster) => {
    await works(cluster, "n1");
    await cluster.process("n3").killed();
    const before = fingerprint(cluster.dataDir("n3"));
    await refuses(
      cluster.launch("n3", { "--cluster-token": "other" }),
      /^quorate: .*n3 belongs to node "n3" of cluster ".+", not to node "n3" of cluster/,
    );
    assert.deepEqual(fingerprint(cluster.dataDir("n3")), before);
    await refuses(
      cluster.launch("n3", {
        "--cluster-token": "other",
        "--data-dir": path.join(cluster.directory, "stranger"),
      }),
      /^quorate: .*refused.*cluster/,
    );
    await works(cluster, "n1");
    await cluster.start("n3");
    await works(cluster, "n3");
  }));

test("a port in use is named, and the node starts once it is free", () =>
  withCluster({}, async (cluster) => {
    for (const offset of [0, 1, 2]) {
      await cluster.process("n2").killed();
      const port = cluster.base("n2") + offset;
      const squatter = await eventually("the port is ours", () => listen(port));
      try {
        const line = new RegExp(`^quorate: cannot listen on 127.0.0.1:${port}.*in use`);
        await refuses(cluster.launch("n2"), line);
      } finally {
        await close(squatter);
      }
      await cluster.start("n2");
    }
    await works(cluster, "n2");
  }));

test("a full disk stops the node with a clear line, and loses nothing", async (t) => {
  await withCluster({ flags: ["--checkpoint-bytes", "100000000"] }, async (cluster) => {
    const leader = await cluster.leader();
    const [victim, other] = cluster.others(leader);
    await cluster.process(victim!).killed();
    const aside = path.join(cluster.directory, "aside");
    fs.renameSync(cluster.dataDir(victim!), aside);
    const disk = mountSmall(cluster.dataDir(victim!), 12 << 20);
    if (disk === undefined) return t.skip("this user may not mount a small disk");
    try {
      fs.cpSync(aside, cluster.dataDir(victim!), { recursive: true });
      await cluster.start(victim!);
      await fill(cluster, other!, 600, 40_000);
      await refuses(cluster.process(victim!), /^quorate: .*no space left/);
      await works(cluster, other!);
      disk.grow(512 << 20);
      await cluster.start(victim!);
      await works(cluster, victim!);
      await agree(cluster);
    } finally {
      await cluster.process(victim!).killed();
      disk.unmount();
    }
  });
});

test("a leader whose disk is full stops, and acknowledges nothing that is lost", async (t) => {
  await withCluster({ flags: ["--checkpoint-bytes", "100000000"] }, async (cluster) => {
    const leader = await cluster.leader();
    const [victim, other] = cluster.others(leader);
    // The disk is changed under a follower, which is then made the leader by the others' end.
    await cluster.process(victim!).killed();
    const aside = path.join(cluster.directory, "aside");
    fs.renameSync(cluster.dataDir(victim!), aside);
    const disk = mountSmall(cluster.dataDir(victim!), 12 << 20);
    if (disk === undefined) return t.skip("this user may not mount a small disk");
    const client = connect(cluster.etcd(other!));
    try {
      fs.cpSync(aside, cluster.dataDir(victim!), { recursive: true });
      await cluster.start(victim!);
      await lead(cluster, victim!);
      const acknowledged: string[] = [];
      const value = "x".repeat(40_000);
      for (let number = 0; cluster.process(victim!).alive; number++) {
        try {
          await client.put(`full/${number}`).value(value);
          acknowledged.push(`full/${number}`);
        } catch (error) {
          assert.equal(outcomeOf(error), "unknown", String(error));
        }
      }
      await refuses(cluster.process(victim!), /^quorate: .*no space left/);
      await works(cluster, other!);
      const there = new Set(await client.getAll().prefix("full/").keys());
      assert.deepEqual(
        acknowledged.filter((key) => !there.has(key)),
        [],
      );
    } finally {
      client.close();
      await cluster.process(victim!).killed();
      disk.unmount();
    }
  });
});
