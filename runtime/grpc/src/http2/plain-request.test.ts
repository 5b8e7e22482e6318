import assert from "node:assert/strict";
import { once } from "node:events";
import { type ClientHttp2Session, connect } from "node:http2";
import { after, before, test } from "node:test";
import { GrpcServer } from "../server/server.ts";
import type { HttpRequest } from "./plain-request.ts";

const errors: unknown[] = [];
let handle: (request: HttpRequest) => void = () => {};
const server = new GrpcServer({
  maxMessageBytes: 1000,
  onError: (error) => errors.push(error),
  onHttpRequest: (request) => handle(request),
});
let session: ClientHttp2Session;

before(async () => {
  const { port } = await server.listen(0, "127.0.0.1");
  session = connect(`http://127.0.0.1:${port}`);
});

after(async () => {
  session.close();
  await server.close(0);
});

async function post(body: Buffer): Promise<[status: unknown, body: string]> {
  const stream = session.request({ ":method": "POST", ":path": "/p?q", "x-name": "value" });
  stream.end(body);
  const [headers] = (await once(stream, "response")) as [Record<string, unknown>];
  const chunks: Buffer[] = [];
  for await (const chunk of stream) chunks.push(chunk as Buffer);
  return [headers[":status"], Buffer.concat(chunks).toString()];
}

test("a request is handed over with its body, and its response may be streamed", async () => {
  handle = (request) => {
    assert.equal(request.method, "POST");
    assert.equal(request.path, "/p?q");
    assert.equal(request.header("x-name"), "value");
    assert.match(request.peer, /^127\.0\.0\.1:\d+$/);
    assert.equal(request.body.toString(), "body");
    request.start(201, []);
    let left = 40;
    const more = (): void => {
      while (left > 0 && request.writableBytes() === 0) {
        left--;
        request.write(Buffer.alloc(5_000, 0x61));
      }
      if (left === 0) request.end();
    };
    request.onDrain = more;
    more();
  };
  const [status, body] = await post(Buffer.from("body"));
  assert.equal(status, 201);
  assert.equal(body.length, 200_000);
});

test("a response without a start is an empty 200", async () => {
  handle = (request) => request.end();
  assert.deepEqual(await post(Buffer.alloc(0)), [200, ""]);
});

test("a body larger than the limit is answered 413", async () => {
  handle = () => assert.fail("must not be called");
  assert.deepEqual(await post(Buffer.alloc(1001)), [413, ""]);
});

test("a handler that throws is answered 500, and reported", async () => {
  handle = () => {
    throw new Error("a bug");
  };
  assert.deepEqual(await post(Buffer.alloc(0)), [500, ""]);
  assert.equal(String(errors.pop()), "Error: a bug");
});

test("a request that the client gives up is cancelled", async () => {
  const stream = session.request({ ":path": "/" });
  stream.on("error", () => {});
  const cancelled = new Promise<void>((resolve) => {
    handle = (request) => {
      request.onCancel = () => {
        assert.equal(request.closed, true);
        resolve();
      };
      request.start(200, []);
      request.write(Buffer.from("first"));
    };
  });
  await once(stream, "data");
  stream.close(8);
  await cancelled;
  assert.deepEqual(errors, []);
});
