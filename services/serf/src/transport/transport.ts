/** Memberlist's network: UDP and TCP on one port, one message to each datagram and each stream half. */

import type { Message } from "@quorate/gossip";
import type { Address, Logger } from "@quorate/host";
import type { Codec, NodeId } from "@quorate/kernel";

import type { PacketLayers } from "../wire/packet.ts";
import { BoundedLog, TransportCounters } from "./counters.ts";
import { PacketPort } from "./packets.ts";
import { StreamPort } from "./streams.ts";

/** Whoever runs the process: a driver. */
export interface Receiver {
  receive(from: NodeId, message: Message): void;
  unreachable(peer: NodeId): void;
}

export interface GossipTransportOptions {
  readonly layers: PacketLayers;
  readonly logger: Logger;
  readonly streamTimeoutMs: number;
  /** A socket is broken: the agent must stop. */
  readonly onError: (error: Error) => void;
}

/** How often a port that is free for TCP is asked for on UDP too. */
const PORT_ATTEMPTS = 16;

export class GossipTransport {
  readonly counters: TransportCounters = new TransportCounters();
  private readonly packets: PacketPort;
  private readonly streams: StreamPort;
  private receiver: Receiver | undefined;

  constructor({ layers, logger, streamTimeoutMs, onError }: GossipTransportOptions) {
    const { counters } = this;
    const log = new BoundedLog(logger);
    const onMessage = (from: NodeId, message: Message): void =>
      this.receiver?.receive(from, message);
    this.packets = new PacketPort({ layers, counters, log, onPacket: onMessage, onError });
    this.streams = new StreamPort({
      layers,
      counters,
      log,
      timeoutMs: streamTimeoutMs,
      onMessage,
      onError,
      onUnreachable: (to) => this.receiver?.unreachable(to),
    });
  }

  /** Opens both sockets on one port and resolves to it. @throws what the system says. */
  async open(at: Address): Promise<number> {
    for (let attempt = 1; ; attempt++) {
      const port = await this.packets.bind(at);
      try {
        return await this.streams.listen({ host: at.host, port });
      } catch (error) {
        this.packets.close();
        // A port that the system picked for UDP may be taken on TCP: another is as good.
        if (at.port !== 0 || attempt === PORT_ATTEMPTS) throw error;
      }
    }
  }

  /** What arrives from now on goes to `receiver`. */
  deliverTo(receiver: Receiver): void {
    this.receiver = receiver;
  }

  /** The codec is the transport's own: messages have the bytes of memberlist. */
  send<M>(to: NodeId, _group: number, _codec: Codec<M>, message: M): void {
    // A transport carries one process, whose messages these are.
    const own = message as unknown as Message;
    if (own.type === "packet") this.packets.send(to, own);
    else this.streams.send(to, own);
  }

  close(): void {
    this.receiver = undefined;
    this.packets.close();
    this.streams.close();
  }
}
