/** The UDP half: datagrams in and out, nothing queued but by the system. */

import dgram, { type RemoteInfo, type Socket } from "node:dgram";
import { once } from "node:events";
import net from "node:net";

import type { Packet, Part } from "@quorate/gossip";
import type { Address } from "@quorate/host";
import type { NodeId } from "@quorate/kernel";

import { decodePacket, encodePacket, type PacketLayers } from "../wire/packet.ts";
import type { BoundedLog, TransportCounters } from "./counters.ts";

/** As memberlist asks for: a burst of gossip must not be lost while the event loop is busy. */
const RECEIVE_BUFFER_BYTES = 2 * 1024 * 1024;
/** Beyond this, datagrams are dropped rather than kept: they are lost on networks anyway. */
const SEND_QUEUE_BYTES = 4 * 1024 * 1024;

export interface PacketPortOptions {
  readonly layers: PacketLayers;
  readonly counters: TransportCounters;
  readonly log: BoundedLog;
  readonly onPacket: (from: NodeId, packet: Packet) => void;
  readonly onError: (error: Error) => void;
}

export class PacketPort {
  private readonly options: PacketPortOptions;
  private socket: Socket | undefined;

  constructor(options: PacketPortOptions) {
    this.options = options;
  }

  /** Binds; the port is the one asked for, or a free one for 0. @throws what the system says. */
  async bind({ host, port }: Address): Promise<number> {
    const socket = dgram.createSocket({
      type: net.isIPv6(host) ? "udp6" : "udp4",
      // Addresses are numbers already: nothing to look up, and nothing to wait for.
      lookup: (name, _options, done) => done(null, name, net.isIPv6(name) ? 6 : 4),
    });
    // Listened for first: with nothing to look up, binding is over at once.
    const listening = once(socket, "listening");
    socket.bind({ port, address: host, exclusive: true });
    try {
      await listening;
    } catch (error) {
      socket.close();
      throw error;
    }
    try {
      socket.setRecvBufferSize(RECEIVE_BUFFER_BYTES);
    } catch {
      // The system's limit is lower: it is used as it is.
    }
    socket.on("message", (datagram, from) => this.onDatagram(datagram, from));
    socket.on("error", this.options.onError);
    this.socket = socket;
    return socket.address().port;
  }

  close(): void {
    this.socket?.close();
    this.socket = undefined;
  }

  send(to: NodeId, packet: Packet): void {
    const { socket } = this;
    const { counters, layers } = this.options;
    if (socket === undefined) return;
    if (socket.getSendQueueSize() > SEND_QUEUE_BYTES) {
      counters.packetsDropped++;
      return;
    }
    const { host, port } = hostAndPort(to);
    // Anybody may say that it is at port 0.
    if (port === 0) {
      counters.packetsDropped++;
      return;
    }
    const datagram = encodePacket(packet, layers);
    socket.send(datagram, port, host, (error) => {
      if (error !== null) counters.packetsDropped++;
    });
    counters.packetsSent++;
    counters.packetBytesSent += datagram.length;
  }

  private onDatagram(datagram: Buffer, { address, port, family }: RemoteInfo): void {
    const { counters, log, layers, onPacket } = this.options;
    counters.packetsReceived++;
    counters.packetBytesReceived += datagram.length;
    const from = family === "IPv6" ? `[${address}]:${port}` : `${address}:${port}`;
    const parts: Part[] = [];
    decodePacket(datagram, layers.keyring, {
      part: (part) => parts.push(part),
      fault: (fault, detail) => {
        counters.packetFaults[fault]++;
        log.warn({ from, fault, detail }, "damaged packet");
      },
    });
    if (parts.length > 0) onPacket(from, { type: "packet", parts, checksum: false });
  }
}

/** `10.0.0.1:7946` or `[::1]:7946`, as the system wants it. */
export function hostAndPort(address: NodeId): Address {
  const colon = address.lastIndexOf(":");
  const host = address.slice(0, colon);
  return {
    host: host.startsWith("[") ? host.slice(1, -1) : host,
    port: Number(address.slice(colon + 1)),
  };
}
