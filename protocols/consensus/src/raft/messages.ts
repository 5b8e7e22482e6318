/**
 * Everything a Raft node can hear, say, write and be asked: the whole
 * vocabulary on one page. Names follow Ongaro & Ousterhout 2014, figure 2, and
 * Ongaro's thesis (2014) for PreVote (§9.6), ReadIndex (§6.4) and leadership
 * transfer (§3.10).
 */

import type { NodeId, Speaks } from "@quorate/kernel";

import type { Entry, Index, SnapshotMeta, Term } from "../entry.ts";
import type { LeaderTimer } from "../leader/state.ts";
import type { LogOutput, LogRequest, LogResponse } from "../ordered-log.ts";

export interface RequestVote {
  readonly type: "requestVote";
  /** The term to lead in. With `pre`, the term the sender would lead in; it has not adopted it. */
  readonly term: Term;
  readonly lastIndex: Index;
  readonly lastTerm: Term;
  /** Asks whether a vote would be granted, changing nothing (§9.6). */
  readonly pre: boolean;
  /** The leader itself asked for this election, so its lease does not stand in the way (§3.10). */
  readonly transfer: boolean;
  /** Counts the sender's campaigns: replies to an earlier one are not mixed up with this one's. */
  readonly round: number;
}

export interface Vote {
  readonly type: "vote";
  /** The term asked for if a pre-vote is granted; otherwise the sender's own. */
  readonly term: Term;
  readonly pre: boolean;
  readonly granted: boolean;
  readonly round: number;
}

export interface Append {
  readonly type: "append";
  readonly term: Term;
  readonly prevIndex: Index;
  readonly prevTerm: Term;
  readonly commit: Index;
  readonly entries: readonly Entry[];
}

/** The sender's log agrees with the leader's up to `index`, durably. */
export interface Appended {
  readonly type: "appended";
  readonly term: Term;
  readonly index: Index;
}

/**
 * The sender's log does not have the entry at `prevIndex`. Its own could agree
 * with the leader's up to `hintIndex` (whose term is `hintTerm`) at the latest.
 */
export interface Refused {
  readonly type: "refused";
  readonly term: Term;
  readonly prevIndex: Index;
  readonly hintIndex: Index;
  readonly hintTerm: Term;
}

export interface Heartbeat {
  readonly type: "heartbeat";
  readonly term: Term;
  readonly commit: Index;
  /** Numbers the leader's rounds of heartbeats, so that an answer confirms a point in time (§6.4). */
  readonly round: number;
}

export interface HeartbeatAck {
  readonly type: "heartbeatAck";
  readonly term: Term;
  readonly round: number;
  /** The sender's disk or event loop has become slow: it should not lead. */
  readonly slow: boolean;
}

/** The leader asks the receiver to campaign at once, having sent it the whole log. */
export interface TimeoutNow {
  readonly type: "timeoutNow";
  readonly term: Term;
  readonly lastIndex: Index;
}

/** The sender's disk has lost the entry at `index` and maybe later ones: they are to be sent again (R36). */
export interface Lost {
  readonly type: "lost";
  readonly term: Term;
  readonly index: Index;
}

/** The sender has no leader and asks everyone for an entry that its disk has lost. */
export interface Fetch {
  readonly type: "fetch";
  /** Later than the entry's: who answers that it is not there accepts it from no leader before. */
  readonly term: Term;
  readonly round: number;
  readonly index: Index;
  readonly entryTerm: Term;
}

/** The entry asked for, and some that follow it. */
export interface Fetched {
  readonly type: "fetched";
  readonly term: Term;
  readonly index: Index;
  readonly entries: readonly Entry[];
}

/** The sender does not hold the entry asked for, and promises what {@link Fetch.term} says. */
export interface Absent {
  readonly type: "absent";
  readonly term: Term;
  readonly round: number;
  readonly index: Index;
}

export type Message =
  | RequestVote
  | Vote
  | Append
  | Appended
  | Refused
  | Heartbeat
  | HeartbeatAck
  | TimeoutNow
  | Lost
  | Fetch
  | Fetched
  | Absent;

export type Record =
  /** Term and vote in one record: torn apart they would let a node vote twice. */
  | { readonly type: "state"; readonly term: Term; readonly votedFor: NodeId | undefined }
  /** The log begins after this entry; everything before is in a snapshot. */
  | { readonly type: "base"; readonly index: Index; readonly term: Term }
  /** Entries that replace everything from `index` on. */
  | { readonly type: "entries"; readonly index: Index; readonly entries: readonly Entry[] }
  /** Entries from `index` on whose bytes the disk has lost, by their terms. Written by drivers. */
  | { readonly type: "damaged"; readonly index: Index; readonly terms: readonly Term[] }
  /** The bytes of such entries, from a peer. */
  | { readonly type: "mended"; readonly index: Index; readonly entries: readonly Entry[] }
  /** Everything up to `meta.index` is in a snapshot. A log that lacks that entry begins after it. */
  | { readonly type: "snapshot"; readonly meta: SnapshotMeta };

export type Timer = LeaderTimer;

export type Note =
  | { readonly type: "campaigning"; readonly term: Term; readonly pre: boolean }
  | { readonly type: "elected"; readonly term: Term }
  | {
      readonly type: "steppedDown";
      readonly term: Term;
      readonly reason: "higherTerm" | "quorumLost";
    }
  | { readonly type: "reconfiguring"; readonly term: Term; readonly joint: boolean }
  | { readonly type: "truncated"; readonly from: Index; readonly to: Index }
  | { readonly type: "damaged"; readonly from: Index; readonly entries: number }
  | { readonly type: "mended"; readonly from: Index; readonly to: Index }
  | { readonly type: "lagging"; readonly peer: NodeId };

export type RaftWords = Speaks<{
  Message: Message;
  Timer: Timer;
  Record: Record;
  Request: LogRequest;
  Response: LogResponse;
  Output: LogOutput;
  Note: Note;
}>;
