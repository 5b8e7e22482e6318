/**
 * Encodings of Multi-Paxos's messages and records. Tags are for ever: append,
 * never renumber. They are none that another engine uses, so that what one has
 * written is not taken for the other's.
 */

import { bool, type Codec, list, option, struct, uint, union } from "@quorate/kernel";

import { entriesCodec, snapshotMetaCodec } from "../../entry.ts";
import { ballotCodec } from "./ballot.ts";
import type { Message, Record } from "./messages.ts";
import { quorumSizesCodec } from "./quorums.ts";
import type { LostRun, Run } from "./slots.ts";

const runCodec: Codec<Run> = struct<Run>({
  ballot: ballotCodec,
  index: uint,
  entries: entriesCodec,
});

const lostRunCodec: Codec<LostRun> = struct<LostRun>({
  ballot: ballotCodec,
  index: uint,
  count: uint,
});

const ballot = ballotCodec;
const quorums = quorumSizesCodec;

export const messageCodec: Codec<Message> = union<Message>({
  poll: [21, { round: uint, quorums }],
  polled: [22, { round: uint, happy: bool, ballot, near: uint }],
  prepare: [23, { ballot, from: uint, summons: option(ballot), quorums }],
  promise: [
    24,
    {
      ballot,
      from: uint,
      through: uint,
      last: uint,
      runs: list(runCodec),
      lost: list(lostRunCodec),
      commit: uint,
    },
  ],
  behind: [25, { ballot, base: uint }],
  nack: [26, { ballot }],
  accept: [27, { ballot, index: uint, entries: entriesCodec, commit: uint }],
  accepted: [28, { ballot, index: uint }],
  decide: [29, { ballot, commit: uint }],
  heartbeat: [30, { ballot, commit: uint, round: uint, sent: uint }],
  heartbeatAck: [31, { ballot, round: uint, index: uint, slow: bool }],
  missing: [32, { ballot, from: uint }],
  takeOver: [33, { ballot }],
});

export const recordCodec: Codec<Record> = union<Record>({
  promised: [11, { ballot }],
  accepted: [12, { ballot, index: uint, entries: entriesCodec, commit: uint }],
  base: [13, { index: uint, term: uint }],
  snapshot: [14, { meta: snapshotMetaCodec }],
  damaged: [15, { ballot, index: uint, count: uint, commit: uint }],
});
