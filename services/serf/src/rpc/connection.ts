/**
 * One client of the RPC port: its bytes, its handshake, its subscriptions.
 *
 * Requests are handled one after another, as in Serf. While one runs, nothing
 * more is read: a client that asks faster than it is answered waits in its own
 * socket. Events for a client that does not read are dropped, replies never.
 */

import type { Socket } from "node:net";

import type { Logger } from "@quorate/host";
import { MalformedInput, Reader, Writer } from "@quorate/kernel";

import { type Pack, PackWriter, ValueScanner } from "../msgpack/index.ts";
import { hasBody, replyHeader, type RequestHeader, requestHeader, requests } from "./messages.ts";

/** The most that one header or body may take. */
const VALUE_BYTES = 1024 * 1024;
/** Events are dropped while this much waits for the client to read. */
const BACKLOG_BYTES = 4 * 1024 * 1024;

export interface Request {
  readonly header: RequestHeader;
  /** As its command has it; undefined for commands without one. */
  readonly body: unknown;
}

export interface ConnectionOptions {
  readonly socket: Socket;
  readonly logger: Logger;
  /** Resolves when the request is done with; whether to go on reading. */
  readonly onRequest: (connection: Connection, request: Request) => Promise<boolean>;
  readonly onClose: (connection: Connection) => void;
}

export class Connection {
  readonly peer: string;
  /** Events dropped because the client did not read. */
  dropped = 0;
  private readonly options: ConnectionOptions;
  private readonly received = new Writer();
  private scanner = new ValueScanner(0);
  private header: RequestHeader | undefined;
  private handling = false;
  private readonly writer = new PackWriter("new");
  private readonly endings: (() => void)[] = [];

  constructor(options: ConnectionOptions) {
    const { socket, onClose } = options;
    this.options = options;
    this.peer = `${socket.remoteAddress}:${socket.remotePort}`;
    socket.setNoDelay(true);
    socket.on("data", (piece) => this.onData(piece));
    socket.on("error", () => socket.destroy());
    socket.on("close", () => {
      for (const end of this.endings) end();
      onClose(this);
    });
  }

  /** Has `end` called when the client is gone. */
  whenClosed(end: () => void): void {
    this.endings.push(end);
  }

  /** Answers a request, or sends what belongs to a subscription. */
  reply<T>(seq: number, error: string, body?: readonly [Pack<T>, T]): void {
    const { writer } = this;
    writer.length = 0;
    replyHeader.write(writer, { seq, error });
    body?.[0].write(writer, body[1]);
    const { socket } = this.options;
    if (socket.writable) socket.write(writer.finish());
  }

  /** Sends to a subscription, unless the client is too far behind. */
  publish<T>(seq: number, body: readonly [Pack<T>, T]): void {
    if (this.options.socket.writableLength <= BACKLOG_BYTES) return this.reply(seq, "", body);
    // No log of logs: a monitor that does not read would feed itself.
    this.dropped++;
  }

  close(): void {
    this.options.socket.destroySoon();
  }

  destroy(): void {
    this.options.socket.destroy();
  }

  private onData(piece: Uint8Array): void {
    this.received.raw(piece);
    void this.work();
  }

  private async work(): Promise<void> {
    if (this.handling) return;
    const { socket, logger, onRequest } = this.options;
    this.handling = true;
    socket.pause();
    try {
      for (let request = this.take(); request !== undefined; request = this.take()) {
        if (!(await onRequest(this, request))) return this.close();
        // A client that asks and does not read must not fill our memory with answers.
        if (socket.writableNeedDrain) await this.drained();
        if (socket.destroyed) return;
      }
      this.handling = false;
      socket.resume();
    } catch (error) {
      if (!(error instanceof MalformedInput)) throw error;
      logger.warn({ client: this.peer, reason: error.message }, "rpc client hung up on");
      this.destroy();
    }
  }

  private drained(): Promise<void> {
    const { socket } = this.options;
    return new Promise((resolve) => {
      const over = (): void => {
        socket.off("drain", over);
        socket.off("close", over);
        resolve();
      };
      socket.on("drain", over);
      socket.on("close", over);
    });
  }

  /** The next request, if it is whole. @throws MalformedInput */
  private take(): Request | undefined {
    if (this.header === undefined) {
      const header = this.takeValue(requestHeader);
      if (header === undefined) return undefined;
      this.header = header;
    }
    const { header } = this;
    let body: unknown;
    if (hasBody(header.command)) {
      body = this.takeValue<unknown>(requests[header.command]);
      if (body === undefined) return undefined;
    }
    this.header = undefined;
    return { header, body };
  }

  private takeValue<T>(pack: Pack<T>): T | undefined {
    const { received, scanner } = this;
    const whole = scanner.scan(received.bytes, received.length);
    if (scanner.offset > VALUE_BYTES || (!whole && received.length > VALUE_BYTES)) {
      throw new MalformedInput("request too large");
    }
    if (!whole) return undefined;
    const value = pack.read(new Reader(received.bytes.slice(0, scanner.offset)));
    received.bytes.copyWithin(0, scanner.offset, received.length);
    received.length -= scanner.offset;
    this.scanner = new ValueScanner(0);
    return value;
  }
}
