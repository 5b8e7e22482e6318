/**
 * The receiving half of an HTTP/2 server connection (RFC 9113): what each frame does, the streams that are open, and
 * the life of the connection from its first SETTINGS to its last GOAWAY.
 *
 * Frames are handled where they lie in the chunk that was read. Faults of the connection are thrown as ConnectionError
 * and end in GOAWAY; faults of a stream end in RST_STREAM, and cost the peer some of an allowance, so that neither rapid
 * resets nor floods of empty frames are free. Priorities are read over, as RFC 9113 §5.3 permits; there is no push.
 */

import type { Socket } from "node:net";
import type { HeaderBlock } from "./header-block.ts";
import { HpackDecoder } from "./hpack-decoder.ts";
import { FrameReader, type FrameSink } from "./frame-reader.ts";
import { HeaderFragments } from "./header-fragments.ts";
import { PingPolicy, Silence } from "./keepalive.ts";
import { type Http2Limits, Rations } from "./limits.ts";
import { Outbound } from "./outbound.ts";
import {
  ConnectionError,
  defaultWindow,
  flag,
  frameType,
  Http2Code,
  maxWindow,
  protocolError,
  sizeError,
} from "./protocol.ts";
import { ReceiveWindow } from "./receive-window.ts";
import { applySettings, encodeSettings } from "./settings.ts";
import type { Http2Stream, StreamOwner } from "./stream.ts";
import type { Turn } from "./turn.ts";

/** What a connection tells the server it belongs to. */
export interface ConnectionHost {
  readonly limits: Http2Limits;
  readonly turn: Turn;
  /** A request has arrived whose headers are in order. Undefined refuses it. */
  openStream(
    connection: Http2Connection,
    id: number,
    headers: HeaderBlock,
  ): Http2Stream | undefined;
  /** The socket is closed. */
  onConnectionClosed(connection: Http2Connection): void;
  /** Something threw that must not. */
  onError(error: unknown): void;
}

const headerTableBytes = 4096;
const rememberedResets = 64;
/** How long a peer may take to read our last words, after a failure and after a shutdown. */
const failureLingerMs = 1_000;
const shutdownLingerMs = 30_000;
/** The payloads of our PINGs, by which the answers are told apart. */
const keepalivePing: Buffer = Buffer.from("keepaliv");
const shutdownPing: Buffer = Buffer.from("shutdown");

/** One client, after its preface. Reads from the socket as soon as it is made. */
export class Http2Connection implements FrameSink, StreamOwner {
  readonly outbound: Outbound;
  readonly socket: Socket;
  readonly peer: string;
  /** False after the connection has failed or been closed. */
  reading = true;
  private readonly host: ConnectionHost;
  private readonly limits: Http2Limits;
  private readonly reader: FrameReader;
  private readonly hpack: HpackDecoder;
  private readonly streams = new Map<number, Http2Stream>();
  /** The highest stream the client has opened. */
  private lastId = 0;
  /** The first frame must be SETTINGS. */
  private settled = false;
  /** A header block that goes on in CONTINUATION. */
  private readonly fragments: HeaderFragments;
  private readonly window: ReceiveWindow;
  private readonly rations: Rations;
  private readonly pings: PingPolicy;
  /** Streams we have reset lately: frames for them may still be on their way. */
  private readonly recentResets: number[] = [];
  private readonly silence: Silence;
  /** "announced": a GOAWAY with no limit is out; "final": streams above `lastId` are ignored. */
  private shutdownState: "no" | "announced" | "final" = "no";
  private paused = false;
  private lingering: NodeJS.Timeout | undefined;
  /** Bytes read in the life of the connection. */
  totalBytes = 0;

  constructor(host: ConnectionHost, socket: Socket) {
    this.host = host;
    this.socket = socket;
    this.limits = host.limits;
    this.peer = `${socket.remoteAddress ?? "unknown"}:${socket.remotePort ?? 0}`;
    this.outbound = new Outbound(socket, host.turn, host.limits.transportBytes, () =>
      this.onRoom(),
    );
    this.reader = new FrameReader(this, host.limits.maxFrameBytes);
    this.hpack = new HpackDecoder(headerTableBytes, host.limits.headerListBytes);
    this.rations = new Rations(host.limits);
    this.pings = new PingPolicy(host.limits);
    this.silence = new Silence(host.limits);
    this.fragments = new HeaderFragments(host.limits.headerListBytes);
    this.window = new ReceiveWindow(host.limits.connectionWindow);
    socket.on("data", (chunk: Buffer) => this.onChunk(chunk, 0));
    socket.on("close", () => this.onClosed());
    this.outbound.frame(frameType.settings, 0, 0, encodeSettings(host.limits));
    const extra = host.limits.connectionWindow - defaultWindow;
    if (extra > 0) this.outbound.number(frameType.windowUpdate, 0, extra);
  }

  /** Streams that are open. */
  get openStreams(): number {
    return this.streams.size;
  }

  /** Reads `chunk` from `offset` on. */
  onChunk(chunk: Buffer, offset: number): void {
    if (!this.reading) return;
    this.totalBytes += chunk.length - offset;
    this.silence.heard();
    try {
      this.reader.push(chunk, offset);
    } catch (error) {
      if (error instanceof ConnectionError) {
        this.fail(error.code, error.message);
      } else {
        this.host.onError(error);
        this.fail(Http2Code.internalError, "internal error");
      }
    }
    if (this.outbound.transportBytes >= this.limits.transportBytes && !this.paused) {
      this.paused = true;
      this.socket.pause();
    }
  }

  /** Asks the client to open no more streams, and closes once those open have ended. */
  shutdown(): void {
    if (this.shutdownState !== "no" || !this.reading) return;
    this.shutdownState = "announced";
    this.goaway(0x7fffffff, Http2Code.noError, "");
    this.outbound.frame(frameType.ping, 0, 0, shutdownPing);
  }

  /** Closes with a GOAWAY; open streams are told that they are cut off. */
  fail(code: number, reason: string): void {
    if (!this.reading) return;
    this.reading = false;
    this.goaway(this.lastId, code, reason);
    this.dropStreams(code);
    this.finish(failureLingerMs);
  }

  /** Closes now, whatever is running. */
  cut(reason: string): void {
    if (this.reading) this.fail(Http2Code.noError, reason);
    else this.socket.destroy();
  }

  /** Looks after silent peers; called now and then with the time. */
  keepAlive(now: number): void {
    if (!this.reading) return;
    const verdict = this.silence.verdict(now);
    if (verdict === "give up") this.socket.destroy();
    else if (verdict === "ping") this.outbound.frame(frameType.ping, 0, 0, keepalivePing);
  }

  onStreamClosed(stream: Http2Stream): void {
    this.streams.delete(stream.id);
    if (!stream.remoteClosed) {
      if (this.recentResets.push(stream.id) > rememberedResets) this.recentResets.shift();
    }
    if (this.shutdownState === "final" && this.streams.size === 0 && this.reading) this.leave();
  }

  onFrame(
    type: number,
    flags: number,
    id: number,
    chunk: Buffer,
    start: number,
    end: number,
  ): void {
    if (this.fragments.id !== 0) {
      if (type !== frameType.continuation || id !== this.fragments.id) {
        throw protocolError("a header block was interrupted");
      }
    } else if (!this.settled && (type !== frameType.settings || (flags & flag.ack) !== 0)) {
      throw protocolError("the first frame is not SETTINGS");
    }
    switch (type) {
      case frameType.data:
        return this.onData(flags, id, chunk, start, end);
      case frameType.headers:
        return this.onHeaders(flags, id, chunk, start, end);
      case frameType.continuation:
        return this.onContinuation(flags, chunk, start, end);
      case frameType.windowUpdate:
        return this.onWindowUpdate(id, chunk, start, end);
      case frameType.rstStream:
        return this.onRstStream(id, chunk, start, end);
      case frameType.settings:
        return this.onSettings(flags, id, chunk, start, end);
      case frameType.ping:
        return this.onPing(flags, id, chunk, start, end);
      case frameType.goaway:
        if (id !== 0) throw protocolError("GOAWAY on a stream");
        if (end - start < 8) throw sizeError("GOAWAY");
        return;
      case frameType.priority:
        return this.onPriority(id, chunk, start, end);
      case frameType.pushPromise:
        throw protocolError("a client cannot push");
      default:
        return this.rations.spendControl();
    }
  }

  private onData(flags: number, id: number, chunk: Buffer, start: number, end: number): void {
    if (id === 0) throw protocolError("DATA on stream 0");
    const size = end - start;
    const widenBy = this.window.take(size);
    if (widenBy > 0) this.outbound.number(frameType.windowUpdate, 0, widenBy);
    let from = start;
    let to = end;
    if ((flags & flag.padded) !== 0) {
      from = start + 1;
      to = end - (size > 0 ? chunk[start]! : 0);
      if (size === 0 || to < from) throw protocolError("padding longer than its frame");
    }
    const ends = (flags & flag.endStream) !== 0;
    const stream = this.streams.get(id);
    if (stream === undefined || stream.remoteClosed) return this.refuseData(id, stream);
    if (from === to && !ends) this.rations.spendControl();
    stream.receiveWindow -= size;
    if (stream.receiveWindow < 0) return this.resetByFault(stream, Http2Code.flowControlError);
    if (stream.expectedBytes >= 0) {
      stream.expectedBytes -= to - from;
      if (stream.expectedBytes < 0 || (ends && stream.expectedBytes > 0)) {
        return this.resetByFault(stream, Http2Code.protocolError);
      }
    }
    if (ends) stream.remoteClosed = true;
    if (from < to) stream.onData(chunk, from, to);
    if (stream.closed) return;
    if (ends) return stream.onEnd();
    stream.unacknowledged += size;
    if (stream.unacknowledged * 2 >= this.limits.streamWindow && !stream.held) stream.release();
  }

  /** DATA for a stream that does not take any (RFC 9113 §5.1). */
  private refuseData(id: number, stream: Http2Stream | undefined): void {
    if (id > this.lastId) {
      if (this.shutdownState === "final") return;
      throw protocolError("DATA on an idle stream");
    }
    if (stream !== undefined) return this.resetByFault(stream, Http2Code.streamClosed);
    this.rations.spendControl();
    if (this.recentResets.includes(id)) return;
    this.rations.spendReset();
    this.outbound.number(frameType.rstStream, id, Http2Code.streamClosed);
  }

  private onHeaders(flags: number, id: number, chunk: Buffer, start: number, end: number): void {
    if ((id & 1) === 0) throw protocolError("HEADERS on a stream that is not the client's");
    let from = start;
    let to = end;
    if ((flags & flag.padded) !== 0) {
      if (from === to) throw sizeError("HEADERS");
      to -= chunk[from]!;
      from += 1;
    }
    let selfDependent = false;
    if ((flags & flag.priority) !== 0) {
      if (from + 5 > to) throw protocolError("padding longer than its frame");
      selfDependent = (chunk.readUInt32BE(from) & 0x7fffffff) === id;
      from += 5;
    }
    if (to < from) throw protocolError("padding longer than its frame");
    const ends = (flags & flag.endStream) !== 0;
    if ((flags & flag.endHeaders) === 0) {
      this.fragments.begin(id, ends, chunk, from, to);
      return;
    }
    this.onHeaderBlock(id, chunk, from, to, ends);
    if (selfDependent) this.resetIfOpen(id, Http2Code.protocolError);
  }

  private onContinuation(flags: number, chunk: Buffer, start: number, end: number): void {
    const { id, ends } = this.fragments;
    if (id === 0) throw protocolError("CONTINUATION without HEADERS");
    this.fragments.add(chunk, start, end);
    if ((flags & flag.endHeaders) === 0) return;
    const block = this.fragments.finish();
    this.onHeaderBlock(id, block, 0, block.length, ends);
  }

  private onHeaderBlock(id: number, chunk: Buffer, from: number, to: number, ends: boolean): void {
    // Decoded in any case: the dynamic table must follow the peer's.
    const headers = this.hpack.decode(chunk, from, to);
    if (id > this.lastId) return this.onRequest(id, headers, ends);
    const stream = this.streams.get(id);
    if (stream === undefined) {
      if (this.recentResets.includes(id)) return this.rations.spendControl();
      throw new ConnectionError(Http2Code.streamClosed, "HEADERS on a closed stream");
    }
    if (stream.remoteClosed) return this.resetByFault(stream, Http2Code.streamClosed);
    if (!ends || headers.pseudo || headers.malformed || stream.expectedBytes > 0) {
      return this.resetByFault(stream, Http2Code.protocolError);
    }
    stream.remoteClosed = true;
    stream.onEnd();
  }

  private onRequest(id: number, headers: HeaderBlock, ends: boolean): void {
    if (this.shutdownState === "final") return;
    this.lastId = id;
    let refusal: number = Http2Code.noError;
    if (headers.tooLarge) refusal = Http2Code.enhanceYourCalm;
    else if (!headers.isRequest() || (ends && headers.contentLength > 0)) {
      refusal = Http2Code.protocolError;
    } else if (
      this.streams.size >= this.limits.maxConcurrentStreams ||
      this.outbound.queuedBytes > this.limits.queuedBytes
    ) {
      refusal = Http2Code.refusedStream;
    }
    if (refusal !== Http2Code.noError) return this.refuse(id, refusal, ends);
    const stream = this.host.openStream(this, id, headers);
    if (stream === undefined) return this.refuse(id, Http2Code.protocolError, ends);
    if (stream.closed) return;
    this.streams.set(id, stream);
    if (!ends) return;
    stream.remoteClosed = true;
    stream.onEnd();
  }

  private onWindowUpdate(id: number, chunk: Buffer, start: number, end: number): void {
    if (end - start !== 4) throw sizeError("WINDOW_UPDATE");
    const bytes = chunk.readUInt32BE(start) & 0x7fffffff;
    if (id === 0) {
      if (bytes === 0) throw protocolError("WINDOW_UPDATE of 0");
      this.outbound.widen(bytes);
      return;
    }
    const stream = this.streams.get(id);
    if (stream === undefined) {
      if (id > this.lastId && this.shutdownState !== "final") {
        throw protocolError("WINDOW_UPDATE on an idle stream");
      }
      return;
    }
    if (bytes === 0) return this.resetByFault(stream, Http2Code.protocolError);
    stream.sendWindow += bytes;
    if (stream.sendWindow > maxWindow) {
      return this.resetByFault(stream, Http2Code.flowControlError);
    }
    this.outbound.widened(stream);
  }

  private onRstStream(id: number, chunk: Buffer, start: number, end: number): void {
    if (end - start !== 4) throw sizeError("RST_STREAM");
    if (id === 0 || (id > this.lastId && this.shutdownState !== "final")) {
      throw protocolError("RST_STREAM on an idle stream");
    }
    this.rations.spendReset();
    const stream = this.streams.get(id);
    if (stream === undefined) return;
    stream.remoteClosed = true;
    stream.close();
    stream.onReset(chunk.readUInt32BE(start));
  }

  private onSettings(flags: number, id: number, chunk: Buffer, start: number, end: number): void {
    const size = end - start;
    if (id !== 0) throw protocolError("SETTINGS on a stream");
    if ((flags & flag.ack) !== 0) {
      if (size !== 0) throw sizeError("SETTINGS");
      return;
    }
    if (size % 6 !== 0) throw sizeError("SETTINGS");
    this.settled = true;
    this.rations.spendControl();
    const widenBy = applySettings(this.outbound, chunk, start, end);
    this.outbound.frame(frameType.settings, flag.ack, 0, nothing);
    if (widenBy === 0) return;
    for (const stream of this.streams.values()) {
      stream.sendWindow += widenBy;
      if (stream.sendWindow > maxWindow) {
        throw new ConnectionError(Http2Code.flowControlError, "a stream's window overflows");
      }
    }
    for (const stream of this.streams.values()) this.outbound.widened(stream);
  }

  private onPing(flags: number, id: number, chunk: Buffer, start: number, end: number): void {
    if (id !== 0) throw protocolError("PING on a stream");
    if (end - start !== 8) throw sizeError("PING");
    const payload = chunk.subarray(start, end);
    if ((flags & flag.ack) !== 0) {
      if (this.shutdownState === "announced" && payload.equals(shutdownPing)) this.announceLast();
      return;
    }
    const answering = this.outbound.sentContent;
    this.outbound.sentContent = false;
    if (!this.pings.allows(this.streams.size > 0, answering)) {
      throw new ConnectionError(Http2Code.enhanceYourCalm, "too_many_pings");
    }
    this.outbound.frame(frameType.ping, flag.ack, 0, payload);
  }

  private onPriority(id: number, chunk: Buffer, start: number, end: number): void {
    if (id === 0) throw protocolError("PRIORITY on stream 0");
    this.rations.spendControl();
    if (end - start !== 5) this.refuse(id, Http2Code.frameSizeError, true);
    else if ((chunk.readUInt32BE(start) & 0x7fffffff) === id) {
      this.refuse(id, Http2Code.protocolError, true);
    }
  }

  /** Resets a stream, open or not, for a fault of the peer. */
  private refuse(id: number, code: number, remoteClosed: boolean): void {
    this.rations.spendReset();
    if (this.streams.has(id)) return this.resetIfOpen(id, code);
    this.outbound.number(frameType.rstStream, id, code);
    if (remoteClosed) return;
    if (this.recentResets.push(id) > rememberedResets) this.recentResets.shift();
  }

  private resetIfOpen(id: number, code: number): void {
    const stream = this.streams.get(id);
    if (stream !== undefined) this.resetByFault(stream, code);
  }

  private resetByFault(stream: Http2Stream, code: number): void {
    this.rations.spendReset();
    stream.reset(code);
    stream.onReset(code);
  }

  private goaway(lastId: number, code: number, reason: string): void {
    const text = Buffer.from(reason, "latin1");
    const payload = Buffer.alloc(8 + text.length);
    payload.writeUInt32BE(lastId, 0);
    payload.writeUInt32BE(code, 4);
    text.copy(payload, 8);
    this.outbound.frame(frameType.goaway, 0, 0, payload);
  }

  /** The client has seen our GOAWAY: no stream above the last one is ours to answer. */
  private announceLast(): void {
    this.shutdownState = "final";
    this.goaway(this.lastId, Http2Code.noError, "");
    if (this.streams.size === 0) this.leave();
  }

  private leave(): void {
    this.reading = false;
    this.finish(shutdownLingerMs);
  }

  private finish(lingerMs: number): void {
    // What the peer still sends must be read, or it may never see our last frames (RFC 9113 §5.4.1).
    this.socket.resume();
    this.outbound.finish();
    this.lingering = setTimeout(() => this.socket.destroy(), lingerMs);
    this.lingering.unref();
  }

  private onRoom(): void {
    if (!this.paused || this.outbound.transportBytes * 2 > this.limits.transportBytes) return;
    this.paused = false;
    this.socket.resume();
  }

  private onClosed(): void {
    this.reading = false;
    clearTimeout(this.lingering);
    // Nobody will read what the streams still wanted to send.
    this.dropStreams(Http2Code.cancel);
    this.host.onConnectionClosed(this);
  }

  private dropStreams(code: number): void {
    const open = [...this.streams.values()];
    for (const stream of open) {
      stream.close();
      stream.onReset(code);
    }
  }
}

const nothing: Uint8Array = new Uint8Array(0);
