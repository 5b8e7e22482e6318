/** Encodings of all that is sent and written, Raft's and the replica's. */

import assert from "node:assert/strict";
import { test } from "node:test";

import fc from "fast-check";

import { type Codec, decode, encode, MalformedInput, uint } from "@quorate/kernel";

import type { Configuration, Entry, SnapshotMeta, Traits } from "./entry.ts";
import { founded } from "./membership.ts";
import type { Message, RaftWords, Record } from "./raft/messages.ts";
import { messageCodec, recordCodec } from "./raft/wire.ts";
import type { Origin } from "./replica/snapshots.ts";
import { replicaMessageCodec, replicaRecordCodec } from "./replica/wire.ts";
import {
  type Batch,
  batchCodec,
  type Outcome,
  outcomeCodec,
  type ReplicaMessage,
  type ReplicaRecord,
  type SnapshotEnd,
} from "./replica/words.ts";

function plain<T>(fields: { [K in keyof T]: fc.Arbitrary<T[K]> }): fc.Arbitrary<T> {
  return fc.record(fields, { noNullPrototype: true });
}

function tagged<Name extends string, T>(
  type: Name,
  fields: { [K in keyof T]: fc.Arbitrary<T[K]> },
) {
  return plain<{ type: Name } & T>({ type: fc.constant(type), ...fields } as never);
}

const number = fc.oneof(fc.nat(300), fc.maxSafeNat());
const name = fc.string({ unit: "grapheme" });
const data = fc.uint8Array();
const flag = fc.boolean();
const entries: fc.Arbitrary<readonly Entry[]> = fc.array(
  plain<Entry>({
    term: number,
    kind: fc.constantFrom("command", "noop", "configuration"),
    data,
  }),
);
const names = fc.array(name);
const configuration = plain<Configuration>({
  voters: names,
  outgoing: names,
  learners: names,
  promotable: names,
  removed: names,
  traits: fc.array(plain<Traits>({ node: name, address: name, priority: number })),
});
const meta = plain<SnapshotMeta>({
  index: number,
  term: number,
  configuration,
  configurationIndex: number,
  sealed: flag,
});

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
);

const record: fc.Arbitrary<Record> = fc.oneof(
  tagged("state", { term: number, votedFor: fc.option(name, { nil: undefined }) }),
  tagged("base", { index: number, term: number }),
  tagged("entries", { index: number, entries }),
  tagged("snapshot", { meta }),
);

const checksum = fc.integer({ min: 0, max: 2 ** 32 - 1 });
const end = fc.option(plain<SnapshotEnd>({ meta, pieces: number, checksum }), { nil: undefined });
const origin = fc.option(plain<Origin>({ node: name, epoch: number, stream: number }), {
  nil: undefined,
});

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

function examine<T>(title: string, codec: Codec<T>, values: fc.Arbitrary<T>): void {
  test(`${title} come back as they were`, () => {
    fc.assert(
      fc.property(values, (value) => assert.deepEqual(decode(codec, encode(codec, value)), value)),
    );
  });

  test(`${title} that were cut or have a tail are refused`, () => {
    fc.assert(
      fc.property(values, fc.nat(), (value, cut) => {
        const bytes = encode(codec, value);
        const short = bytes.slice(0, cut % bytes.length);
        assert.throws(() => decode(codec, short), MalformedInput);
        assert.throws(() => decode(codec, new Uint8Array([...bytes, 0])), MalformedInput);
      }),
    );
  });

  test(`bytes that are no ${title} are refused, and with no other error`, () => {
    fc.assert(
      fc.property(
        fc.oneof(
          data,
          values.map((value) => encode(codec, value)),
        ),
        fc.nat(),
        fc.nat(),
        (bytes, at, by) => {
          const bent = Uint8Array.from(bytes);
          if (bent.length > 0) bent[at % bent.length]! ^= 1 + (by % 255);
          try {
            decode(codec, bent);
          } catch (error) {
            assert.ok(error instanceof MalformedInput, String(error));
          }
        },
      ),
      { numRuns: 400 },
    );
  });
}

examine("messages of Raft", messageCodec, message);
examine("records of Raft", recordCodec, record);
examine("messages of a replica", replicaMessageCodec<RaftWords>(messageCodec), replicaMessage);
examine("records of a replica", replicaRecordCodec<RaftWords>(recordCodec), replicaRecord);
examine("batches", batchCodec, batch);
examine("outcomes", outcomeCodec(uint), outcome);

test("tags are for ever", () => {
  const tags = (codec: Codec<never>, values: readonly object[]) =>
    // The first byte is the tag, whatever follows.
    values.map((value) => encode(codec as Codec<unknown>, value)[0]);
  const t = { term: 0, round: 0, commit: 0, index: 0 };
  assert.deepEqual(
    tags(messageCodec as Codec<never>, [
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
    tags(recordCodec as Codec<never>, [
      { type: "state", term: 0, votedFor: undefined },
      { type: "base", index: 0, term: 0 },
      { type: "entries", index: 0, entries: [] },
      { type: "snapshot", meta: { ...t, configuration, configurationIndex: 0, sealed: false } },
    ]),
    [1, 2, 3, 4],
  );
});
