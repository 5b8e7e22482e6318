/**
 * A gRPC call, which is also its HTTP/2 stream (gRPC over HTTP/2, "Requests" and "Responses").
 *
 * The common call is unary: one message that lies whole in one DATA frame, answered at once. For it the path from the
 * chunk to the handler and from the handler to the output buffer makes no object but the call itself and the view of
 * the message. Everything else, messages in pieces, streams, deadlines, takes the same road with more steps.
 */

import { Http2Code } from "../http2/protocol.ts";
import { Http2Stream, type StreamOwner } from "../http2/stream.ts";
import type { HeaderBlock } from "../http2/header-block.ts";
import type { Deadlines, Timed } from "./deadlines.ts";
import { PartialMessage } from "./partial-message.ts";
import { okTrailers, responseHead, Status, type StatusCode, statusFrame } from "./status.ts";

/** Receives the messages of a streaming call. */
export interface CallHandler {
  /** A request message. It is the handler's and never overwritten, but may be a view of a larger chunk. */
  onMessage(message: Buffer): void;
  /** The client will send no more. */
  onEnd(): void;
}

/**
 * Handles a unary call: called once, when the whole request has arrived. Answers with {@link ServerCall.respond} or
 * {@link ServerCall.finish}, at once or later. The message is the handler's and is never overwritten, but it may be a
 * view of a read chunk of up to 64 KiB, which it keeps in memory: copy what is kept for long.
 */
export type UnaryHandler = (call: ServerCall, message: Buffer) => void;

/** Opens a streaming call, when its headers have arrived. */
export type StreamHandler = (call: ServerCall) => CallHandler;

/** A registered method. */
export interface Route {
  /** `/package.Service/Method`. */
  readonly path: string;
  readonly unary: UnaryHandler | undefined;
  readonly stream: StreamHandler | undefined;
}

/** What a call needs of its server. */
export interface CallHost {
  readonly maxMessageBytes: number;
  /** Bytes that messages in pieces may hold, over all calls. */
  readonly maxPartialBytes: number;
  readonly deadlines: Deadlines;
  /** Bytes held by messages that have not arrived completely. */
  partialBytes: number;
  /** Message bytes, without any framing. */
  receivedBytes: number;
  sentBytes: number;
  onHandled(route: Route, code: StatusCode): void;
  /** A handler threw; returns the status to answer with. */
  onThrown(error: unknown): { readonly code: StatusCode; readonly message: string };
  /** The subject of the connection's verified client certificate. */
  subjectOf(owner: StreamOwner): ClientSubject | undefined;
}

/** The subject of a client certificate that the server has verified. */
export interface ClientSubject {
  readonly commonName: string;
  /** All its attributes by their short names, such as `O`. */
  readonly attributes: Readonly<Record<string, string | readonly string[]>>;
}

/** One call. */
export class ServerCall extends Http2Stream implements Timed {
  readonly route: Route;
  /** Called once when the client cancels, its connection breaks or the deadline passes; not after the call has ended. */
  onCancel: (() => void) | undefined = undefined;
  /** Called when everything sent has left the call's queue after some of it had to wait. */
  onDrain: (() => void) | undefined = undefined;
  /** Whether the call ended before it was answered: nothing more can be sent. */
  cancelled = false;
  deadlineAt: number = Number.POSITIVE_INFINITY;
  earlier: Timed | undefined = undefined;
  later: Timed | undefined = undefined;
  slot = -1;
  private readonly host: CallHost;
  private readonly headers: HeaderBlock;
  private handler: CallHandler | undefined = undefined;
  /** The message of a unary call whose client has not ended its half yet. */
  private request: Buffer | undefined = undefined;
  private partial: PartialMessage | undefined = undefined;
  private headersSent = false;
  /** The status is decided. */
  private ended = false;

  constructor(
    host: CallHost,
    route: Route,
    owner: StreamOwner,
    id: number,
    window: number,
    headers: HeaderBlock,
  ) {
    super(owner, id, window, headers.contentLength);
    this.host = host;
    this.route = route;
    this.headers = headers;
  }

  /** The first value of a request header, by its lower-case name, one character a byte; `-bin` ones still in base64. */
  metadata(name: string): string | undefined {
    return this.headers.get(name);
  }

  /** The client's address, `host:port`. */
  get peer(): string {
    return this.owner.peer;
  }

  /** The subject of the client's certificate, if it sent one and the server verified it. */
  clientSubject(): ClientSubject | undefined {
    return this.host.subjectOf(this.owner);
  }

  /** Whether the call is over for the handler: answered or cancelled. */
  get done(): boolean {
    return this.ended;
  }

  /** Bytes sent that wait for the client's window. A stream should not send more while this is large. */
  writableBytes(): number {
    return this.queuedBytes;
  }

  /** Sends the response headers now; otherwise they go with the first message. */
  sendHeaders(): void {
    if (this.headersSent || this.ended) return;
    this.headersSent = true;
    this.owner.outbound.headersFrame(this, responseHead);
  }

  /** Sends a message, `bytes[start, end)`, which is copied before this returns. Ignored after the call has ended. */
  send(bytes: Uint8Array, start: number = 0, end: number = bytes.length): void {
    if (this.ended) return;
    this.sendHeaders();
    this.host.sentBytes += end - start;
    this.owner.outbound.message(this, bytes, start, end);
  }

  /** Answers a unary call with `bytes[start, end)` and status OK. Ignored after the call has ended. */
  respond(bytes: Uint8Array, start: number = 0, end: number = bytes.length): void {
    if (this.ended) return;
    if (!this.headersSent) {
      const outbound = this.owner.outbound;
      if (outbound.unary(this, responseHead, bytes, start, end, okTrailers)) {
        this.host.sentBytes += end - start;
        this.settle(Status.ok);
        return;
      }
    }
    this.send(bytes, start, end);
    this.finish(Status.ok);
  }

  /** Ends the call with a status. Ignored after the call has ended. */
  finish(code: StatusCode, message: string = ""): void {
    if (this.ended) return;
    this.settle(code);
    const plain = this.headersSent && code === Status.ok && message === "";
    const trailers = plain ? okTrailers : statusFrame(code, message, !this.headersSent);
    this.owner.outbound.end(this, trailers);
  }

  /** Starts a streaming call, and the clock of any call with a deadline. */
  begin(timeoutMs: number): void {
    if (timeoutMs < Number.POSITIVE_INFINITY) this.host.deadlines.add(this, timeoutMs);
    if (this.route.stream === undefined) return;
    try {
      this.handler = this.route.stream(this);
    } catch (error) {
      this.onThrown(error);
    }
  }

  onData(chunk: Buffer, start: number, end: number): void {
    let at = start;
    while (at < end && !this.ended) {
      if (this.partial === undefined && end - at >= 5) {
        const length = chunk.readUInt32BE(at + 1);
        if (!this.accepts(chunk[at]!, length)) return;
        const to = at + 5 + length;
        if (to <= end) {
          this.onMessage(chunk.subarray(at + 5, to));
          at = to;
          continue;
        }
      }
      at = this.gather(chunk, at, end);
    }
  }

  onEnd(): void {
    if (this.ended) return;
    if (this.partial !== undefined) {
      this.finish(Status.internal, "grpc: the request ended within a message");
      return;
    }
    try {
      if (this.route.unary === undefined) {
        this.handler?.onEnd();
        return;
      }
      const request = this.request;
      this.request = undefined;
      if (request !== undefined) this.route.unary(this, request);
      else this.finish(Status.internal, "grpc: the request has no message");
    } catch (error) {
      this.onThrown(error);
    }
  }

  onReset(_code: number): void {
    if (this.ended) return;
    this.cancelled = true;
    this.settle(Status.cancelled);
    this.tellCancelled();
  }

  onWritable(): void {
    if (this.onDrain === undefined || this.ended) return;
    try {
      this.onDrain();
    } catch (error) {
      this.onThrown(error);
    }
  }

  onDeadline(): void {
    if (this.ended) return;
    this.cancelled = true;
    // A client that does not read cannot be told: its stream is cut.
    if (this.queuedBytes > 0) {
      this.settle(Status.deadlineExceeded);
      this.reset(Http2Code.cancel);
    } else {
      this.finish(Status.deadlineExceeded, "context deadline exceeded");
    }
    this.tellCancelled();
  }

  override close(): void {
    this.dropPartial();
    super.close();
  }

  private onMessage(message: Buffer): void {
    this.host.receivedBytes += message.length;
    if (this.route.unary !== undefined) {
      if (this.request === undefined) this.request = message;
      else this.finish(Status.internal, "grpc: the request has more than one message");
      return;
    }
    try {
      this.handler?.onMessage(message);
    } catch (error) {
      this.onThrown(error);
    }
  }

  /** Adds to the message in pieces; returns where the chunk goes on. */
  private gather(chunk: Buffer, start: number, end: number): number {
    const partial = (this.partial ??= new PartialMessage());
    const prefixed = partial.length >= 0;
    const held = prefixed ? partial.heldBytes : 0;
    const at = partial.push(chunk, start, end);
    if (partial.length < 0) return at;
    this.host.partialBytes += partial.heldBytes - held;
    if (!prefixed && !this.accepts(partial.compressed, partial.length)) return end;
    if (this.host.partialBytes > this.host.maxPartialBytes) {
      this.finish(Status.resourceExhausted, "grpc: too many large requests at once");
      return end;
    }
    const message = partial.message;
    if (message !== undefined) {
      this.dropPartial();
      this.onMessage(message);
    }
    return at;
  }

  private accepts(compressed: number, length: number): boolean {
    const limit = this.host.maxMessageBytes;
    if (length > limit) {
      this.finish(
        Status.resourceExhausted,
        `grpc: received message larger than max (${length} vs. ${limit})`,
      );
      return false;
    }
    if (compressed === 0) return true;
    this.finish(
      Status.internal,
      compressed === 1
        ? "grpc: compressed flag set with identity or empty encoding"
        : `grpc: received unexpected payload format ${compressed}`,
    );
    return false;
  }

  private settle(code: StatusCode): void {
    this.ended = true;
    this.host.deadlines.remove(this);
    this.host.onHandled(this.route, code);
  }

  private dropPartial(): void {
    if (this.partial === undefined) return;
    if (this.partial.length >= 0) this.host.partialBytes -= this.partial.heldBytes;
    this.partial = undefined;
  }

  private tellCancelled(): void {
    try {
      this.onCancel?.();
    } catch (error) {
      this.host.onThrown(error);
    }
  }

  private onThrown(error: unknown): void {
    const { code, message } = this.host.onThrown(error);
    this.finish(code, message);
  }
}
