/** What a gossiping node can be asked, says to the layer above, writes down and waits for. */

import type { Speaks } from "@quorate/kernel";

import type { Address, MemberRecord, Name } from "./member.ts";
import type { Message } from "./messages.ts";
import type {
  KeyAnswer,
  KeyOperation,
  LTime,
  Member,
  Query,
  QueryFilter,
  Tags,
  UserEvent,
} from "./serf/messages.ts";

export type Request =
  /** Joins through each address; with `replay`, past events are delivered too. */
  | { readonly type: "join"; readonly addresses: readonly Address[]; readonly replay: boolean }
  /** Says farewell; the node then only answers until it is stopped. */
  | { readonly type: "leave" }
  /** Publishes new meta about this node. Below Serf: its tags are meta. */
  | { readonly type: "setMeta"; readonly meta: Uint8Array }
  | { readonly type: "setTags"; readonly tags: Tags }
  | {
      readonly type: "userEvent";
      readonly name: string;
      readonly payload: Uint8Array;
      readonly coalesce: boolean;
    }
  | QueryRequest
  /** Answers a query that was put out, once. */
  | {
      readonly type: "respond";
      readonly ltime: LTime;
      readonly id: number;
      readonly payload: Uint8Array;
    }
  /** Turns a failed member into one that left; with `prune`, forgets it. */
  | { readonly type: "forceLeave"; readonly node: Name; readonly prune: boolean }
  /** Performs a key operation at every member and gathers their answers. */
  | { readonly type: "key"; readonly operation: KeyOperation; readonly key: Uint8Array }
  /** This node's own answer to a `keyRequest` that was put out. */
  | {
      readonly type: "keyDone";
      readonly ltime: LTime;
      readonly id: number;
      readonly answer: KeyAnswer;
    }
  /** The host noticed that it ran this node late: its health suffers (Lifeguard's self-awareness). */
  | { readonly type: "lagged" };

export interface QueryRequest {
  readonly type: "query";
  readonly name: string;
  readonly payload: Uint8Array;
  readonly filters: readonly QueryFilter[];
  readonly ack: boolean;
  readonly relayFactor: number;
  /** `undefined`: as the size of the cluster demands. */
  readonly timeoutMs: number | undefined;
}

export type JoinFailure = {
  readonly address: Address;
  readonly reason: string;
};

export type Response =
  | {
      readonly type: "joined";
      readonly contacted: number;
      readonly failures: readonly JoinFailure[];
    }
  /** The farewell has spread as far as it could: the node may be stopped. */
  | { readonly type: "left" }
  | { readonly type: "done" }
  /** The event is under way. */
  | { readonly type: "sent"; readonly ltime: LTime }
  /** Answers follow as outputs with this time and id, then `queryDone`. */
  | {
      readonly type: "asked";
      readonly ltime: LTime;
      readonly id: number;
      readonly timeoutMs: number;
    }
  | { readonly type: "keys"; readonly outcome: KeyOutcome }
  /** Nothing was done, and why. Definite. */
  | { readonly type: "refused"; readonly reason: string };

/** What a key operation came to over the whole cluster. */
export interface KeyOutcome {
  readonly nodes: number;
  readonly responses: number;
  readonly errors: number;
  readonly messages: readonly (readonly [node: Name, message: string])[];
  /** Key → how many members have it installed, and as primary. */
  readonly keys: readonly (readonly [key: string, members: number])[];
  readonly primaryKeys: readonly (readonly [key: string, members: number])[];
}

/** What became of a member. */
export type MemberChange = "join" | "leave" | "failed" | "update" | "reap";

export type Output =
  /** Membership below Serf: one change, as memberlist sees it. */
  | {
      readonly type: "member";
      readonly change: "join" | "update" | "leave";
      readonly member: MemberRecord;
    }
  /** Serf's members, those of a short time together if coalescing is on. */
  | {
      readonly type: "members";
      readonly change: MemberChange;
      readonly members: readonly Member[];
    }
  | { readonly type: "userEvent"; readonly event: UserEvent }
  /** A query for this node's handlers, to be answered by `respond` within its timeout. */
  | { readonly type: "query"; readonly query: Query }
  /** The driver holds the keys: it performs this and says `keyDone`. */
  | {
      readonly type: "keyRequest";
      readonly ltime: LTime;
      readonly id: number;
      readonly operation: KeyOperation;
      readonly key: Uint8Array;
    }
  | {
      readonly type: "queryAck";
      readonly ltime: LTime;
      readonly id: number;
      readonly from: Name;
    }
  | {
      readonly type: "queryResponse";
      readonly ltime: LTime;
      readonly id: number;
      readonly from: Name;
      readonly payload: Uint8Array;
    }
  | { readonly type: "queryDone"; readonly ltime: LTime; readonly id: number }
  /** A majority knows this node's name as another's: the node must stop. */
  | { readonly type: "nameTaken"; readonly by: Address };

/** What survives a restart: Serf's snapshot. One line of its file each. */
export type Record =
  | { readonly type: "alive"; readonly name: Name; readonly address: Address }
  | { readonly type: "notAlive"; readonly name: Name }
  | { readonly type: "clock"; readonly ltime: LTime }
  | { readonly type: "eventClock"; readonly ltime: LTime }
  | { readonly type: "queryClock"; readonly ltime: LTime }
  | { readonly type: "leave" };

export type Timer =
  | "probe"
  | "probeTimeout"
  | "probeEnd"
  | "gossip"
  | "pushPull"
  | "leave"
  | "reap"
  | "reconnect"
  | "rejoin"
  | "coalesce"
  | "quiet"
  | "userCoalesce"
  | "userQuiet"
  /** The intent to leave has been told for long enough. */
  | "intent"
  | "snapshot"
  /** No answer came in time to the ping made for another, or to an exchange. */
  | `relay:${number}`
  | `exchange:${number}`
  | `suspicion:${Name}`
  | `query:${LTime}/${number}`;

/** Facts for logs and metrics. */
export type Note =
  | { readonly type: "probeFailed"; readonly node: Name }
  | { readonly type: "onlyStreams"; readonly node: Name }
  | { readonly type: "suspected"; readonly node: Name; readonly by: Name }
  | { readonly type: "confirmed"; readonly node: Name; readonly by: Name }
  | { readonly type: "refuted"; readonly incarnation: number; readonly health: number }
  /** This node itself declared another dead, after so many confirmations of its suspicion. */
  | { readonly type: "failed"; readonly node: Name; readonly confirmations: number }
  | { readonly type: "died"; readonly node: Name; readonly from: Name }
  | { readonly type: "health"; readonly score: number }
  | {
      readonly type: "conflict";
      readonly node: Name;
      readonly mine: Address;
      readonly theirs: Address;
    }
  | { readonly type: "ignored"; readonly what: string; readonly reason: string }
  | { readonly type: "exchangeFailed"; readonly address: Address; readonly reason: string }
  | { readonly type: "mergeRefused"; readonly reason: string }
  | { readonly type: "reaped"; readonly node: Name }
  | { readonly type: "reclaimed"; readonly node: Name; readonly address: Address }
  | {
      readonly type: "dropped";
      readonly what: "broadcast" | "query";
      readonly count: number;
    };

export type GossipWords = Speaks<{
  Message: Message;
  Timer: Timer;
  Record: Record;
  Request: Request;
  Response: Response;
  Output: Output;
  Note: Note;
}>;
