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
/** In front of an address of version 4 where only those of version 6 go. */
const MAPPED = "::ffff:";
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
    const type = net.isIPv6(host) ? "udp6" : "udp4";
    const socket = dgram.createSocket({
      type,
      // Addresses are numbers already: nothing to look up, and nothing to wait for.
      lookup: (name, _options, done) => {
        const version4 = net.isIPv4(name);
        // A socket for both versions knows those of version 4 in the clothes of version 6.
        done(null, type === "udp6" && version4 ? `${MAPPED}${name}` : name, version4 ? 4 : 6);
      },
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

  private onDatagram(datagram: Buffer, { address, port }: RemoteInfo): void {
    const { counters, log, layers, onPacket } = this.options;
    counters.packetsReceived++;
    counters.packetBytesReceived += datagram.length;
    const from = peerAddress(address, port);
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

/** Where a peer is, as the system tells it, in the protocol's words. */
export function peerAddress(host: string, port: number): NodeId {
  const plain = host.startsWith(MAPPED) ? host.slice(MAPPED.length) : host;
  return net.isIPv6(plain) ? `[${plain}]:${port}` : `${plain}:${port}`;
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
