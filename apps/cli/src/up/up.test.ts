import assert from "node:assert/strict";
import net from "node:net";
import { test, type TestContext } from "node:test";

import {
  alive,
  eventually,
  freePortBase,
  run,
  Running,
  temporaryDirectory,
} from "../harness.test.ts";

interface ReadyNode {
  readonly name: string;
  readonly pid: number;
  readonly http: string;
  readonly etcd: string;
}

interface Up {
  readonly up: Running;
  readonly base: number;
  readonly dir: string;
  readonly nodes: readonly ReadyNode[];
}

async function upWith(t: TestContext, ...flags: string[]): Promise<Up> {
  const base = await freePortBase(3);
  const dir = temporaryDirectory(t);
  const up = new Running(t, [
    "up",
    "--json",
    "--data-dir",
    dir,
    "--port-base",
    `${base}`,
    ...flags,
  ]);
  const ready = await up.event("ready");
  // The shape that DESIGN.md promises.
  return { up, base, dir, nodes: ready["nodes"] as readonly ReadyNode[] };
}

async function healthy({ http }: ReadyNode): Promise<boolean> {
  try {
    return (await fetch(`http://${http}/health`)).status === 200;
  } catch {
    return false;
  }
}

test("three nodes are ready in one line, on their blocks of ports", async (t) => {
  const { up, base, nodes } = await upWith(t);
  assert.equal(
    up.lines.findIndex((line) => line.includes('"ready"')),
    0,
  );
  assert.deepEqual(
    nodes.map(({ name, http, etcd }) => [name, http, etcd]),
    [0, 20, 40].map((at, index) => [
      `n${index + 1}`,
      `127.0.0.1:${base + at}`,
      `127.0.0.1:${base + at + 2}`,
    ]),
  );
  for (const node of nodes) await eventually(() => healthy(node));
  const status = await run(["status", "--port-base", `${base}`]);
  assert.equal(status.status, 0);
  assert.match(
    status.stdout,
    /etcd works: n\d leads in term \d+, 3 of 3 voters take part, 1 more may fail/,
  );
  const members = await run(["members", "--endpoints", nodes[1]!.http, "--json"]);
  assert.equal((JSON.parse(members.stdout) as { members: unknown[] }).members.length, 3);
});

test("keys are put, read, watched and deleted through any node", async (t) => {
  const { base, nodes } = await upWith(t);
  const local = ["--port-base", `${base}`];
  const watcher = new Running(t, ["kv", "watch", "jobs/", "--prefix", "--rev", "1", ...local]);
  assert.equal((await run(["kv", "put", "jobs/1", "first", ...local])).stdout, "OK, revision 2\n");
  const dead = ["--endpoints", `127.0.0.1:1,${nodes[2]!.etcd}`];
  const piped = await run(["kv", "put", "jobs/2", "-", ...dead], { input: "from a pipe" });
  assert.equal(piped.status, 0);
  assert.equal((await run(["kv", "get", "jobs/1", ...local])).stdout, "first\n");
  const both = await run(["kv", "get", "jobs/", "--prefix", ...local]);
  assert.equal(both.stdout, "jobs/1\tfirst\njobs/2\tfrom a pipe\n");
  const keys = await run(["kv", "get", "", "--prefix", "--keys-only", "--limit", "1", ...local]);
  assert.equal(keys.stdout, "jobs/1\n");
  assert.equal(
    (await run(["kv", "del", "jobs/", "--prefix", ...local])).stdout,
    "2 keys deleted\n",
  );
  assert.equal((await run(["kv", "get", "jobs/1", "--rev", "2", ...local])).stdout, "first\n");
  assert.deepEqual(await run(["kv", "get", "jobs/1", ...local]), {
    status: 0,
    stdout: "",
    stderr: "",
  });
  const json = JSON.parse(
    (await run(["kv", "get", "jobs/1", "--json", ...local])).stdout,
  ) as object;
  assert.deepEqual(json, { revision: 4, count: 0, more: false, kvs: [] });
  await watcher.line((line) => line === "delete\tjobs/2");
  assert.deepEqual(watcher.lines, [
    "put\tjobs/1\tfirst",
    "put\tjobs/2\tfrom a pipe",
    "delete\tjobs/1",
    "delete\tjobs/2",
  ]);
  watcher.child.kill("SIGINT");
  assert.equal(await watcher.exited, 0);
  const lease = await run(["kv", "put", "x", "y", "--lease", "beef", ...local]);
  assert.equal(lease.status, 1);
  assert.match(
    lease.stderr,
    /^quorate: 127\.0\.0\.1:\d+: etcdserver: requested lease not found\n$/,
  );
});

test("a node that is killed is restarted and serves again", async (t) => {
  const { up, nodes } = await upWith(t);
  const victim = nodes[0]!;
  process.kill(victim.pid, "SIGKILL");
  const exited = await up.event("exited");
  assert.deepEqual([exited["name"], exited["signal"]], ["n1", "SIGKILL"]);
  const restarted = await up.event("restarted");
  assert.equal(restarted["name"], "n1");
  assert.notEqual(restarted["pid"], victim.pid);
  await eventually(() => healthy(victim));
});

test("a node that was removed is left alone, and the others start again without it", async (t) => {
  const { up, base, dir } = await upWith(t);
  const at = ["--port-base", `${base}`];
  const isGone = ({ name, reason }: Readonly<Record<string, unknown>>): boolean =>
    name === "n3" && String(reason).startsWith("n3 was removed from the cluster; ");
  await eventually(async () => (await run(["members", "remove", "n3", ...at])).status === 0);
  assert.equal((await up.event("exited", isGone))["restartInMs"], undefined);
  const members = await run(["members", ...at]);
  assert.equal(members.status, 0);
  assert.ok(!members.stdout.includes("n3"), members.stdout);
  up.child.kill("SIGINT");
  assert.equal(await up.exited, 0);
  const again = new Running(t, ["up", "--json", "--data-dir", dir, ...at]);
  await again.event("exited", isGone);
  await again.event("ready");
});

test("with --no-restart a dead node stays dead, and its loss elects another leader", async (t) => {
  const { up, base, nodes } = await upWith(t, "--no-restart");
  const status = await run(["status", "--json", "--port-base", `${base}`]);
  const { groups } = JSON.parse(status.stdout) as { groups: { leader: string; term: number }[] };
  const { leader, term } = groups[0]!;
  process.kill(nodes.find(({ name }) => name === leader)!.pid, "SIGKILL");
  const exited = await up.event("exited");
  assert.equal(exited["restartInMs"], undefined);
  const next = await up.event("leader", (event) => Number(event["term"]) > term);
  assert.notEqual(next["leader"], leader);
  const after = await run(["status", "--port-base", `${base}`]);
  assert.match(after.stdout, new RegExp(`${leader} at \\S+: connection refused`));
});

test("SIGINT stops every node, and nothing is left", async (t) => {
  const { up, nodes } = await upWith(t);
  up.child.kill("SIGINT");
  assert.equal(await up.exited, 0);
  assert.deepEqual(
    nodes.filter(({ pid }) => alive(pid)),
    [],
  );
  await up.event("stopped");
});

test("nodes whose parent is killed stop by themselves", async (t) => {
  const { up, nodes } = await upWith(t);
  up.child.kill("SIGKILL");
  await up.exited;
  await eventually(async () => nodes.every(({ pid }) => !alive(pid)));
});

test("a port in use is named, and nothing is started", async (t) => {
  const base = await freePortBase(3);
  const taken = net.createServer();
  await new Promise<void>((resolve) => taken.listen(base + 42, "127.0.0.1", resolve));
  t.after(() => taken.close());
  const dir = temporaryDirectory(t);
  const { status, stdout, stderr } = await run(["up", "--data-dir", dir, "--port-base", `${base}`]);
  assert.deepEqual([status, stdout], [1, ""]);
  assert.match(
    stderr,
    new RegExp(
      `^quorate: cannot listen on 127.0.0.1:${base + 42}, the etcd port of n3: [^\\n]+\\n$`,
    ),
  );
});

test("a node that refuses to start ends the others, with its reason", async (t) => {
  const { up, base } = await upWith(t, "--nodes", "1");
  const dir = up.child.spawnargs[up.child.spawnargs.indexOf("--data-dir") + 1]!;
  const other = (await freePortBase(3)).toString();
  assert.notEqual(other, String(base));
  const second = await run(["up", "--nodes", "1", "--data-dir", dir, "--port-base", other]);
  assert.equal(second.status, 1);
  assert.match(second.stderr, /^quorate: n1: \S+ is in use by process \d+[^\n]+\n$/);
});
