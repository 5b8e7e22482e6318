/** The parts of a packet as bytes: one for the kind, then a MessagePack map. */

import type { Part } from "@quorate/gossip";
import { MalformedInput, Reader } from "@quorate/kernel";

import { type Pack, PackWriter } from "../msgpack/index.ts";
import { ack, alive, dead, indirectPing, nack, ping, suspect } from "./member-parts.ts";
import { serfMessage } from "./serf-messages.ts";

/** First bytes of everything that memberlist sends. */
export const TYPE = {
  ping: 0,
  indirectPing: 1,
  ack: 2,
  suspect: 3,
  alive: 4,
  dead: 5,
  pushPull: 6,
  compound: 7,
  user: 8,
  compress: 9,
  encrypt: 10,
  nack: 11,
  checksum: 12,
  error: 13,
  label: 244,
} as const;

const user: Pack<Extract<Part, { type: "user" }>> = {
  get zero(): never {
    throw new MalformedInput("no message");
  },
  write: (writer, { body }) => serfMessage.write(writer, body),
  read: (reader) => ({ type: "user", body: serfMessage.read(reader) }),
};

const packs = { ping, indirectPing, ack, nack, suspect, alive, dead, user } as const;

const byType: (Pack<Part> | undefined)[] = [];
for (const type of Object.keys(packs) as Part["type"][]) {
  byType[TYPE[type]] = packs[type];
}

/**
 * A broadcast goes into dozens of packets, and its size is asked for before
 * each: its bytes are kept for as long as the message itself is.
 */
const written = new WeakMap<Part, Uint8Array>();
const scratch = new PackWriter("old");

/** The bytes of a part. Not to be changed. */
export function encodePart(part: Part): Uint8Array {
  const known = written.get(part);
  if (known !== undefined) return known;
  scratch.length = 0;
  scratch.byte(TYPE[part.type]);
  byType[TYPE[part.type]]!.write(scratch, part);
  const bytes = scratch.finish();
  written.set(part, bytes);
  return bytes;
}

/** How many bytes a part takes. */
export function partBytes(part: Part): number {
  return encodePart(part).length;
}

/** Reads a part. @throws MalformedInput */
export function decodePart(bytes: Uint8Array): Part {
  const reader = new Reader(bytes);
  const type = reader.byte();
  const pack = byType[type];
  if (pack === undefined) throw new MalformedInput(`a message of type ${type}`);
  return pack.read(reader);
}
