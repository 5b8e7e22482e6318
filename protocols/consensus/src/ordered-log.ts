/**
 * What Raft, Multi-Paxos and Zab promise alike: one log of entries, the same on
 * every node, that grows while a quorum is alive.
 *
 * An interface with a shared conformance suite, not a base class: a replicated
 * service cannot tell which of the three carries it.
 */

import type { NodeId, Process, Vocabulary } from "@quorate/kernel";

import type { Configuration, Entry, Index, SnapshotMeta, Term } from "./entry.ts";

/** What may be asked of a log. */
export type LogRequest =
  /** Append a command. Only a leader accepts; answered once committed. */
  | { readonly type: "propose"; readonly data: Uint8Array }
  /** How far must a read see to be linearizable? Only a leader answers. */
  | { readonly type: "read"; readonly level: "linearizable" | "lease" }
  /** Hand leadership over, to a certain node or to the one best suited. */
  | { readonly type: "transfer"; readonly to: NodeId | undefined }
  /** A whole snapshot has been received: go on from it. */
  | { readonly type: "install"; readonly meta: SnapshotMeta }
  /** What became of the snapshot that {@link LogOutput} `snapshotWanted` asked for. */
  | { readonly type: "snapshotSent"; readonly to: NodeId; readonly index: Index }
  | { readonly type: "snapshotFailed"; readonly to: NodeId };

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
    | "stopped";
  readonly leader: NodeId | undefined;
  readonly definite: boolean;
}

export type LogResponse =
  | { readonly type: "committed"; readonly index: Index; readonly term: Term }
  /** A read that has applied everything up to `index` is linearizable. */
  | { readonly type: "readable"; readonly index: Index }
  | { readonly type: "transferred"; readonly leader: NodeId }
  | { readonly type: "installed" }
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
  /** A member lags behind what the log still holds; only a snapshot can help it. */
  | { readonly type: "snapshotWanted"; readonly to: NodeId }
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
}

export interface OrderedLog<L extends LogWords> extends Process<L> {
  readonly role: Role;
  readonly term: Term;
  readonly leader: NodeId | undefined;
  readonly commitIndex: Index;
  readonly lastIndex: Index;
  readonly configuration: Configuration;

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
