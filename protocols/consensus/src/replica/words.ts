/**
 * The vocabulary of a replica: a log, a state machine on it, and the traffic
 * between replicas that is the same whatever log lies beneath.
 */

import {
  bytes,
  type Codec,
  list,
  MalformedInput,
  type NodeId,
  option,
  Reader,
  type RequestId,
  struct,
  text,
  uint,
  type Writer,
} from "@quorate/kernel";

import { type Index, type SnapshotMeta, snapshotMetaCodec } from "../entry.ts";
import type { Origin } from "./snapshots.ts";
import type { LogOutput, LogRequest, LogResponse, LogWords } from "../ordered-log.ts";

/** What a user of a replicated service may ask of the replica on its node. */
export type ReplicaRequest =
  | {
      readonly type: "execute";
      readonly command: Uint8Array;
      /** Milliseconds since 1970 by this node's clock: the machine's only notion of time. */
      readonly timeMs: number;
      /** Executes at most once however often it is asked with this session and sequence. */
      readonly once: Once | undefined;
    }
  /** Begins a session for `once`. */
  | { readonly type: "open"; readonly timeMs: number }
  /**
   * Waits until the state machine has seen enough: everything that was answered
   * before the question (`linearizable`), the same trusting clocks (`lease`), or nothing (`local`).
   */
  | { readonly type: "read"; readonly level: "linearizable" | "lease" | "local" }
  | { readonly type: "checkpoint" }
  | Errand
  | Extract<LogRequest, { type: "health" }>;

/** As in {@link LogRequest}. Any node takes it and passes it on to the leader. */
export type Errand = Extract<LogRequest, { type: "transfer" | "reconfigure" | "seal" }>;

/** What comes of an errand. */
export type ErrandAnswer = Exclude<LogResponse, { type: "committed" | "readable" | "installed" }>;

/** A place in a session: the n-th command of it. */
export interface Once {
  readonly session: string;
  readonly sequence: number;
}

export type ReplicaResponse<Result> =
  | { readonly type: "executed"; readonly result: Result }
  | { readonly type: "opened"; readonly session: string }
  /** The session was forgotten, or an earlier life of it asked: unknown whether it was executed. */
  | { readonly type: "sessionLost" }
  | { readonly type: "readable"; readonly index: Index }
  | { readonly type: "checkpointed"; readonly index: Index }
  /** So many wait for the next checkpoint already, which a snapshot that arrives holds up: no more may. */
  | { readonly type: "checkpointRefused"; readonly waiting: number }
  /** A word on this node's health was taken. */
  | { readonly type: "noted" }
  | ErrandAnswer;

export type ReplicaOutput =
  | Extract<LogOutput, { type: "role" | "configuration" }>
  /** The state machine has moved on to this index. */
  | { readonly type: "applied"; readonly index: Index }
  /** The state machine's whole state was replaced by a snapshot. */
  | { readonly type: "restored"; readonly index: Index }
  /**
   * The log has ended with the entry at `index`, and so has the service on it:
   * commands that were not executed are refused as `sealed`.
   */
  | { readonly type: "sealed"; readonly index: Index; readonly data: Uint8Array };

export type ReplicaNote =
  | { readonly type: "checkpoint"; readonly index: Index }
  | { readonly type: "snapshotSending"; readonly to: string; readonly index: Index }
  | { readonly type: "snapshotSent"; readonly to: string; readonly index: Index }
  | { readonly type: "snapshotFailed"; readonly to: string; readonly reason: string }
  | { readonly type: "restored"; readonly index: Index };

/** One command on its way through the log. */
export interface Item {
  /** `""` for a command that needs no session of its own. */
  readonly session: string;
  readonly sequence: number;
  readonly command: Uint8Array;
}

/** What a node puts into one log entry: all commands that came in during one turn. */
export interface Batch {
  /** The node, as a session of its own. */
  readonly client: string;
  readonly epoch: number;
  readonly sequence: number;
  readonly acknowledged: number;
  readonly timeMs: number;
  readonly items: readonly Item[];
}

/** What came of an item. */
export type Outcome<Result> =
  | { readonly type: "executed"; readonly result: Result }
  | { readonly type: "opened"; readonly session: string }
  | { readonly type: "sessionLost" };

/** The end of a log. */
export interface Seal {
  readonly index: Index;
  /** What the seal says: where the service goes on. */
  readonly data: Uint8Array;
}

/** An item with this session name asks for a session to be opened. */
export const OPEN_SESSION = "*";

const itemCodec: Codec<Item> = struct<Item>({
  session: text,
  sequence: uint,
  command: bytes,
});

export const batchCodec: Codec<Batch> = struct<Batch>({
  client: text,
  epoch: uint,
  sequence: uint,
  acknowledged: uint,
  timeMs: uint,
  items: list(itemCodec),
});

/** Whose batch it is and which, without decoding the rest. */
export function batchHead(bytesOfBatch: Uint8Array): Pick<Batch, "client" | "epoch" | "sequence"> {
  const reader = new Reader(bytesOfBatch);
  return { client: text.read(reader), epoch: uint.read(reader), sequence: uint.read(reader) };
}

export type PlainMessage =
  /** A batch for the leader to propose. */
  | { readonly type: "forward"; readonly batch: Uint8Array }
  /** Asks the leader how far a linearizable read must see. */
  | { readonly type: "readIndex"; readonly epoch: number; readonly round: number }
  | {
      readonly type: "readAt";
      readonly epoch: number;
      readonly round: number;
      readonly index: Index;
    }
  /** A question for the leader, numbered within the asker's life, and its answer. */
  | {
      readonly type: "errand";
      readonly epoch: number;
      readonly number: number;
      readonly request: Errand;
    }
  | {
      readonly type: "errandDone";
      readonly epoch: number;
      readonly number: number;
      readonly answer: ErrandAnswer;
    }
  /** A piece of a snapshot of the state at `index`; the last one names it in full. */
  | {
      readonly type: "piece";
      /** Counts the sender's lives: streams are numbered within each. */
      readonly epoch: number;
      readonly stream: number;
      readonly index: Index;
      readonly sequence: number;
      readonly data: Uint8Array;
      readonly last: SnapshotEnd | undefined;
    }
  /** All pieces before `next` have arrived. `busy`: another snapshot is on its way, ask again. */
  | {
      readonly type: "pieceAck";
      readonly stream: number;
      readonly next: number;
      readonly busy: boolean;
    }
  /** The snapshot is on the sender's disk, in use, or not needed any more. */
  | { readonly type: "snapshotDone"; readonly stream: number; readonly index: Index }
  /** The leader asks a follower to send its state to a third; it must be that of `atLeast` or later. */
  | { readonly type: "sendSnapshot"; readonly to: NodeId; readonly atLeast: Index }
  /** How that goes: the state at `index` is on its way, has arrived, or will not. */
  | {
      readonly type: "snapshotNews";
      readonly to: NodeId;
      readonly state: "sending" | "done" | "failed";
      readonly index: Index;
    };

export interface SnapshotEnd {
  readonly meta: SnapshotMeta;
  /** How many there are, this one included. */
  readonly pieces: number;
  /** CRC-32C of all pieces. */
  readonly checksum: number;
}

export type ReplicaMessage<L extends LogWords> =
  | { readonly type: "log"; readonly message: L["Message"] }
  | PlainMessage;

export type ReplicaRecord<L extends LogWords> =
  | { readonly type: "log"; readonly record: L["Record"] }
  /** Counts the lives of this replica, to tell their batches apart. */
  | { readonly type: "boot"; readonly epoch: number }
  /**
   * A piece of a snapshot; the log's snapshot record puts it in force. The first
   * one says where it comes from, if it was received: it may be gone on with after a restart.
   */
  | {
      readonly type: "piece";
      readonly first: boolean;
      readonly origin: Origin | undefined;
      readonly data: Uint8Array;
    };

export interface ReplicaWords<L extends LogWords, Result> {
  Message: ReplicaMessage<L>;
  Timer: `log:${L["Timer"]}` | "retry" | "apply";
  Record: ReplicaRecord<L>;
  Request: ReplicaRequest;
  Response: ReplicaResponse<Result>;
  Output: ReplicaOutput;
  Note: { readonly type: "log"; readonly note: L["Note"] } | ReplicaNote;
}

/** Encodes batches apart from the union of outcomes they lead to. */
export function outcomeCodec<Result>(result: Codec<Result>): Codec<Outcome<Result>> {
  return {
    write(writer: Writer, value: Outcome<Result>): void {
      writer.byte(value.type === "executed" ? 0 : value.type === "opened" ? 1 : 2);
      if (value.type === "executed") result.write(writer, value.result);
      else if (value.type === "opened") text.write(writer, value.session);
    },
    read(reader: Reader): Outcome<Result> {
      const tag = reader.byte();
      if (tag === 0) return { type: "executed", result: result.read(reader) };
      if (tag === 1) return { type: "opened", session: text.read(reader) };
      if (tag === 2) return { type: "sessionLost" };
      throw new MalformedInput("unknown outcome");
    },
  };
}

export const originCodec: Codec<Origin | undefined> = option(
  struct<Origin>({ node: text, epoch: uint, stream: uint }),
);

export const snapshotEndCodec: Codec<SnapshotEnd | undefined> = option(
  struct<SnapshotEnd>({ meta: snapshotMetaCodec, pieces: uint, checksum: uint }),
);

/** Who asked for what is in a batch, to be answered when it is applied. */
export interface OwnBatch {
  readonly sequence: number;
  readonly data: Uint8Array;
  readonly ids: readonly RequestId[];
}
