/**
 * One stream of an HTTP/2 connection (RFC 9113 §5.1): its two halves, its windows and what it waits to send.
 *
 * The layer above extends it, so that a call and its stream are one object. A stream opens with its request headers;
 * idle and reserved streams do not exist here. It is closed when both halves are, or when either side resets it; the
 * server may end its half first, which also tells the client, by RST_STREAM NO_ERROR, to stop sending (§8.1).
 */

import type { Outbound, SendingStream } from "./outbound.ts";
import { frameType, Http2Code } from "./protocol.ts";

/** What a stream needs of its connection. */
export interface StreamOwner {
  readonly outbound: Outbound;
  /** The remote address, `host:port`. */
  readonly peer: string;
  /** Takes the stream off the list of open ones. */
  onStreamClosed(stream: Http2Stream): void;
}

/** A stream opened by the client; the subclass says what its events mean. */
export abstract class Http2Stream implements SendingStream {
  readonly owner: StreamOwner;
  readonly id: number;
  sendWindow: number;
  queue: Buffer[] | undefined = undefined;
  queuedBytes = 0;
  inLine = false;
  trailers: Uint8Array | undefined = undefined;
  /** What the client may still send before we widen its window. */
  receiveWindow: number;
  /** Bytes received since the window was last widened. */
  unacknowledged = 0;
  /** While set, the stream's window is not widened. */
  held = false;
  /** Body bytes still to come if content-length was declared, else -1. */
  expectedBytes: number;
  /** The client has sent END_STREAM. */
  remoteClosed = false;
  /** We have sent END_STREAM, or queued it. */
  localClosed = false;
  /** Nothing is sent or heard any more. */
  closed = false;

  constructor(owner: StreamOwner, id: number, receiveWindow: number, expectedBytes: number) {
    this.owner = owner;
    this.id = id;
    this.sendWindow = owner.outbound.initialWindow;
    this.receiveWindow = receiveWindow;
    this.expectedBytes = expectedBytes;
  }

  /** A piece of the body: `chunk[start, end)`, which is not overwritten later. */
  abstract onData(chunk: Buffer, start: number, end: number): void;
  /** The client has ended its half. */
  abstract onEnd(): void;
  /** The client has reset the stream, or the connection is gone; the stream is closed. */
  abstract onReset(code: number): void;
  /** All that was queued has been sent, and the stream has not ended. */
  abstract onWritable(): void;

  /** END_STREAM is on its way. */
  onSent(): void {
    this.localClosed = true;
    if (!this.remoteClosed && !this.closed) {
      this.owner.outbound.number(frameType.rstStream, this.id, Http2Code.noError);
    }
    this.close();
  }

  /** Ends the stream abruptly; what it has queued is dropped. */
  reset(code: number): void {
    if (this.closed) return;
    this.owner.outbound.number(frameType.rstStream, this.id, code);
    this.close();
  }

  /** Closes the stream without a word. */
  close(): void {
    if (this.closed) return;
    this.closed = true;
    this.localClosed = true;
    if (this.queuedBytes > 0) this.owner.outbound.forget(this);
    this.owner.onStreamClosed(this);
  }

  /** Stops widening the client's window: it may send what the window still holds, then has to wait. */
  hold(): void {
    this.held = true;
  }

  /** Undoes {@link Http2Stream.hold}. */
  release(): void {
    this.held = false;
    if (this.closed || this.remoteClosed || this.unacknowledged === 0) return;
    this.owner.outbound.number(frameType.windowUpdate, this.id, this.unacknowledged);
    this.receiveWindow += this.unacknowledged;
    this.unacknowledged = 0;
  }
}
