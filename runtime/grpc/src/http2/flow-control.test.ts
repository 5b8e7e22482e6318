import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import type { ServerCall } from "../server/call.ts";
import { GrpcServer } from "../server/server.ts";
import { Status } from "../server/status.ts";
import { ConnectionError, flag, frameType, setting } from "./protocol.ts";
import { grpcHeaders, prefixed, RawClient, settings, uint32 } from "./raw-client.test.ts";
import { ReceiveWindow } from "./receive-window.ts";

const server = new GrpcServer({ limits: { transportBytes: 200_000, queuedBytes: 1_000_000 } });
/** The call last opened on /x.Y/Stream. */
let streaming: ServerCall | undefined;
let opened: (() => void) | undefined;
let port = 0;

server.unary("/x.Y/Echo", (call, message) => call.respond(message));
server.unary("/x.Y/Make", (call, message) => {
  call.respond(Buffer.alloc(message.readUInt32BE(), 0x61));
});
server.stream("/x.Y/Stream", (call) => {
  streaming = call;
  opened?.();
  return { onMessage: () => {}, onEnd: () => call.finish(Status.ok) };
});

before(async () => {
  ({ port } = await server.listen(0, "127.0.0.1"));
});

after(() => server.close(0));

const make = grpcHeaders.map(([name, value]) =>
  name === ":path" ? ([name, "/x.Y/Make"] as const) : ([name, value] as const),
);
const stream = grpcHeaders.map(([name, value]) =>
  name === ":path" ? ([name, "/x.Y/Stream"] as const) : ([name, value] as const),
);

async function dataBytes(client: RawClient, bytes: number, id: number): Promise<number> {
  let seen = 0;
  while (seen < bytes) seen += (await client.expect(frameType.data, id)).payload.length;
  return seen;
}

test("5.2: no more DATA is sent than the stream's window, and more when it is widened", async () => {
  const client = await RawClient.open(port, [setting.initialWindowSize, 1000]);
  client.call(1, uint32(5000), make);
  assert.equal(await dataBytes(client, 1000, 1), 1000);
  await client.settle();
  client.frame(frameType.windowUpdate, 0, 1, uint32(500));
  assert.equal(await dataBytes(client, 500, 1), 500);
  client.frame(frameType.windowUpdate, 0, 1, uint32(100_000));
  const { body, status } = await client.response(1);
  assert.equal(body.length, 5005 - 1500);
  assert.equal(status, "0");
  client.destroy();
});

test("5.2: no more DATA is sent than the connection's window, and streams take turns", async () => {
  const client = await RawClient.open(port, [setting.initialWindowSize, 1 << 20]);
  client.call(1, uint32(100_000), make);
  assert.equal(await dataBytes(client, 65_535, 1), 65_535);
  client.call(3, uint32(100_000), make);
  await client.settle();
  client.frame(frameType.windowUpdate, 0, 0, uint32(4 * 16_384));
  const ids: number[] = [];
  while (ids.length < 4) ids.push((await client.expect(frameType.data)).id);
  assert.deepEqual(ids, [1, 3, 1, 3]);
  client.frame(frameType.windowUpdate, 0, 0, uint32(1 << 20));
  assert.equal((await client.response(3)).status, "0");
  client.destroy();
});

test("6.9.2: a change of INITIAL_WINDOW_SIZE changes the windows of open streams", async () => {
  const client = await RawClient.open(port, [setting.initialWindowSize, 0]);
  client.call(1, uint32(100), make);
  await client.settle();
  client.send(settings([setting.initialWindowSize, 50]));
  assert.equal(await dataBytes(client, 50, 1), 50);
  client.send(settings([setting.initialWindowSize, 10]));
  client.frame(frameType.windowUpdate, 0, 1, uint32(60));
  assert.equal(await dataBytes(client, 20, 1), 20);
  client.send(settings([setting.initialWindowSize, 1000]));
  assert.equal((await client.response(1)).body.length, 105 - 70);
  client.destroy();
});

test("6.5.2: frames are no larger than the peer's MAX_FRAME_SIZE, nor than 64 KiB", async () => {
  const client = await RawClient.open(port, [setting.maxFrameSize, 20_000], [4, 1 << 20]);
  client.call(1, uint32(30_000), make);
  assert.equal((await client.expect(frameType.data)).payload.length, 20_000);
  client.destroy();
});

test("RFC 7541 4.2: a smaller HEADER_TABLE_SIZE is acknowledged in the next header block", async () => {
  const client = await RawClient.open(port, [setting.headerTableSize, 0]);
  client.call(1, Buffer.alloc(1));
  assert.equal((await client.expect(frameType.headers, 1)).payload[0], 0x20);
  assert.notEqual((await client.expect(frameType.headers, 1)).payload[0], 0x20);
  client.destroy();
});

test("what we receive widens the windows again", async () => {
  const client = await RawClient.open(port);
  client.headers(1, flag.endHeaders);
  const message = prefixed(Buffer.alloc(1_900_000, 1));
  let widened = 0;
  let allowed = 1 << 20;
  for (let at = 0; at < message.length;) {
    while (allowed < 16_384) {
      const update = await client.expect(frameType.windowUpdate, 1);
      allowed += update.payload.readUInt32BE();
      widened++;
    }
    const piece = message.subarray(at, at + 16_384);
    at += piece.length;
    allowed -= piece.length;
    client.frame(frameType.data, at < message.length ? 0 : flag.endStream, 1, piece);
  }
  assert.ok(widened > 0);
  client.frame(frameType.windowUpdate, 0, 0, uint32(4 << 20));
  client.frame(frameType.windowUpdate, 0, 1, uint32(4 << 20));
  assert.equal((await client.response(1)).body.length, message.length);
  client.destroy();
});

test("6.9: more DATA than a stream's window allows is a FLOW_CONTROL_ERROR", async () => {
  const client = await RawClient.open(port);
  const opening = new Promise<void>((resolve) => (opened = resolve));
  client.headers(1, flag.endHeaders, stream);
  await opening;
  streaming!.hold();
  for (let i = 0; i < 65; i++) {
    client.frame(frameType.data, 0, 1, prefixed(Buffer.alloc(16_379)));
  }
  assert.equal(await client.expectReset(1), 3);
  client.destroy();
});

test("6.9: more DATA than the connection's window allows is a FLOW_CONTROL_ERROR", () => {
  const window = new ReceiveWindow(100);
  assert.equal(window.take(40), 0);
  assert.equal(window.take(20), 60);
  assert.equal(window.take(49), 0);
  assert.equal(window.take(1), 50);
  assert.throws(() => window.take(101), ConnectionError);
});

test("a stream learns how much waits, and when it has drained", async () => {
  const client = await RawClient.open(port, [setting.initialWindowSize, 100]);
  const opening = new Promise<void>((resolve) => (opened = resolve));
  client.headers(1, flag.endHeaders, stream);
  await opening;
  const call = streaming!;
  let drains = 0;
  const drained = new Promise<void>((resolve) => {
    call.onDrain = () => {
      drains++;
      resolve();
    };
  });
  for (let i = 0; i < 10; i++) call.send(Buffer.alloc(95, i));
  assert.equal(call.writableBytes(), 900);
  client.frame(frameType.windowUpdate, 0, 1, uint32(900));
  await drained;
  assert.equal(call.writableBytes(), 0);
  assert.equal(drains, 1);
  client.frame(frameType.data, flag.endStream, 1);
  const { body, status } = await client.response(1);
  assert.equal(status, "0");
  assert.equal(body.length, 1000);
  assert.deepEqual(
    Array.from({ length: 10 }, (_, i) => body[i * 100 + 5]),
    [0, 1, 2, 3, 4, 5, 6, 7, 8, 9],
  );
  client.destroy();
});

test("a peer that does not read is not read either, and everything arrives once it does", async () => {
  const patient = new GrpcServer({ limits: { transportBytes: 200_000 } });
  const made = new Promise<void>((resolve) => {
    patient.unary("/x.Y/Make", (call, message) => {
      call.respond(Buffer.alloc(message.readUInt32BE(), 0x61));
      resolve();
    });
  });
  const address = await patient.listen(0, "127.0.0.1");
  const client = await RawClient.open(address.port, [setting.initialWindowSize, 0x7fffffff]);
  client.frame(frameType.windowUpdate, 0, 0, uint32(0x7fffffff - 65_535));
  client.socket.pause();
  for (let id = 1; id < 200; id += 2) client.call(id, uint32(100_000), make);
  await made;
  client.socket.resume();
  for (let id = 1; id < 200; id += 2) {
    assert.equal((await client.response(id)).body.length, 100_005);
  }
  client.destroy();
  await patient.close(0);
});

test("a client that takes nothing is refused new streams", async () => {
  const client = await RawClient.open(port, [setting.initialWindowSize, 0]);
  for (let id = 1; id < 40; id += 2) client.call(id, uint32(100_000), make);
  assert.equal(await client.expectReset(23), 7);
  client.destroy();
});
