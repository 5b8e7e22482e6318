/**
 * What travels over TCP: one message each way on a connection, sealed and
 * compressed as a whole or neither.
 *
 * A sealed message says its length. A plain one does not: its end is found by
 * scanning MessagePack as it arrives, each byte once. Nothing is kept beyond the
 * limits, and nothing is decoded before it is whole.
 */

import type { MemberRecord, PushPull, StreamMessage } from "@quorate/gossip";
import { MalformedInput, Reader, Writer } from "@quorate/kernel";

import { bool, int, type Pack, PackWriter, record, text, ValueScanner } from "../msgpack/index.ts";
import type { Keyring } from "./keyring.ts";
import { ack, member, ping } from "./member-parts.ts";
import { compressedMessage, expand, type PacketLayers } from "./packet.ts";
import { TYPE } from "./parts.ts";
import { serfState } from "./serf-messages.ts";

/** The most that one message may take on the wire, as in memberlist. */
const STREAM_BYTES = 20 * 1024 * 1024;
/** And after expansion. */
const EXPANDED_BYTES = 2 * STREAM_BYTES;
/** Type and length in front of what is sealed; authenticated with it. */
const SEALED_HEAD_BYTES = 5;

/** Worded as memberlist's: peers send each other these. */
const REFUSED = {
  plainHere: "Remote state is encrypted and encryption is not configured",
  sealedHere: "Encryption is configured but remote state is not encrypted",
  unopened: "No installed keys could decrypt the message",
} as const;

/** A stream message, before its exchange is known. */
export type Unnumbered<M extends StreamMessage = StreamMessage> = M extends StreamMessage
  ? Omit<M, "exchange">
  : never;

interface PushPullHead {
  readonly join: boolean;
  readonly nodes: number;
  readonly stateBytes: number;
}

const pushPullHead: Pack<PushPullHead> = record<PushPullHead>({
  join: ["Join", bool],
  nodes: ["Nodes", int],
  stateBytes: ["UserStateLen", int],
});

const errorText = record<{ readonly text: string }>({ text: ["Error", text] });
/** The bytes of a message. Layers are those of packets. */
export function encodeStream(message: StreamMessage, layers: PacketLayers): Uint8Array {
  const writer = new PackWriter("old");
  writeMessage(writer, message);
  const plain = layers.compress ? compressedMessage(writer.view()) : writer.finish();
  return layers.keyring === undefined ? plain : sealed(plain, layers.keyring);
}

function sealed(plain: Uint8Array, keyring: Keyring): Uint8Array {
  const head = new Uint8Array(SEALED_HEAD_BYTES);
  const view = new DataView(head.buffer);
  view.setUint8(0, TYPE.encrypt);
  view.setUint32(1, keyring.sealedBytes(plain.length));
  const body = keyring.seal(plain, head);
  const whole = new Uint8Array(head.length + body.length);
  whole.set(head);
  whole.set(body, head.length);
  return whole;
}

function writeMessage(writer: PackWriter, message: StreamMessage): void {
  switch (message.type) {
    case "pushPull":
      return writePushPull(writer, message);
    case "streamPing": {
      const { seq, node, source } = message;
      writer.byte(TYPE.ping);
      return ping.write(writer, { type: "ping", seq, node, source });
    }
    case "streamAck":
      writer.byte(TYPE.ack);
      return ack.write(writer, { type: "ack", seq: message.seq, coordinate: undefined });
    case "streamError":
      writer.byte(TYPE.error);
      return errorText.write(writer, message);
  }
}

function writePushPull(writer: PackWriter, { join, members, state }: PushPull): void {
  const tail = new PackWriter("old");
  if (state !== undefined) serfState.write(tail, state);
  writer.byte(TYPE.pushPull);
  pushPullHead.write(writer, { join, nodes: members.length, stateBytes: tail.length });
  for (const each of members) member.write(writer, each);
  writer.raw(tail.view());
}

/** Puts the pieces of one message together. */
export class StreamReader {
  private readonly keyring: Keyring | undefined;
  private readonly received = new Writer();
  private readonly side: "question" | "answer";
  private readonly limit: number;
  private extent: Extent | undefined;

  /** @param side whether a push/pull that arrives asks or answers. */
  constructor(
    side: "question" | "answer",
    keyring: Keyring | undefined,
    limit: number = STREAM_BYTES,
  ) {
    this.side = side;
    this.keyring = keyring;
    this.limit = limit;
  }

  /**
   * Takes the next piece; gives the message once it is whole.
   * @throws MalformedInput, with a reason fit to be sent to the peer, if it never will be.
   */
  push(piece: Uint8Array): Unnumbered | undefined {
    const { received, keyring } = this;
    if (received.length + piece.length > this.limit) throw new MalformedInput("message too large");
    received.raw(piece);
    const { bytes, length } = received;
    if (length === 0) return undefined;
    if (bytes[0] === TYPE.encrypt) return this.pushSealed(bytes, length);
    if (keyring !== undefined) throw new MalformedInput(REFUSED.sealedHere);
    this.extent ??= new Extent(this.limit);
    return this.extent.scan(bytes, length) ? readMessage(received.view(), this.side) : undefined;
  }

  private pushSealed(bytes: Uint8Array, length: number): Unnumbered | undefined {
    if (this.keyring === undefined) throw new MalformedInput(REFUSED.plainHere);
    if (length < SEALED_HEAD_BYTES) return undefined;
    const size = new DataView(bytes.buffer, bytes.byteOffset).getUint32(1);
    if (size > this.limit) throw new MalformedInput("message too large");
    if (length < SEALED_HEAD_BYTES + size) return undefined;
    const body = bytes.subarray(SEALED_HEAD_BYTES, SEALED_HEAD_BYTES + size);
    const plain = this.keyring.open(body, bytes.subarray(0, SEALED_HEAD_BYTES));
    if (plain === undefined) throw new MalformedInput(REFUSED.unopened);
    return readMessage(plain, this.side);
  }
}

/** Finds out where a plain message ends, as it arrives. */
class Extent {
  private readonly limit: number;
  private scanner = new ValueScanner(1);
  /** Values still due; how many more a push/pull has is in its first. */
  private values = 1;
  private begun = false;
  private tail = 0;

  constructor(limit: number) {
    this.limit = limit;
  }

  /** Whether the message that begins at the first byte is whole. @throws MalformedInput */
  scan(bytes: Uint8Array, length: number): boolean {
    while (this.values > 0) {
      if (!this.scanner.scan(bytes, length)) return false;
      this.values--;
      if (!this.begun) this.begin(bytes, length);
      if (this.values > 0) this.scanner = new ValueScanner(this.scanner.offset);
    }
    return length >= this.scanner.offset + this.tail;
  }

  /** The first value is there: it says what follows. */
  private begin(bytes: Uint8Array, length: number): void {
    this.begun = true;
    if (bytes[0] !== TYPE.pushPull) return;
    const reader = new Reader(bytes.subarray(0, length));
    reader.offset = 1;
    const { nodes, stateBytes } = pushPullHead.read(reader);
    if (nodes < 0 || stateBytes < 0 || nodes + stateBytes > this.limit) {
      throw new MalformedInput("message too large");
    }
    this.values = nodes;
    this.tail = stateBytes;
  }
}

function readMessage(plain: Uint8Array, side: "question" | "answer"): Unnumbered {
  const reader = new Reader(plain);
  const type = reader.byte();
  if (type === TYPE.compress) return readPlain(new Reader(expand(reader, EXPANDED_BYTES)), side);
  reader.offset = 0;
  return readPlain(reader, side);
}

function readPlain(reader: Reader, side: "question" | "answer"): Unnumbered {
  const type = reader.byte();
  switch (type) {
    case TYPE.pushPull:
      return readPushPull(reader, side === "answer");
    case TYPE.ping: {
      const { seq, node, source } = ping.read(reader);
      return { type: "streamPing", seq, node, source: source ?? { name: "", address: "" } };
    }
    case TYPE.ack:
      return { type: "streamAck", seq: ack.read(reader).seq };
    case TYPE.error:
      return { type: "streamError", text: errorText.read(reader).text };
    default:
      throw new MalformedInput(`unknown message type ${type}`);
  }
}

function readPushPull(reader: Reader, reply: boolean): Unnumbered<PushPull> {
  const { join, nodes, stateBytes } = pushPullHead.read(reader);
  if (nodes < 0 || nodes > reader.left) throw new MalformedInput("more members than bytes");
  const members: MemberRecord[] = [];
  for (let i = 0; i < nodes; i++) members.push(member.read(reader));
  if (stateBytes < 0) throw new MalformedInput("state of a negative length");
  const state = stateBytes === 0 ? undefined : serfState.read(new Reader(reader.take(stateBytes)));
  return { type: "pushPull", reply, join, members, state };
}
