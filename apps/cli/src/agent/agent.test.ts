import assert from "node:assert/strict";
import { type ChildProcess, spawn } from "node:child_process";
import fs from "node:fs";
import os from "node:os";
import path from "node:path";
import { type TestContext, test } from "node:test";
import { fileURLToPath } from "node:url";

const COMMAND = fileURLToPath(new URL("../../bin/quorate.mjs", import.meta.url));
const PATIENCE_MS = 30_000;

interface Running {
  readonly child: ChildProcess;
  readonly output: () => string;
  readonly ended: Promise<number | null>;
  hears(pattern: RegExp): Promise<RegExpExecArray>;
}

/** Runs `quorate agent` on free ports, with one dash as scripts have it. */
function start(t: TestContext, ...flags: readonly string[]): Running {
  const child = spawn(process.execPath, [
    COMMAND,
    "agent",
    "-bind=127.0.0.1:0",
    "-rpc-addr=127.0.0.1:0",
    "-profile=local",
    ...flags,
  ]);
  t.after(() => child.kill("SIGKILL"));
  let text = "";
  child.stdout.on("data", (piece: Buffer) => (text += piece.toString()));
  child.stderr.on("data", (piece: Buffer) => (text += piece.toString()));
  const ended = new Promise<number | null>((resolve) => child.once("close", resolve));
  const hears = async (pattern: RegExp): Promise<RegExpExecArray> => {
    for (const deadline = performance.now() + PATIENCE_MS; ;) {
      const match = pattern.exec(text);
      if (match !== null) return match;
      if (performance.now() > deadline) throw new Error(`never wrote ${pattern}: ${text}`);
      await new Promise((resolve) => setTimeout(resolve, 20));
    }
  };
  return { child, output: () => text, ended, hears };
}

function directory(t: TestContext): string {
  const place = fs.mkdtempSync(path.join(os.tmpdir(), "quorate-agent-"));
  t.after(() => fs.rmSync(place, { recursive: true }));
  return place;
}

test("agents join, and an interrupt has one leave with status 0", async (t) => {
  const first = start(t, "-node=n1");
  const [, at = ""] = await first.hears(/Bind addr: '(.*)'/);
  const second = start(t, "-node", "n2", "-join", at);
  await second.hears(/Join completed\. Synced with 1 initial agents/);
  second.child.kill("SIGINT");
  assert.equal(await second.ended, 0);
  await first.hears(/"members":\["n2 127[^\n]*"msg":"member-leave"/);
  first.child.kill("SIGTERM");
  assert.equal(await first.ended, 1, "no farewell unless told so, as Serf has it");
});

test("who cannot join at start exits with a line that says why", async (t) => {
  const agent = start(t, "-node=n1", "-join=127.0.0.1:1");
  assert.equal(await agent.ended, 1);
  assert.match(agent.output(), /^quorate: no address could be joined: 127\.0\.0\.1:1/m);
});

test("a port that is taken is named, whichever it is", async (t) => {
  const first = start(t, "-node=n1");
  const [, bind = ""] = await first.hears(/Bind addr: '(.*)'/);
  const [, rpc = ""] = await first.hears(/RPC addr: '(.*)'/);
  for (const [flag, at] of [
    ["bind", bind],
    ["rpc-addr", rpc],
  ] as const) {
    const second = start(t, "-node=n2", `-${flag}=${at}`);
    assert.equal(await second.ended, 1);
    assert.match(
      second.output(),
      new RegExp(`^quorate: cannot listen on ${at}: the port is in use$`, "m"),
    );
  }
});

test("-retry-join gives up after its attempts", async (t) => {
  const agent = start(
    t,
    "-node=n1",
    "-retry-join=127.0.0.1:1",
    "-retry-max=1",
    "-retry-interval=1s",
  );
  assert.equal(await agent.ended, 1);
  assert.match(agent.output(), /maximum retry join attempts made/);
});

test("a hang-up reloads handlers, tags and log level; a wrong file changes nothing", async (t) => {
  const place = directory(t);
  const config = path.join(place, "agent.json");
  const heard = path.join(place, "heard");
  const write = (content: unknown): void => fs.writeFileSync(config, JSON.stringify(content));
  write({ tags: { version: "1" } });
  const agent = start(t, "-node=n1", `-config-file=${config}`);
  await agent.hears(/agent started/);
  write({
    tags: { version: "2" },
    event_handlers: [`member-update=echo $SERF_TAG_VERSION >> ${heard}`],
  });
  agent.child.kill("SIGHUP");
  const isWritten = (): boolean => fs.existsSync(heard) && fs.statSync(heard).size > 0;
  for (const deadline = performance.now() + PATIENCE_MS; !isWritten();) {
    assert.ok(performance.now() < deadline, agent.output());
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
  assert.equal(fs.readFileSync(heard, "utf8"), "2\n");
  write({ tagz: {} });
  agent.child.kill("SIGHUP");
  await agent.hears(/Failed to reload configs: .*no setting is called tagz/);
  assert.equal(agent.child.exitCode, null);
});

test("a file of Serf's with settings that we do not have is warned of once, and runs", async (t) => {
  const config = path.join(directory(t), "agent.json");
  fs.writeFileSync(config, JSON.stringify({ statsd_addr: "10.0.0.1:8125", mdns: {} }));
  const agent = start(t, "-node=n1", `-config-file=${config}`, "-mdns-iface", "eth0");
  await agent.hears(/Serf agent running!/);
  assert.deepEqual(agent.output().match(/.*no effect: [^:\n]*/g), [
    "==> Warning: mdns.interface has no effect: there is no multicast DNS",
    "==> Warning: statsd_addr has no effect: let Prometheus read the metrics at -metrics-addr",
  ]);
});

test("metrics are served where asked", async (t) => {
  const agent = start(t, "-node=n1", "-metrics-addr=127.0.0.1:0");
  const [, at = ""] = await agent.hears(/Metrics addr: '(.*)'/);
  const text = await (await fetch(`http://${at}/metrics`)).text();
  assert.match(text, /^quorate_gossip_figure\{name="members"\} 1$/m);
  assert.equal((await fetch(`http://${at}/`)).status, 404);
});
