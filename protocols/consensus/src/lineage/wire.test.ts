/** Encodings of a lineage: an engine's own bytes in the first generation, told apart in all others. */

import assert from "node:assert/strict";
import { test } from "node:test";

import fc from "fast-check";

import { decode, encode, MalformedInput } from "@quorate/kernel";

import { founded } from "../membership.ts";
import { messageCodec as paxosMessages, recordCodec as paxosRecords } from "../paxos/multi/wire.ts";
import { messageCodec as raftMessages, recordCodec as raftRecords } from "../raft/wire.ts";
import { entries, examine, flag, meta, number, plain, tagged } from "../wire-values.test.ts";
import { readMove, writeMove } from "./move.ts";
import { type EngineCodecs, lineageMessageCodec, lineageRecordCodec } from "./wire.ts";
import type { LineageMessage, LineageRecord } from "./words.ts";

const engines: EngineCodecs = {
  raft: {
    messages: raftMessages,
    messageTags: [1, 20],
    records: raftRecords,
    recordTags: [1, 10],
  },
  paxos: {
    messages: paxosMessages,
    messageTags: [21, 40],
    records: paxosRecords,
    recordTags: [11, 20],
  },
};

const messages = lineageMessageCodec(engines);
const records = lineageRecordCodec(engines);

const numbers = fc.integer({ min: 1, max: 1_000_000 });
const on = (engine: string) => plain({ number: numbers, engine: fc.constant(engine) });

const message: fc.Arbitrary<LineageMessage> = fc.oneof(
  tagged("inner", {
    generation: on("raft"),
    message: tagged("heartbeat", { term: number, commit: number, round: number }),
  }),
  tagged("inner", {
    generation: on("paxos"),
    message: tagged("missing", {
      ballot: plain({ round: number, node: fc.string({ unit: "grapheme" }) }),
      from: number,
    }),
  }),
  tagged("at", { generation: number, asks: flag }),
);

const record: fc.Arbitrary<LineageRecord> = fc.oneof(
  tagged("inner", {
    generation: on("raft"),
    record: tagged("entries", { index: number, entries }),
  }),
  tagged("inner", {
    generation: on("paxos"),
    record: tagged("base", { index: number, term: number }),
  }),
  tagged("begin", {
    generation: plain({ number: numbers, engine: fc.string({ unit: "grapheme" }) }),
    seal: meta,
  }),
  fc
    .tuple(meta, fc.oneof(on("raft"), on("paxos")))
    .map(([about, generation]) => ({ type: "snapshot", meta: { ...about, generation } }) as const),
);

examine("messages of a lineage", messages, message);
examine("records of a lineage", records, record);

test("a log that never moved writes and sends what its engine would alone", () => {
  const generation = { number: 1, engine: "raft" };
  const heartbeat = { type: "heartbeat", term: 3, commit: 2, round: 1 } as const;
  assert.deepEqual(
    encode(messages, { type: "inner", generation, message: heartbeat }),
    encode(raftMessages, heartbeat),
  );
  const state = { type: "state", term: 3, votedFor: "a" } as const;
  assert.deepEqual(
    encode(records, { type: "inner", generation, record: state }),
    encode(raftRecords, state),
  );
  const about = { index: 1, term: 1, configurationIndex: 0, sealed: false } as const;
  const snapshot = { ...about, configuration: founded({ voters: ["a"] }) };
  const written = encode(raftRecords, { type: "snapshot", meta: snapshot });
  assert.deepEqual(decode(records, written), {
    type: "snapshot",
    meta: { ...snapshot, generation },
  });
});

test("two engines with a tag in common are no engines to choose from", () => {
  const twice = { ...engines, other: engines["raft"]! };
  assert.throws(() => lineageMessageCodec(twice), /tag 1 is other's alone/);
});

test("a tag that is no engine's, or a first generation that says so, is refused", () => {
  assert.throws(() => decode(messages, Uint8Array.of(200)), MalformedInput);
  assert.throws(() => decode(messages, Uint8Array.of(255, 1, 7, 0, 0, 0)), MalformedInput);
});

test("a move is told from every other seal", () => {
  const move = { from: 3, to: "paxos" };
  assert.deepEqual(readMove(writeMove(move)), move);
  const foreign = fc.uint8Array().filter((bytes) => bytes[1] !== "q".codePointAt(0));
  fc.assert(fc.property(foreign, (data) => assert.equal(readMove(data), undefined)));
  assert.equal(readMove(Uint8Array.of(...writeMove(move), 0)), undefined);
});
