/** Encodings of all that is sent and written, Raft's and the replica's. */

import assert from "node:assert/strict";
import { test } from "node:test";

import fc from "fast-check";

import { type Codec, uint } from "@quorate/kernel";

import { founded } from "./membership.ts";
import type { Message, RaftWords, Record } from "./raft/messages.ts";
import { messageCodec, recordCodec } from "./raft/wire.ts";
import type { Origin } from "./replica/snapshots.ts";
import { replicaMessageCodec, replicaRecordCodec } from "./replica/wire.ts";
import {
  type Batch,
  batchCodec,
  type Errand,
  type ErrandAnswer,
  type Outcome,
  outcomeCodec,
  type ReplicaMessage,
  type ReplicaRecord,
  type SnapshotEnd,
} from "./replica/words.ts";
import {
  configuration,
  data,
  entries,
  examine,
  flag,
  meta,
  name,
  names,
  number,
  plain,
  tagged,
  tagsOf,
} from "./wire-values.test.ts";

const message: fc.Arbitrary<Message> = fc.oneof(
  tagged("requestVote", {
    term: number,
    lastIndex: number,
    lastTerm: number,
    pre: flag,
    transfer: flag,
    round: number,
  }),
  tagged("vote", { term: number, pre: flag, granted: flag, round: number }),
  tagged("append", { term: number, prevIndex: number, prevTerm: number, commit: number, entries }),
  tagged("appended", { term: number, index: number }),
  tagged("refused", { term: number, prevIndex: number, hintIndex: number, hintTerm: number }),
  tagged("heartbeat", { term: number, commit: number, round: number }),
  tagged("heartbeatAck", { term: number, round: number, slow: flag }),
  tagged("timeoutNow", { term: number, lastIndex: number }),
  tagged("lost", { term: number, index: number }),
  tagged("fetch", { term: number, round: number, index: number, entryTerm: number }),
  tagged("fetched", { term: number, index: number, entries }),
  tagged("absent", { term: number, round: number, index: number }),
);

const record: fc.Arbitrary<Record> = fc.oneof(
  tagged("state", { term: number, votedFor: fc.option(name, { nil: undefined }) }),
  tagged("base", { index: number, term: number }),
  tagged("entries", { index: number, entries }),
  tagged("snapshot", { meta }),
  tagged("damaged", { index: number, terms: fc.array(number) }),
  tagged("mended", { index: number, entries }),
);

const checksum = fc.integer({ min: 0, max: 2 ** 32 - 1 });
const end = fc.option(plain<SnapshotEnd>({ meta, pieces: number, checksum }), { nil: undefined });
const origin = fc.option(plain<Origin>({ node: name, epoch: number, stream: number }), {
  nil: undefined,
});

const about = { address: fc.option(name, { nil: undefined }), priority: fc.constant(3) };
const errand: fc.Arbitrary<Errand> = fc.oneof(
  tagged("transfer", { to: fc.option(name, { nil: undefined }) }),
  tagged("seal", { data }),
  tagged("reconfigure", {
    basedOn: fc.option(number, { nil: undefined }),
    changes: fc.array(
      fc.oneof(
        tagged("add", {
          node: name,
          as: fc.constantFrom("learner" as const, "voter" as const),
          ...about,
        }),
        tagged("remove", { node: name }),
        tagged("promote", { node: name }),
        tagged("demote", { node: name }),
        tagged("replace", { voters: names }),
        tagged("describe", { node: name, ...about }),
      ),
    ),
  }),
);
const answer: fc.Arbitrary<ErrandAnswer> = fc.oneof(
  tagged("transferred", { leader: name }),
  tagged("sealed", { index: number, term: number }),
  tagged("reconfigured", { index: number, configuration }),
  tagged("changeRefused", {
    problem: fc.constant("pending" as const),
    node: fc.constant(undefined),
  }),
  tagged("rejected", { reason: fc.constant("stale" as const), leader: name, definite: flag }),
);

const replicaMessage: fc.Arbitrary<ReplicaMessage<RaftWords>> = fc.oneof(
  tagged("log", { message }),
  tagged("forward", { batch: data }),
  tagged("readIndex", { epoch: number, round: number }),
  tagged("readAt", { epoch: number, round: number, index: number }),
  tagged("piece", {
    epoch: number,
    stream: number,
    index: number,
    sequence: number,
    data,
    last: end,
  }),
  tagged("pieceAck", { stream: number, next: number, busy: flag }),
  tagged("snapshotDone", { stream: number, index: number }),
  tagged("sendSnapshot", { to: name, atLeast: number }),
  tagged("errand", { epoch: number, number, request: errand }),
  tagged("errandDone", { epoch: number, number, answer }),
  tagged("snapshotNews", {
    to: name,
    state: fc.constantFrom("sending" as const, "done" as const, "failed" as const),
    index: number,
  }),
);

const replicaRecord: fc.Arbitrary<ReplicaRecord<RaftWords>> = fc.oneof(
  tagged("log", { record }),
  tagged("boot", { epoch: number }),
  tagged("piece", { first: flag, origin, data }),
);

const batch = plain<Batch>({
  client: name,
  epoch: number,
  sequence: number,
  acknowledged: number,
  timeMs: number,
  items: fc.array(plain({ session: name, sequence: number, command: data })),
});

const outcome: fc.Arbitrary<Outcome<number>> = fc.oneof(
  tagged("executed", { result: number }),
  tagged("opened", { session: name }),
  tagged("sessionLost", {}),
);

examine("messages of Raft", messageCodec, message);
examine("records of Raft", recordCodec, record);
examine("messages of a replica", replicaMessageCodec<RaftWords>(messageCodec), replicaMessage);
examine("records of a replica", replicaRecordCodec<RaftWords>(recordCodec), replicaRecord);
examine("batches", batchCodec, batch);
examine("outcomes", outcomeCodec(uint), outcome);

test("tags are for ever", () => {
  const t = { term: 0, round: 0, commit: 0, index: 0 };
  assert.deepEqual(
    tagsOf(messageCodec as Codec<never>, [
      { ...t, type: "requestVote", lastIndex: 0, lastTerm: 0, pre: true, transfer: false },
      { ...t, type: "vote", pre: true, granted: true },
      { ...t, type: "append", prevIndex: 0, prevTerm: 0, entries: [] },
      { ...t, type: "appended" },
      { ...t, type: "refused", prevIndex: 0, hintIndex: 0, hintTerm: 0 },
      { ...t, type: "heartbeat" },
      { ...t, type: "heartbeatAck" },
      { ...t, type: "timeoutNow", lastIndex: 0 },
    ]),
    [1, 2, 3, 4, 5, 6, 7, 8],
  );
  const configuration = founded({ voters: [] });
  assert.deepEqual(
    tagsOf(recordCodec as Codec<never>, [
      { type: "state", term: 0, votedFor: undefined },
      { type: "base", index: 0, term: 0 },
      { type: "entries", index: 0, entries: [] },
      { type: "snapshot", meta: { ...t, configuration, configurationIndex: 0, sealed: false } },
    ]),
    [1, 2, 3, 4],
  );
});
