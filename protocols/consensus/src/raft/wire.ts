/** Encodings of Raft's messages and records. Tags are for ever: append, never renumber. */

import { bool, type Codec, option, text, uint, union } from "@quorate/kernel";

import { entriesCodec, snapshotMetaCodec } from "../entry.ts";
import type { Message, Record } from "./messages.ts";

export const messageCodec: Codec<Message> = union<Message>({
  requestVote: [
    1,
    { term: uint, lastIndex: uint, lastTerm: uint, pre: bool, transfer: bool, round: uint },
  ],
  vote: [2, { term: uint, pre: bool, granted: bool, round: uint }],
  append: [3, { term: uint, prevIndex: uint, prevTerm: uint, commit: uint, entries: entriesCodec }],
  appended: [4, { term: uint, index: uint }],
  refused: [5, { term: uint, prevIndex: uint, hintIndex: uint, hintTerm: uint }],
  heartbeat: [6, { term: uint, commit: uint, round: uint }],
  heartbeatAck: [7, { term: uint, round: uint, slow: bool }],
  timeoutNow: [8, { term: uint, lastIndex: uint }],
});

export const recordCodec: Codec<Record> = union<Record>({
  state: [1, { term: uint, votedFor: option(text) }],
  base: [2, { index: uint, term: uint }],
  entries: [3, { index: uint, entries: entriesCodec }],
  snapshot: [4, { meta: snapshotMetaCodec }],
});
