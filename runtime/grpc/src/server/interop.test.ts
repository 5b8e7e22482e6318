import assert from "node:assert/strict";
import { once } from "node:events";
import { createServer as createHttpServer, get } from "node:http";
import {
  type ClientHttp2Session,
  type ClientHttp2Stream,
  connect,
  constants,
  type OutgoingHttpHeaders,
} from "node:http2";
import { get as secureGet } from "node:https";
import { after, before, test } from "node:test";
import { cert, key } from "./certificate.test.ts";
import type { ServerCall } from "./call.ts";
import { GrpcServer } from "./server.ts";
import { Status, type StatusCode } from "./status.ts";

const errors: unknown[] = [];
const handled: string[] = [];
const http = createHttpServer((request, response) => response.end(`plain ${request.url}`));
const server = new GrpcServer({
  maxMessageBytes: 1_000_000,
  onError: (error) => errors.push(error),
  observer: {
    onStarted: () => {},
    onHandled: (method, code) => handled.push(`${method} ${code}`),
  },
  onHttp1: (socket, first) => {
    if (first.length > 0) socket.unshift(first);
    http.emit("connection", socket);
  },
  onHttpRequest: (request) => {
    request.start(200, [["content-type", "text/plain"]]);
    request.write(Buffer.from(`${request.method} ${request.path} ${request.body.toString()}`));
    request.end();
  },
});
let cancelled: (() => void) | undefined;
let port = 0;
let session: ClientHttp2Session;

server.unary("/x.Y/Echo", (call, message) => call.respond(message));
server.unary("/x.Y/Large", (call) => call.respond(Buffer.alloc(3_000_000, 0x62)));
server.unary("/x.Y/Never", (call) => {
  call.onCancel = () => cancelled?.();
});
server.unary("/x.Y/Fail", (call) => call.finish(Status.failedPrecondition, "naïve: 100 %"));
server.unary("/x.Y/Throw", () => {
  throw new Error("a bug");
});
server.unary("/x.Y/Who", (call) => {
  call.respond(Buffer.from(call.clientSubject()?.commonName ?? "nobody"));
});
server.unary("/x.Y/Token", (call) => call.respond(Buffer.from(call.metadata("token") ?? "none")));
server.unary("/x.Y/Later", (call, message) => void setImmediate(() => call.respond(message)));
server.stream("/x.Y/Bidi", (call) => ({
  onMessage: (message) => call.send(message),
  onEnd: () => call.finish(Status.ok),
}));
server.stream("/x.Y/Count", (call) => ({ onMessage: () => count(call), onEnd: () => {} }));
server.stream("/x.Y/Early", (call) => {
  call.finish(Status.permissionDenied, "go away");
  return { onMessage: () => {}, onEnd: () => {} };
});

/** Sends 400 messages of 10,000 bytes, never more ahead than the stream likes. */
function count(call: ServerCall): void {
  const message = Buffer.alloc(10_000);
  let sent = 0;
  const more = (): void => {
    while (sent < 400 && call.writableBytes() < 50_000) {
      message.writeUInt32BE(sent++);
      call.send(message);
    }
    if (sent === 400) call.finish(Status.ok);
  };
  call.onDrain = more;
  more();
}

before(async () => {
  ({ port } = await server.listen(0, "127.0.0.1"));
  session = connect(`http://127.0.0.1:${port}`);
});

after(async () => {
  session.close();
  await server.close(0);
  http.close();
});

function open(
  on: ClientHttp2Session,
  path: string,
  headers: OutgoingHttpHeaders = {},
): ClientHttp2Stream {
  return on.request({
    ":method": "POST",
    ":path": path,
    "content-type": "application/grpc",
    te: "trailers",
    ...headers,
  });
}

function frame(message: Uint8Array): Buffer {
  const bytes = Buffer.alloc(5 + message.length);
  bytes.writeUInt32BE(message.length, 1);
  bytes.set(message, 5);
  return bytes;
}

interface Answer {
  readonly code: StatusCode;
  readonly message: string;
  readonly messages: Buffer[];
}

async function answer(stream: ClientHttp2Stream): Promise<Answer> {
  const chunks: Buffer[] = [];
  let status: unknown;
  let text: unknown;
  const take = (headers: Record<string, unknown>): void => {
    status = headers["grpc-status"] ?? status;
    text = headers["grpc-message"] ?? text;
  };
  stream.on("response", take);
  stream.on("trailers", take);
  stream.on("data", (chunk: Buffer) => chunks.push(chunk));
  await once(stream, "close");
  const messages: Buffer[] = [];
  let rest = Buffer.concat(chunks);
  while (rest.length > 0) {
    const end = 5 + rest.readUInt32BE(1);
    messages.push(rest.subarray(5, end));
    rest = rest.subarray(end);
  }
  const message = typeof text === "string" ? decodeURIComponent(text) : "";
  // A response without a status would be NaN, and no test expects that.
  return { code: Number(status) as StatusCode, message, messages };
}

function unary(path: string, message: Uint8Array, headers?: OutgoingHttpHeaders): Promise<Answer> {
  const stream = open(session, path, headers);
  stream.end(frame(message));
  return answer(stream);
}

test("a unary call is answered", async () => {
  const { code, messages } = await unary("/x.Y/Echo", Buffer.from("hello"));
  assert.equal(code, Status.ok);
  assert.deepEqual(messages.map(String), ["hello"]);
});

test("an empty message and one answered later are answered", async () => {
  assert.deepEqual((await unary("/x.Y/Echo", Buffer.alloc(0))).messages, [Buffer.alloc(0)]);
  assert.equal((await unary("/x.Y/Later", Buffer.alloc(9))).messages[0]!.length, 9);
});

test("a message in many pieces is put together", async () => {
  const message = Buffer.from(Array.from({ length: 300_000 }, (_, i) => i & 255));
  const stream = open(session, "/x.Y/Echo");
  const bytes = frame(message);
  for (let at = 0; at < 20; at++) stream.write(bytes.subarray(at, at + 1));
  for (let at = 20; at < bytes.length; at += 7001) stream.write(bytes.subarray(at, at + 7001));
  stream.end();
  assert.ok((await answer(stream)).messages[0]!.equals(message));
});

test("a response larger than every window arrives whole", async () => {
  const { code, messages } = await unary("/x.Y/Large", Buffer.alloc(1));
  assert.equal(code, Status.ok);
  assert.equal(messages[0]!.length, 3_000_000);
});

test("many calls at once are all answered, each with its own answer", async () => {
  const calls = Array.from({ length: 2000 }, (_, i) => unary("/x.Y/Echo", Buffer.from(`${i}`)));
  const answers = await Promise.all(calls);
  answers.forEach(({ messages }, i) => assert.equal(String(messages[0]), `${i}`));
});

test("a status and its message arrive, percent-encoded", async () => {
  const { code, message } = await unary("/x.Y/Fail", Buffer.alloc(1));
  assert.equal(code, Status.failedPrecondition);
  assert.equal(message, "naïve: 100 %");
});

test("a handler that throws is INTERNAL, is reported, and the connection goes on", async () => {
  assert.equal((await unary("/x.Y/Throw", Buffer.alloc(1))).code, Status.internal);
  assert.equal(String(errors.pop()), "Error: a bug");
  assert.equal((await unary("/x.Y/Echo", Buffer.alloc(1))).code, Status.ok);
});

test("unknown methods and services are UNIMPLEMENTED", async () => {
  const { code, message } = await unary("/x.Y/Nope", Buffer.alloc(1));
  assert.equal(code, Status.unimplemented);
  assert.equal(message, "unknown method Nope for service x.Y");
  assert.equal((await unary("/x.Q/Nope", Buffer.alloc(1))).message, "unknown service x.Q");
});

test("a compressed request is UNIMPLEMENTED", async () => {
  const { code, message } = await unary("/x.Y/Echo", Buffer.alloc(1), { "grpc-encoding": "gzip" });
  assert.equal(code, Status.unimplemented);
  assert.equal(message, 'grpc: Decompressor is not installed for grpc-encoding "gzip"');
});

test("a request that is too large is RESOURCE_EXHAUSTED", async () => {
  const { code, message } = await unary("/x.Y/Echo", Buffer.alloc(1_000_001));
  assert.equal(code, Status.resourceExhausted);
  assert.equal(message, "grpc: received message larger than max (1000001 vs. 1000000)");
});

test("a unary call without a message, with half of one or with two is INTERNAL", async () => {
  for (const bytes of [
    Buffer.alloc(0),
    frame(Buffer.alloc(9)).subarray(0, 8),
    Buffer.concat([frame(Buffer.alloc(1)), frame(Buffer.alloc(1))]),
    Buffer.of(1, 0, 0, 0, 0),
  ]) {
    const stream = open(session, "/x.Y/Echo");
    stream.end(bytes);
    assert.equal((await answer(stream)).code, Status.internal);
  }
});

test("metadata is at hand", async () => {
  const { messages } = await unary("/x.Y/Token", Buffer.alloc(1), { token: "ROOT.1" });
  assert.deepEqual(messages.map(String), ["ROOT.1"]);
});

test("a deadline that passes is DEADLINE_EXCEEDED, and the handler is told", async () => {
  const told = new Promise<void>((resolve) => (cancelled = resolve));
  const { code } = await unary("/x.Y/Never", Buffer.alloc(1), { "grpc-timeout": "30m" });
  assert.equal(code, Status.deadlineExceeded);
  await told;
});

test("a malformed deadline is INTERNAL", async () => {
  const { code } = await unary("/x.Y/Echo", Buffer.alloc(1), { "grpc-timeout": "soon" });
  assert.equal(code, Status.internal);
});

test("a call that the client cancels is cancelled", async () => {
  const told = new Promise<void>((resolve) => (cancelled = resolve));
  const stream = open(session, "/x.Y/Never");
  stream.on("error", () => {});
  stream.end(frame(Buffer.alloc(1)));
  await unary("/x.Y/Echo", Buffer.alloc(1));
  stream.close(constants.NGHTTP2_CANCEL);
  await told;
  assert.equal(handled.at(-1), "/x.Y/Never 1");
});

test("a connection that breaks cancels its calls", async () => {
  const other = connect(`http://127.0.0.1:${port}`);
  other.on("error", () => {});
  const told = new Promise<void>((resolve) => (cancelled = resolve));
  const stream = open(other, "/x.Y/Never");
  stream.on("error", () => {});
  stream.end(frame(Buffer.alloc(1)));
  const echo = open(other, "/x.Y/Echo");
  echo.end(frame(Buffer.alloc(1)));
  await answer(echo);
  other.destroy();
  await told;
});

test("a stream in both directions echoes and ends", async () => {
  const stream = open(session, "/x.Y/Bidi");
  const result = answer(stream);
  for (let i = 0; i < 50; i++) stream.write(frame(Buffer.alloc(20_000, i)));
  stream.end();
  const { code, messages } = await result;
  assert.equal(code, Status.ok);
  assert.deepEqual(
    messages.map((message) => message[0]),
    Array.from({ length: 50 }, (_, i) => i),
  );
});

test("a long server stream respects the windows and stays in order", async () => {
  const stream = open(session, "/x.Y/Count");
  stream.end(frame(Buffer.alloc(1)));
  const { code, messages } = await answer(stream);
  assert.equal(code, Status.ok);
  messages.forEach((message, i) => assert.equal(message.readUInt32BE(), i));
  assert.equal(messages.length, 400);
});

test("a stream may be refused before the client has said anything", async () => {
  const { code, message } = await answer(open(session, "/x.Y/Early"));
  assert.equal(code, Status.permissionDenied);
  assert.equal(message, "go away");
});

test("all of it is told to the observer", () => {
  assert.ok(handled.includes("/x.Y/Echo 0"));
  assert.ok(handled.includes("/x.Y/Early 7"));
  assert.ok(handled.includes("/x.Y/Never 4"));
  assert.ok(!handled.some((line) => line.startsWith("/x.Y/Nope")));
  assert.ok(server.receivedBytes > 1_000_000 && server.sentBytes > 3_000_000);
});

test("HTTP/1.1 on the same port goes to the host", async () => {
  assert.equal(await text(`http://127.0.0.1:${port}/version`), "plain /version");
});

test("HTTP/2 that is not gRPC goes to the host", async () => {
  const stream = session.request({ ":method": "POST", ":path": "/v3/kv/put" });
  stream.end("body");
  const chunks: Buffer[] = [];
  for await (const chunk of stream) chunks.push(chunk as Buffer);
  assert.equal(Buffer.concat(chunks).toString(), "POST /v3/kv/put body");
});

test("HTTP/2 that is not gRPC is answered 415 when the host does not want it", async () => {
  const strict = new GrpcServer();
  const address = await strict.listen(0, "127.0.0.1");
  const other = connect(`http://127.0.0.1:${address.port}`);
  const [headers] = (await once(other.request({ ":path": "/" }), "response")) as [
    Record<string, unknown>,
  ];
  assert.equal(headers[":status"], 415);
  other.close();
  await strict.close(1000);
});

test("TLS serves h2 and http/1.1 by ALPN, and knows a verified client certificate", async () => {
  const options = { key, cert, ca: cert, requestCert: true, rejectUnauthorized: false };
  const address = await server.listenTls(options, 0, "127.0.0.1");
  const url = `https://localhost:${address.port}`;
  const ask = async (identity: object): Promise<string> => {
    const other = connect(url, { ca: cert, ...identity });
    const stream = open(other, "/x.Y/Who");
    stream.end(frame(Buffer.alloc(1)));
    const { messages } = await answer(stream);
    const large = open(other, "/x.Y/Large");
    large.end(frame(Buffer.alloc(1)));
    assert.equal((await answer(large)).messages[0]!.length, 3_000_000);
    other.close();
    return String(messages[0]);
  };
  assert.equal(await ask({}), "nobody");
  assert.equal(await ask({ key, cert }), "localhost");
  assert.equal(await text(`${url}/health`), "plain /health");
});

function text(url: string): Promise<string> {
  return new Promise((resolve, reject) => {
    const from = url.startsWith("https:") ? secureGet : get;
    const request = from(url, { ca: cert, agent: false }, (response) => {
      let body = "";
      response.setEncoding("utf8");
      response.on("data", (chunk: string) => (body += chunk));
      response.on("end", () => resolve(body));
    });
    request.on("error", reject);
  });
}
