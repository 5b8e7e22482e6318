/**
 * The gRPC server: listening sockets, the routes, and what all calls share.
 *
 * One port serves every protocol a client may begin with: HTTP/2 with or without TLS is served here; HTTP/1.1 sockets
 * are handed to `onHttp1` and HTTP/2 requests that are not gRPC to `onHttpRequest`, where the host wants them.
 */

import { type AddressInfo, createServer, type Server, type Socket } from "node:net";
import {
  createServer as createTlsServer,
  type PeerCertificate,
  type Server as TlsServer,
  type TlsOptions,
  type TLSSocket,
} from "node:tls";
import { Http2Connection, type ConnectionHost } from "../http2/connection.ts";
import type { HeaderBlock } from "../http2/header-block.ts";
import { headersFrame } from "../http2/hpack-encoder.ts";
import { defaultLimits, type Http2Limits } from "../http2/limits.ts";
import { type HttpRequest, type PlainHost, PlainRequest } from "../http2/plain-request.ts";
import { defaultFrameBytes, defaultWindow, flag } from "../http2/protocol.ts";
import { sniff, type Sniffed } from "../http2/sniff.ts";
import type { Http2Stream, StreamOwner } from "../http2/stream.ts";
import { type EndOfTurn, Turn } from "../http2/turn.ts";
import { ProtobufError } from "../protobuf/error.ts";
import {
  type CallHost,
  type ClientSubject,
  type Route,
  ServerCall,
  type StreamHandler,
  type UnaryHandler,
} from "./call.ts";
import { Deadlines } from "./deadlines.ts";
import { type CallPlan, planCall } from "./plan.ts";
import type { StatusCode } from "./status.ts";
import { Status } from "./status.ts";

/** Told of every call to a known method; must be quick and must not throw. */
export interface CallObserver {
  onStarted(method: string): void;
  onHandled(method: string, code: StatusCode): void;
}

/** Options of {@link GrpcServer}; all have defaults. */
export interface GrpcServerOptions {
  /** Limits of each connection, over the defaults. */
  readonly limits?: Partial<Http2Limits>;
  /** Largest request message. Default 1.5 MiB + 512 KiB, like etcd. */
  readonly maxMessageBytes?: number;
  /** Memory for messages that have arrived in part, over all calls. Default 256 MiB. */
  readonly maxPartialBytes?: number;
  /** When to write what a turn of the event loop has produced. Default: in the check phase, by setImmediate. */
  readonly endOfTurn?: EndOfTurn;
  readonly observer?: CallObserver;
  /** Told what handlers throw, except malformed requests. */
  readonly onError?: (error: unknown) => void;
  /**
   * Gets connections that are not HTTP/2, with the bytes read so far. It must take the socket over before it returns,
   * such as by `socket.unshift(first); httpServer.emit("connection", socket)`; reading goes on right after. Without it
   * such connections are closed.
   */
  readonly onHttp1?: (socket: Socket, first: Buffer) => void;
  /** Gets each server that listens for TLS, before it does: to hear of handshakes that fail. */
  readonly onTlsServer?: (server: TlsServer) => void;
  /** Gets HTTP/2 requests that are not gRPC. Without it they are answered 415. */
  readonly onHttpRequest?: (request: HttpRequest) => void;
}

const keepAliveTickMs = 1_000;

/**
 * A gRPC server.
 *
 * @example
 * const server = new GrpcServer();
 * server.unary("/demo.Echo/Say", (call, message) => call.respond(message));
 * await server.listen(0, "127.0.0.1");
 */
export class GrpcServer implements CallHost, ConnectionHost, PlainHost, Sniffed {
  readonly limits: Http2Limits;
  readonly turn: Turn;
  readonly deadlines: Deadlines = new Deadlines();
  readonly maxMessageBytes: number;
  readonly maxPartialBytes: number;
  partialBytes = 0;
  /** Bytes of request messages received, without framing. */
  receivedBytes = 0;
  /** Bytes of response messages sent, without framing. */
  sentBytes = 0;
  private readonly options: GrpcServerOptions;
  private readonly observer: CallObserver | undefined;
  private readonly routes = new Map<string, Route>();
  private readonly services = new Set<string>();
  private readonly connections = new Set<Http2Connection>();
  /** Sockets that have not said what they speak. */
  private readonly handshaking = new Set<Socket>();
  /** Sockets handed to `onHttp1`. */
  private readonly others = new Set<Socket>();
  private readonly listeners: Server[] = [];
  private readonly subjects = new WeakMap<StreamOwner, ClientSubject | "none">();
  private keepAliveTimer: NodeJS.Timeout | undefined;
  private closing: Promise<void> | undefined;
  /** Called when the last connection has gone. */
  private onIdle: (() => void) | undefined;

  constructor(options: GrpcServerOptions = {}) {
    this.options = options;
    this.limits = checkLimits({ ...defaultLimits, ...options.limits });
    this.maxMessageBytes = options.maxMessageBytes ?? 2 << 20;
    this.maxPartialBytes = options.maxPartialBytes ?? 256 << 20;
    this.observer = options.observer;
    this.turn = new Turn(options.endOfTurn);
  }

  /**
   * Registers a method with one request and one response. `path` is `/package.Service/Method`. Methods are registered
   * before the first connection: a connection remembers which paths are unknown.
   */
  unary(path: string, handler: UnaryHandler): void {
    this.register({ path, unary: handler, stream: undefined });
  }

  /** Registers a method that streams in either direction or both. */
  stream(path: string, handler: StreamHandler): void {
    this.register({ path, unary: undefined, stream: handler });
  }

  /** Connections open. */
  get openConnections(): number {
    return this.connections.size;
  }

  /** Listens for plain TCP; resolves with the address. May be called for several ports. */
  listen(port: number, host?: string): Promise<AddressInfo> {
    const server = createServer({ noDelay: true }, (socket) => this.accept(socket));
    return this.open(server, port, host);
  }

  /** Listens for TLS; `options` as of node:tls, with `requestCert` and `ca` for client certificates. */
  listenTls(options: TlsOptions, port: number, host?: string): Promise<AddressInfo> {
    const server = createTlsServer({
      ALPNProtocols: ["h2", "http/1.1"],
      handshakeTimeout: this.limits.handshakeMs,
      ...options,
    });
    server.on("connection", (socket: Socket) => socket.setNoDelay(true));
    this.options.onTlsServer?.(server);
    server.on("secureConnection", (socket: TLSSocket) => this.accept(socket));
    return this.open(server, port, host);
  }

  /** The addresses listened on. */
  addresses(): AddressInfo[] {
    return this.listeners.map((server) => server.address() as AddressInfo);
  }

  /** Serves a socket accepted elsewhere, plain or with TLS done. */
  accept(socket: Socket): void {
    socket.on("error", ignoreSocketError);
    if (this.closing !== undefined) {
      socket.destroy();
      return;
    }
    if ((socket as Partial<TLSSocket>).alpnProtocol === "http/1.1") {
      this.onOther(socket, Buffer.alloc(0));
      return;
    }
    this.handshaking.add(socket);
    socket.once("close", () => this.handshaking.delete(socket));
    sniff(socket, this.limits.handshakeMs, this);
  }

  /**
   * Stops listening, asks the clients to go, and resolves when all have gone: running calls may end within `graceMs`,
   * then connections are cut, those handed to `onHttp1` too.
   */
  close(graceMs: number): Promise<void> {
    this.closing ??= this.shutDown(graceMs);
    return this.closing;
  }

  onHttp2(socket: Socket, chunk: Buffer, offset: number): void {
    this.handshaking.delete(socket);
    const connection = new Http2Connection(this, socket);
    this.connections.add(connection);
    this.watchOver();
    connection.onChunk(chunk, offset);
  }

  onOther(socket: Socket, first: Buffer): void {
    this.handshaking.delete(socket);
    if (this.options.onHttp1 === undefined) {
      socket.destroy();
      return;
    }
    this.others.add(socket);
    socket.once("close", () => this.others.delete(socket));
    socket.off("error", ignoreSocketError);
    this.options.onHttp1(socket, first);
    process.nextTick(() => socket.resume());
  }

  openStream(
    connection: Http2Connection,
    id: number,
    headers: HeaderBlock,
  ): Http2Stream | undefined {
    // The memo is only ever set here.
    const plan = (headers.memo ??= planCall(headers, this.routes, this.services)) as CallPlan;
    if (plan.route === undefined) return this.openOther(connection, id, headers, plan);
    const window = this.limits.streamWindow;
    const call = new ServerCall(this, plan.route, connection, id, window, headers);
    this.observer?.onStarted(plan.route.path);
    if (plan.code === Status.ok) call.begin(plan.timeoutMs);
    else call.finish(plan.code, plan.message);
    return call;
  }

  onConnectionClosed(connection: Http2Connection): void {
    this.connections.delete(connection);
    if (this.connections.size === 0) {
      clearInterval(this.keepAliveTimer);
      this.keepAliveTimer = undefined;
      this.onIdle?.();
    }
  }

  onHandled(route: Route, code: StatusCode): void {
    if (route !== nowhere) this.observer?.onHandled(route.path, code);
  }

  onError(error: unknown): void {
    this.options.onError?.(error);
  }

  onHttpRequest(request: HttpRequest): void {
    this.options.onHttpRequest?.(request);
  }

  onThrown(error: unknown): { readonly code: StatusCode; readonly message: string } {
    if (error instanceof ProtobufError) {
      const message = `grpc: error unmarshalling request: ${error.message}`;
      return { code: Status.internal, message };
    }
    this.onError(error);
    return { code: Status.internal, message: "internal error" };
  }

  subjectOf(owner: StreamOwner): ClientSubject | undefined {
    let subject = this.subjects.get(owner);
    if (subject === undefined) {
      subject = readSubject((owner as Http2Connection).socket as Partial<TLSSocket>);
      this.subjects.set(owner, subject);
    }
    return subject === "none" ? undefined : subject;
  }

  private register(route: Route): void {
    const match = /^\/([^/]+)\/[^/]+$/.exec(route.path);
    if (match === null) throw new TypeError(`"${route.path}" is not /package.Service/Method`);
    this.services.add(match[1]!);
    this.routes.set(route.path, route);
  }

  /** A request that no route takes: gRPC of an unknown method, or no gRPC at all. */
  private openOther(
    connection: Http2Connection,
    id: number,
    headers: HeaderBlock,
    plan: CallPlan,
  ): Http2Stream {
    const window = this.limits.streamWindow;
    if (plan.httpStatus === 0) {
      const call = new ServerCall(this, nowhere, connection, id, window, headers);
      call.finish(plan.code, plan.message);
      return call;
    }
    const stream = new PlainRequest(this, connection, id, window, headers);
    if (this.options.onHttpRequest === undefined) {
      const status = String(plan.httpStatus);
      connection.outbound.end(stream, headersFrame([[":status", status]], flag.endStream));
    }
    return stream;
  }

  private open(server: Server, port: number, host: string | undefined): Promise<AddressInfo> {
    return new Promise((resolve, reject) => {
      server.once("error", reject);
      server.listen(port, host, () => {
        server.off("error", reject);
        server.on("error", (error) => this.onError(error));
        this.listeners.push(server);
        resolve(server.address() as AddressInfo);
      });
    });
  }

  private async shutDown(graceMs: number): Promise<void> {
    const closed = this.listeners.map(
      (server) => new Promise<void>((resolve) => server.close(() => resolve())),
    );
    for (const socket of this.handshaking) socket.destroy();
    const cut = setTimeout(() => this.cut(), graceMs);
    const idle = new Promise<void>((resolve) => {
      this.onIdle = resolve;
      if (this.connections.size === 0) resolve();
    });
    for (const connection of this.connections) connection.shutdown();
    await idle;
    await Promise.all(closed);
    clearTimeout(cut);
    this.deadlines.stop();
  }

  private cut(): void {
    for (const connection of this.connections) {
      connection.cut("server is stopping");
    }
    for (const socket of this.others) socket.destroy();
  }

  private watchOver(): void {
    const { keepaliveMs, keepaliveTimeoutMs } = this.limits;
    if (keepaliveMs === 0 || this.keepAliveTimer !== undefined) return;
    const tick = Math.min(keepAliveTickMs, keepaliveMs / 2, keepaliveTimeoutMs / 2);
    this.keepAliveTimer = setInterval(() => {
      const now = performance.now();
      for (const connection of this.connections) connection.keepAlive(now);
    }, tick);
    this.keepAliveTimer.unref();
  }
}

/** The route of calls to unknown methods, which are answered at once. */
const nowhere: Route = { path: "", unary: undefined, stream: undefined };

/** The socket's own "close" follows, and that is all we need to know. */
function ignoreSocketError(): void {}

function checkLimits(limits: Http2Limits): Http2Limits {
  if (limits.streamWindow < defaultWindow || limits.connectionWindow < defaultWindow) {
    throw new RangeError(`windows smaller than ${defaultWindow} cannot be announced in time`);
  }
  if (limits.maxFrameBytes < defaultFrameBytes || limits.maxFrameBytes > 0xffffff) {
    throw new RangeError("maxFrameBytes is out of the range of RFC 9113 §6.5.2");
  }
  return limits;
}

function readSubject(socket: Partial<TLSSocket>): ClientSubject | "none" {
  if (socket.authorized !== true || socket.getPeerCertificate === undefined) return "none";
  // Without a certificate node gives an empty object, whatever its types say.
  const certificate: Partial<PeerCertificate> = socket.getPeerCertificate();
  if (certificate.subject === undefined) return "none";
  const attributes: Record<string, string | readonly string[]> = { ...certificate.subject };
  const name = attributes["CN"] ?? "";
  return { commonName: typeof name === "string" ? name : (name[0] ?? ""), attributes };
}
