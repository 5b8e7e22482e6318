/** Binary and JSON forms of interval tree stamps. Only normal forms are read, so that each stamp has one encoding. */

import { type Codec, MalformedInput, uint } from "@quorate/kernel";

import { ClockError } from "./errors.ts";
import {
  type Events,
  type Identity,
  IntervalStamp,
  normalEvents,
  normalIdentity,
} from "./interval-tree.ts";

/** Deeper trees are refused. Forks deepen a tree by one each; joins make it shallow again. */
export const MAX_DEPTH = 256;

const NODE = 2;

const identityCodec: Codec<Identity> = {
  write(writer, identity) {
    if (typeof identity === "number") return writer.byte(identity);
    writer.byte(NODE);
    identityCodec.write(writer, identity[0]);
    identityCodec.write(writer, identity[1]);
  },
  read: (reader) => readIdentity(() => reader.byte(), MAX_DEPTH),
};

function readIdentity(next: () => number, depth: number): Identity {
  if (depth === 0) throw new MalformedInput("identity too deep");
  const tag = next();
  if (tag === 0 || tag === 1) return tag;
  if (tag !== NODE) throw new MalformedInput("no identity");
  const left = readIdentity(next, depth - 1);
  const right = readIdentity(next, depth - 1);
  const identity = normalIdentity(left, right);
  if (typeof identity === "number") throw new MalformedInput("identity not in normal form");
  return identity;
}

/** A number twice its value is a leaf; one more than twice its value is a node with that base. */
const eventsCodec: Codec<Events> = {
  write(writer, events) {
    if (typeof events === "number") return uint.write(writer, events * 2);
    uint.write(writer, events[0] * 2 + 1);
    eventsCodec.write(writer, events[1]);
    eventsCodec.write(writer, events[2]);
  },
  read: (reader) => readEvents(() => uint.read(reader), MAX_DEPTH),
};

function readEvents(next: () => number, depth: number): Events {
  if (depth === 0) throw new MalformedInput("events too deep");
  const word = next();
  if (word % 2 === 0) return word / 2;
  const n = (word - 1) / 2;
  const left = readEvents(next, depth - 1);
  const right = readEvents(next, depth - 1);
  const events = normalEvents(n, left, right);
  if (typeof events === "number" || events[0] !== n) {
    throw new MalformedInput("events not in normal form");
  }
  return events;
}

export const intervalCodec: Codec<IntervalStamp> = {
  write(writer, stamp) {
    identityCodec.write(writer, stamp.identity);
    eventsCodec.write(writer, stamp.events);
  },
  read: (reader) => new IntervalStamp(identityCodec.read(reader), eventsCodec.read(reader)),
};

/**
 * Reads what `IntervalStamp.toJSON` gives.
 * @throws ClockError `malformed`
 */
export function intervalFromJSON(json: unknown): IntervalStamp {
  if (!Array.isArray(json) || json.length !== 2) throw malformed();
  const [identity, events] = json as readonly unknown[];
  return new IntervalStamp(
    identityFromJSON(identity, MAX_DEPTH),
    eventsFromJSON(events, MAX_DEPTH),
  );
}

function identityFromJSON(json: unknown, depth: number): Identity {
  if (json === 0 || json === 1) return json;
  if (depth === 0 || !Array.isArray(json) || json.length !== 2) throw malformed();
  return normalIdentity(identityFromJSON(json[0], depth - 1), identityFromJSON(json[1], depth - 1));
}

function eventsFromJSON(json: unknown, depth: number): Events {
  if (isCount(json)) return json;
  if (depth === 0 || !Array.isArray(json) || json.length !== 3 || !isCount(json[0]))
    throw malformed();
  return normalEvents(
    json[0],
    eventsFromJSON(json[1], depth - 1),
    eventsFromJSON(json[2], depth - 1),
  );
}

function isCount(json: unknown): json is number {
  return Number.isSafeInteger(json) && (json as number) >= 0;
}

function malformed(): ClockError {
  return new ClockError("malformed", "an interval tree stamp is [identity, events]");
}
