/**
 * A {@link Wire} for simulations: sizes as memberlist's encoding has them, to
 * within a few bytes, and payloads that only this file reads. Real nodes lend
 * the codec they speak.
 */

import {
  type Codec,
  decode,
  encode,
  freeze,
  list,
  MalformedInput,
  oneOf,
  struct,
  text,
  uint,
  bool,
  bytes,
} from "@quorate/kernel";

import type { Versions } from "./member.ts";
import type { Part } from "./messages.ts";
import type { KeyAnswer, Member, SerfMessage, Tags } from "./serf/messages.ts";
import type { Wire } from "./wire.ts";

/** Names of fields and type bytes, as measured on memberlist's messages. */
const FIXED = {
  ping: 58,
  indirectPing: 76,
  ack: 18,
  nack: 8,
  suspect: 28,
  alive: 56,
  dead: 28,
  user: 1,
  leave: 23,
  join: 17,
  userEvent: 31,
  query: 118,
  queryResponse: 38,
  relay: 40,
} as const;
/** A coordinate in an ack: eleven floats of nine bytes and their names. */
const COORDINATE_BYTES = 132;

function serfBytes(body: SerfMessage): number {
  const fixed = FIXED[body.type];
  switch (body.type) {
    case "leave":
    case "join":
      return fixed + body.node.length;
    case "userEvent":
      return fixed + body.name.length + body.payload.length;
    case "query":
      return fixed + body.name.length + body.payload.length + body.sourceNode.length;
    case "queryResponse":
      return fixed + body.from.length + body.payload.length;
    case "relay":
      return fixed + body.destinationName.length + serfBytes(body.body);
  }
}

function partBytes(part: Part): number {
  const fixed = FIXED[part.type];
  switch (part.type) {
    case "ping":
    case "indirectPing":
      return fixed + part.node.length + (part.source?.name.length ?? 0);
    case "ack":
      return fixed + (part.coordinate === undefined ? 0 : COORDINATE_BYTES);
    case "nack":
      return fixed;
    case "suspect":
    case "dead":
      return fixed + part.node.length + part.from.length;
    case "alive":
      return fixed + part.node.length + part.meta.length;
    case "user":
      return fixed + serfBytes(part.body);
  }
}

const tagsCodec = list(struct<{ tag: string; value: string }>({ tag: text, value: text }));
const versionsCodec = list(uint);
type FlatMember = Omit<Member, "tags" | "versions"> & {
  readonly tags: Uint8Array;
  readonly versions: readonly number[];
};
const memberCodec = struct<FlatMember>({
  name: text,
  address: text,
  tags: bytes,
  status: oneOf(["alive", "leaving", "left", "failed"]),
  versions: versionsCodec,
});
const keyCodec = struct<{ key: Uint8Array }>({ key: bytes });
const answerCodec = struct<KeyAnswer>({
  result: bool,
  message: text,
  keys: list(text),
  primaryKey: text,
});

function packTags(tags: Tags): Uint8Array {
  return encode(
    tagsCodec,
    Object.entries(tags).map(([tag, value]) => ({ tag, value })),
  );
}

function unpackTags(meta: Uint8Array): Tags {
  const pairs = attempt(tagsCodec, meta) ?? [];
  return freeze(Object.fromEntries(pairs.map(({ tag, value }) => [tag, value])));
}

/** A value, or `undefined` for bytes that are none: strangers send payloads. */
function attempt<T>(codec: Codec<T>, payload: Uint8Array): T | undefined {
  try {
    return decode(codec, payload);
  } catch (error) {
    if (error instanceof MalformedInput) return undefined;
    throw error;
  }
}

export const plainWire: Wire = Object.freeze({
  partBytes,
  packTags,
  unpackTags,
  packConflict: (member: Member) => encode(memberCodec, { ...member, tags: packTags(member.tags) }),
  unpackConflict(payload: Uint8Array): Member | undefined {
    const flat = attempt(memberCodec, payload);
    if (flat?.versions.length !== 6) return undefined;
    // Six numbers, as just checked.
    const versions = flat.versions as unknown as Versions;
    return { ...flat, tags: unpackTags(flat.tags), versions };
  },
  packKey: (key: Uint8Array) => encode(keyCodec, { key }),
  unpackKey: (payload: Uint8Array) => attempt(keyCodec, payload)?.key,
  packKeyAnswer: (answer: KeyAnswer) => encode(answerCodec, answer),
  unpackKeyAnswer: (payload: Uint8Array) => attempt(answerCodec, payload),
});
