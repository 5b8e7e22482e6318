/**
 * The agent's RPC protocol, version 1: MessagePack maps one after another on a
 * TCP connection, without frames. A request is a header, and a body for most
 * commands; a reply is a header with the request's number, and a body for some.
 * Subscriptions go on replying under their number.
 */

import type { Coordinate, Member } from "@quorate/gossip";

import {
  bool,
  bytes,
  dictionary,
  int,
  kept,
  list,
  mapped,
  type Pack,
  record,
  text,
  uint,
  uintOf,
} from "../msgpack/index.ts";
import { endpointOf } from "../wire/address.ts";
import { coordinate } from "../wire/member-parts.ts";

export interface RequestHeader {
  readonly command: string;
  readonly seq: number;
}

export const requestHeader: Pack<RequestHeader> = record<RequestHeader>({
  command: ["Command", text],
  seq: ["Seq", uint],
});

export interface ReplyHeader {
  readonly seq: number;
  readonly error: string;
}

export const replyHeader: Pack<ReplyHeader> = record<ReplyHeader>({
  seq: ["Seq", uint],
  error: ["Error", text],
});

const texts = dictionary(text);

/** Bodies of requests, by command. Commands that are not here have none. */
interface Bodies {
  readonly handshake: { readonly version: number };
  readonly auth: { readonly authKey: string };
  readonly event: {
    readonly name: string;
    readonly payload: Uint8Array;
    readonly coalesce: boolean;
  };
  readonly "force-leave": { readonly node: string; readonly prune: boolean };
  readonly join: { readonly existing: readonly string[]; readonly replay: boolean };
  readonly "members-filtered": {
    readonly tags: ReadonlyMap<string, string>;
    readonly status: string;
    readonly name: string;
  };
  readonly stream: { readonly type: string };
  readonly monitor: { readonly logLevel: string };
  readonly stop: { readonly stop: number };
  readonly "install-key": { readonly key: string };
  readonly "use-key": { readonly key: string };
  readonly "remove-key": { readonly key: string };
  readonly tags: {
    readonly tags: ReadonlyMap<string, string>;
    readonly deleteTags: readonly string[];
  };
  readonly query: {
    readonly filterNodes: readonly string[];
    readonly filterTags: ReadonlyMap<string, string>;
    readonly requestAck: boolean;
    readonly relayFactor: number;
    readonly timeoutNs: number;
    readonly name: string;
    readonly payload: Uint8Array;
  };
  readonly respond: { readonly id: number; readonly payload: Uint8Array };
  readonly "get-coordinate": { readonly node: string };
}

const keyBody = record<{ readonly key: string }>({ key: ["Key", text] });

export const requests: { readonly [C in keyof Bodies]: Pack<Bodies[C]> } = {
  handshake: record<Bodies["handshake"]>({ version: ["Version", int] }),
  auth: record<Bodies["auth"]>({ authKey: ["AuthKey", text] }),
  event: record<Bodies["event"]>({
    name: ["Name", text],
    payload: ["Payload", kept],
    coalesce: ["Coalesce", bool],
  }),
  "force-leave": record<Bodies["force-leave"]>({ node: ["Node", text], prune: ["Prune", bool] }),
  join: record<Bodies["join"]>({ existing: ["Existing", list(text)], replay: ["Replay", bool] }),
  "members-filtered": record<Bodies["members-filtered"]>({
    tags: ["Tags", texts],
    status: ["Status", text],
    name: ["Name", text],
  }),
  stream: record<Bodies["stream"]>({ type: ["Type", text] }),
  monitor: record<Bodies["monitor"]>({ logLevel: ["LogLevel", text] }),
  stop: record<Bodies["stop"]>({ stop: ["Stop", uint] }),
  "install-key": keyBody,
  "use-key": keyBody,
  "remove-key": keyBody,
  tags: record<Bodies["tags"]>({ tags: ["Tags", texts], deleteTags: ["DeleteTags", list(text)] }),
  query: record<Bodies["query"]>({
    filterNodes: ["FilterNodes", list(text)],
    filterTags: ["FilterTags", texts],
    requestAck: ["RequestAck", bool],
    relayFactor: ["RelayFactor", uintOf(8)],
    timeoutNs: ["Timeout", int],
    name: ["Name", text],
    payload: ["Payload", kept],
  }),
  respond: record<Bodies["respond"]>({ id: ["ID", uint], payload: ["Payload", kept] }),
  "get-coordinate": record<Bodies["get-coordinate"]>({ node: ["Node", text] }),
};

export type BodyCommand = keyof Bodies;
export type BodyOf<C extends BodyCommand> = Bodies[C];

export function hasBody(command: string): command is BodyCommand {
  return Object.hasOwn(requests, command);
}

const u8 = uintOf(8);

interface WireMember {
  readonly name: string;
  readonly ip: Uint8Array;
  readonly port: number;
  readonly tags: ReadonlyMap<string, string>;
  readonly status: string;
  readonly protocolMin: number;
  readonly protocolMax: number;
  readonly protocolCur: number;
  readonly delegateMin: number;
  readonly delegateMax: number;
  readonly delegateCur: number;
}

const wireMember = record<WireMember>({
  name: ["Name", text],
  ip: ["Addr", bytes],
  port: ["Port", uintOf(16)],
  tags: ["Tags", texts],
  status: ["Status", text],
  protocolMin: ["ProtocolMin", u8],
  protocolMax: ["ProtocolMax", u8],
  protocolCur: ["ProtocolCur", u8],
  delegateMin: ["DelegateMin", u8],
  delegateMax: ["DelegateMax", u8],
  delegateCur: ["DelegateCur", u8],
});

function toWire({ name, address, tags, status, versions }: Member): WireMember {
  const [protocolMin, protocolMax, protocolCur, delegateMin, delegateMax, delegateCur] = versions;
  return {
    name,
    ...endpointOf(address),
    tags: new Map(Object.entries(tags)),
    status,
    protocolMin,
    protocolMax,
    protocolCur,
    delegateMin,
    delegateMax,
    delegateCur,
  };
}

/** Written, never read: agents do not ask each other. */
const members: Pack<readonly Member[]> = mapped<readonly Member[], readonly WireMember[]>(
  list(wireMember),
  (values) => values.map(toWire),
  () => [],
);

/** Bodies of replies. */
interface Replies {
  readonly join: { readonly num: number };
  readonly members: { readonly members: readonly Member[] };
  readonly keys: {
    readonly messages: ReadonlyMap<string, string>;
    readonly keys: ReadonlyMap<string, number>;
    readonly numNodes: number;
    readonly numErr: number;
    readonly numResp: number;
  };
  readonly stats: ReadonlyMap<string, ReadonlyMap<string, string>>;
  readonly coordinate: { readonly coord: Coordinate; readonly ok: boolean };
  readonly memberEvent: { readonly event: string; readonly members: readonly Member[] };
  readonly userEvent: {
    readonly event: string;
    readonly ltime: number;
    readonly name: string;
    readonly payload: Uint8Array;
    readonly coalesce: boolean;
  };
  readonly queryEvent: {
    readonly event: string;
    readonly id: number;
    readonly ltime: number;
    readonly name: string;
    readonly payload: Uint8Array;
  };
  readonly queryRecord: {
    readonly type: string;
    readonly from: string;
    readonly payload: Uint8Array;
  };
  readonly log: { readonly log: string };
}

export const replies: { readonly [R in keyof Replies]: Pack<Replies[R]> } = {
  join: record<Replies["join"]>({ num: ["Num", int] }),
  members: record<Replies["members"]>({ members: ["Members", members] }),
  keys: record<Replies["keys"]>({
    messages: ["Messages", texts],
    keys: ["Keys", dictionary(int)],
    numNodes: ["NumNodes", int],
    numErr: ["NumErr", int],
    numResp: ["NumResp", int],
  }),
  stats: dictionary(texts),
  coordinate: record<Replies["coordinate"]>({ coord: ["Coord", coordinate], ok: ["Ok", bool] }),
  memberEvent: record<Replies["memberEvent"]>({
    event: ["Event", text],
    members: ["Members", members],
  }),
  userEvent: record<Replies["userEvent"]>({
    event: ["Event", text],
    ltime: ["LTime", uint],
    name: ["Name", text],
    payload: ["Payload", bytes],
    coalesce: ["Coalesce", bool],
  }),
  queryEvent: record<Replies["queryEvent"]>({
    event: ["Event", text],
    id: ["ID", uint],
    ltime: ["LTime", uint],
    name: ["Name", text],
    payload: ["Payload", bytes],
  }),
  queryRecord: record<Replies["queryRecord"]>({
    type: ["Type", text],
    from: ["From", text],
    payload: ["Payload", bytes],
  }),
  log: record<Replies["log"]>({ log: ["Log", text] }),
};
