import assert from "node:assert/strict";
import { once } from "node:events";
import { test } from "node:test";
import { encodeHeaders } from "../http2/hpack-encoder.ts";
import { flag, frameType, Http2Code, preface } from "../http2/protocol.ts";
import {
  frameBytes,
  grpcHeaders,
  prefixed,
  RawClient,
  settings,
} from "../http2/raw-client.test.ts";
import type { ServerCall } from "./call.ts";
import { Deadlines, parseTimeout, type Timed } from "./deadlines.ts";
import { Health, HealthService } from "./health.ts";
import { GrpcServer, type GrpcServerOptions } from "./server.ts";
import { percentEncode, Status } from "./status.ts";

async function serve(options: GrpcServerOptions = {}): Promise<[GrpcServer, number]> {
  const server = new GrpcServer(options);
  server.unary("/x.Y/Echo", (call, message) => call.respond(message));
  const { port } = await server.listen(0, "127.0.0.1");
  return [server, port];
}

test("a server that closes lets running calls finish and takes no new ones", async () => {
  const [server, port] = await serve();
  let running: ServerCall | undefined;
  server.unary("/x.Y/Slow", (call) => (running = call));
  const client = await RawClient.open(port);
  const slow = grpcHeaders.map(([name, value]) =>
    name === ":path" ? ([name, "/x.Y/Slow"] as const) : ([name, value] as const),
  );
  client.call(1, Buffer.alloc(1), slow);
  await client.settle();
  const closed = server.close(60_000);
  const first = await client.expect(frameType.goaway);
  assert.equal(first.payload.readUInt32BE(0), 0x7fffffff);
  const ping = await client.expect(frameType.ping);
  // A call on its way when the server announced its end is still served.
  client.call(3, Buffer.from("late"));
  client.frame(frameType.ping, flag.ack, 0, ping.payload);
  assert.equal((await client.response(3)).status, "0");
  const last = await client.expect(frameType.goaway);
  assert.equal(last.payload.readUInt32BE(0), 3);
  client.call(5, Buffer.from("too late"));
  running!.respond(Buffer.from("done"));
  assert.equal((await client.response(1)).body.toString("latin1", 5), "done");
  await client.closed;
  await closed;
  assert.ok(!client.frames.some((frame) => frame.id === 5));
});

test("a server that closes cuts off what outlasts its grace, and what has not spoken", async () => {
  const [server, port] = await serve();
  let told = 0;
  server.unary("/x.Y/Never", (call) => {
    call.onCancel = () => told++;
  });
  const silent = new RawClient(port);
  await once(silent.socket, "connect");
  const client = await RawClient.open(port);
  const never = grpcHeaders.map(([name, value]) =>
    name === ":path" ? ([name, "/x.Y/Never"] as const) : ([name, value] as const),
  );
  client.call(1, Buffer.alloc(1), never);
  await client.settle();
  await server.close(10);
  await Promise.all([client.closed, silent.closed]);
  assert.equal(told, 1);
  assert.equal(server.openConnections, 0);
});

test("a connection that says nothing is closed", async () => {
  const [server, port] = await serve({ limits: { handshakeMs: 20 } });
  const client = new RawClient(port);
  client.send(preface.subarray(0, 10));
  await client.closed;
  await server.close(0);
});

test("a silent client is pinged, and cut off if it does not answer", async () => {
  const [server, port] = await serve({ limits: { keepaliveMs: 20, keepaliveTimeoutMs: 20 } });
  const client = await RawClient.open(port);
  const ping = await client.expect(frameType.ping);
  client.frame(frameType.ping, flag.ack, 0, ping.payload);
  await client.expect(frameType.ping);
  await client.closed;
  await server.close(0);
});

test("responses leave when the host says that the turn has ended, in one write", async () => {
  const turns: (() => void)[] = [];
  const [server, port] = await serve({ endOfTurn: (flush) => turns.push(flush) });
  const client = new RawClient(port);
  client.send(preface, settings());
  const flushOne = async (): Promise<void> => {
    while (turns.length === 0) await new Promise((resolve) => setImmediate(resolve));
    turns.shift()!();
  };
  await flushOne();
  await client.expect(frameType.settings);
  for (let id = 1; id < 9; id += 2) client.call(id, Buffer.from("x"));
  await flushOne();
  for (let id = 1; id < 9; id += 2) assert.equal((await client.response(id)).status, "0");
  client.destroy();
  const closed = server.close(0);
  for (const flush of turns) flush();
  await closed;
});

test("even a failing connection writes nothing before the turn has ended", async () => {
  const turns: (() => void)[] = [];
  const [server, port] = await serve({ endOfTurn: (flush) => turns.push(flush) });
  let called: (() => void) | undefined;
  const handled = new Promise<void>((resolve) => (called = resolve));
  server.unary("/x.Y/Last", (call) => {
    call.respond(Buffer.alloc(1));
    called?.();
  });
  const client = new RawClient(port);
  const last = grpcHeaders.map(([name, value]) =>
    name === ":path" ? ([name, "/x.Y/Last"] as const) : ([name, value] as const),
  );
  client.send(
    preface,
    settings(),
    frameBytes(frameType.headers, flag.endHeaders, 1, encodeHeaders(last)),
    frameBytes(frameType.data, flag.endStream, 1, prefixed(Buffer.alloc(1))),
    frameBytes(frameType.data, 0, 0, Buffer.alloc(1)),
  );
  await handled;
  for (let i = 0; i < 5; i++) await new Promise((resolve) => setImmediate(resolve));
  assert.equal(client.frames.length, 0);
  assert.equal(turns.length, 1);
  turns.shift()!();
  assert.equal((await client.response(1)).status, "0");
  await client.closed;
  await server.close(0);
});

test("windows and frames that cannot be are refused at the start", () => {
  assert.throws(() => new GrpcServer({ limits: { streamWindow: 1000 } }), RangeError);
  assert.throws(() => new GrpcServer({ limits: { maxFrameBytes: 1000 } }), RangeError);
  assert.throws(() => new GrpcServer().unary("x.Y/Echo", () => {}), TypeError);
});

test("a failed connection tells why in its GOAWAY", async () => {
  const [server, port] = await serve();
  const client = await RawClient.open(port);
  client.frame(frameType.data, 0, 0, Buffer.alloc(1));
  const { payload } = await client.expect(frameType.goaway);
  assert.equal(payload.readUInt32BE(4), Http2Code.protocolError);
  assert.equal(payload.toString("latin1", 8), "DATA on stream 0");
  await client.closed;
  await server.close(0);
});

test("the health service answers, and tells watchers of changes", async () => {
  const [server, port] = await serve();
  const health = new HealthService(server);
  const client = await RawClient.open(port);
  const to = (method: string): readonly (readonly [string, string])[] =>
    grpcHeaders.map(([name, value]) => [
      name,
      name === ":path" ? `/grpc.health.v1.Health/${method}` : value,
    ]);
  client.call(1, Buffer.alloc(0), to("Check"));
  assert.equal((await client.response(1)).body.toString("hex"), "00000000020801");
  client.call(3, Buffer.from("0a0161", "hex"), to("Check"));
  assert.equal((await client.response(3)).status, String(Status.notFound));
  client.call(5, Buffer.from("0a0161", "hex"), to("Watch"));
  const next = async (): Promise<string> =>
    (await client.expect(frameType.data, 5)).payload.toString("hex", 5);
  assert.equal(await next(), "0803");
  health.set("a", Health.serving);
  assert.equal(await next(), "0801");
  health.set("a", Health.serving);
  health.set("a", Health.notServing);
  assert.equal(await next(), "0802");
  client.call(7, Buffer.from("0a05", "hex"), to("Check"));
  const { status, message } = await client.response(7);
  assert.equal(status, String(Status.internal));
  assert.match(message, /^grpc: error unmarshalling request: truncated/);
  client.destroy();
  await server.close(0);
});

test("a message in pieces counts against the server's memory, until it is given up", async () => {
  const [server, port] = await serve({ maxPartialBytes: 200_000 });
  const client = await RawClient.open(port);
  const piece = prefixed(Buffer.alloc(150_000));
  for (const id of [1, 3]) {
    client.headers(id, flag.endHeaders);
    for (let at = 0; at < 100_000; at += 10_000) {
      client.frame(frameType.data, 0, id, piece.subarray(at, at + 10_000));
    }
  }
  assert.equal((await client.response(3)).status, String(Status.resourceExhausted));
  for (let at = 100_000; at < piece.length; at += 10_000) {
    client.frame(frameType.data, 0, 1, piece.subarray(at, at + 10_000));
  }
  client.frame(frameType.data, flag.endStream, 1);
  assert.equal((await client.expect(frameType.headers, 1)).id, 1);
  assert.equal(server.partialBytes, 0);
  client.destroy();
  await server.close(0);
});

test("deadlines fire in time, once, unless removed", async () => {
  const deadlines = new Deadlines();
  const fired: string[] = [];
  // The wheel alone does not keep the process alive.
  const awake = setInterval(() => {}, 1000);
  await new Promise<void>((resolve) => {
    const timed = (name: string): Timed => ({
      deadlineAt: 0,
      earlier: undefined,
      later: undefined,
      slot: -1,
      onDeadline: () => {
        fired.push(name);
        if (name === "c") resolve();
      },
    });
    const removed = timed("removed");
    deadlines.add(timed("b"), 30);
    deadlines.add(removed, 30);
    deadlines.add(timed("a"), 0);
    deadlines.add(timed("c"), 60);
    deadlines.add(timed("far"), 3_600_000);
    deadlines.remove(removed);
    deadlines.remove(removed);
  });
  clearInterval(awake);
  assert.deepEqual(fired, ["a", "b", "c"]);
  deadlines.stop();
});

test("a grpc-timeout is up to eight digits and a unit", () => {
  assert.equal(parseTimeout("1H"), 3_600_000);
  assert.equal(parseTimeout("2M"), 120_000);
  assert.equal(parseTimeout("3S"), 3000);
  assert.equal(parseTimeout("99999999m"), 99_999_999);
  assert.equal(parseTimeout("1500u"), 1.5);
  assert.equal(parseTimeout("1000000n"), 1);
  for (const text of ["", "S", "1", "1s", "-1S", "123456789S", "1.5S"]) {
    assert.ok(Number.isNaN(parseTimeout(text)), text);
  }
});

test("a grpc-message keeps printable ASCII and encodes the rest", () => {
  assert.equal(percentEncode("plain ~text"), "plain ~text");
  assert.equal(percentEncode("100 %\n"), "100 %25%0A");
  assert.equal(percentEncode("é"), "%C3%A9");
});
