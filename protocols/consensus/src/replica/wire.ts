/** Encodings of a replica's messages and records, around those of its log. Append, never renumber. */

import { bool, bytes, type Codec, oneOf, text, uint, union } from "@quorate/kernel";

import type { LogWords } from "../ordered-log.ts";
import { originCodec, type ReplicaMessage, type ReplicaRecord, snapshotEndCodec } from "./words.ts";

export function replicaMessageCodec<L extends LogWords>(
  message: Codec<L["Message"]>,
): Codec<ReplicaMessage<L>> {
  return union<ReplicaMessage<L>>({
    log: [1, { message }],
    forward: [2, { batch: bytes }],
    readIndex: [3, { epoch: uint, round: uint }],
    readAt: [4, { epoch: uint, round: uint, index: uint }],
    piece: [
      5,
      {
        epoch: uint,
        stream: uint,
        index: uint,
        sequence: uint,
        data: bytes,
        last: snapshotEndCodec,
      },
    ],
    pieceAck: [6, { stream: uint, next: uint, busy: bool }],
    snapshotDone: [7, { stream: uint, index: uint }],
    sendSnapshot: [8, { to: text, atLeast: uint }],
    snapshotNews: [9, { to: text, state: oneOf(["sending", "done", "failed"]), index: uint }],
  });
}

export function replicaRecordCodec<L extends LogWords>(
  record: Codec<L["Record"]>,
): Codec<ReplicaRecord<L>> {
  return union<ReplicaRecord<L>>({
    log: [1, { record }],
    boot: [2, { epoch: uint }],
    piece: [3, { first: bool, origin: originCodec, data: bytes }],
  });
}
