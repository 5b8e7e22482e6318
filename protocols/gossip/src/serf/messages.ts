/**
 * What Serf says inside memberlist's user messages and push/pulls, and inside
 * the payloads of its internal queries. Wire types are named behind each.
 */

import type { Address, Name, Versions } from "../member.ts";

/** A reading of one of Serf's three Lamport clocks. Those beyond {@link LTIME_MAX} are not believed. */
export type LTime = number;

/** Clocks go up by witnessing: a peer must not be able to wind them up to where counting ends. */
export const LTIME_MAX: number = 2 ** 52;

/** 0. `node` means to go, or was told to by an operator; `prune` has it forgotten at once. */
export interface LeaveIntent {
  readonly type: "leave";
  readonly ltime: LTime;
  readonly node: Name;
  readonly prune: boolean;
}

/** 1. `node` is here to stay: outweighs an earlier leave. */
export interface JoinIntent {
  readonly type: "join";
  readonly ltime: LTime;
  readonly node: Name;
}

/** 3. An event of the users', for every member. */
export interface UserEvent {
  readonly type: "userEvent";
  readonly ltime: LTime;
  readonly name: string;
  readonly payload: Uint8Array;
  /** Of several with one name in a short time, only the latest matters (wire: CC). */
  readonly coalesce: boolean;
}

/** Which members a query is for: all filters must hold. */
export type QueryFilter =
  | { readonly type: "nodes"; readonly names: readonly Name[] }
  | { readonly type: "tag"; readonly tag: string; readonly expression: string };

/** 4. A question to every member that the filters name. */
export interface Query {
  readonly type: "query";
  readonly ltime: LTime;
  /** Tells queries of one time apart. */
  readonly id: number;
  /** Where answers go. */
  readonly source: Address;
  readonly sourceNode: Name;
  readonly filters: readonly QueryFilter[];
  /** Receivers acknowledge (flag 1). */
  readonly ack: boolean;
  /** Receivers do not spread it further (flag 2). */
  readonly noBroadcast: boolean;
  /** How many other members each answer is sent through besides, against loss. */
  readonly relayFactor: number;
  /** For how long answers are of use. Nanoseconds on the wire. */
  readonly timeoutMs: number;
  readonly name: string;
  readonly payload: Uint8Array;
}

/** 5. An answer or, with `ack`, an acknowledgement; sent straight to the query's source. */
export interface QueryResponse {
  readonly type: "queryResponse";
  readonly ltime: LTime;
  readonly id: number;
  readonly from: Name;
  readonly ack: boolean;
  readonly payload: Uint8Array;
}

/** 9. Pass `body` on to `destination`. */
export interface Relay {
  readonly type: "relay";
  readonly destination: Address;
  readonly destinationName: Name;
  readonly body: SerfMessage;
}

export type SerfMessage = LeaveIntent | JoinIntent | UserEvent | Query | QueryResponse | Relay;

/** Names and values that a member publishes about itself, in order of names. */
export type Tags = { readonly [tag: string]: string };

/** As Serf's users see a member: `leaving` has said so and not gone yet, `failed` went without a word. */
export type MemberStatus = "alive" | "leaving" | "left" | "failed";

export interface Member {
  readonly name: Name;
  readonly address: Address;
  readonly tags: Tags;
  readonly status: MemberStatus;
  readonly versions: Versions;
}

/** What may be done with the cluster's keys, by the queries `_serf_install-key` and so on. */
export type KeyOperation = "install" | "use" | "remove" | "list";

/** 8. A node's answer to a key operation, the payload of its query response. */
export interface KeyAnswer {
  readonly result: boolean;
  readonly message: string;
  readonly keys: readonly string[];
  readonly primaryKey: string;
}

/** Events of one time, as a push/pull repeats them. */
export interface PastEvents {
  readonly ltime: LTime;
  readonly events: readonly { readonly name: string; readonly payload: Uint8Array }[];
}

/** 2. Serf's share of a push/pull. */
export interface SerfState {
  readonly ltime: LTime;
  /** The time of the last intent about each member; of one that leaves or left, one before its leave (G44). */
  readonly statusLTimes: readonly (readonly [name: Name, ltime: LTime])[];
  /** Members that left, not failed. */
  readonly left: readonly Name[];
  readonly eventLTime: LTime;
  /** Empty slots of the sender's buffer are left out; a driver puts in what the format wants. */
  readonly events: readonly PastEvents[];
  readonly queryLTime: LTime;
}
