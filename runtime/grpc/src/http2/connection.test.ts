import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { GrpcServer } from "../server/server.ts";
import { encodeHeaders } from "./hpack-encoder.ts";
import { flag, frameType, Http2Code, preface, setting } from "./protocol.ts";
import {
  frameBytes,
  grpcHeaders,
  prefixed,
  RawClient,
  settings,
  uint32,
} from "./raw-client.test.ts";

const { endHeaders, endStream } = flag;
const errors: unknown[] = [];
const server = new GrpcServer({
  limits: { maxConcurrentStreams: 10, resetBurst: 50, controlBurst: 200, minPingMs: 60_000 },
  onError: (error) => errors.push(error),
});
server.unary("/x.Y/Echo", (call, message) => call.respond(message));
server.unary("/x.Y/Never", () => {});
let port = 0;

before(async () => {
  ({ port } = await server.listen(0, "127.0.0.1"));
});

after(async () => {
  await server.close(0);
  assert.deepEqual(errors, []);
});

/** Runs a conversation on a fresh connection. */
async function converse(talk: (client: RawClient) => Promise<void>): Promise<void> {
  const client = await RawClient.open(port);
  try {
    await talk(client);
  } finally {
    client.destroy();
  }
}

/** A conversation that must end in a GOAWAY with this code. */
function goaway(name: string, code: number, talk: (client: RawClient) => void): void {
  test(name, () =>
    converse(async (client) => {
      talk(client);
      assert.equal(await client.expectGoaway(), code);
    }),
  );
}

/** A conversation in which stream 1 must be reset with this code, and the connection go on. */
function reset(name: string, code: number, talk: (client: RawClient) => void): void {
  test(name, () =>
    converse(async (client) => {
      talk(client);
      assert.equal(await client.expectReset(1), code);
      client.call(101, Buffer.from("still here"));
      assert.equal((await client.response(101)).status, "0");
    }),
  );
}

test("3.4: the preface may come byte by byte, with the request", async () => {
  const client = new RawClient(port);
  const bytes = Buffer.concat([
    preface,
    settings(),
    frameBytes(frameType.headers, endHeaders, 1, encodeHeaders(grpcHeaders)),
    frameBytes(frameType.data, endStream, 1, prefixed(Buffer.from("hello"))),
  ]);
  for (const byte of bytes) client.send(Buffer.of(byte));
  const { body, status } = await client.response(1);
  assert.equal(body.toString("latin1", 5), "hello");
  assert.equal(status, "0");
  client.destroy();
});

test("3.4: a connection that begins otherwise is closed when nobody wants it", async () => {
  const client = new RawClient(port);
  client.send(Buffer.from("GET / HTTP/1.1\r\n\r\n"));
  await client.closed;
});

test("3.4: the first frame must be SETTINGS", async () => {
  const client = new RawClient(port);
  client.send(preface, frameBytes(frameType.ping, 0, 0, Buffer.alloc(8)));
  assert.equal(await client.expectGoaway(), Http2Code.protocolError);
});

goaway("4.2: a frame larger than MAX_FRAME_SIZE", Http2Code.frameSizeError, (client) => {
  client.frame(frameType.data, 0, 1, Buffer.alloc(16_385));
});

goaway("4.3: a header block that cannot be decoded", Http2Code.compressionError, (client) => {
  client.frame(frameType.headers, endHeaders, 1, Buffer.of(0xff, 0xff));
});

goaway("5.1: DATA on an idle stream", Http2Code.protocolError, (client) => {
  client.frame(frameType.data, 0, 1, Buffer.alloc(1));
});

goaway("5.1: RST_STREAM on an idle stream", Http2Code.protocolError, (client) => {
  client.frame(frameType.rstStream, 0, 1, uint32(8));
});

goaway("5.1: WINDOW_UPDATE on an idle stream", Http2Code.protocolError, (client) => {
  client.frame(frameType.windowUpdate, 0, 1, uint32(8));
});

reset("5.1: DATA after END_STREAM", Http2Code.streamClosed, (client) => {
  client.call(1, Buffer.alloc(1), withPath("/x.Y/Never"));
  client.frame(frameType.data, 0, 1, Buffer.alloc(1));
});

reset("5.1: HEADERS after END_STREAM", Http2Code.streamClosed, (client) => {
  client.call(1, Buffer.alloc(1), withPath("/x.Y/Never"));
  client.headers(1, endHeaders | endStream);
});

goaway("5.1: HEADERS on a closed stream", Http2Code.streamClosed, (client) => {
  client.call(1, Buffer.alloc(1));
  client.headers(1, endHeaders | endStream);
});

test("5.1: frames for a stream we have reset are ignored", () =>
  converse(async (client) => {
    client.headers(1, endHeaders, withPath("/x.Y/Nope"));
    assert.equal((await client.response(1)).status, "12");
    assert.equal(await client.expectReset(1), Http2Code.noError);
    client.frame(frameType.data, 0, 1, Buffer.alloc(1));
    client.frame(frameType.windowUpdate, 0, 1, uint32(1));
    client.headers(1, endHeaders | endStream, [["x-trailer", "1"]]);
    client.call(3, Buffer.alloc(1));
    assert.equal((await client.response(3)).status, "0");
  }));

goaway("5.1.1: a stream of even number", Http2Code.protocolError, (client) => {
  client.headers(2, endHeaders);
});

goaway("5.1.1: a stream below one that was opened", Http2Code.streamClosed, (client) => {
  client.headers(5, endHeaders);
  client.headers(3, endHeaders);
});

test("5.1.2: streams beyond MAX_CONCURRENT_STREAMS are refused", () =>
  converse(async (client) => {
    for (let id = 1; id <= 21; id += 2) client.headers(id, endHeaders);
    assert.equal(await client.expectReset(21), Http2Code.refusedStream);
    client.frame(frameType.data, endStream, 1, prefixed(Buffer.alloc(3)));
    assert.equal((await client.response(1)).status, "0");
  }));

reset("5.3.1: a stream that depends on itself", Http2Code.protocolError, (client) => {
  const block = Buffer.concat([uint32(1), Buffer.of(16), encodeHeaders(grpcHeaders)]);
  client.frame(frameType.headers, endHeaders | flag.priority, 1, block);
});

test("5.5: frames of unknown type are ignored", () =>
  converse(async (client) => {
    client.frame(0x42, 0xff, 0, Buffer.alloc(8));
    client.call(1, Buffer.alloc(1));
    assert.equal((await client.response(1)).status, "0");
  }));

goaway("6.1: DATA on stream 0", Http2Code.protocolError, (client) => {
  client.frame(frameType.data, 0, 0, Buffer.alloc(1));
});

goaway("6.1: padding as long as the frame", Http2Code.protocolError, (client) => {
  client.headers(1, endHeaders);
  client.frame(frameType.data, flag.padded, 1, Buffer.of(4, 0, 0, 0));
});

test("6.1 and 6.2: padding and priority are taken off", () =>
  converse(async (client) => {
    const block = encodeHeaders(grpcHeaders);
    const padded = Buffer.concat([Buffer.of(3), uint32(0), Buffer.of(9), block, Buffer.alloc(3)]);
    client.frame(frameType.headers, endHeaders | flag.padded | flag.priority, 1, padded);
    const data = Buffer.concat([Buffer.of(2), prefixed(Buffer.from("abc")), Buffer.alloc(2)]);
    client.frame(frameType.data, endStream | flag.padded, 1, data);
    assert.equal((await client.response(1)).body.toString("latin1", 5), "abc");
  }));

goaway("6.2: HEADERS on stream 0", Http2Code.protocolError, (client) => {
  client.headers(0, endHeaders);
});

goaway("6.2: padding longer than HEADERS", Http2Code.protocolError, (client) => {
  client.frame(frameType.headers, endHeaders | flag.padded, 1, Buffer.of(9, 0x82));
});

goaway("6.2: another frame within a header block", Http2Code.protocolError, (client) => {
  client.headers(1, 0);
  client.frame(frameType.ping, 0, 0, Buffer.alloc(8));
});

goaway("6.3: PRIORITY on stream 0", Http2Code.protocolError, (client) => {
  client.frame(frameType.priority, 0, 0, Buffer.alloc(5));
});

reset("6.3: PRIORITY of the wrong size", Http2Code.frameSizeError, (client) => {
  client.frame(frameType.priority, 0, 1, Buffer.alloc(4));
});

goaway("6.4: RST_STREAM on stream 0", Http2Code.protocolError, (client) => {
  client.frame(frameType.rstStream, 0, 0, uint32(8));
});

goaway("6.4: RST_STREAM of the wrong size", Http2Code.frameSizeError, (client) => {
  client.headers(1, endHeaders);
  client.frame(frameType.rstStream, 0, 1, Buffer.alloc(3));
});

goaway("6.5: SETTINGS on a stream", Http2Code.protocolError, (client) => {
  client.frame(frameType.settings, 0, 1);
});

goaway("6.5: SETTINGS of the wrong size", Http2Code.frameSizeError, (client) => {
  client.frame(frameType.settings, 0, 0, Buffer.alloc(5));
});

goaway("6.5: an acknowledgement with a payload", Http2Code.frameSizeError, (client) => {
  client.frame(frameType.settings, flag.ack, 0, Buffer.alloc(6));
});

goaway("6.5.2: ENABLE_PUSH of 2", Http2Code.protocolError, (client) => {
  client.send(settings([setting.enablePush, 2]));
});

goaway("6.5.2: INITIAL_WINDOW_SIZE of 2^31", Http2Code.flowControlError, (client) => {
  client.send(settings([setting.initialWindowSize, 0x80000000]));
});

goaway("6.5.2: MAX_FRAME_SIZE of 16383", Http2Code.protocolError, (client) => {
  client.send(settings([setting.maxFrameSize, 16_383]));
});

test("6.5.2: unknown settings are ignored, and acknowledged", () =>
  converse(async (client) => {
    client.send(settings([0x99, 1]));
    assert.equal((await client.expect(frameType.settings)).flags, flag.ack);
  }));

goaway("6.6: PUSH_PROMISE", Http2Code.protocolError, (client) => {
  client.frame(frameType.pushPromise, endHeaders, 1, uint32(2));
});

test("6.7: a PING is answered with its payload", () =>
  converse(async (client) => {
    client.frame(frameType.ping, 0, 0, Buffer.from("12345678"));
    const { flags, payload } = await client.expect(frameType.ping);
    assert.equal(flags, flag.ack);
    assert.equal(payload.toString(), "12345678");
  }));

goaway("6.7: PING on a stream", Http2Code.protocolError, (client) => {
  client.frame(frameType.ping, 0, 1, Buffer.alloc(8));
});

goaway("6.7: PING of the wrong size", Http2Code.frameSizeError, (client) => {
  client.frame(frameType.ping, 0, 0, Buffer.alloc(6));
});

goaway("6.8: GOAWAY on a stream", Http2Code.protocolError, (client) => {
  client.frame(frameType.goaway, 0, 1, Buffer.alloc(8));
});

goaway("6.9: WINDOW_UPDATE of 0", Http2Code.protocolError, (client) => {
  client.frame(frameType.windowUpdate, 0, 0, uint32(0));
});

reset("6.9: WINDOW_UPDATE of 0 on a stream", Http2Code.protocolError, (client) => {
  client.headers(1, endHeaders);
  client.frame(frameType.windowUpdate, 0, 1, uint32(0));
});

goaway("6.9: WINDOW_UPDATE of the wrong size", Http2Code.frameSizeError, (client) => {
  client.frame(frameType.windowUpdate, 0, 0, Buffer.alloc(3));
});

goaway("6.9.1: the connection's window overflows", Http2Code.flowControlError, (client) => {
  client.frame(frameType.windowUpdate, 0, 0, uint32(0x7fffffff));
});

reset("6.9.1: a stream's window overflows", Http2Code.flowControlError, (client) => {
  client.headers(1, endHeaders);
  client.frame(frameType.windowUpdate, 0, 1, uint32(0x7fffffff));
});

test("6.10: a header block may come in CONTINUATION frames", () =>
  converse(async (client) => {
    const block = encodeHeaders(grpcHeaders);
    client.frame(frameType.headers, 0, 1, block.subarray(0, 1));
    client.frame(frameType.continuation, 0, 1, block.subarray(1, 9));
    client.frame(frameType.continuation, endHeaders, 1, block.subarray(9));
    client.frame(frameType.data, endStream, 1, prefixed(Buffer.from("abc")));
    assert.equal((await client.response(1)).status, "0");
  }));

goaway("6.10: CONTINUATION without HEADERS", Http2Code.protocolError, (client) => {
  client.frame(frameType.continuation, endHeaders, 1, encodeHeaders(grpcHeaders));
});

goaway("6.10: CONTINUATION on another stream", Http2Code.protocolError, (client) => {
  client.headers(1, 0);
  client.frame(frameType.continuation, endHeaders, 3);
});

goaway("6.10: endless CONTINUATION frames", Http2Code.enhanceYourCalm, (client) => {
  client.headers(1, 0);
  for (let i = 0; i < 100; i++) client.frame(frameType.continuation, 0, 1);
});

reset("8.1: trailers without END_STREAM", Http2Code.protocolError, (client) => {
  client.headers(1, endHeaders);
  client.headers(1, endHeaders, [["x-trailer", "1"]]);
});

reset("8.1: trailers with pseudo-headers", Http2Code.protocolError, (client) => {
  client.headers(1, endHeaders);
  client.headers(1, endHeaders | endStream, [[":path", "/"]]);
});

reset("8.1.1: a content-length that is not kept", Http2Code.protocolError, (client) => {
  client.headers(1, endHeaders, [...grpcHeaders, ["content-length", "9"]]);
  client.frame(frameType.data, endStream, 1, prefixed(Buffer.alloc(3)));
});

reset("8.2: a capital letter in a name", Http2Code.protocolError, (client) => {
  client.headers(1, endHeaders, [...grpcHeaders, ["X-Upper", "1"]]);
});

reset("8.3: a request without a path", Http2Code.protocolError, (client) => {
  client.headers(
    1,
    endHeaders,
    grpcHeaders.filter(([name]) => name !== ":path"),
  );
});

reset("10.5.1: a header list that is too large", Http2Code.enhanceYourCalm, (client) => {
  const filler = Array.from({ length: 6 }, (_, i) => [`x-${i}`, "y".repeat(2700)] as const);
  const large = encodeHeaders([...grpcHeaders, ...filler]);
  // Inserted into the dynamic table once, then referred to again and again.
  client.frame(frameType.headers, 0, 1, large.subarray(0, 16_000));
  client.frame(frameType.continuation, 0, 1, large.subarray(16_000));
  const field = Buffer.concat([
    Buffer.of(0x40, 1, 0x61, 0x7f, 0xa1, 0x1e),
    Buffer.alloc(4000, 0x78),
  ]);
  const bomb = Buffer.concat([field, Buffer.alloc(8000, 0xbe)]);
  client.frame(frameType.continuation, endHeaders, 1, bomb);
});

goaway("10.5: rapid resets", Http2Code.enhanceYourCalm, (client) => {
  for (let id = 1; id < 400; id += 2) {
    client.headers(id, endHeaders);
    client.frame(frameType.rstStream, 0, id, uint32(Http2Code.cancel));
  }
});

goaway("10.5: rapid requests that must be reset", Http2Code.enhanceYourCalm, (client) => {
  for (let id = 1; id < 400; id += 2) client.headers(id, endHeaders, []);
});

goaway("10.5: a flood of SETTINGS", Http2Code.enhanceYourCalm, (client) => {
  for (let i = 0; i < 400; i++) client.send(settings());
});

goaway("10.5: a flood of empty DATA", Http2Code.enhanceYourCalm, (client) => {
  client.headers(1, endHeaders);
  for (let i = 0; i < 400; i++) client.frame(frameType.data, 0, 1);
});

goaway("gRPC A8: pings that come too soon", Http2Code.enhanceYourCalm, (client) => {
  for (let i = 0; i < 4; i++) client.frame(frameType.ping, 0, 0, Buffer.alloc(8));
});

test("gRPC A8: pings between answers are not too many", () =>
  converse(async (client) => {
    for (let id = 1; id < 20; id += 2) {
      client.call(id, Buffer.alloc(1));
      await client.response(id);
      await client.settle();
    }
  }));

function withPath(path: string): readonly (readonly [string, string])[] {
  return grpcHeaders.map(([name, value]) => [name, name === ":path" ? path : value]);
}
