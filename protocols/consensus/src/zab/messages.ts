/**
 * Everything a Zab node can hear, say, write and be asked: the whole vocabulary
 * on one page. Names follow Junqueira, Reed & Serafini (2011) and ZooKeeper,
 * which the paper's phases 1 and 2 were changed for ("Zab 1.0").
 */

import type { NodeId, Speaks } from "@quorate/kernel";

import type { Entry, Index, SnapshotMeta, Term } from "../entry.ts";
import type { LeaderTimer } from "../leader/state.ts";
import type { LogOutput, LogRequest, LogResponse } from "../ordered-log.ts";
import type { Zxid } from "./zxid.ts";

/** Whom a node wants to lead, and why: compared in the order of its fields (B1). */
export interface Vote {
  /** The candidate's current epoch. */
  readonly peerEpoch: Term;
  /** The last one of its history. */
  readonly zxid: Zxid;
  /** Among candidates with the same history: its priority, and more if a leader named it. */
  readonly rank: number;
  readonly node: NodeId;
}

/** What fast leader election says: where the sender stands, and whom it votes for. */
export interface Notification {
  readonly type: "notification";
  /** The electionEpoch, ZooKeeper's logical clock: votes of one round are counted together. */
  readonly round: number;
  readonly state: "looking" | "following" | "leading";
  /** With a leader: the vote that elected it, unchanged since (scenario Z10). */
  readonly vote: Vote | undefined;
  readonly acceptedEpoch: Term;
  /** All that the sender knows to be committed; that is so for ever. */
  readonly commit: Zxid;
  /** The sender hears the receiver. */
  readonly hears: boolean;
}

// Discovery.

/** CEPOCH: the sender wants to follow, and has promised no later epoch than this. */
export interface FollowerInfo {
  readonly type: "followerInfo";
  /** Counts the sender's attempts to follow somebody. */
  readonly attempt: number;
  readonly acceptedEpoch: Term;
  /** Who proposed that epoch. */
  readonly acceptedFrom: NodeId;
}

/** NEWEPOCH, and the number of a session for what follows. */
export interface LeaderInfo {
  readonly type: "leaderInfo";
  readonly attempt: number;
  readonly epoch: Term;
  readonly session: number;
}

/**
 * ACK-E: the sender follows no leader of an earlier epoch any more. Its history
 * is told in short: up to where it knows it to be committed, and where each epoch
 * ends after that; the last of `ends` is its end.
 */
export interface AckEpoch {
  readonly type: "ackEpoch";
  readonly epoch: Term;
  readonly session: number;
  readonly currentEpoch: Term;
  /** Of the last of `ends`. */
  readonly index: Index;
  /** Up to here the sender knows its history; less than `index` if its disk has lost some of it (B24). */
  readonly held: Index;
  readonly ends: readonly Zxid[];
}

// A session: what a leader says to one member, in order.

/** Of every message of a session: which one it is. */
interface InSession {
  readonly epoch: Term;
  readonly session: number;
  /** The first one of a session has 1. */
  readonly number: number;
}

/** Synchronisation begins. */
export interface Sync extends InSession {
  readonly type: "sync";
  /**
   * - `diff`: what follows continues after `zxid`, the receiver's last.
   * - `trunc`: it continues after `zxid`; what the receiver has beyond is dropped.
   * - `snap`: the receiver is sent a snapshot, up to `zxid` at least; then it asks for another session.
   */
  readonly mode: "diff" | "trunc" | "snap";
  readonly zxid: Zxid;
}

/** Proposals, the first of them with `zxid`; those up to `commit` are committed. */
interface Propose extends InSession {
  readonly type: "propose";
  readonly zxid: Zxid;
  readonly entries: readonly Entry[];
  readonly commit: Zxid;
}

/** The same for observers: all of it is committed. */
interface Inform extends InSession {
  readonly type: "inform";
  readonly zxid: Zxid;
  readonly entries: readonly Entry[];
}

interface Commit extends InSession {
  readonly type: "commit";
  readonly zxid: Zxid;
}

/** The receiver has been sent the leader's initial history: it is to make it its own. */
interface NewLeader extends InSession {
  readonly type: "newLeader";
}

/** COMMIT-LD: a quorum has the initial history. `zxid` is the latest that is committed. */
interface UpToDate extends InSession {
  readonly type: "upToDate";
  readonly zxid: Zxid;
}

export type Streamed = Sync | Propose | Inform | Commit | NewLeader | UpToDate;

/** The sender durably has the leader's history up to `zxid`. */
export interface Ack {
  readonly type: "ack";
  readonly epoch: Term;
  readonly session: number;
  readonly zxid: Zxid;
  /** It has accepted NEWLEADER in this session: ACK-LD. */
  readonly synced: boolean;
}

export interface Ping {
  readonly type: "ping";
  readonly epoch: Term;
  /** 0 if the receiver has none: it may ask for one. */
  readonly session: number;
  /** A quorum has the initial history. */
  readonly established: boolean;
  /** Numbers the leader's rounds of pings, so that an answer confirms a point in time. */
  readonly round: number;
  /** Messages of the session up to this number were sent long ago; 0 if that is no matter. */
  readonly sent: number;
}

export interface Pong {
  readonly type: "pong";
  readonly epoch: Term;
  readonly session: number;
  readonly round: number;
  /** The sender's disk or event loop has become slow: it should not lead. */
  readonly slow: boolean;
  /** As in {@link Ack}, which may have been lost. */
  readonly zxid: Zxid;
  readonly synced: boolean;
}

/** There is no such session (any more). */
export interface Ended {
  readonly type: "ended";
  readonly epoch: Term;
  readonly session: number;
}

/** The sender leads this epoch no more, and proposes a successor if it knows one. */
export interface Resigned {
  readonly type: "resigned";
  readonly epoch: Term;
  readonly successor: NodeId | undefined;
}

// Lost entries (B25, B26).

/** The sender looks for a leader, and asks everyone for an entry that its disk has lost. */
export interface Fetch {
  readonly type: "fetch";
  readonly index: Index;
  /** Of the same entry. */
  readonly zxid: Zxid;
  /**
   * The last epoch that the sender has accepted: who does not have the entry is to say so, having
   * promised a later one. `undefined` if only those who have it are asked.
   */
  readonly beyond: Term | undefined;
}

/** The entry asked for, and some that follow it. */
export interface Fetched {
  readonly type: "fetched";
  readonly index: Index;
  readonly entries: readonly Entry[];
}

/** The sender does not hold the entry asked for, and has promised an epoch later than `beyond`. */
export interface Absent {
  readonly type: "absent";
  readonly index: Index;
  readonly zxid: Zxid;
  readonly beyond: Term;
}

export type Message =
  | Notification
  | FollowerInfo
  | LeaderInfo
  | AckEpoch
  | Streamed
  | Ack
  | Ping
  | Pong
  | Ended
  | Resigned
  | Fetch
  | Fetched
  | Absent;

export type Record =
  /** No earlier epoch, and this one from nobody else, is followed any more. */
  | { readonly type: "acceptedEpoch"; readonly epoch: Term; readonly from: NodeId }
  /** The history so far is that of this epoch's leader. Written after it. */
  | { readonly type: "currentEpoch"; readonly epoch: Term }
  /** Entries that replace everything from `index` on; without any, nothing takes its place. */
  | { readonly type: "history"; readonly index: Index; readonly entries: readonly Entry[] }
  /** Entries from `index` on whose bytes the disk has lost, by their terms. Written by drivers. */
  | { readonly type: "damaged"; readonly index: Index; readonly terms: readonly Term[] }
  /** The bytes of such entries, from a peer. */
  | { readonly type: "mended"; readonly index: Index; readonly entries: readonly Entry[] }
  /** Everything up to here is committed: written for configurations, which count by that (B22). */
  | { readonly type: "committed"; readonly index: Index }
  /** The history begins after this entry; everything before is in a snapshot. */
  | { readonly type: "base"; readonly index: Index; readonly term: Term }
  /** Everything up to `meta.index` is in a snapshot. A history that lacks that entry begins after it. */
  | { readonly type: "snapshot"; readonly meta: SnapshotMeta };

/**
 * - `election`: a follower's patience with its leader, or a voter's with an election.
 * - `finalize`: a better vote may still come.
 * - `stand`: until then this node does not stand for election.
 */
export type Timer = LeaderTimer | "finalize" | "stand";

export type Note =
  | { readonly type: "looking"; readonly round: number }
  | { readonly type: "following"; readonly leader: NodeId; readonly round: number }
  | { readonly type: "discovering"; readonly round: number }
  | { readonly type: "acceptedEpoch"; readonly epoch: Term; readonly from: NodeId }
  /** A leader has a quorum's promise, and begins to synchronise. */
  | { readonly type: "synchronising"; readonly epoch: Term }
  | { readonly type: "synchronised"; readonly peer: NodeId; readonly mode: Sync["mode"] }
  /** A quorum has the leader's initial history: it serves. */
  | { readonly type: "elected"; readonly term: Term }
  | { readonly type: "established"; readonly epoch: Term; readonly initial: Index }
  | { readonly type: "steppedDown"; readonly term: Term; readonly reason: Reason }
  | { readonly type: "sessionEnded"; readonly leader: NodeId; readonly session: number }
  | { readonly type: "truncated"; readonly from: Index; readonly to: Index }
  | { readonly type: "damaged"; readonly from: Index; readonly entries: number }
  | { readonly type: "mended"; readonly from: Index; readonly to: Index }
  | { readonly type: "reconfiguring"; readonly term: Term }
  | { readonly type: "lagging"; readonly peer: NodeId };

/**
 * Why a node leads no more, or did not come to it: no quorum answers; a follower
 * has a newer history (B8), or has promised another epoch; it hands over; its
 * counter is full; it has received a snapshot of what it does not know.
 */
export type Reason =
  | "quorumLost"
  | "outdated"
  | "epochTaken"
  | "handedOver"
  | "counterFull"
  | "surpassed";

export type ZabWords = Speaks<{
  Message: Message;
  Timer: Timer;
  Record: Record;
  Request: LogRequest;
  Response: LogResponse;
  Output: LogOutput;
  Note: Note;
}>;
