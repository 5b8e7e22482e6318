/**
 * Datagrams, layer by layer, outermost first: encryption, checksum, compression,
 * compound, messages. What does not fit the layers is told to the caller by kind,
 * to be counted; a datagram is damaged as a whole, or message by message.
 */

import { crc32 } from "node:zlib";

import { type Packet, type Part, PACKET_PARTS } from "@quorate/gossip";
import { MalformedInput, Reader } from "@quorate/kernel";

import { bytes, type Pack, PackWriter, record, uint } from "../msgpack/index.ts";
import { type Keyring, SEAL_OVERHEAD } from "./keyring.ts";
import { compress, decompress } from "./lzw.ts";
import { decodePart, encodePart, TYPE } from "./parts.ts";

/** Ways in which what arrives can be wrong. */
export const FAULTS = [
  /** Nothing at all. */
  "empty",
  /** No key opens it: another cluster's, tampered with, or plain where all must be sealed. */
  "sealed",
  /** It belongs to a cluster with a label; we have none. */
  "label",
  "checksum",
  "compression",
  /** Cut off, or nested deeper than anybody sends. */
  "compound",
  /** Of a type that nobody sends in packets. */
  "unknown",
  /** The message itself is damaged. */
  "message",
] as const;
export type Fault = (typeof FAULTS)[number];

/** Hears what a datagram holds. */
export interface PacketSink {
  part(part: Part): void;
  fault(fault: Fault, detail: string): void;
}

/** Compound in compress in compound: as deep as memberlist's senders ever go, and one more. */
const DEPTH = 4;
/** What a datagram may expand to: no honest one held more than a datagram can. */
const EXPANDED_BYTES = 64 * 1024;
/** What packets are made of; the other types belong to streams or to the outside. */
const IN_PACKETS = new Set<number>([
  TYPE.ping,
  TYPE.indirectPing,
  TYPE.ack,
  TYPE.nack,
  TYPE.suspect,
  TYPE.alive,
  TYPE.dead,
  TYPE.user,
  TYPE.compound,
  TYPE.compress,
]);
const CHECKSUM_BYTES = 5;
const COMPOUND_BYTES = 2;
const COMPOUND_PART_BYTES = 2;

interface Compressed {
  readonly algorithm: number;
  readonly buffer: Uint8Array;
}

const compressed: Pack<Compressed> = record<Compressed>({
  algorithm: ["Algo", uint],
  buffer: ["Buf", bytes],
});

const LZW = 0;

export interface PacketLayers {
  /** Seals what is sent; what is received must be sealed. */
  readonly keyring: Keyring | undefined;
  /** Send compressed what is shorter so. */
  readonly compress: boolean;
}

/** What the layers may add to the parts of a packet, at most. */
export function layersBytes({ keyring }: PacketLayers): number {
  return CHECKSUM_BYTES + (keyring === undefined ? 0 : SEAL_OVERHEAD);
}

/** The datagram of a packet. */
export function encodePacket({ parts, checksum }: Packet, layers: PacketLayers): Uint8Array {
  let message = parts.length === 1 ? encodePart(parts[0]!) : compound(parts);
  if (layers.compress) message = shorter(message);
  if (checksum) message = withChecksum(message);
  return layers.keyring === undefined ? message : layers.keyring.seal(message);
}

function compound(parts: readonly Part[]): Uint8Array {
  const encoded = parts.slice(0, PACKET_PARTS).map(encodePart);
  let length = COMPOUND_BYTES + encoded.length * COMPOUND_PART_BYTES;
  for (const part of encoded) length += part.length;
  const message = new Uint8Array(length);
  message[0] = TYPE.compound;
  message[1] = encoded.length;
  let at = COMPOUND_BYTES;
  for (const part of encoded) {
    message[at++] = part.length >>> 8;
    message[at++] = part.length & 0xff;
  }
  for (const part of encoded) {
    message.set(part, at);
    at += part.length;
  }
  return message;
}

/** `message` compressed, if that makes it shorter. */
function shorter(message: Uint8Array): Uint8Array {
  const result = compressedMessage(message);
  return result.length < message.length ? result : message;
}

const scratch = new PackWriter("old");

/** A compress message around another. */
export function compressedMessage(message: Uint8Array): Uint8Array {
  scratch.length = 0;
  scratch.byte(TYPE.compress);
  compressed.write(scratch, { algorithm: LZW, buffer: compress(message) });
  return scratch.finish();
}

/** What a compress message holds, without its type byte. @throws MalformedInput */
export function expand(reader: Reader, limit: number): Uint8Array {
  const { algorithm, buffer } = compressed.read(reader);
  if (algorithm !== LZW) throw new MalformedInput(`compression of kind ${algorithm}`);
  return decompress(buffer, limit);
}

function withChecksum(message: Uint8Array): Uint8Array {
  const checked = new Uint8Array(CHECKSUM_BYTES + message.length);
  const view = new DataView(checked.buffer);
  view.setUint8(0, TYPE.checksum);
  view.setUint32(1, crc32(message));
  checked.set(message, CHECKSUM_BYTES);
  return checked;
}

/** Takes a datagram apart. Never throws for what is in it. */
export function decodePacket(
  datagram: Uint8Array,
  keyring: Keyring | undefined,
  sink: PacketSink,
): void {
  const plain = keyring === undefined ? datagram : keyring.open(datagram);
  if (plain === undefined) return sink.fault("sealed", "no key opens it");
  if (plain[0] !== TYPE.checksum) return new Opening(sink).message(plain, DEPTH);
  if (plain.length < CHECKSUM_BYTES) return sink.fault("checksum", "cut off");
  const view = new DataView(plain.buffer, plain.byteOffset);
  const message = plain.subarray(CHECKSUM_BYTES);
  if (view.getUint32(1) !== crc32(message)) return sink.fault("checksum", "does not match");
  new Opening(sink).message(message, DEPTH);
}

/** One datagram being taken apart. */
class Opening {
  private readonly sink: PacketSink;
  /** What everything in this datagram together may still expand to. */
  private expandable = EXPANDED_BYTES;

  constructor(sink: PacketSink) {
    this.sink = sink;
  }

  message(message: Uint8Array, depth: number): void {
    const { sink } = this;
    const type = message[0];
    if (type === undefined) sink.fault("empty", "no bytes");
    else if (type === TYPE.label) sink.fault("label", "labels are not spoken here");
    else if (!IN_PACKETS.has(type)) sink.fault("unknown", `type ${type} in a packet`);
    else if (depth === 0) sink.fault("compound", "too deep");
    else if (type === TYPE.compound) this.compound(message, depth - 1);
    else if (type === TYPE.compress) this.compressed(message, depth - 1);
    else this.part(message);
  }

  private part(message: Uint8Array): void {
    const part = this.attempt("message", () => decodePart(message));
    if (part !== undefined) this.sink.part(part);
  }

  private compressed(message: Uint8Array, depth: number): void {
    const inner = this.attempt("compression", () =>
      expand(new Reader(message.subarray(1)), this.expandable),
    );
    if (inner === undefined) return;
    this.expandable -= inner.length;
    this.message(inner, depth);
  }

  /** Parts that are whole count, even if those behind them were cut off. */
  private compound(message: Uint8Array, depth: number): void {
    const count = message[1] ?? 0;
    let at = COMPOUND_BYTES + count * COMPOUND_PART_BYTES;
    if (count === 0 || at > message.length) return this.sink.fault("compound", "cut off");
    for (let i = 0; i < count; i++) {
      const head = COMPOUND_BYTES + i * COMPOUND_PART_BYTES;
      const end = at + ((message[head]! << 8) | message[head + 1]!);
      if (end > message.length) {
        return this.sink.fault("compound", `${count - i} of ${count} parts cut off`);
      }
      this.message(message.subarray(at, end), depth);
      at = end;
    }
  }

  private attempt<T>(fault: Fault, read: () => T): T | undefined {
    try {
      return read();
    } catch (error) {
      if (!(error instanceof MalformedInput)) throw error;
      this.sink.fault(fault, error.message);
      return undefined;
    }
  }
}
