/** What the protocol borrows of the codec (see `Wire` in @quorate/gossip). */

import type { KeyAnswer, Member, MemberStatus, Tags, Wire } from "@quorate/gossip";
import { MalformedInput, Reader } from "@quorate/kernel";

import {
  bool,
  bytes,
  dictionary,
  list,
  mapped,
  type Pack,
  packed,
  PackWriter,
  record,
  text,
  uintOf,
} from "../msgpack/index.ts";
import { addressOf, endpointOf } from "./address.ts";
import { partBytes } from "./parts.ts";
import { KIND } from "./serf-messages.ts";

const writer = new PackWriter("old");

/** In front of tags in a member's meta. Without it the meta is a role, as in Serf's protocol 2. */
const TAGS_MAGIC = 0xff;

const strings = dictionary(text);

const tags: Pack<Tags> = mapped<Tags, ReadonlyMap<string, string>>(
  strings,
  (value) => new Map(Object.entries(value)),
  (wire) => Object.freeze(Object.fromEntries([...wire].toSorted(([a], [b]) => (a < b ? -1 : 1)))),
);

function packTags(value: Tags): Uint8Array {
  return Uint8Array.from([TAGS_MAGIC, ...packed(writer, tags, value)]);
}

const NO_TAGS: Tags = Object.freeze({});

/** A member's meta is one object for as long as it does not change, and its tags are asked for often. */
const unpacked = new WeakMap<Uint8Array, Tags>();

function unpackTags(meta: Uint8Array): Tags {
  const known = unpacked.get(meta);
  if (known !== undefined) return known;
  const value = readTags(meta);
  unpacked.set(meta, value);
  return value;
}

function readTags(meta: Uint8Array): Tags {
  if (meta.length === 0) return NO_TAGS;
  if (meta[0] !== TAGS_MAGIC) return Object.freeze({ role: new TextDecoder().decode(meta) });
  return readOr(NO_TAGS, () => tags.read(new Reader(meta.subarray(1))));
}

/** On the wire a status is its place here; 0 is "none". */
const STATUSES: readonly (MemberStatus | undefined)[] = [
  undefined,
  "alive",
  "leaving",
  "left",
  "failed",
];

const u8 = uintOf(8);

interface WireMember {
  readonly name: string;
  readonly ip: Uint8Array;
  readonly port: number;
  readonly tags: Tags;
  readonly status: number;
  readonly protocolMin: number;
  readonly protocolMax: number;
  readonly protocol: number;
  readonly delegateMin: number;
  readonly delegateMax: number;
  readonly delegate: number;
}

/** Go's `serf.Member`. */
const member: Pack<Member> = mapped<Member, WireMember>(
  record<WireMember>({
    name: ["Name", text],
    ip: ["Addr", bytes],
    port: ["Port", uintOf(16)],
    tags: ["Tags", tags],
    status: ["Status", u8],
    protocolMin: ["ProtocolMin", u8],
    protocolMax: ["ProtocolMax", u8],
    protocol: ["ProtocolCur", u8],
    delegateMin: ["DelegateMin", u8],
    delegateMax: ["DelegateMax", u8],
    delegate: ["DelegateCur", u8],
  }),
  ({ name, address, tags: own, status, versions }) => {
    const [protocolMin, protocolMax, protocol, delegateMin, delegateMax, delegate] = versions;
    return {
      name,
      ...endpointOf(address),
      tags: own,
      status: STATUSES.indexOf(status),
      protocolMin,
      protocolMax,
      protocol,
      delegateMin,
      delegateMax,
      delegate,
    };
  },
  (wire) => {
    const status = STATUSES[wire.status];
    if (status === undefined) throw new MalformedInput(`a member of status ${wire.status}`);
    const { protocolMin, protocolMax, protocol, delegateMin, delegateMax, delegate } = wire;
    return {
      name: wire.name,
      address: addressOf(wire),
      tags: wire.tags,
      status,
      versions: [protocolMin, protocolMax, protocol, delegateMin, delegateMax, delegate],
    };
  },
);

const keyRequest = record<{ readonly key: Uint8Array }>({ key: ["Key", bytes] });

const keyAnswer: Pack<KeyAnswer> = record<KeyAnswer>({
  result: ["Result", bool],
  message: ["Message", text],
  keys: ["Keys", list(text)],
  primaryKey: ["PrimaryKey", text],
});

/** The codec's functions that the protocol is lent. */
export const serfWire: Wire = {
  partBytes,
  packTags,
  unpackTags,
  packConflict: (value) => payload(KIND.conflict, member, value),
  unpackConflict: (bytesOf) => payloadOf(KIND.conflict, member, bytesOf),
  packKey: (key) => payload(KIND.keyRequest, keyRequest, { key }),
  unpackKey: (bytesOf) => payloadOf(KIND.keyRequest, keyRequest, bytesOf)?.key.slice(),
  packKeyAnswer: (answer) => payload(KIND.keys, keyAnswer, answer),
  unpackKeyAnswer: (bytesOf) => payloadOf(KIND.keys, keyAnswer, bytesOf),
};

function payload<T>(kind: number, pack: Pack<T>, value: T): Uint8Array {
  return Uint8Array.from([kind, ...packed(writer, pack, value)]);
}

function payloadOf<T>(kind: number, pack: Pack<T>, payloadBytes: Uint8Array): T | undefined {
  if (payloadBytes[0] !== kind) return undefined;
  return readOr<T | undefined>(undefined, () => pack.read(new Reader(payloadBytes.subarray(1))));
}

/** What `read` gives, or `otherwise` for bytes that mean nothing. */
function readOr<T>(otherwise: T, read: () => T): T {
  try {
    return read();
  } catch (error) {
    if (error instanceof MalformedInput) return otherwise;
    throw error;
  }
}
