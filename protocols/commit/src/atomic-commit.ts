/**
 * What every atomic commitment protocol promises alike: all nodes that a
 * transaction touches commit, or none does.
 *
 * An interface with shared promises, not a base class: a transaction manager
 * cannot tell which protocol carries it. The promises are AC1–AC5 of Hadzilacos
 * and Skeen, numbered in PROTOCOL.md.
 */

import type { NodeId, Process, Vocabulary } from "@quorate/kernel";

/** Names a transaction: never given twice, and tells who coordinates it. */
export type TxId = string;

export type Outcome = "committed" | "aborted";

/** What may be asked of a node. */
export type CommitRequest =
  /** Opens a transaction that this node will coordinate. */
  | { readonly type: "begin" }
  /** Commits it at all participants or at none. Answered with the outcome, or never. */
  | { readonly type: "commit"; readonly tx: TxId; readonly participants: readonly NodeId[] }
  /** Gives up one that nobody was asked to prepare. */
  | { readonly type: "abort"; readonly tx: TxId }
  /**
   * The resource's answer to `prepare`. A yes says that the resource can commit whatever happens,
   * a crash of its own included.
   */
  | { readonly type: "vote"; readonly tx: TxId; readonly yes: boolean }
  /** The resource has done what `settle` told it, for good. */
  | { readonly type: "applied"; readonly tx: TxId };

export type CommitResponse =
  | { readonly type: "begun"; readonly tx: TxId }
  | { readonly type: "outcome"; readonly tx: TxId; readonly outcome: Outcome }
  | { readonly type: "noted" }
  /** It certainly had no effect: the transaction is not one that this can be asked of. */
  | { readonly type: "rejected"; readonly reason: "unknown" | "notPrepared" | "noParticipants" };

/** What a node tells the resource beside it. May be told again, after a crash above all. */
export type CommitOutput =
  | { readonly type: "prepare"; readonly tx: TxId }
  | { readonly type: "settle"; readonly tx: TxId; readonly outcome: Outcome };

/** The vocabulary of a protocol: its own messages, timers, records and notes, and these. */
export interface CommitWords extends Vocabulary {
  Request: CommitRequest;
  Response: CommitResponse;
  Output: CommitOutput;
}

export interface AtomicCommit<W extends CommitWords> extends Process<W> {
  /** Transactions whose outcome this node may not decide and does not know, and who will tell. */
  readonly inDoubt: ReadonlyMap<TxId, NodeId>;
}
