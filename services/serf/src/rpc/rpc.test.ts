import assert from "node:assert/strict";
import { test } from "node:test";

import { eventually, run } from "../service-harness.test.ts";
import { RpcClient } from "./client.test.ts";
import { encodeAny } from "./any.test.ts";

const NO_ERROR = { Error: "", Seq: 1 };

test("nothing is done before the handshake, which is done once", async (t) => {
  const { addresses } = await run(t, "a");
  const eager = await RpcClient.connect(addresses.rpc.port);
  assert.deepEqual(await eager.ask("members"), { Error: "Handshake required", Seq: 1 });
  assert.equal(await eager.hear(), undefined, "and the agent hangs up");
  const client = await RpcClient.connect(addresses.rpc.port);
  t.after(() => client.close());
  assert.deepEqual(await client.ask("handshake", { Version: 2 }), {
    Error: "Unsupported IPC version",
    Seq: 1,
  });
  assert.deepEqual(await client.ask("handshake", { Version: 1 }), NO_ERROR);
  assert.deepEqual(await client.ask("handshake", { Version: 1 }), {
    Error: "Handshake already performed",
    Seq: 1,
  });
});

test("with a key nothing is told to those who do not know it", async (t) => {
  const { addresses } = await run(t, "a", { rpcAuthKey: "secret" });
  const client = await RpcClient.greeted(addresses.rpc.port);
  t.after(() => client.close());
  const required = { Error: "Authentication required", Seq: 1 };
  assert.deepEqual(
    await client.ask("event", { Name: "x", Payload: new Uint8Array(9), Coalesce: false }),
    required,
  );
  assert.deepEqual(await client.ask("auth", { AuthKey: "secre" }), {
    Error: "Invalid authentication token",
    Seq: 1,
  });
  assert.deepEqual(await client.ask("members"), required);
  assert.deepEqual(await client.ask("auth", { AuthKey: "secret" }), NO_ERROR);
  assert.deepEqual(await client.ask("members"), NO_ERROR);
  assert.equal(((await client.hear()) as { Members: unknown[] }).Members.length, 1);
});

test("an unknown command ends the connection", async (t) => {
  const { addresses } = await run(t, "a");
  const client = await RpcClient.greeted(addresses.rpc.port);
  assert.deepEqual(await client.ask("dance"), { Error: "Unsupported command", Seq: 1 });
  assert.equal(await client.hear(), undefined);
});

test("a stream tells of events of its kinds, until it is stopped", async (t) => {
  const { addresses, service } = await run(t, "a");
  const client = await RpcClient.greeted(addresses.rpc.port);
  t.after(() => client.close());
  assert.deepEqual(await client.ask("stream", { Type: "user:deploy,member-dance" }, 7), {
    Error: "Invalid event filter",
    Seq: 7,
  });
  assert.deepEqual(await client.ask("stream", { Type: "user:deploy" }, 7), { Error: "", Seq: 7 });
  assert.deepEqual(await client.ask("stream", { Type: "*" }, 7), {
    Error: "Stream with given sequence exists",
    Seq: 7,
  });
  await service.agent.userEvent("other", new Uint8Array(0), false);
  await service.agent.userEvent("deploy", Uint8Array.from([1]), false);
  assert.deepEqual(await client.hear(), { Error: "", Seq: 7 });
  assert.deepEqual(await client.hear(), {
    Event: "user",
    LTime: 2,
    Name: "deploy",
    Payload: Uint8Array.from([1]),
    Coalesce: false,
  });
  assert.deepEqual(await client.ask("stop", { Stop: 7 }, 8), { Error: "", Seq: 8 });
  await service.agent.userEvent("deploy", Uint8Array.from([2]), false);
  assert.deepEqual(
    await client.ask("stop", { Stop: 7 }, 9),
    { Error: "", Seq: 9 },
    "nothing came between",
  );
});

test("a query is answered by a client of another agent", async (t) => {
  const a = await run(t, "a");
  const b = await run(t, "b");
  await b.service.agent.join([a.address], false);
  const answering = await RpcClient.greeted(b.addresses.rpc.port);
  t.after(() => answering.close());
  await answering.ask("stream", { Type: "query" }, 3);
  const asking = await RpcClient.greeted(a.addresses.rpc.port);
  t.after(() => asking.close());
  const query = {
    Name: "load",
    Payload: Uint8Array.from([5]),
    Timeout: 5_000_000_000,
    FilterNodes: ["b"],
    RequestAck: true,
  };
  assert.deepEqual(await asking.ask("query", query, 4), { Error: "", Seq: 4 });

  assert.deepEqual(await answering.hear(), { Error: "", Seq: 3 });
  const event = (await answering.hear()) as { ID: number; Name: string };
  assert.equal(event.Name, "load");
  const answer = { ID: event.ID, Payload: Uint8Array.from([6]) };
  assert.deepEqual(await answering.ask("respond", answer, 5), { Error: "", Seq: 5 });
  assert.deepEqual(await answering.ask("respond", answer, 6), {
    Error: "No pending queries matching ID",
    Seq: 6,
  });

  const heard: unknown[] = [];
  for (let i = 0; i < 3; i++) {
    assert.deepEqual(await asking.hear(), { Error: "", Seq: 4 });
    heard.push(await asking.hear());
  }
  assert.deepEqual(heard, [
    { Type: "ack", From: "b", Payload: new Uint8Array(0) },
    { Type: "response", From: "b", Payload: Uint8Array.from([6]) },
    { Type: "done", From: "", Payload: new Uint8Array(0) },
  ]);
});

test("names that belong to Serf are refused, but for its ping", async (t) => {
  const { addresses } = await run(t, "a");
  const client = await RpcClient.greeted(addresses.rpc.port);
  t.after(() => client.close());
  const ask = (Name: string): Promise<unknown> =>
    client.ask("query", { Name, Payload: new Uint8Array(0) });
  assert.match(
    ((await ask("_serf_conflict")) as { Error: string }).Error,
    /cannot contain the '_serf_' prefix/,
  );
  assert.deepEqual(await ask("_serf_ping"), NO_ERROR);
});

test("a monitor shows the last lines, then new ones, from its level up", async (t) => {
  const { addresses, service } = await run(t, "a");
  const client = await RpcClient.greeted(addresses.rpc.port);
  t.after(() => client.close());
  assert.match(
    ((await client.ask("monitor", { LogLevel: "loud" })) as { Error: string }).Error,
    /Unknown log level: LOUD/,
  );
  assert.deepEqual(await client.ask("monitor", { LogLevel: "info" }, 2), { Error: "", Seq: 2 });
  await client.hear();
  const { Log: first } = (await client.hear()) as { Log: string };
  assert.match(
    first,
    /^\d{4}\/\d\d\/\d\d \d\d:\d\d:\d\d \[INFO\] agent: agent started address=127/,
  );
  service.logs.logger.debug("not this");
  service.logs.logger.warn({ node: "b" }, "but this");
  for (;;) {
    await client.hear();
    const { Log: line } = (await client.hear()) as { Log: string };
    assert.doesNotMatch(line, /not this/);
    if (line.endsWith("[WARN] agent: but this node=b")) break;
  }
});

test("requests that come together are answered in order", async (t) => {
  const { addresses } = await run(t, "a");
  const client = await RpcClient.greeted(addresses.rpc.port);
  t.after(() => client.close());
  for (let seq = 1; seq <= 50; seq++) client.say({ Command: "stop", Seq: seq }, { Stop: 0 });
  for (let seq = 1; seq <= 50; seq++)
    assert.deepEqual(await client.hear(), { Error: "", Seq: seq });
});

test("what is no request, or too large for one, is hung up on and harms nobody", async (t) => {
  const { addresses, service } = await run(t, "a");
  const hostile: readonly Uint8Array[] = [
    Uint8Array.from([0xc1]),
    Uint8Array.from([0x01]),
    encodeAny({ Command: "members", Seq: -1 }),
    encodeAny({ Command: 5, Seq: 1 }),
    Uint8Array.from([0x81, 0xdb, 0x7f, 0xff, 0xff, 0xff, ...new Uint8Array(2 << 20)]),
    new Uint8Array(2 << 20).fill(0x91),
  ];
  for (const bytes of hostile) {
    const client = await RpcClient.connect(addresses.rpc.port);
    client.raw(bytes);
    assert.equal(await client.hear(), undefined);
  }
  for (let seed = 0; seed < 200; seed++) {
    const client = await RpcClient.greeted(addresses.rpc.port);
    client.raw(
      Uint8Array.from(
        { length: 60 },
        (_, i) => (Math.imul(seed * 61 + i, 0x9e3779b1) >>> 13) & 0xff,
      ),
    );
    client.close();
  }
  const client = await RpcClient.greeted(addresses.rpc.port);
  t.after(() => client.close());
  assert.deepEqual(await client.ask("members"), NO_ERROR);
  await eventually("the others are forgotten", () => service.agent.members().length === 1);
});

test("a client that asks and does not read waits, and the agent's memory does not pay for it", async (t) => {
  const { addresses, service } = await run(t, "a");
  const greedy = await RpcClient.greeted(addresses.rpc.port);
  t.after(() => greedy.close());
  greedy.deaf();
  await service.agent.setTags({ long: "x".repeat(480) });
  const before = process.memoryUsage().rss;
  const request = encodeAny({ Command: "members", Seq: 2 });
  const many = Buffer.concat(Array.from({ length: 20_000 }, () => request));
  for (let i = 0; i < 10; i++) greedy.raw(many);
  const other = await RpcClient.greeted(addresses.rpc.port);
  t.after(() => other.close());
  for (let i = 0; i < 50; i++) {
    assert.deepEqual(await other.ask("stop", { Stop: 0 }), NO_ERROR);
    await new Promise((resolve) => setTimeout(resolve, 5));
  }
  // All answers together would be 130 MB.
  assert.ok(process.memoryUsage().rss - before < 64 << 20);
});
