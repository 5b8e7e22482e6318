import assert from "node:assert/strict";
import fs from "node:fs";
import { test } from "node:test";

import { agentConfig, eventName, SerfService } from "./index.ts";

test("the example of the README runs", async (t) => {
  const existing = new SerfService({
    config: agentConfig("old", { bind: { host: "127.0.0.1", port: 0 } }),
    rpc: { host: "127.0.0.1", port: 0 },
    logLevel: "silent",
    onStopped: (reason) => assert.fail(reason),
  });
  t.after(() => existing.stop());
  const { gossip: other } = await existing.start();
  const place = `${other.host}:${other.port}`;
  const seen: string[] = [];
  const console = { log: (line: string) => void seen.push(line), error: assert.fail };
  // region: agent
  const service = new SerfService({
    config: agentConfig("web1", { bind: { host: "127.0.0.1", port: 0 }, tags: { role: "web" } }),
    rpc: { host: "127.0.0.1", port: 0 },
    logLevel: "warn",
    onStopped: (reason) => console.error(reason),
  });
  const { gossip, rpc } = await service.start();
  service.agent.subscribe((event) => console.log(eventName(event)));
  await service.agent.join([place], false);
  await service.agent.userEvent("deploy", Buffer.from("v1"), false);
  const members = service.agent.members();
  console.log(members.map(({ name, status }) => `${name} ${status}`).join());
  await service.leave();
  service.stop();
  // endregion
  assert.ok(gossip.port > 0 && rpc.port > 0);
  assert.ok(seen.includes("user"));
  assert.ok(seen.some((line) => line.includes("old alive") && line.includes("web1 alive")));

  const root = new URL("../", import.meta.url);
  const source = fs.readFileSync(new URL("src/example.test.ts", root), "utf8");
  const [, region = ""] = /\/\/ region: agent\n([^]*?)\n *\/\/ endregion/.exec(source) ?? [];
  const [, shown] =
    /```ts\nimport[^\n]*\n\n([^]*?)\n```/.exec(
      fs.readFileSync(new URL("README.md", root), "utf8"),
    ) ?? [];
  assert.equal(shown, region.replaceAll(/^ {2}/gm, ""));
});
