/**
 * TCP (or mutual TLS) between the nodes of one cluster, shared by all processes
 * of a node. Each node dials each other once to send, and accepts once to
 * receive; every frame names the process it is for.
 */

import net, { type AddressInfo, type Server, type Socket } from "node:net";
import tls from "node:tls";

import {
  type Codec,
  decode,
  encode,
  MalformedInput,
  type NodeId,
  Reader,
  uint,
  Writer,
} from "@quorate/kernel";

import { HostError } from "../errors.ts";
import type { Turn } from "../turn.ts";
import { beginFrame, endFrame, FrameReader } from "./frames.ts";
import {
  type Answer,
  answerCodec,
  type Departure,
  type Hello,
  helloCodec,
  type Identity,
  judge,
  type KnownDirectories,
  MAGIC,
  NEWEST_VERSION,
} from "./handshake.ts";
import { Link } from "./link.ts";

export interface Address {
  readonly host: string;
  readonly port: number;
}

/**
 * Reads `HOST:PORT`, as members' addresses are written in the log; after a `#`
 * comes what somebody wants remembered of the member, which does not matter here.
 */
export function parseAddress(text: string | undefined): Address | undefined {
  const match = /^(?:\[([^#\]]+)\]|([^#]+)):(\d{1,5})(?:#.*)?$/.exec(text ?? "");
  const host = match?.[1] ?? match?.[2];
  return host === undefined ? undefined : { host, port: Number(match?.[3]) };
}

/**
 * Certificates for connections between nodes: both sides show one signed by
 * `ca`, issued to the node's name (as a DNS name in its subjectAltName).
 */
export interface PeerTls {
  readonly cert: string;
  readonly key: string;
  readonly ca: string;
}

/** Whatever can take a message for one group of processes. */
export interface Receiver {
  /** @throws MalformedInput if `reader` holds no message. */
  accept(from: NodeId, reader: Reader): void;
}

export interface TransportOptions {
  readonly identity: Identity;
  readonly listen: Address;
  /** Every other member and where it listens. */
  readonly peers: ReadonlyMap<NodeId, Address>;
  readonly known: KnownDirectories;
  /** Whether a node was a member once and certainly is none any more. */
  readonly departure: (node: NodeId) => Departure;
  readonly turn: Turn;
  readonly tls?: PeerTls | undefined;
  /** The largest frame a peer may send, in bytes. */
  readonly frameBytes: number;
  readonly onPeer: (peer: NodeId, state: "up" | "down" | "unreachable") => void;
  readonly onRefused: (peer: NodeId, answer: Extract<Answer, { type: "refused" }>) => void;
  /** A connection was closed for what its other end sent. */
  readonly onMisbehaviour: (from: string, what: string) => void;
}

const HANDSHAKE_BYTES = 4096;
const HANDSHAKE_MS = 5000;

export class Transport {
  private readonly known: Map<NodeId, Link> = new Map();
  /** Counted for metrics. */
  receivedMessages = 0;
  receivedBytes = 0;

  private readonly options: TransportOptions;
  private readonly receivers = new Map<number, Receiver>();
  private readonly server: Server;
  /** Accepted connections, and whose each is once it was welcomed. */
  private readonly inbound = new Map<Socket, NodeId | undefined>();
  private readonly addresses: Map<NodeId, Address> = new Map();
  private connecting = false;
  private closed = false;

  constructor(options: TransportOptions) {
    this.options = options;
    const { tls: secure } = options;
    const onSocket = (socket: Socket): void => this.accept(socket);
    this.server =
      secure === undefined
        ? net.createServer({ noDelay: true }, onSocket)
        : tls.createServer({ ...secure, requestCert: true, rejectUnauthorized: true }, onSocket);
    this.server.on("tlsClientError", (error: Error, socket: Socket) => {
      options.onMisbehaviour(remote(socket), `TLS: ${error.message}`);
    });
    for (const [peer, address] of options.peers) this.known.set(peer, this.link(peer, address));
  }

  /** The ways to the other members. */
  get links(): ReadonlyMap<NodeId, Link> {
    return this.known;
  }

  /** From now on `peer` is a member, at this address: it is dialled, and let in. */
  admit(peer: NodeId, address: Address): void {
    const { host, port } = address;
    const before = this.addresses.get(peer);
    if (before?.host === host && before.port === port) return;
    this.known.get(peer)?.close();
    const link = this.link(peer, address);
    this.known.set(peer, link);
    if (this.connecting && !this.closed) link.open();
  }

  /**
   * Talks to nobody but `members` any more. What another sends on an open connection is still
   * taken while its removal may be taken back; after that it is hung up on, so that it dials
   * again and is told. Whatever it last heard may not have said so.
   */
  retain(members: ReadonlyMap<NodeId, unknown>): void {
    for (const [peer, link] of this.known) {
      if (members.has(peer)) continue;
      link.close();
      this.known.delete(peer);
      this.addresses.delete(peer);
    }
    for (const [socket, from] of this.inbound) {
      if (from === undefined || members.has(from)) continue;
      if (this.options.departure(from) === "certain") socket.destroy();
    }
  }

  /** Who receives the messages of a group. Before {@link listen}. */
  register(group: number, receiver: Receiver): void {
    this.receivers.set(group, receiver);
  }

  async listen(): Promise<Address> {
    const { host, port } = this.options.listen;
    await new Promise<void>((resolve, reject) => {
      this.server.once("error", (error: NodeJS.ErrnoException) => {
        const reason = error.code === "EADDRINUSE" ? "the port is in use" : error.message;
        reject(new HostError({ code: "listen", address: `${host}:${port}`, reason }));
      });
      this.server.listen(port, host, resolve);
    });
    return { host, port: (this.server.address() as AddressInfo).port };
  }

  /** Begins to dial the other members. */
  connect(): void {
    this.connecting = true;
    for (const link of this.known.values()) link.open();
  }

  send<M>(to: NodeId, group: number, codec: Codec<M>, message: M): void {
    this.links.get(to)?.send(group, codec, message);
  }

  async close(): Promise<void> {
    this.closed = true;
    for (const link of this.links.values()) link.close();
    for (const socket of this.inbound.keys()) socket.destroy();
    if (this.server.listening) await new Promise((resolve) => this.server.close(resolve));
  }

  private link(peer: NodeId, address: Address): Link {
    const { host, port } = address;
    this.addresses.set(peer, address);
    const { identity: own, known, turn, tls: secure, onPeer, onRefused } = this.options;
    return new Link({
      peer,
      own,
      known,
      turn,
      dial: (connected) =>
        secure === undefined
          ? net.connect({ host, port }, connected)
          : tls.connect({ ...secure, host, port, servername: peer }, connected),
      onUp: () => onPeer(peer, "up"),
      onDown: (refused) => onPeer(peer, refused ? "unreachable" : "down"),
      onRefused: (answer) => onRefused(peer, answer),
    });
  }

  private accept(socket: Socket): void {
    if (this.closed) return void socket.destroy();
    let from: NodeId | undefined;
    const reader = new FrameReader(this.options.frameBytes);
    const handshake = new FrameReader(HANDSHAKE_BYTES);
    this.inbound.set(socket, undefined);
    socket.setTimeout(HANDSHAKE_MS, () => socket.destroy());
    socket.on("error", () => socket.destroy());
    socket.on("close", () => this.inbound.delete(socket));
    socket.on("data", (chunk: Uint8Array) => {
      this.receivedBytes += chunk.length;
      try {
        const frames = from === undefined ? handshake : reader;
        const tooLong = frames.push(chunk, (body) => {
          if (from === undefined) from = this.greet(socket, body);
          else this.receive(from, body);
        });
        if (tooLong > 0) throw new MalformedInput(`a frame of ${tooLong} bytes`);
      } catch (error) {
        if (!(error instanceof MalformedInput)) throw error;
        this.options.onMisbehaviour(from ?? remote(socket), error.message);
        socket.destroy();
      }
    });
  }

  /** Answers a hello; returns who sent it if it is welcome. */
  private greet(socket: Socket, body: Uint8Array): NodeId | undefined {
    const hello = decode(helloCodec, body);
    if (hello.magic.length !== MAGIC.length || !hello.magic.every((byte, i) => byte === MAGIC[i])) {
      throw new MalformedInput("not a Quorate node");
    }
    const { identity, known, departure } = this.options;
    const members = new Set(this.known.keys());
    const refused =
      checkCertificate(socket, hello) ?? judge(hello, identity, members, known, departure);
    const answer: Answer = refused ?? { type: "welcome", version: NEWEST_VERSION, identity };
    const writer = new Writer();
    const start = beginFrame(writer);
    writer.raw(encode(answerCodec, answer));
    endFrame(writer, start);
    if (refused !== undefined) {
      this.options.onMisbehaviour(hello.identity.node, refused.text);
      socket.end(writer.finish());
      return undefined;
    }
    socket.write(writer.finish());
    socket.setTimeout(0);
    this.inbound.set(socket, hello.identity.node);
    return hello.identity.node;
  }

  private receive(from: NodeId, body: Uint8Array): void {
    const reader = new Reader(body);
    const receiver = this.receivers.get(uint.read(reader));
    this.receivedMessages++;
    // A group this node does not host: a peer with another configuration. Its loss to bear.
    receiver?.accept(from, reader);
  }
}

/** Under TLS a node is who its certificate says, whatever it calls itself. */
function checkCertificate(
  socket: Socket,
  { identity }: Hello,
): Extract<Answer, { type: "refused" }> | undefined {
  if (!(socket instanceof tls.TLSSocket)) return undefined;
  if (tls.checkServerIdentity(identity.node, socket.getPeerCertificate()) === undefined) {
    return undefined;
  }
  const text = `the certificate shown was not issued to ${identity.node} (a DNS name in its subjectAltName)`;
  return { type: "refused", reason: "unknownNode", text };
}

function remote(socket: Socket): string {
  return `${socket.remoteAddress ?? "?"}:${socket.remotePort ?? 0}`;
}
