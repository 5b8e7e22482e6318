/** Messages for the tests of this folder: one of each kind, and random ones. */

import type { MemberRecord, Packet, Part, SerfMessage, SerfState } from "@quorate/gossip";
import fc from "fast-check";

const bytes = (text: string): Uint8Array => new Uint8Array(Buffer.from(text));
const SOURCE = { name: "n1", address: "10.0.0.1:7946" };
const response = {
  type: "queryResponse",
  ltime: 8,
  id: 77,
  from: "n2",
  ack: false,
  payload: bytes("42"),
} as const;

const USER: readonly SerfMessage[] = [
  { type: "leave", ltime: 3, node: "n2", prune: true },
  { type: "join", ltime: 300, node: "n2" },
  { type: "userEvent", ltime: 5, name: "deploy", payload: bytes("v1"), coalesce: true },
  {
    type: "query",
    ltime: 8,
    id: 77,
    source: "[fe80::1]:7946",
    sourceNode: "n1",
    filters: [
      { type: "nodes", names: ["n1", "n2"] },
      { type: "tag", tag: "role", expression: "web.*" },
    ],
    ack: true,
    noBroadcast: true,
    relayFactor: 2,
    timeoutMs: 3200,
    name: "load",
    payload: bytes(""),
  },
  response,
  { type: "relay", destination: "10.0.0.3:7946", destinationName: "n3", body: response },
];

/** One of every kind. */
export const PARTS: readonly Part[] = [
  { type: "ping", seq: 1, node: "n2", source: SOURCE },
  { type: "ping", seq: 4_000_000_000, node: "", source: undefined },
  { type: "indirectPing", seq: 2, node: "n3", target: "10.0.0.3:7946", nack: true, source: SOURCE },
  { type: "ack", seq: 2, coordinate: undefined },
  {
    type: "ack",
    seq: 2,
    coordinate: {
      vector: [1, -2, 0, 0.5, 0, 0, 0, 1e-9],
      error: 1.5,
      adjustment: -0.1,
      height: 1e-5,
    },
  },
  { type: "nack", seq: 2 },
  { type: "suspect", node: "n2", incarnation: 9, from: "n1" },
  {
    type: "alive",
    node: "n2",
    address: "[2001:db8::2]:7946",
    incarnation: 10,
    meta: Uint8Array.from([0xff, 0x80]),
    versions: [1, 5, 2, 2, 5, 5],
  },
  { type: "dead", node: "n2", incarnation: 9, from: "n2" },
  ...USER.map((body) => ({ type: "user", body }) as const),
];

export const MEMBERS: readonly MemberRecord[] = (["alive", "suspect", "dead", "left"] as const).map(
  (state, i) => ({
    name: `n${i}`,
    address: `10.0.0.${i}:7946`,
    incarnation: i,
    meta: bytes(`meta ${i}`),
    versions: [1, 5, 2, 2, 5, 5],
    state,
  }),
);

export const STATE: SerfState = {
  ltime: 12,
  statusLTimes: [
    ["n0", 3],
    ["n1", 4],
  ],
  left: ["n3"],
  eventLTime: 5,
  events: [{ ltime: 4, events: [{ name: "deploy", payload: bytes("v1") }] }],
  queryLTime: 9,
};

/** Random picks and orders of those kinds, with random texts and numbers in them. */
export const anyPacket: fc.Arbitrary<Packet> = fc
  .tuple(
    fc.array(fc.tuple(fc.nat(PARTS.length - 1), fc.string(), fc.nat(0xffff_ffff)), {
      minLength: 1,
      maxLength: 12,
    }),
    fc.boolean(),
  )
  .map(([picks, checksum]) => ({
    type: "packet",
    parts: picks.map(([at, text, number]) => varied(PARTS[at]!, text, number)),
    checksum,
  }));

function varied(part: Part, text: string, number: number): Part {
  switch (part.type) {
    case "ping":
    case "indirectPing":
      return { ...part, node: text, seq: number };
    case "ack":
    case "nack":
      return { ...part, seq: number };
    case "suspect":
    case "dead":
      return { ...part, node: text, incarnation: number };
    case "alive":
      return { ...part, node: text, incarnation: number, meta: bytes(text) };
    case "user":
      return part;
  }
}
