/**
 * What Raft, Multi-Paxos and Zab promise alike: one log of entries, the same on
 * every node, that grows while a quorum is alive.
 *
 * An interface with a shared conformance suite (`@quorate/consensus/conformance`),
 * not a base class: a replicated service cannot tell which of the three carries
 * it. The duties of both sides are numbered in PROTOCOL.md (D1, D2, …).
 *
 * An engine may count on nothing that the kernel does not promise. In
 * particular links lose, repeat and reorder (kernel K3): one that needs FIFO
 * sessions, as Zab does, numbers its messages within sessions of its own and
 * takes a gap for the end of a session (D9).
 */

import type { NodeId, Process, Vocabulary } from "@quorate/kernel";

import type { Configuration, Entry, Index, SnapshotMeta, Term } from "./entry.ts";
import type { ChangeRefused, MembershipChange } from "./membership.ts";

/** What may be asked of a log. */
export type LogRequest =
  /** Append a command. Only a leader accepts; answered once committed. */
  | { readonly type: "propose"; readonly data: Uint8Array }
  /** How far must a read see to be linearizable? Only a leader answers. */
  | { readonly type: "read"; readonly level: "linearizable" | "lease" }
  /** Hand leadership over, to a certain node or to the one best suited. */
  | { readonly type: "transfer"; readonly to: NodeId | undefined }
  /**
   * Change who takes part: all of `changes`, or nothing. Only a leader accepts;
   * answered once the new configuration is committed and no other counts beside it.
   */
  | {
      readonly type: "reconfigure";
      readonly changes: readonly MembershipChange[];
      /** The `configurationIndex` that the asker has in mind; refused if it is another by now. */
      readonly basedOn: Index | undefined;
    }
  /**
   * End the log: append the last entry that has any effect. Only a leader accepts;
   * answered once committed. From when it is appended proposals are refused as
   * `sealed`; if it is lost with its leader the log is open again. A {@link Lineage}
   * goes on in another engine's log if `data` says so.
   */
  | { readonly type: "seal"; readonly data: Uint8Array }
  /** A whole snapshot has been received: go on from it. */
  | { readonly type: "install"; readonly meta: SnapshotMeta }
  /** What became of the snapshot that {@link LogOutput} `snapshotWanted` asked for. Not answered. */
  | { readonly type: "snapshotSent"; readonly to: NodeId; readonly index: Index }
  | { readonly type: "snapshotFailed"; readonly to: NodeId }
  /**
   * The driver's word on this node: its disk or its event loop has become slow,
   * or is well again. A hint like `onUnreachable`: a slow leader hands over to a
   * member that is not, a slow follower holds back in elections. Not answered.
   */
  | { readonly type: "health"; readonly slow: boolean };

/**
 * Why a request was refused. `definite`: it certainly had no effect. Otherwise
 * the outcome is unknown: a command may still commit.
 */
export interface Rejected {
  readonly type: "rejected";
  readonly reason:
    | "notLeader"
    | "lostLeadership"
    | "overloaded"
    | "transferring"
    | "tooLarge"
    | "timeout"
    | "stale"
    | "sealed"
    | "stopped";
  readonly leader: NodeId | undefined;
  readonly definite: boolean;
}

export type LogResponse =
  | { readonly type: "committed"; readonly index: Index; readonly term: Term }
  /** A read that has applied everything up to `index` is linearizable. */
  | { readonly type: "readable"; readonly index: Index }
  | { readonly type: "transferred"; readonly leader: NodeId }
  /** The configuration made by the entry at `index` is in force, alone and committed. */
  | {
      readonly type: "reconfigured";
      readonly index: Index;
      readonly configuration: Configuration;
    }
  | { readonly type: "sealed"; readonly index: Index; readonly term: Term }
  | { readonly type: "installed" }
  | ChangeRefused
  | Rejected;

export type Role = "follower" | "candidate" | "leader" | "learner";

/** What a log tells the layer above, each committed entry exactly once and in order. */
export type LogOutput =
  | { readonly type: "committed"; readonly index: Index; readonly entries: readonly Entry[] }
  | {
      readonly type: "role";
      readonly role: Role;
      readonly term: Term;
      readonly leader: NodeId | undefined;
    }
  /**
   * Another configuration is in force, made by the entry at `index`. Said when it
   * begins to count, when it is taken back, and once more when it is committed.
   * Drivers connect to the members it names. What was recovered is not announced.
   */
  | {
      readonly type: "configuration";
      readonly index: Index;
      readonly configuration: Configuration;
      readonly committed: boolean;
    }
  /**
   * A member lags behind what the log still holds; only a snapshot can help it,
   * of the state at `atLeast` or later. `sources` could send one, the least busy
   * first; this node is among them.
   */
  | {
      readonly type: "snapshotWanted";
      readonly to: NodeId;
      readonly atLeast: Index;
      readonly sources: readonly NodeId[];
    }
  /** The snapshot of an `install` request replaces everything applied so far. */
  | { readonly type: "installed"; readonly meta: SnapshotMeta };

/** The record by which a log goes on from a snapshot. Every engine's records include it. */
export interface SnapshotRecord {
  readonly type: "snapshot";
  readonly meta: SnapshotMeta;
}

/** The vocabulary of a log: an engine's own messages, timers, records and notes, and these. */
export interface LogWords extends Vocabulary {
  Record: { readonly type: string } | SnapshotRecord;
  Request: LogRequest;
  Response: LogResponse;
  Output: LogOutput;
  Note: { readonly type: string };
}

/** What a leader knows of another member. */
export interface PeerStatus {
  readonly node: NodeId;
  /** Its log agrees with the leader's up to here, durably. */
  readonly match: Index;
  /** It answered of late. */
  readonly active: boolean;
  readonly slow: boolean;
  /** How it is brought up to date: an engine's own word, for people. */
  readonly state: string;
}

export interface OrderedLog<L extends LogWords> extends Process<L> {
  readonly role: Role;
  /** The term, ballot's round or epoch that the node is in. */
  readonly term: Term;
  readonly leader: NodeId | undefined;
  readonly commitIndex: Index;
  readonly lastIndex: Index;
  /** Entries whose bytes the disk has lost and that nobody has sent again yet; a log that refuses to start then has none. */
  readonly damaged?: ReadonlySet<Index> | undefined;
  /** In force, committed or not. Joint while `outgoing` has members. */
  readonly configuration: Configuration;
  /** Index of the entry that made it; 0 for the initial one. */
  readonly configurationIndex: Index;
  /** What a leader knows of the other members; empty elsewhere. */
  readonly peers: readonly PeerStatus[];

  /**
   * Right after its start: this node has never run this log before, so no leader
   * counts on its patience from an earlier life. A log without leases need not know.
   */
  promisesNothing?(): void;

  /** Entries `first` to `last`, both included, all of which this log holds. */
  entries(first: Index, last: Index): readonly Entry[];

  /** Describes a snapshot of the state after the entry at `index`, which must be committed. */
  snapshotMeta(index: Index): SnapshotMeta;

  /**
   * A snapshot covers everything up to `meta.index`: older entries may be
   * forgotten, but for the last `keepBytes` of them and those after `keepAfter`.
   */
  compact(meta: SnapshotMeta, keepBytes: number, keepAfter: Index): void;

  /** Records that rebuild the log as it is now, snapshot record included. */
  image(meta: SnapshotMeta): readonly L["Record"][];
}
