/**
 * Everything a Multi-Paxos node can hear, say, write and be asked: the whole
 * vocabulary on one page. Names follow Lamport 2001 (prepare, promise, accept),
 * Howard et al. for what leaders stream, and OmniPaxos (2023) for the election.
 */

import type { NodeId, Speaks } from "@quorate/kernel";

import type { Entry, Index, SnapshotMeta, Term } from "../../entry.ts";
import type { LeaderTimer } from "../../leader/state.ts";
import type { LogOutput, LogRequest, LogResponse } from "../../ordered-log.ts";
import type { Ballot } from "./ballot.ts";
import type { QuorumSizes } from "./quorums.ts";
import type { LostRun, Run } from "./slots.ts";

/** Asks, changing nothing, whether the receiver misses a leader too. */
export interface Poll {
  readonly type: "poll";
  /** Counts the sender's polls. */
  readonly round: number;
  readonly quorums: QuorumSizes;
}

export interface Polled {
  readonly type: "polled";
  readonly round: number;
  /** A leader was heard of late: the sender wants no other. */
  readonly happy: boolean;
  /** The highest ballot that the sender has promised. */
  readonly ballot: Ballot;
  /** To a node that knows the decided slots up to here, one message tells the others that the sender knows. */
  readonly near: Index;
}

/** Phase 1a, for all slots from `from` on. */
export interface Prepare {
  readonly type: "prepare";
  readonly ballot: Ballot;
  readonly from: Index;
  /** The leader of this ballot asked for it, so its lease does not stand in the way; nobody's else. */
  readonly summons: Ballot | undefined;
  readonly quorums: QuorumSizes;
}

/**
 * Phase 1b. The sender accepts nothing in a lower ballot any more, and tells all
 * that it has accepted in the slots `from` to `through`. If there is more, up to
 * `last`, it is told when asked for.
 */
export interface Promised {
  readonly type: "promise";
  readonly ballot: Ballot;
  readonly from: Index;
  readonly through: Index;
  readonly last: Index;
  readonly runs: readonly Run[];
  /** Slots in which it has accepted something that its disk has lost (M27). */
  readonly lost: readonly LostRun[];
  /** The sender knows that everything up to here is decided. */
  readonly commit: Index;
}

/** Promised, but what was asked about is compacted away: a snapshot is on its way. */
export interface Behind {
  readonly type: "behind";
  readonly ballot: Ballot;
  readonly base: Index;
}

/** The sender has promised a higher ballot than the one it was addressed in. */
export interface Nack {
  readonly type: "nack";
  readonly ballot: Ballot;
}

/** Phase 2a for the slots from `index` on, one value each. */
export interface Accept {
  readonly type: "accept";
  readonly ballot: Ballot;
  readonly index: Index;
  readonly entries: readonly Entry[];
  readonly commit: Index;
}

/** Phase 2b: every slot up to `index` is accepted in this ballot, or known to be decided; durably. */
export interface Accepted {
  readonly type: "accepted";
  readonly ballot: Ballot;
  readonly index: Index;
}

/** What was accepted in this ballot up to `commit` is decided. */
export interface Decide {
  readonly type: "decide";
  readonly ballot: Ballot;
  readonly commit: Index;
}

export interface Heartbeat {
  readonly type: "heartbeat";
  readonly ballot: Ballot;
  readonly commit: Index;
  /** Numbers the leader's rounds of heartbeats, so that an answer confirms a point in time. */
  readonly round: number;
  /** Everything up to here was sent to the receiver: it says what it lacks of that. 0 if that is no matter. */
  readonly sent: Index;
}

export interface HeartbeatAck {
  readonly type: "heartbeatAck";
  readonly ballot: Ballot;
  readonly round: number;
  /** As in {@link Accepted}. */
  readonly index: Index;
  /** The sender's disk or event loop has become slow: it should not lead. */
  readonly slow: boolean;
}

/** Slot `from`, which was sent, has not arrived. A hint: nothing is counted by it. */
export interface Missing {
  readonly type: "missing";
  readonly ballot: Ballot;
  readonly from: Index;
}

/** The leader asks the receiver, which has everything, to prepare a ballot at once. */
export interface TakeOver {
  readonly type: "takeOver";
  readonly ballot: Ballot;
}

export type Message =
  | Poll
  | Polled
  | Prepare
  | Promised
  | Behind
  | Nack
  | Accept
  | Accepted
  | Decide
  | Heartbeat
  | HeartbeatAck
  | Missing
  | TakeOver;

export type Record =
  /** Nothing is accepted in a lower ballot any more. */
  | { readonly type: "promised"; readonly ballot: Ballot }
  /**
   * Promise and acceptance at once, for a batch of neighbouring slots. What is
   * held up to `commit` is decided.
   */
  | {
      readonly type: "accepted";
      readonly ballot: Ballot;
      readonly index: Index;
      readonly entries: readonly Entry[];
      readonly commit: Index;
    }
  /** In the place of an `accepted` whose values the disk has lost (M27). Written by drivers, and kept in checkpoints. */
  | {
      readonly type: "damaged";
      readonly ballot: Ballot;
      readonly index: Index;
      readonly count: number;
      readonly commit: Index;
    }
  /** Slots up to this one are forgotten; all of them are decided. */
  | { readonly type: "base"; readonly index: Index; readonly term: Term }
  /** Everything up to `meta.index` is decided and in a snapshot. */
  | { readonly type: "snapshot"; readonly meta: SnapshotMeta };

export type Timer = LeaderTimer;

export type Note =
  | { readonly type: "polling"; readonly round: number }
  | { readonly type: "preparing"; readonly term: Term; readonly from: Index }
  | { readonly type: "elected"; readonly term: Term }
  | {
      readonly type: "steppedDown";
      readonly term: Term;
      readonly reason: "higherBallot" | "quorumLost";
    }
  | { readonly type: "reconfiguring"; readonly term: Term }
  /** Gaps among the slots that a new leader inherited, filled with no-ops. */
  | { readonly type: "filled"; readonly index: Index }
  | { readonly type: "damaged"; readonly from: Index; readonly entries: number }
  | { readonly type: "mended"; readonly from: Index; readonly to: Index }
  | { readonly type: "lagging"; readonly peer: NodeId }
  /** A candidate or leader cannot go on without a snapshot from `peer`. */
  | { readonly type: "behind"; readonly peer: NodeId }
  /** `peer` has other settings for quorums: they must be the same on every node. */
  | { readonly type: "quorumsDiffer"; readonly peer: NodeId };

export type MultiPaxosWords = Speaks<{
  Message: Message;
  Timer: Timer;
  Record: Record;
  Request: LogRequest;
  Response: LogResponse;
  Output: LogOutput;
  Note: Note;
}>;
