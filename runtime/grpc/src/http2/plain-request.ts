/**
 * An HTTP/2 request that is not gRPC, such as `curl https://host/health` after ALPN has chosen h2.
 *
 * The body is gathered, within a limit, before the handler sees the request; the response may be streamed.
 */

import type { HeaderBlock } from "./header-block.ts";
import { encodeHeaders, type HeaderPair } from "./hpack-encoder.ts";
import { flag, frameType } from "./protocol.ts";
import { Http2Stream, type StreamOwner } from "./stream.ts";

/** A plain HTTP request and its response. */
export interface HttpRequest {
  readonly method: string;
  /** The path with its query. */
  readonly path: string;
  readonly authority: string;
  readonly peer: string;
  /** The whole body. */
  readonly body: Buffer;
  /** Whether the client has gone away. */
  readonly closed: boolean;
  /** Called once if the client resets the request or its connection ends before the response has. */
  onCancel: (() => void) | undefined;
  /** Called when everything written has left the queue after some of it had to wait. */
  onDrain: (() => void) | undefined;
  /** The first value of a header, by its lower-case name. */
  header(name: string): string | undefined;
  /** Sends the response headers: lower-case names, printable values. Once. */
  start(status: number, headers: readonly HeaderPair[]): void;
  /** Sends a piece of the response body, after {@link HttpRequest.start}; the bytes must not change afterwards. */
  write(bytes: Buffer): void;
  /** Ends the response. */
  end(): void;
  /** Bytes written that wait for the client's window. */
  writableBytes(): number;
}

/** What a plain request needs of its server. */
export interface PlainHost {
  /** The largest body. */
  readonly maxMessageBytes: number;
  onHttpRequest(request: HttpRequest): void;
  onError(error: unknown): void;
}

const emptyData: Buffer = Buffer.from([0, 0, 0, frameType.data, flag.endStream, 0, 0, 0, 0]);

/** The stream of such a request. */
export class PlainRequest extends Http2Stream implements HttpRequest {
  readonly method: string;
  readonly path: string;
  readonly authority: string;
  body: Buffer = Buffer.alloc(0);
  onCancel: (() => void) | undefined = undefined;
  onDrain: (() => void) | undefined = undefined;
  private readonly headers: HeaderBlock;
  private readonly host: PlainHost;
  private pieces: Buffer[] = [];
  private bodyBytes = 0;
  private started = false;
  private finished = false;

  constructor(
    host: PlainHost,
    owner: StreamOwner,
    id: number,
    window: number,
    headers: HeaderBlock,
  ) {
    super(owner, id, window, headers.contentLength);
    this.headers = headers;
    this.method = headers.method;
    this.path = headers.path;
    this.authority = headers.authority;
    this.host = host;
  }

  get peer(): string {
    return this.owner.peer;
  }

  header(name: string): string | undefined {
    return this.headers.get(name);
  }

  writableBytes(): number {
    return this.queuedBytes;
  }

  start(status: number, headers: readonly HeaderPair[]): void {
    if (this.closed || this.started) return;
    this.started = true;
    const block = encodeHeaders([[":status", String(status)], ...headers]);
    this.owner.outbound.headers(this.id, block, false);
  }

  write(bytes: Buffer): void {
    if (this.closed || this.finished || !this.started) return;
    this.owner.outbound.bytes(this, bytes);
  }

  end(): void {
    if (this.closed || this.finished) return;
    if (!this.started) this.start(200, []);
    this.finished = true;
    this.owner.outbound.end(this, emptyData);
  }

  onData(chunk: Buffer, start: number, end: number): void {
    this.bodyBytes += end - start;
    if (this.bodyBytes > this.host.maxMessageBytes) {
      this.pieces = [];
      if (!this.finished) this.start(413, []);
      this.end();
      return;
    }
    this.pieces.push(Buffer.from(chunk.subarray(start, end)));
  }

  onEnd(): void {
    if (this.finished) return;
    this.body = Buffer.concat(this.pieces);
    this.pieces = [];
    try {
      this.host.onHttpRequest(this);
    } catch (error) {
      this.host.onError(error);
      this.start(500, []);
      this.end();
    }
  }

  onReset(_code: number): void {
    this.pieces = [];
    if (this.finished) return;
    this.finished = true;
    this.tell(this.onCancel);
  }

  onWritable(): void {
    this.tell(this.onDrain);
  }

  private tell(callback: (() => void) | undefined): void {
    try {
      callback?.();
    } catch (error) {
      this.host.onError(error);
    }
  }
}
