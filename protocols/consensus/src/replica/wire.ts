/** Encodings of a replica's messages and records, around those of its log. Append, never renumber. */

import { bool, bytes, type Codec, list, oneOf, option, text, uint, union } from "@quorate/kernel";

import { configurationCodec } from "../entry.ts";
import type { MembershipChange } from "../membership.ts";
import type { LogWords } from "../ordered-log.ts";
import {
  type Errand,
  type ErrandAnswer,
  originCodec,
  type ReplicaMessage,
  type ReplicaRecord,
  snapshotEndCodec,
} from "./words.ts";

const changeCodec: Codec<MembershipChange> = union<MembershipChange>({
  add: [
    1,
    {
      node: text,
      as: oneOf(["learner", "voter"]),
      address: option(text),
      priority: option(uint),
    },
  ],
  promote: [2, { node: text }],
  demote: [3, { node: text }],
  remove: [4, { node: text }],
  replace: [5, { voters: list(text) }],
  describe: [6, { node: text, address: option(text), priority: option(uint) }],
});

const errandCodec: Codec<Errand> = union<Errand>({
  transfer: [1, { to: option(text) }],
  reconfigure: [2, { changes: list(changeCodec), basedOn: option(uint) }],
  seal: [3, { data: bytes }],
});

const answerCodec: Codec<ErrandAnswer> = union<ErrandAnswer>({
  transferred: [1, { leader: text }],
  reconfigured: [2, { index: uint, configuration: configurationCodec }],
  sealed: [3, { index: uint, term: uint }],
  changeRefused: [
    4,
    {
      problem: oneOf([
        "unknownMember",
        "alreadyMember",
        "usedName",
        "wrongRole",
        "noVoters",
        "lagging",
        "outdated",
        "pending",
        "notReady",
        "unknownEngine",
        "sameEngine",
      ]),
      node: option(text),
    },
  ],
  rejected: [
    5,
    {
      reason: oneOf([
        "notLeader",
        "lostLeadership",
        "overloaded",
        "transferring",
        "tooLarge",
        "timeout",
        "stale",
        "sealed",
        "stopped",
      ]),
      leader: option(text),
      definite: bool,
    },
  ],
});

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
    errand: [10, { epoch: uint, number: uint, request: errandCodec }],
    errandDone: [11, { epoch: uint, number: uint, answer: answerCodec }],
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

/** What stands in for a record of a replica whose bytes are lost, by what does for one of its log. */
export function replicaStandIn<L extends LogWords>(
  standIn: (record: L["Record"]) => L["Record"] | undefined,
): (record: ReplicaRecord<L>) => ReplicaRecord<L> | undefined {
  return (record) => {
    const instead = record.type === "log" ? standIn(record.record) : undefined;
    return instead === undefined ? undefined : { type: "log", record: instead };
  };
}
