/** Encodings of all that Zab sends and writes. */

import assert from "node:assert/strict";
import { test } from "node:test";

import fc from "fast-check";

import { type Codec, decode, encode, MalformedInput } from "@quorate/kernel";

import { founded } from "../membership.ts";
import { messageCodec as paxosMessages, recordCodec as paxosRecords } from "../paxos/multi/wire.ts";
import { messageCodec as raftMessages, recordCodec as raftRecords } from "../raft/wire.ts";
import {
  entries,
  examine,
  flag,
  meta,
  name,
  number,
  plain,
  tagged,
  tagsOf,
} from "../wire-values.test.ts";
import type { Message, Record, Vote } from "./messages.ts";
import { messageCodec, recordCodec } from "./wire.ts";
import { type Zxid, zxidCodec } from "./zxid.ts";

const half = fc.oneof(fc.nat(300), fc.integer({ min: 0, max: 2 ** 32 - 1 }));
const zxid = plain<Zxid>({ epoch: half, counter: half });
const vote = plain<Vote>({ peerEpoch: number, zxid, rank: number, node: name });
const place = { epoch: number, session: number, number };

const message: fc.Arbitrary<Message> = fc.oneof(
  tagged("notification", {
    round: number,
    state: fc.constantFrom("looking" as const, "following" as const, "leading" as const),
    vote: fc.option(vote, { nil: undefined }),
    acceptedEpoch: number,
    commit: zxid,
    hears: flag,
  }),
  tagged("followerInfo", { attempt: number, acceptedEpoch: number, acceptedFrom: name }),
  tagged("leaderInfo", { attempt: number, epoch: number, session: number }),
  tagged("ackEpoch", {
    epoch: number,
    session: number,
    currentEpoch: number,
    index: number,
    held: number,
    ends: fc.array(zxid),
  }),
  tagged("sync", {
    ...place,
    mode: fc.constantFrom("diff" as const, "trunc" as const, "snap" as const),
    zxid,
  }),
  tagged("propose", { ...place, zxid, entries, commit: zxid }),
  tagged("inform", { ...place, zxid, entries }),
  tagged("commit", { ...place, zxid }),
  tagged("newLeader", { ...place }),
  tagged("upToDate", { ...place, zxid }),
  tagged("ack", { epoch: number, session: number, zxid, synced: flag }),
  tagged("ping", {
    epoch: number,
    session: number,
    established: flag,
    round: number,
    sent: number,
  }),
  tagged("pong", {
    epoch: number,
    session: number,
    round: number,
    slow: flag,
    zxid,
    synced: flag,
  }),
  tagged("ended", { epoch: number, session: number }),
  tagged("resigned", { epoch: number, successor: fc.option(name, { nil: undefined }) }),
  tagged("fetch", { index: number, zxid, beyond: fc.option(number, { nil: undefined }) }),
  tagged("fetched", { index: number, entries }),
  tagged("absent", { index: number, zxid, beyond: number }),
);

const record: fc.Arbitrary<Record> = fc.oneof(
  tagged("acceptedEpoch", { epoch: number, from: name }),
  tagged("currentEpoch", { epoch: number }),
  tagged("history", { index: number, entries }),
  tagged("committed", { index: number }),
  tagged("base", { index: number, term: number }),
  tagged("snapshot", { meta }),
  tagged("damaged", { index: number, terms: fc.array(number) }),
  tagged("mended", { index: number, entries }),
);

examine("messages of Zab", messageCodec, message);
examine("records of Zab", recordCodec, record);

test("a zxid has eight bytes, the epoch before the counter, high bytes first", () => {
  const bytes = encode(zxidCodec, { epoch: 0x0102_0304, counter: 0xfffe_fdfc });
  assert.deepEqual([...bytes], [1, 2, 3, 4, 0xff, 0xfe, 0xfd, 0xfc]);
  assert.deepEqual(decode(zxidCodec, bytes), { epoch: 0x0102_0304, counter: 0xfffe_fdfc });
  assert.throws(() => decode(zxidCodec, bytes.slice(0, 7)), MalformedInput);
});

test("tags are for ever", () => {
  const z = { epoch: 0, counter: 0 };
  const p = { epoch: 0, session: 0, number: 0, round: 0, attempt: 0, zxid: z, synced: true };
  assert.deepEqual(
    tagsOf(messageCodec as Codec<never>, [
      {
        ...p,
        type: "notification",
        state: "looking",
        vote: undefined,
        acceptedEpoch: 0,
        commit: z,
        hears: true,
      },
      { ...p, type: "followerInfo", acceptedEpoch: 0, acceptedFrom: "" },
      { ...p, type: "leaderInfo" },
      { ...p, type: "ackEpoch", currentEpoch: 0, index: 0, held: 0, ends: [] },
      { ...p, type: "sync", mode: "diff" },
      { ...p, type: "propose", entries: [], commit: z },
      { ...p, type: "inform", entries: [] },
      { ...p, type: "commit" },
      { ...p, type: "newLeader" },
      { ...p, type: "upToDate" },
      { ...p, type: "ack" },
      { ...p, type: "ping", established: true, sent: 0 },
      { ...p, type: "pong", slow: false },
      { ...p, type: "ended" },
      { ...p, type: "resigned", successor: undefined },
      { type: "fetch", index: 0, zxid: z, beyond: undefined },
      { type: "fetched", index: 0, entries: [] },
      { type: "absent", index: 0, zxid: z, beyond: 0 },
    ]),
    [41, 42, 43, 44, 45, 46, 47, 48, 49, 50, 51, 52, 53, 54, 55, 56, 57, 58],
  );
  const configuration = founded({ voters: [] });
  const snapshot = { index: 0, term: 0, configuration, configurationIndex: 0, sealed: false };
  assert.deepEqual(
    tagsOf(recordCodec as Codec<never>, [
      { type: "acceptedEpoch", epoch: 0, from: "" },
      { type: "currentEpoch", epoch: 0 },
      { type: "history", index: 0, entries: [] },
      { type: "committed", index: 0 },
      { type: "base", index: 0, term: 0 },
      { type: "snapshot", meta: snapshot },
      { type: "damaged", index: 0, terms: [] },
      { type: "mended", index: 0, entries: [] },
    ]),
    [21, 22, 23, 24, 25, 26, 27, 28],
  );
});

test("what one engine writes or sends is nothing to another", () => {
  const foreign = (codec: Codec<never>, bytes: Uint8Array) =>
    assert.throws(() => decode(codec, bytes), /unknown wire tag/);
  fc.assert(
    fc.property(message, record, (m, r) => {
      for (const other of [raftMessages, paxosMessages]) {
        foreign(other as Codec<never>, encode(messageCodec, m));
      }
      for (const other of [raftRecords, paxosRecords]) {
        foreign(other as Codec<never>, encode(recordCodec, r));
      }
    }),
  );
});
