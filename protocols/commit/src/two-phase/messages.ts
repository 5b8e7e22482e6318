/** Everything a node of two-phase commit can hear, say, write and note: the vocabulary on one page. */

import type { NodeId, Speaks } from "@quorate/kernel";

import type {
  CommitOutput,
  CommitRequest,
  CommitResponse,
  Outcome,
  TxId,
} from "../atomic-commit.ts";

export type Message =
  /** `floor`: of this epoch, every transaction of a lower sequence is over and will not be prepared. */
  | { readonly type: "prepare"; readonly tx: TxId; readonly floor: number }
  | { readonly type: "vote"; readonly tx: TxId; readonly yes: boolean }
  | { readonly type: "decide"; readonly tx: TxId; readonly commit: boolean }
  /** The sender has committed, for good. Aborts are not acknowledged. */
  | { readonly type: "ack"; readonly tx: TxId }
  | { readonly type: "inquire"; readonly tx: TxId };

export type Record =
  /** A life of this node as a coordinator began. */
  | { readonly type: "epoch"; readonly epoch: number }
  /** This participant voted yes. */
  | { readonly type: "prepared"; readonly tx: TxId }
  /** The decision: the point at which a transaction is committed. */
  | { readonly type: "committed"; readonly tx: TxId; readonly participants: readonly NodeId[] }
  /** This participant has applied an outcome. */
  | { readonly type: "applied"; readonly tx: TxId }
  /** Every participant has acknowledged. */
  | { readonly type: "ended"; readonly tx: TxId }
  /** What a participant remembers of a coordinator, in checkpoints. */
  | {
      readonly type: "memory";
      readonly coordinator: NodeId;
      readonly epoch: number;
      readonly floor: number;
    };

export type Timer =
  /** Silence for so long aborts. */
  | `votes:${TxId}`
  /** Asks those again that have not voted, or not acknowledged. */
  | `resend:${TxId}`
  | `doubt:${TxId}`;

export type Note =
  | { readonly type: "decided"; readonly tx: TxId; readonly outcome: Outcome }
  /** A participant asks what became of a transaction, not for the first time. */
  | { readonly type: "inDoubt"; readonly tx: TxId }
  | { readonly type: "ended"; readonly tx: TxId };

export type TwoPhaseWords = Speaks<{
  Message: Message;
  Timer: Timer;
  Record: Record;
  Request: CommitRequest;
  Response: CommitResponse;
  Output: CommitOutput;
  Note: Note;
}>;
