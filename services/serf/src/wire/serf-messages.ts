/**
 * Serf's messages (reference: hashicorp/serf, protocol versions 2 to 5): one
 * byte for the kind, then a MessagePack map. They travel as memberlist's user
 * messages; the state in push/pulls; answers to internal queries as payloads.
 */

import {
  type JoinIntent,
  type LeaveIntent,
  LTIME_MAX,
  type PastEvents,
  type Query,
  type QueryFilter,
  type QueryResponse,
  type Relay,
  type SerfMessage,
  type SerfState,
  type UserEvent,
} from "@quorate/gossip";
import { MalformedInput, Reader } from "@quorate/kernel";

import {
  bool,
  bytes,
  dictionary,
  int,
  is,
  kept,
  list,
  mapped,
  nullable,
  type Pack,
  packed,
  PackWriter,
  record,
  text,
  uint,
  uintOf,
} from "../msgpack/index.ts";
import { addressOf, endpointOf, type UdpAddress, udpAddress } from "./address.ts";

/** Kinds of Serf messages, as their first byte. */
export const KIND = {
  leave: 0,
  join: 1,
  pushPull: 2,
  userEvent: 3,
  query: 4,
  queryResponse: 5,
  conflict: 6,
  keyRequest: 7,
  keys: 8,
  relay: 9,
} as const;

/** A Lamport time that peers may be led to: see `LTIME_MAX`. */
const ltime: Pack<number> = {
  ...uint,
  read(reader) {
    const value = uint.read(reader);
    if (value > LTIME_MAX) throw new MalformedInput("a time beyond all counting");
    return value;
  },
};

const leave: Pack<LeaveIntent> = record<LeaveIntent>({
  type: is("leave"),
  ltime: ["LTime", ltime],
  node: ["Node", text],
  prune: ["Prune", bool],
});

const join: Pack<JoinIntent> = record<JoinIntent>({
  type: is("join"),
  ltime: ["LTime", ltime],
  node: ["Node", text],
});

const userEvent: Pack<UserEvent> = record<UserEvent>({
  type: is("userEvent"),
  ltime: ["LTime", ltime],
  name: ["Name", text],
  payload: ["Payload", kept],
  coalesce: ["CC", bool],
});

const scratch = new PackWriter("old");

const names = list(text);
const tagFilter = record<{ readonly tag: string; readonly expression: string }>({
  tag: ["Tag", text],
  expression: ["Expr", text],
});

const FILTER_NODES = 0;
const FILTER_TAG = 1;

const filter: Pack<QueryFilter> = mapped<QueryFilter, Uint8Array>(
  bytes,
  (value) => {
    const isNodes = value.type === "nodes";
    const body = isNodes ? packed(scratch, names, value.names) : packed(scratch, tagFilter, value);
    return Uint8Array.from([isNodes ? FILTER_NODES : FILTER_TAG, ...body]);
  },
  (wire) => {
    const reader = new Reader(wire);
    const kind = reader.byte();
    if (kind === FILTER_NODES) return { type: "nodes", names: names.read(reader) };
    if (kind === FILTER_TAG) return { type: "tag", ...tagFilter.read(reader) };
    throw new MalformedInput(`a query filter of kind ${kind}`);
  },
);

const FLAG_ACK = 1;
const FLAG_NO_BROADCAST = 2;
const NS_PER_MS = 1_000_000;

interface WireQuery extends Omit<Query, "type" | "source" | "ack" | "noBroadcast" | "timeoutMs"> {
  readonly ip: Uint8Array;
  readonly port: number;
  readonly flags: number;
  readonly timeoutNs: number;
}

const query: Pack<Query> = mapped<Query, WireQuery>(
  record<WireQuery>({
    ltime: ["LTime", ltime],
    id: ["ID", uintOf(32)],
    ip: ["Addr", bytes],
    port: ["Port", uintOf(16)],
    sourceNode: ["SourceNode", text],
    filters: ["Filters", list(filter)],
    flags: ["Flags", uintOf(32)],
    relayFactor: ["RelayFactor", uintOf(8)],
    timeoutNs: ["Timeout", int],
    name: ["Name", text],
    payload: ["Payload", kept],
  }),
  ({ source, ack, noBroadcast, timeoutMs, ...rest }) => ({
    ...rest,
    ...endpointOf(source),
    flags: (ack ? FLAG_ACK : 0) | (noBroadcast ? FLAG_NO_BROADCAST : 0),
    timeoutNs: Math.round(timeoutMs * NS_PER_MS),
  }),
  ({ ip, port, flags, timeoutNs, ...rest }) => ({
    type: "query",
    ...rest,
    source: addressOf({ ip, port }),
    ack: (flags & FLAG_ACK) !== 0,
    noBroadcast: (flags & FLAG_NO_BROADCAST) !== 0,
    timeoutMs: timeoutNs / NS_PER_MS,
  }),
);

interface WireResponse extends Omit<QueryResponse, "type" | "ack"> {
  readonly flags: number;
}

const queryResponse: Pack<QueryResponse> = mapped<QueryResponse, WireResponse>(
  record<WireResponse>({
    ltime: ["LTime", ltime],
    id: ["ID", uintOf(32)],
    from: ["From", text],
    flags: ["Flags", uintOf(32)],
    payload: ["Payload", kept],
  }),
  ({ ack, ...rest }) => ({ ...rest, flags: ack ? FLAG_ACK : 0 }),
  ({ flags, ...rest }) => ({ type: "queryResponse", ...rest, ack: (flags & FLAG_ACK) !== 0 }),
);

const relayHeader = record<{ readonly to: UdpAddress; readonly name: string }>({
  to: ["DestAddr", udpAddress],
  name: ["DestName", text],
});

const relay: Pack<Relay> = {
  get zero(): Relay {
    throw new MalformedInput("a relay to nowhere");
  },
  write(writer, { destination, destinationName, body }) {
    const to = { ...endpointOf(destination), zone: bytes.zero };
    relayHeader.write(writer, { to, name: destinationName });
    serfMessage.write(writer, body);
  },
  read(reader) {
    const { to, name } = relayHeader.read(reader);
    // What is relayed is an answer to a query; anything else would be a way to make us talk.
    const kind = reader.byte();
    if (kind !== KIND.queryResponse) throw new MalformedInput(`a relay of kind ${kind}`);
    const body = queryResponse.read(reader);
    return { type: "relay", destination: addressOf(to), destinationName: name, body };
  },
};

const packs = { leave, join, userEvent, query, queryResponse, relay } as const;
const byKind = new Map(
  (Object.keys(packs) as SerfMessage["type"][]).map((type) => [KIND[type], packs[type]]),
);

/** What a user message of memberlist's holds: one of Serf's. */
export const serfMessage: Pack<SerfMessage> = {
  get zero(): SerfMessage {
    throw new MalformedInput("no message");
  },
  write(writer, message) {
    writer.byte(KIND[message.type]);
    // The table pairs each type with its own codec, which an indexed access cannot say.
    const pack = packs[message.type] as Pack<SerfMessage>;
    pack.write(writer, message);
  },
  read(reader) {
    const kind = reader.byte();
    const pack = byKind.get(kind as (typeof KIND)[SerfMessage["type"]]);
    if (pack === undefined) throw new MalformedInput(`a Serf message of kind ${kind}`);
    return pack.read(reader);
  },
};

interface WirePastEvents {
  readonly ltime: number;
  readonly events: PastEvents["events"];
}

const pastEvents = nullable(
  record<WirePastEvents>({
    ltime: ["LTime", ltime],
    events: [
      "Events",
      list(
        record<PastEvents["events"][number]>({ name: ["Name", text], payload: ["Payload", kept] }),
      ),
    ],
  }),
);

interface WireState extends Omit<SerfState, "statusLTimes" | "events"> {
  readonly statusLTimes: ReadonlyMap<string, number>;
  readonly events: readonly (PastEvents | undefined)[];
}

const stateBody: Pack<SerfState> = mapped<SerfState, WireState>(
  record<WireState>({
    ltime: ["LTime", ltime],
    statusLTimes: ["StatusLTimes", dictionary(ltime)],
    left: ["LeftMembers", list(text)],
    eventLTime: ["EventLTime", ltime],
    events: ["Events", list(pastEvents)],
    queryLTime: ["QueryLTime", ltime],
  }),
  (value) => ({ ...value, statusLTimes: new Map(value.statusLTimes) }),
  (wire) => ({
    ...wire,
    statusLTimes: [...wire.statusLTimes],
    events: wire.events.filter((each) => each !== undefined),
  }),
);

/** Serf's share of a push/pull. */
export const serfState: Pack<SerfState> = {
  get zero() {
    return stateBody.zero;
  },
  write(writer, value) {
    writer.byte(KIND.pushPull);
    stateBody.write(writer, value);
  },
  read(reader) {
    const kind = reader.byte();
    if (kind !== KIND.pushPull) throw new MalformedInput(`a state of kind ${kind}`);
    return stateBody.read(reader);
  },
};
