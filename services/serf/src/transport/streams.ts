/**
 * The TCP half: a connection for each exchange, with one message each way.
 *
 * A question that the process sends opens a connection; the answer comes back
 * under the question's number. A question that is accepted gets a number of
 * ours; the process's answer finds the connection by it (decision 0030).
 */

import { once } from "node:events";
import net, { type Server, type Socket } from "node:net";

import type { StreamMessage } from "@quorate/gossip";
import type { Address } from "@quorate/host";
import { MalformedInput, type NodeId } from "@quorate/kernel";

import type { PacketLayers } from "../wire/packet.ts";
import { encodeStream, StreamReader, type Unnumbered } from "../wire/stream.ts";
import type { BoundedLog, StreamFault, TransportCounters } from "./counters.ts";
import { hostAndPort, peerAddress } from "./packets.ts";

/** How many accepted connections are served at once, as in memberlist; and opened. */
const STREAMS = 128;

export interface StreamPortOptions {
  readonly layers: PacketLayers;
  readonly counters: TransportCounters;
  readonly log: BoundedLog;
  /** How long an exchange may take, connecting included. */
  readonly timeoutMs: number;
  readonly onMessage: (from: NodeId, message: StreamMessage) => void;
  readonly onUnreachable: (to: NodeId) => void;
  readonly onError: (error: Error) => void;
}

export class StreamPort {
  private readonly options: StreamPortOptions;
  private server: Server | undefined;
  private exchanges = 0;
  /** Accepted, and asked by their other end; by our number. */
  private readonly asked = new Map<number, Socket>();
  private readonly opened = new Set<Socket>();
  private readonly accepted = new Set<Socket>();

  constructor(options: StreamPortOptions) {
    this.options = options;
  }

  /** Listens; the port is the one asked for, or a free one for 0. @throws what the system says. */
  async listen({ host, port }: Address): Promise<number> {
    const server = net.createServer({ allowHalfOpen: true }, (socket) => this.accept(socket));
    server.listen({ host, port, exclusive: true });
    await once(server, "listening");
    server.on("error", this.options.onError);
    this.server = server;
    // What a server listens on by host and port has an address of this kind.
    return (server.address() as net.AddressInfo).port;
  }

  close(): void {
    this.server?.close();
    this.server = undefined;
    for (const socket of [...this.opened, ...this.accepted]) socket.destroy();
  }

  send(to: NodeId, message: StreamMessage): void {
    switch (message.type) {
      case "streamPing":
        return this.ask(to, message);
      case "pushPull":
        return message.reply ? this.answer(message) : this.ask(to, message);
      case "streamAck":
      case "streamError":
        return this.answer(message);
    }
  }

  private ask(to: NodeId, message: StreamMessage): void {
    const { layers, counters, onUnreachable } = this.options;
    if (this.server === undefined) return;
    if (this.opened.size >= STREAMS) {
      this.fault("busy", to, "too many streams open");
      // In a step of its own: the process is in the middle of one.
      setImmediate(() => onUnreachable(to));
      return;
    }
    const question = encodeStream(message, layers);
    const socket = net.connect({ ...hostAndPort(to), noDelay: true });
    counters.streamsOpened++;
    this.opened.add(socket);
    const reader = new StreamReader("answer", layers.keyring);
    let over = false;
    const end = (): void => {
      over = true;
      this.opened.delete(socket);
      clearTimeout(timer);
      socket.destroy();
    };
    const fail = (fault: StreamFault, detail: string): void => {
      if (over) return;
      end();
      this.fault(fault, to, detail);
      onUnreachable(to);
    };
    const timer = setTimeout(() => fail("timeout", "no answer in time"), this.options.timeoutMs);
    socket.on("connect", () => {
      socket.write(question);
      counters.streamBytesSent += question.length;
    });
    socket.on("data", (piece) => {
      if (over) return;
      const answer = this.read(reader, piece, (detail) => fail("message", detail));
      if (answer === undefined) return;
      end();
      this.options.onMessage(to, { ...answer, exchange: message.exchange });
    });
    socket.on("error", (error) => fail(socket.connecting ? "connect" : "broken", error.message));
    socket.on("close", () => fail("broken", "closed before the answer was whole"));
  }

  private answer(message: StreamMessage): void {
    const socket = this.asked.get(message.exchange);
    if (socket === undefined) return;
    this.asked.delete(message.exchange);
    this.reply(socket, message);
  }

  private reply(socket: Socket, message: StreamMessage): void {
    const bytes = encodeStream(message, this.options.layers);
    this.options.counters.streamBytesSent += bytes.length;
    socket.end(bytes);
  }

  private accept(socket: Socket): void {
    const { layers, counters, onMessage } = this.options;
    // Both are unknown of a peer that is gone already: its stream says so itself.
    const from = peerAddress(socket.remoteAddress ?? "", socket.remotePort ?? 0);
    if (this.accepted.size >= STREAMS) {
      this.fault("busy", from, "too many streams accepted");
      socket.destroy();
      return;
    }
    counters.streamsAccepted++;
    this.accepted.add(socket);
    const exchange = ++this.exchanges;
    const reader = new StreamReader("question", layers.keyring);
    let whole = false;
    const timer = setTimeout(() => {
      if (!whole) this.fault("timeout", from, "no question in time");
      socket.destroy();
    }, this.options.timeoutMs);
    socket.on("data", (piece) => {
      // One question to a connection; what follows it is not read.
      if (whole) return;
      const question = this.read(reader, piece, (detail) => {
        whole = true;
        this.fault("message", from, detail);
        this.reply(socket, { type: "streamError", exchange, text: detail });
      });
      if (question === undefined) return;
      whole = true;
      this.asked.set(exchange, socket);
      onMessage(from, { ...question, exchange });
    });
    socket.on("end", () => {
      if (whole) return;
      this.fault("broken", from, "closed before the question was whole");
      socket.destroy();
    });
    // What goes wrong after the question is the asker's to notice.
    socket.on("error", () => socket.destroy());
    socket.on("close", () => {
      clearTimeout(timer);
      this.accepted.delete(socket);
      this.asked.delete(exchange);
    });
  }

  /** Feeds a reader; tells `refuse` why there will be no message. */
  private read(
    reader: StreamReader,
    piece: Uint8Array,
    refuse: (detail: string) => void,
  ): Unnumbered | undefined {
    this.options.counters.streamBytesReceived += piece.length;
    try {
      return reader.push(piece);
    } catch (error) {
      if (!(error instanceof MalformedInput)) throw error;
      refuse(error.message);
      return undefined;
    }
  }

  private fault(fault: StreamFault, peer: NodeId, detail: string): void {
    const { counters, log } = this.options;
    counters.streamFaults[fault]++;
    log.warn({ peer, fault, detail }, "stream failed");
  }
}
