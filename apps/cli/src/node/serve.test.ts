import assert from "node:assert/strict";
import fs from "node:fs";
import http from "node:http";
import net from "node:net";
import path from "node:path";
import { test, type TestContext } from "node:test";

import { eventually, freePortBase, run, Running, temporaryDirectory } from "../harness.test.ts";

async function serveOne(t: TestContext): Promise<{ node: Running; base: number; dir: string }> {
  const base = await freePortBase(1);
  const dir = temporaryDirectory(t);
  const node = new Running(t, argumentsFor(dir, base));
  await node.line((line) => line.startsWith("n1 serves"));
  await eventually(async () => (await fetch(`http://127.0.0.1:${base}/health`)).status === 200);
  return { node, base, dir };
}

function argumentsFor(dir: string, base: number): readonly string[] {
  return ["serve", "--name", "n1", "--data-dir", path.join(dir, "n1"), "--port-base", `${base}`];
}

/** A request with headers that `fetch` does not let through. */
function raw(
  base: number,
  options: http.RequestOptions,
): Promise<{ status: number; body: string }> {
  return new Promise((resolve, reject) => {
    const request = http.request({ host: "127.0.0.1", port: base, ...options }, (response) => {
      let body = "";
      response.on("data", (chunk: Buffer) => (body += chunk.toString()));
      response.on("end", () => resolve({ status: response.statusCode ?? 0, body }));
    });
    request.on("error", reject);
    request.end();
  });
}

test("a node answers on its http port, to its own origin and for reading only", async (t) => {
  const { base } = await serveOne(t);
  const at = (place: string): string => `http://127.0.0.1:${base}${place}`;
  assert.deepEqual(await (await fetch(at("/health"))).json(), { health: "true", reason: "" });
  assert.match(
    await (await fetch(at("/metrics"))).text(),
    /quorate_group_is_leader\{group="etcd"\} 1/,
  );
  const status = (await (await fetch(at("/status"))).json()) as Record<string, unknown>;
  assert.deepEqual([status["name"], status["healthy"]], ["n1", true]);
  const cluster = (await (await fetch(at("/cluster"))).json()) as Record<string, unknown>;
  assert.equal(cluster["answeredBy"], "n1");
  const types = { "/": "html", "/page.css": "css", "/page.js": "javascript", "/icon.svg": "svg" };
  for (const [place, type] of Object.entries(types)) {
    const { headers } = await fetch(at(place), { method: "HEAD" });
    assert.ok(headers.get("content-type")?.includes(type));
    assert.match(headers.get("content-security-policy") ?? "", /default-src 'none'/);
    assert.equal(headers.get("access-control-allow-origin"), null);
  }
  const lost = await fetch(at("/nothing"));
  assert.equal(lost.status, 404);
  assert.match(JSON.stringify(await lost.json()), /\/nothing is not here/);
  assert.equal((await fetch(at("/status"), { method: "POST" })).status, 405);
  const stranger = { path: "/status", headers: { host: `evil.example:${base}` } };
  assert.equal((await raw(base, stranger)).status, 403);
  const elsewhere = { path: "/status", headers: { origin: "http://evil.example" } };
  assert.equal((await raw(base, elsewhere)).status, 403);
});

test("a node stops on SIGTERM with status 0, and finds its data again", async (t) => {
  const { node, base, dir } = await serveOne(t);
  const endpoints = ["--endpoints", `127.0.0.1:${base + 2}`];
  assert.equal((await run(["kv", "put", "kept", "yes", ...endpoints])).status, 0);
  node.child.kill("SIGTERM");
  assert.equal(await node.exited, 0);
  const again = new Running(t, argumentsFor(dir, base));
  await again.line((line) => line.startsWith("n1 serves"));
  assert.equal((await run(["kv", "get", "kept", ...endpoints])).stdout, "yes\n");
  again.child.kill("SIGINT");
  assert.equal(await again.exited, 0);
});

test("a node whose directory is gone still ends when it is told to", async (t) => {
  const { node, dir } = await serveOne(t);
  fs.rmSync(dir, { recursive: true });
  node.child.kill("SIGTERM");
  // With which status is for the storage to say; that it ends is the point.
  assert.equal(typeof (await node.exited), "number");
});

test("a port that is taken is named, whichever it is, and nothing is left running", async (t) => {
  for (const offset of [0, 1, 2, 5, 6]) {
    const base = await freePortBase(1);
    const taken = net.createServer();
    await new Promise<void>((resolve) => taken.listen(base + offset, "127.0.0.1", resolve));
    t.after(() => taken.close());
    const { status, stderr } = await run([
      ...argumentsFor(temporaryDirectory(t), base),
      "--log-level",
      "silent",
    ]);
    assert.equal(status, 1);
    assert.equal(
      stderr,
      `quorate: cannot listen on 127.0.0.1:${base + offset}: the port is in use\n`,
    );
  }
});

test("a directory that is in use, another's or no data directory is refused", async (t) => {
  const { base, dir } = await serveOne(t);
  const other = await freePortBase(1);
  const locked = await run(argumentsFor(dir, other));
  assert.equal(locked.status, 1);
  assert.match(locked.stderr, /^quorate: \S+ is in use by process \d+[^\n]+\n$/m);
  const strange = temporaryDirectory(t);
  fs.mkdirSync(path.join(strange, "n1"));
  fs.writeFileSync(path.join(strange, "n1", "holiday.jpg"), "");
  const refused = await run(argumentsFor(strange, other));
  assert.equal(refused.status, 1);
  assert.match(refused.stderr, /contains "holiday.jpg"/);
  assert.notEqual(base, other);
});

test("beyond loopback a node does not start without TLS", async (t) => {
  const base = await freePortBase(1);
  const { status, stderr } = await run([
    ...argumentsFor(temporaryDirectory(t), base),
    "--host",
    "0.0.0.0",
  ]);
  assert.equal(status, 1);
  assert.match(stderr, /^quorate: --host is 0\.0\.0\.0, [^\n]+--insecure[^\n]+\n$/);
});
