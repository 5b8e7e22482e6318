/**
 * A load generator for gRPC servers: keeps a number of unary calls in flight
 * over a few HTTP/2 connections, and measures each. As cheap as it can be, so
 * that on a small machine the servers are what is measured: requests are
 * encoded once, responses are recognised by their frames alone.
 */

import net, { type Socket } from "node:net";

export interface LoadOptions {
  readonly host: string;
  readonly port: number;
  /** `/package.Service/Method`. */
  readonly path: string;
  /** The request message, as protobuf bytes. */
  readonly request: Uint8Array;
  /** Calls in flight. */
  readonly clients: number;
  readonly durationMs: number;
  /** Ends the load with the first call that succeeds. */
  readonly until?: "success";
}

export interface LoadResult {
  readonly calls: number;
  readonly errors: number;
  readonly seconds: number;
  /** Milliseconds, in no order. */
  readonly latencies: Float64Array;
}

const STREAMS_PER_CONNECTION = 32;
const MAX_SAMPLES = 1_000_000;
const PREFACE = Buffer.from("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n");
const DATA = 0;
const HEADERS = 1;
const RST_STREAM = 3;
const SETTINGS = 4;
const PING = 6;
const GOAWAY = 7;
const WINDOW_UPDATE = 8;

/** Runs one load to its end. */
export async function runLoad(options: LoadOptions): Promise<LoadResult> {
  const run = new Run(options);
  const count = Math.ceil(options.clients / STREAMS_PER_CONNECTION);
  const connections: Connection[] = [];
  for (let i = 0; i < count; i++) {
    const streams = Math.min(STREAMS_PER_CONNECTION, options.clients - i * STREAMS_PER_CONNECTION);
    connections.push(await Connection.open(options, streams, run));
  }
  run.begin();
  for (const connection of connections) connection.start();
  await run.finished(options);
  run.ended = true;
  const seconds = (performance.now() - run.startedAt) / 1000;
  for (const connection of connections) connection.close();
  const latencies = run.samples.subarray(0, Math.min(run.calls, MAX_SAMPLES));
  return { calls: run.calls, errors: run.errors, seconds, latencies };
}

/** What all connections of a load count together. */
class Run {
  calls = 0;
  errors = 0;
  ended = false;
  startedAt = 0;
  readonly samples: Float64Array = new Float64Array(MAX_SAMPLES);
  readonly headers: Buffer;
  readonly data: Buffer;
  private onSuccess: (() => void) | undefined;

  constructor({ path, request, host, port }: LoadOptions) {
    this.headers = headerBlock(path, `${host}:${port}`);
    this.data = Buffer.alloc(5 + request.length);
    this.data.writeUInt32BE(request.length, 1);
    this.data.set(request, 5);
  }

  begin(): void {
    this.startedAt = performance.now();
  }

  finished({ durationMs, until }: LoadOptions): Promise<void> {
    return new Promise((resolve) => {
      setTimeout(resolve, durationMs);
      if (until === "success") this.onSuccess = resolve;
    });
  }

  done(latencyMs: number, ok: boolean): void {
    if (this.ended) return;
    if (this.calls < MAX_SAMPLES) this.samples[this.calls] = latencyMs;
    this.calls++;
    if (ok) this.onSuccess?.();
    else this.errors++;
  }
}

class Connection {
  private readonly socket: Socket;
  private readonly run: Run;
  private readonly streams: number;
  private nextStream = 1;
  /** When each open stream began, and whether a message came on it. */
  private readonly open = new Map<number, { at: number; answered: boolean }>();
  private rest: Buffer = Buffer.alloc(0);
  private out: Buffer[] = [];
  private flushing = false;

  static async open(options: LoadOptions, streams: number, run: Run): Promise<Connection> {
    const socket = net.connect(options.port, options.host);
    socket.setNoDelay(true);
    await new Promise<void>((resolve, reject) => {
      socket.once("connect", resolve).once("error", reject);
    });
    return new Connection(socket, streams, run);
  }

  private constructor(socket: Socket, streams: number, run: Run) {
    this.socket = socket;
    this.streams = streams;
    this.run = run;
    socket.on("error", () => socket.destroy());
    socket.on("data", (chunk: Buffer) => this.read(chunk));
    const window = Buffer.alloc(4);
    window.writeUInt32BE(0x7fff_ffff - 0xffff);
    socket.write(Buffer.concat([PREFACE, frame(SETTINGS, 0, 0), frame(WINDOW_UPDATE, 0, 0, window)]));
  }

  start(): void {
    for (let i = 0; i < this.streams; i++) this.call();
  }

  close(): void {
    this.socket.destroy();
  }

  private call(): void {
    const id = this.nextStream;
    this.nextStream += 2;
    this.open.set(id, { at: performance.now(), answered: false });
    this.out.push(frame(HEADERS, 4, id, this.run.headers), frame(DATA, 1, id, this.run.data));
    this.flushSoon();
  }

  private flushSoon(): void {
    if (this.flushing) return;
    this.flushing = true;
    setImmediate(() => {
      this.flushing = false;
      this.socket.write(Buffer.concat(this.out));
      this.out = [];
    });
  }

  private read(chunk: Buffer): void {
    const bytes = this.rest.length === 0 ? chunk : Buffer.concat([this.rest, chunk]);
    let at = 0;
    while (bytes.length - at >= 9) {
      const length = bytes.readUIntBE(at, 3);
      if (bytes.length - at < 9 + length) break;
      const stream = bytes.readUInt32BE(at + 5) & 0x7fff_ffff;
      this.onFrame(bytes[at + 3]!, bytes[at + 4]!, stream, bytes.subarray(at + 9, at + 9 + length));
      at += 9 + length;
    }
    this.rest = bytes.subarray(at);
  }

  private onFrame(type: number, flags: number, id: number, body: Buffer): void {
    if (type === SETTINGS && (flags & 1) === 0) this.out.push(frame(SETTINGS, 1, 0));
    if (type === PING && (flags & 1) === 0) this.out.push(frame(PING, 1, 0, body));
    if (type === GOAWAY) this.socket.destroy();
    if (type <= HEADERS || type === RST_STREAM) this.onStream(type, flags, id, body);
    if (this.out.length > 0) this.flushSoon();
  }

  private onStream(type: number, flags: number, id: number, body: Buffer): void {
    const stream = this.open.get(id);
    if (stream === undefined) return;
    // Only successful calls carry a message; errors are trailers alone.
    if (type === DATA && body.length >= 5) stream.answered = true;
    if (type !== RST_STREAM && (flags & 1) === 0) return;
    this.open.delete(id);
    this.run.done(performance.now() - stream.at, stream.answered);
    if (!this.run.ended) this.call();
  }
}

function frame(type: number, flags: number, stream: number, body: Buffer = Buffer.alloc(0)): Buffer {
  const bytes = Buffer.alloc(9 + body.length);
  bytes.writeUIntBE(body.length, 0, 3);
  bytes[3] = type;
  bytes[4] = flags;
  bytes.writeUInt32BE(stream, 5);
  bytes.set(body, 9);
  return bytes;
}

/** Literal header fields without indexing: longer than need be, and the same for every server. */
function headerBlock(path: string, authority: string): Buffer {
  const literal = (name: string, value: string): Buffer =>
    Buffer.concat([Buffer.from([0, name.length]), Buffer.from(name), text(value)]);
  return Buffer.concat([
    Buffer.from([0x83, 0x86]),
    literal(":path", path),
    literal(":authority", authority),
    literal("content-type", "application/grpc"),
    literal("te", "trailers"),
  ]);
}

function text(value: string): Buffer {
  return Buffer.concat([Buffer.from([value.length]), Buffer.from(value)]);
}
