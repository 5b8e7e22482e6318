/**
 * memberlist's own messages (reference: hashicorp/memberlist, protocol versions 1
 * to 5): what a packet's parts are made of, beside what Serf puts into them.
 */

import type {
  Ack,
  Alive,
  Coordinate,
  Dead,
  IndirectPing,
  MemberRecord,
  MemberState,
  Nack,
  Ping,
  Source,
  Suspect,
  Versions,
} from "@quorate/gossip";
import { MalformedInput, Reader } from "@quorate/kernel";

import {
  bool,
  bytes,
  float,
  is,
  kept,
  list,
  mapped,
  nullableBytes,
  optional,
  type Pack,
  packed,
  PackWriter,
  record,
  text,
  uint,
  uintOf,
} from "../msgpack/index.ts";
import { addressOf, endpointOf } from "./address.ts";

const u32 = uintOf(32);
const u16 = uintOf(16);

/** Where the asker wants the answer; left out by old senders, whole or in part. */
interface WireSource {
  readonly sourceAddr: Uint8Array | undefined;
  readonly sourcePort: number | undefined;
  readonly sourceNode: string | undefined;
}

const sourceFields = {
  sourceAddr: ["SourceAddr", optional(bytes)],
  sourcePort: ["SourcePort", optional(u16)],
  sourceNode: ["SourceNode", optional(text)],
} as const;

function toWireSource(source: Source | undefined): WireSource {
  if (source === undefined) {
    return { sourceAddr: undefined, sourcePort: undefined, sourceNode: undefined };
  }
  const { ip, port } = endpointOf(source.address);
  return { sourceAddr: ip, sourcePort: port, sourceNode: source.name };
}

function fromWireSource({ sourceAddr, sourcePort, sourceNode }: WireSource): Source | undefined {
  if (sourceAddr === undefined || sourceAddr.length === 0 || !sourcePort) return undefined;
  return { address: addressOf({ ip: sourceAddr, port: sourcePort }), name: sourceNode ?? "" };
}

interface WirePing extends WireSource {
  readonly seq: number;
  readonly node: string;
}

export const ping: Pack<Ping> = mapped(
  record<WirePing>({ seq: ["SeqNo", u32], node: ["Node", text], ...sourceFields }),
  ({ seq, node, source }) => ({ seq, node, ...toWireSource(source) }),
  (wire) => ({ type: "ping", seq: wire.seq, node: wire.node, source: fromWireSource(wire) }),
);

interface WireIndirectPing extends WirePing {
  readonly target: Uint8Array;
  readonly port: number;
  readonly nack: boolean;
}

export const indirectPing: Pack<IndirectPing> = mapped(
  record<WireIndirectPing>({
    seq: ["SeqNo", u32],
    node: ["Node", text],
    target: ["Target", bytes],
    port: ["Port", u16],
    nack: ["Nack", bool],
    ...sourceFields,
  }),
  ({ seq, node, target, nack, source }) => {
    const { ip, port } = endpointOf(target);
    return { seq, node, target: ip, port, nack, ...toWireSource(source) };
  },
  (wire) => ({
    type: "indirectPing",
    seq: wire.seq,
    node: wire.node,
    target: addressOf({ ip: wire.target, port: wire.port }),
    nack: wire.nack,
    source: fromWireSource(wire),
  }),
);

export const nack: Pack<Nack> = record<Nack>({ type: is("nack"), seq: ["SeqNo", u32] });

export const suspect: Pack<Suspect> = record<Suspect>({
  type: is("suspect"),
  node: ["Node", text],
  incarnation: ["Incarnation", u32],
  from: ["From", text],
});

export const dead: Pack<Dead> = record<Dead>({
  type: is("dead"),
  node: ["Node", text],
  incarnation: ["Incarnation", u32],
  from: ["From", text],
});

const NO_VERSIONS: Versions = Object.freeze([0, 0, 0, 0, 0, 0] as const);

/** Six bytes; fewer mean none, which receivers refuse. */
const versions: Pack<Versions> = {
  zero: NO_VERSIONS,
  write: (writer, value) => bytes.write(writer, Uint8Array.from(value)),
  read(reader) {
    const [a, b, c, d, e, f] = bytes.read(reader);
    if (f === undefined) return NO_VERSIONS;
    return [a!, b!, c!, d!, e!, f];
  },
};

interface WireAlive {
  readonly node: string;
  readonly ip: Uint8Array;
  readonly port: number;
  readonly incarnation: number;
  readonly meta: Uint8Array;
  readonly versions: Versions;
}

export const alive: Pack<Alive> = mapped(
  record<WireAlive>({
    node: ["Node", text],
    ip: ["Addr", bytes],
    port: ["Port", u16],
    incarnation: ["Incarnation", u32],
    meta: ["Meta", kept],
    versions: ["Vsn", versions],
  }),
  ({ node, address, incarnation, meta, versions: vsn }) => {
    return { node, ...endpointOf(address), incarnation, meta, versions: vsn };
  },
  ({ node, ip, port, incarnation, meta, versions: vsn }) => {
    const address = addressOf({ ip, port });
    return { type: "alive", node, address, incarnation, meta, versions: vsn };
  },
);

/** On the wire a state is its place here. */
const STATES: readonly MemberState[] = ["alive", "suspect", "dead", "left"];

const state: Pack<MemberState> = mapped(
  uint,
  (value) => STATES.indexOf(value),
  (place) => {
    const found = STATES[place];
    if (found === undefined) throw new MalformedInput(`a member in state ${place}`);
    return found;
  },
);

interface WireMember extends Omit<WireAlive, "node"> {
  readonly name: string;
  readonly state: MemberState;
}

/** A member in a push/pull. */
export const member: Pack<MemberRecord> = mapped(
  record<WireMember>({
    name: ["Name", text],
    ip: ["Addr", bytes],
    port: ["Port", u16],
    incarnation: ["Incarnation", u32],
    meta: ["Meta", kept],
    versions: ["Vsn", versions],
    state: ["State", state],
  }),
  ({ address, ...rest }) => ({ ...rest, ...endpointOf(address) }),
  ({ ip, port, meta, ...rest }) => ({ ...rest, address: addressOf({ ip, port }), meta }),
);

/** Serf's coordinates, as its agents put them behind acknowledgements. */
export const coordinate: Pack<Coordinate> = record<Coordinate>({
  vector: ["Vec", list(float)],
  error: ["Error", float],
  adjustment: ["Adjustment", float],
  height: ["Height", float],
});

const COORDINATE_VERSION = 1;
const coordinateWriter = new PackWriter("old");

/** The coordinate in an acknowledgement. What we do not understand is none: it must not void the answer. */
const ackPayload: Pack<Coordinate | undefined> = mapped(
  nullableBytes,
  (value) => {
    if (value === undefined) return undefined;
    const payload = packed(coordinateWriter, coordinate, value);
    return Uint8Array.from([COORDINATE_VERSION, ...payload]);
  },
  (payload) => {
    if (payload?.[0] !== COORDINATE_VERSION) return undefined;
    try {
      return coordinate.read(new Reader(payload.subarray(1)));
    } catch (error) {
      if (error instanceof MalformedInput) return undefined;
      throw error;
    }
  },
);

export const ack: Pack<Ack> = record<Ack>({
  type: is("ack"),
  seq: ["SeqNo", u32],
  coordinate: ["Payload", ackPayload],
});
