import assert from "node:assert/strict";
import { IncomingMessage } from "node:http";
import net from "node:net";
import { test, type TestContext } from "node:test";

import { HostError } from "@quorate/host";
import { Complaints } from "@quorate/host/tls";
import * as v from "valibot";

import { CERTIFICATES } from "../certificates.test.ts";
import { type AskTls, tell } from "../cluster/ask.ts";
import { operate } from "../cluster/operate.ts";
import { hostPort } from "../cluster/ports.ts";
import type { ClientTls } from "../node/service.ts";
import { HttpPort } from "./http-port.ts";
import { done, operation, Operations, refused } from "./operations.ts";
import { routes } from "./routes.ts";

const table = [
  operation("/greet", v.strictObject({ name: v.string() }), async ({ name }) => {
    if (name === "nobody") return refused(409, "nobody", "nobody is there");
    if (name === "later") throw new HostError({ code: "timeout", afterMs: 5 });
    if (name === "never") {
      throw new HostError({ code: "rejected", reason: "noLeader", definite: true });
    }
    return done({ greeting: `hello, ${name}` });
  }),
];

/** A port with the operations of a table, and nothing else that works. Resolves to its address. */
async function serve(
  t: TestContext,
  tls?: ClientTls,
  say: (from: string, what: string) => void = () => {},
): Promise<string> {
  const rules = { checksCertificates: tls?.ca !== undefined, insecure: false };
  const nothing = (): never => assert.fail("only operations are asked for here");
  const handler = routes({
    reporter: { reason: "", report: nothing },
    view: { look: nothing },
    registry: { contentType: "text/plain; version=0.0.4; charset=utf-8", metrics: nothing },
    operations: new Operations(table, rules),
  });
  const port = new HttpPort({ handler, tls, complaints: new Complaints(say, () => 0) });
  const { host, port: at } = await port.listen({ host: "127.0.0.1", port: 0 });
  t.after(() => port.close());
  return hostPort(host, at);
}

async function post(
  endpoint: string,
  body: string,
  headers: Readonly<Record<string, string>> = { "Content-Type": "application/json" },
): Promise<{ readonly status: number; readonly body: string }> {
  const response = await fetch(`http://${endpoint}/greet`, { method: "POST", body, headers });
  return { status: response.status, body: await response.text() };
}

test("an operation is told by its path, with JSON, and answers with JSON", async (t) => {
  const endpoint = await serve(t);
  const answer = await post(endpoint, '{"name":"n1"}');
  assert.deepEqual([answer.status, JSON.parse(answer.body)], [200, { greeting: "hello, n1" }]);
  assert.deepEqual(
    await operate({ endpoints: [endpoint], tls: undefined }, "/greet", { name: "n2" }),
    {
      greeting: "hello, n2",
    },
  );
});

test("what is wrong with a request is said, and nothing is done", async (t) => {
  const endpoint = await serve(t);
  const cases: readonly (readonly [string, string, number, RegExp])[] = [
    ["application/json", "{", 400, /the body is not JSON/],
    ["application/json", "{}", 400, /\\"name\\": Invalid key/],
    ["application/json", '{"name":7}', 400, /\\"name\\": Invalid type/],
    ["application/json", '{"name":"x","more":1}', 400, /\\"more\\": Invalid key/],
    ["application/json; charset=utf-8", '{"name":"nobody"}', 409, /nobody is there/],
    ["text/plain", '{"name":"n1"}', 415, /must be JSON/],
    ["application/json", `"${"x".repeat(70_000)}"`, 413, /longer than 65536 bytes/],
  ];
  for (const [type, body, status, words] of cases) {
    const answer = await post(endpoint, body, { "Content-Type": type });
    assert.equal(answer.status, status);
    assert.match(answer.body, words);
  }
  const read = await fetch(`http://${endpoint}/greet`);
  assert.deepEqual([read.status, read.headers.get("allow")], [405, "POST"]);
});

test("a page of another site, or of a name that points here, is refused", async (t) => {
  const endpoint = await serve(t);
  const json = { "Content-Type": "application/json" };
  const foreign = await post(endpoint, '{"name":"x"}', { ...json, Origin: "http://evil.example" });
  assert.equal(foreign.status, 403);
  const asked = await fetch(`http://${endpoint}/greet`, { method: "OPTIONS" });
  assert.equal(asked.status, 405);
  assert.equal(asked.headers.get("access-control-allow-origin"), null);
});

test("a failure of the cluster tells whether it may have had an effect", async (t) => {
  const endpoint = await serve(t);
  const options = { timeoutMs: 60_000 };
  const never = await tell(endpoint, "/greet", { name: "never" }, options);
  assert.deepEqual(never.type === "refused" && [never.status, never.code], [503, "noLeader"]);
  const later = await tell(endpoint, "/greet", { name: "later" }, options);
  assert.deepEqual(later.type === "refused" && [later.status, later.code], [504, "timeout"]);
});

test("with certificates only who shows one operates, while reading stays as it was", async (t) => {
  const tls = { ...CERTIFICATES, requireClientCertificate: false };
  const endpoint = await serve(t, tls);
  const ask = (shown: AskTls) => {
    return tell(endpoint, "/greet", { name: "n1" }, { timeoutMs: 60_000, tls: shown });
  };
  const { ca } = CERTIFICATES;
  const stranger = await ask({ ca });
  assert.deepEqual(stranger.type === "refused" && stranger.status, 403);
  assert.equal((await ask(CERTIFICATES)).type, "done");
});

test("without certificates only the node's machine operates, unless it was told to be insecure", async () => {
  const statusFor = async (remote: string, insecure: boolean): Promise<number | undefined> => {
    const socket = new net.Socket();
    Object.defineProperty(socket, "remoteAddress", { value: remote });
    const request = new IncomingMessage(socket);
    request.method = "POST";
    request.headers["content-type"] = "application/json";
    request.push('{"name":"n1"}');
    request.push(null);
    const operations = new Operations(table, { checksCertificates: false, insecure });
    return (await operations.answer(request, "/greet"))?.status;
  };
  assert.equal(await statusFor("127.0.0.1", false), 200);
  assert.equal(await statusFor("::ffff:127.0.0.1", false), 200);
  assert.equal(await statusFor("10.0.0.9", false), 403);
  assert.equal(await statusFor("10.0.0.9", true), 200);
});

test("who fails in the handshake is told why, and complained of", async (t) => {
  const said: string[] = [];
  const say = (from: string, what: string): void => {
    assert.match(from, /^127\.0\.0\.1:\d+$/);
    said.push(what);
  };
  const secure = await serve(t, { ...CERTIFICATES, requireClientCertificate: true }, say);
  const plain = await serve(t, undefined, say);
  const { ca } = CERTIFICATES;
  const cases = [
    [secure, undefined, /as a port that wants TLS does/, "it does not speak TLS"],
    [secure, { ca }, /wants a certificate/, "it shows no certificate, and has to"],
    [secure, {}, /not signed by an authority trusted here/, "it may not accept the certificate"],
    [plain, { ca }, /it does not speak TLS/, "it speaks TLS, which is not set up here"],
  ] as const;
  for (const [endpoint, tls, words, logged] of cases) {
    const told = await tell(endpoint, "/greet", { name: "n1" }, { timeoutMs: 60_000, tls });
    assert.ok(told.type === "silent");
    assert.match(told.reason, words);
    assert.equal(told.absent, false);
    // A request that never left had no effect.
    assert.equal(told.heard, tls === undefined);
    while (!said.some((what) => what.includes(logged))) await new Promise(setImmediate);
  }
});

test("a node that is down or cannot is passed over; a no is final", async (t) => {
  const endpoint = await serve(t);
  const closed = net.createServer();
  await new Promise<void>((resolve) => closed.listen(0, "127.0.0.1", resolve));
  const { port } = closed.address() as net.AddressInfo;
  await new Promise((resolve) => closed.close(resolve));
  const endpoints = [`127.0.0.1:${port}`, endpoint];
  const ask = (name: string): Promise<unknown> => {
    return operate({ endpoints, tls: undefined }, "/greet", { name });
  };
  assert.deepEqual(await ask("n1"), { greeting: "hello, n1" });
  await assert.rejects(ask("nobody"), /^CliError: .*: nobody is there$/);
  await assert.rejects(ask("never"), /it had no effect/);
  const nowhere = operate({ endpoints: endpoints.slice(0, 1), tls: undefined }, "/greet", {});
  await assert.rejects(nowhere, /no answer from .*connection refused/);
});
