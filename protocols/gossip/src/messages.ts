/**
 * Everything that gossiping nodes say to each other. Parts of a packet
 * correspond one to one to HashiCorp memberlist's messages, `body` of a user
 * part to Serf's; field for field, so that a driver can write each to the exact
 * bytes (decision 0030). Wire types are named behind each message.
 *
 * Das, Gupta, Motivala 2002 (SWIM) for ping, indirect ping, suspect, alive and
 * dead; Dadgar, Phillips, Currey 2017 (Lifeguard) for nack.
 */

import type { Coordinate } from "./coordinates/coordinate.ts";
import type { Address, Incarnation, MemberRecord, Name, Versions } from "./member.ts";
import type { SerfMessage, SerfState } from "./serf/messages.ts";

/** Who asks, so that the answer finds the way back whatever the packet's sender looks like. */
export interface Source {
  readonly name: Name;
  readonly address: Address;
}

/** 0. Are you there? Ignored by a node whose name is not `node`. */
export interface Ping {
  readonly type: "ping";
  readonly seq: number;
  /** The name of the node that is asked; `""` asks whoever is there. */
  readonly node: Name;
  readonly source: Source | undefined;
}

/** 1. Ping `node` for me, and tell me what came of it. */
export interface IndirectPing {
  readonly type: "indirectPing";
  readonly seq: number;
  readonly node: Name;
  readonly target: Address;
  /** Also say so if no answer comes in time. */
  readonly nack: boolean;
  readonly source: Source | undefined;
}

/** 2. Answers a ping: `seq` is the ping's. Relayed answers carry no coordinate. */
export interface Ack {
  readonly type: "ack";
  readonly seq: number;
  readonly coordinate: Coordinate | undefined;
}

/** 11. The helper is well, and has not heard from the target of the indirect ping `seq`. */
export interface Nack {
  readonly type: "nack";
  readonly seq: number;
}

/** 3. `from` got no answer from `node`. */
export interface Suspect {
  readonly type: "suspect";
  readonly node: Name;
  readonly incarnation: Incarnation;
  readonly from: Name;
}

/** 4. `node` is here, and this is what it says about itself. */
export interface Alive {
  readonly type: "alive";
  readonly node: Name;
  readonly address: Address;
  readonly incarnation: Incarnation;
  readonly meta: Uint8Array;
  readonly versions: Versions;
}

/** 5. `from` holds that `node` is gone; with `from` equal to `node`, it says farewell. */
export interface Dead {
  readonly type: "dead";
  readonly node: Name;
  readonly incarnation: Incarnation;
  readonly from: Name;
}

/** 8. Something of the layer above. */
export interface User {
  readonly type: "user";
  readonly body: SerfMessage;
}

export type Part = Ping | IndirectPing | Ack | Nack | Suspect | Alive | Dead | User;

/** One datagram. Several parts travel as one compound message (7), one alone bare. */
export interface Packet {
  readonly type: "packet";
  /** At least one, at most {@link PACKET_PARTS}. */
  readonly parts: readonly Part[];
  /** The receiver is known to read a checksum in front (12). */
  readonly checksum: boolean;
}

/** The most parts of a packet: old decoders overflow beyond. */
export const PACKET_PARTS = 127;

/**
 * The whole state, over a stream (6). The receiver of one that is no `reply`
 * answers with its own. See {@link StreamMessage} for `exchange`.
 */
export interface PushPull {
  readonly type: "pushPull";
  readonly exchange: number;
  readonly reply: boolean;
  readonly join: boolean;
  readonly members: readonly MemberRecord[];
  /** `undefined` if the sender has no layer above memberlist. */
  readonly state: SerfState | undefined;
}

/** A ping over a stream, for when packets do not get through. */
export interface StreamPing {
  readonly type: "streamPing";
  readonly exchange: number;
  readonly seq: number;
  readonly node: Name;
  readonly source: Source;
}

export interface StreamAck {
  readonly type: "streamAck";
  readonly exchange: number;
  readonly seq: number;
}

/** 13. The other side could not read or would not take what it was sent. */
export interface StreamError {
  readonly type: "streamError";
  readonly exchange: number;
  readonly text: string;
}

/**
 * What goes over a stream, one question and one answer to each. `exchange` is
 * the asker's number of the exchange when it asks and when it is answered. A
 * driver that accepts a stream puts its own number into the question it hands
 * over, so that the answer, sent to the question's `from` with that number,
 * finds the stream; `from` is a return address and nothing else.
 */
export type StreamMessage = PushPull | StreamPing | StreamAck | StreamError;

export type Message = Packet | StreamMessage;
