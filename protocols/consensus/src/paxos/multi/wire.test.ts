/** Encodings of all that Multi-Paxos sends and writes. */

import assert from "node:assert/strict";
import { test } from "node:test";

import fc from "fast-check";

import { type Codec, decode, encode } from "@quorate/kernel";

import { founded } from "../../membership.ts";
import { messageCodec as raftMessages, recordCodec as raftRecords } from "../../raft/wire.ts";
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
} from "../../wire-values.test.ts";
import type { Ballot } from "./ballot.ts";
import type { Message, Record } from "./messages.ts";
import type { QuorumSizes } from "./quorums.ts";
import type { LostRun, Run } from "./slots.ts";
import { messageCodec, recordCodec } from "./wire.ts";

const ballot = plain<Ballot>({ round: number, node: name });
const quorums = plain<QuorumSizes>({ prepare: number, accept: number });
const runs = fc.array(plain<Run>({ ballot, index: number, entries }));
const lost = fc.array(plain<LostRun>({ ballot, index: number, count: number }));

const message: fc.Arbitrary<Message> = fc.oneof(
  tagged("poll", { round: number, quorums }),
  tagged("polled", { round: number, happy: flag, ballot, near: number }),
  tagged("prepare", {
    ballot,
    from: number,
    summons: fc.option(ballot, { nil: undefined }),
    quorums,
  }),
  tagged("promise", {
    ballot,
    from: number,
    through: number,
    last: number,
    runs,
    lost,
    commit: number,
  }),
  tagged("behind", { ballot, base: number }),
  tagged("nack", { ballot }),
  tagged("accept", { ballot, index: number, entries, commit: number }),
  tagged("accepted", { ballot, index: number }),
  tagged("decide", { ballot, commit: number }),
  tagged("heartbeat", { ballot, commit: number, round: number, sent: number }),
  tagged("heartbeatAck", { ballot, round: number, index: number, slow: flag }),
  tagged("missing", { ballot, from: number }),
  tagged("takeOver", { ballot }),
);

const record: fc.Arbitrary<Record> = fc.oneof(
  tagged("promised", { ballot }),
  tagged("accepted", { ballot, index: number, entries, commit: number }),
  tagged("base", { index: number, term: number }),
  tagged("snapshot", { meta }),
  tagged("damaged", { ballot, index: number, count: number, commit: number }),
);

examine("messages of Multi-Paxos", messageCodec, message);
examine("records of Multi-Paxos", recordCodec, record);

test("tags are for ever", () => {
  const b = { round: 0, node: "" };
  const t = { ballot: b, round: 0, commit: 0, index: 0, from: 0, base: 0 };
  const q = { prepare: 0, accept: 0 };
  assert.deepEqual(
    tagsOf(messageCodec as Codec<never>, [
      { ...t, type: "poll", quorums: q },
      { ...t, type: "polled", happy: true, near: 0 },
      { ...t, type: "prepare", summons: undefined, quorums: q },
      { ...t, type: "promise", through: 0, last: 0, runs: [], lost: [] },
      { ...t, type: "behind" },
      { ...t, type: "nack" },
      { ...t, type: "accept", entries: [] },
      { ...t, type: "accepted" },
      { ...t, type: "decide" },
      { ...t, type: "heartbeat", sent: 0 },
      { ...t, type: "heartbeatAck", slow: false },
      { ...t, type: "missing" },
      { ...t, type: "takeOver" },
    ]),
    [21, 22, 23, 24, 25, 26, 27, 28, 29, 30, 31, 32, 33],
  );
  const configuration = founded({ voters: [] });
  const snapshot = { index: 0, term: 0, configuration, configurationIndex: 0, sealed: false };
  assert.deepEqual(
    tagsOf(recordCodec as Codec<never>, [
      { type: "promised", ballot: b },
      { ...t, type: "accepted", entries: [] },
      { type: "base", index: 0, term: 0 },
      { type: "snapshot", meta: snapshot },
      { ...t, type: "damaged", count: 0 },
    ]),
    [11, 12, 13, 14, 15],
  );
});

test("what one engine writes or sends is nothing to another", () => {
  const foreign = (codec: Codec<never>, bytes: Uint8Array) =>
    assert.throws(() => decode(codec, bytes), /unknown wire tag/);
  fc.assert(
    fc.property(message, record, (m, r) => {
      foreign(raftMessages as Codec<never>, encode(messageCodec, m));
      foreign(raftRecords as Codec<never>, encode(recordCodec, r));
    }),
  );
});
