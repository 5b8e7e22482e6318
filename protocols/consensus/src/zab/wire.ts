/**
 * Encodings of Zab's messages and records. Tags are for ever: append, never
 * renumber. They are none that another engine uses, so that what one has written
 * is not taken for the other's.
 */

import { bool, type Codec, list, oneOf, option, struct, text, uint, union } from "@quorate/kernel";

import { entriesCodec, snapshotMetaCodec } from "../entry.ts";
import type { Message, Record, Vote } from "./messages.ts";
import { zxidCodec } from "./zxid.ts";

const voteCodec: Codec<Vote> = struct<Vote>({
  peerEpoch: uint,
  zxid: zxidCodec,
  rank: uint,
  node: text,
});

const zxid = zxidCodec;
const inSession = { epoch: uint, session: uint, number: uint };

export const messageCodec: Codec<Message> = union<Message>({
  notification: [
    41,
    {
      round: uint,
      state: oneOf(["looking", "following", "leading"]),
      vote: option(voteCodec),
      acceptedEpoch: uint,
      commit: zxid,
      hears: bool,
    },
  ],
  followerInfo: [42, { attempt: uint, acceptedEpoch: uint, acceptedFrom: text }],
  leaderInfo: [43, { attempt: uint, epoch: uint, session: uint }],
  ackEpoch: [
    44,
    {
      epoch: uint,
      session: uint,
      currentEpoch: uint,
      index: uint,
      held: uint,
      ends: list(zxid),
    },
  ],
  sync: [45, { ...inSession, mode: oneOf(["diff", "trunc", "snap"]), zxid }],
  propose: [46, { ...inSession, zxid, entries: entriesCodec, commit: zxid }],
  inform: [47, { ...inSession, zxid, entries: entriesCodec }],
  commit: [48, { ...inSession, zxid }],
  newLeader: [49, { ...inSession }],
  upToDate: [50, { ...inSession, zxid }],
  ack: [51, { epoch: uint, session: uint, zxid, synced: bool }],
  ping: [52, { epoch: uint, session: uint, established: bool, round: uint, sent: uint }],
  pong: [53, { epoch: uint, session: uint, round: uint, slow: bool, zxid, synced: bool }],
  ended: [54, { epoch: uint, session: uint }],
  resigned: [55, { epoch: uint, successor: option(text) }],
  fetch: [56, { index: uint, zxid, beyond: option(uint) }],
  fetched: [57, { index: uint, entries: entriesCodec }],
  absent: [58, { index: uint, zxid, beyond: uint }],
});

export const recordCodec: Codec<Record> = union<Record>({
  acceptedEpoch: [21, { epoch: uint, from: text }],
  currentEpoch: [22, { epoch: uint }],
  history: [23, { index: uint, entries: entriesCodec }],
  committed: [24, { index: uint }],
  base: [25, { index: uint, term: uint }],
  snapshot: [26, { meta: snapshotMetaCodec }],
  damaged: [27, { index: uint, terms: list(uint) }],
  mended: [28, { index: uint, entries: entriesCodec }],
});
