import assert from "node:assert/strict";
import { test } from "node:test";

import { Writer } from "@quorate/kernel";
import fc from "fast-check";

import { type OpResult, type TxnResult } from "../store/results.ts";
import { bytesOf } from "./binary.ts";
import { type KeyValue } from "./kv.ts";
import {
  type KeyValueMessage,
  rangeResponseMessage,
  type ResponseOpMessage,
  txnResponseMessage,
  type TxnResponseMessage,
} from "./kv-messages.ts";
import { writeIdentity, writeRangeResponse, writeTxnResponse } from "./kv-responses.ts";

const revision = fc.integer({ min: 0, max: 2 ** 50 });
const keyValue: fc.Arbitrary<KeyValue> = fc.record(
  {
    key: fc.string({ unit: fc.integer({ min: 0, max: 255 }).map((c) => String.fromCharCode(c)) }),
    createRevision: revision,
    modRevision: revision,
    version: fc.nat(),
    value: fc.uint8Array({ maxLength: 300 }),
    lease: fc.constantFrom("", "7f", "694d7abcdef01234"),
  },
  { noNullPrototype: true },
);
const range = fc.record({
  type: fc.constant("range" as const),
  revision,
  kvs: fc.array(keyValue, { maxLength: 4 }),
  more: fc.boolean(),
  count: fc.nat(),
});
const op: fc.Arbitrary<OpResult> = fc.letrec<{ op: OpResult; txn: TxnResult }>((tie) => ({
  op: fc.oneof(
    { depthSize: "small" },
    range,
    fc.record({
      type: fc.constant("put" as const),
      revision,
      prevKv: fc.option(keyValue, { nil: undefined }),
    }),
    fc.record({
      type: fc.constant("deleteRange" as const),
      revision,
      deleted: fc.nat(),
      prevKvs: fc.array(keyValue, { maxLength: 3 }),
    }),
    tie("txn"),
  ),
  txn: fc.record({
    type: fc.constant("txn" as const),
    revision: fc.constant(0),
    succeeded: fc.boolean(),
    responses: fc.array(tie("op"), { maxLength: 3 }),
  }),
})).op;

function described(kv: KeyValue): KeyValueMessage {
  return { ...kv, key: bytesOf(kv.key) };
}

const identity = new Writer();
writeIdentity(identity, "cdf818194e3a8c32", "8e9e05c52164694d");
const header = { clusterId: "cdf818194e3a8c32", memberId: "8e9e05c52164694d", raftTerm: 7 };

function opMessage(result: OpResult): ResponseOpMessage {
  const inner = { clusterId: "", memberId: "", raftTerm: 0, revision: result.revision };
  switch (result.type) {
    case "range": {
      const value = { ...result, header: inner, kvs: result.kvs.map(described) };
      return { response: { type: "responseRange", value } };
    }
    case "put": {
      const prevKv = result.prevKv === undefined ? undefined : described(result.prevKv);
      return { response: { type: "responsePut", value: { header: inner, prevKv } } };
    }
    case "deleteRange": {
      const prevKvs = result.prevKvs.map(described);
      const value = { header: inner, deleted: result.deleted, prevKvs };
      return { response: { type: "responseDeleteRange", value } };
    }
    case "txn":
      return { response: { type: "responseTxn", value: txnMessage(result, inner) } };
  }
}

function txnMessage(result: TxnResult, head: TxnResponseMessage["header"]): TxnResponseMessage {
  return { header: head, succeeded: result.succeeded, responses: result.responses.map(opMessage) };
}

test("responses written by hand are what the descriptions write", () => {
  const writer = new Writer();
  fc.assert(
    fc.property(range, fc.array(op, { maxLength: 4 }), (result, responses) => {
      const encoded = { identity: identity.finish(), revision: result.revision, raftTerm: 7 };
      writer.length = 0;
      writeRangeResponse(writer, encoded, result);
      const kvs = result.kvs.map(described);
      const { revision: at, more, count } = result;
      const expected = { header: { ...header, revision: at }, kvs, more, count };
      assert.deepEqual(
        Buffer.from(writer.view()),
        Buffer.from(rangeResponseMessage.toBytes(expected)),
      );
      const txn: TxnResult = { type: "txn", revision: at, succeeded: true, responses };
      writer.length = 0;
      writeTxnResponse(writer, encoded, txn);
      assert.deepEqual(
        Buffer.from(writer.view()),
        Buffer.from(txnResponseMessage.toBytes(txnMessage(txn, { ...header, revision: at }))),
      );
    }),
  );
});

test("a response that ends where the writer's buffer ends is whole", () => {
  const responses: OpResult[] = [{ type: "put", revision: 0, prevKv: undefined }];
  const txn: TxnResult = { type: "txn", revision: 9, succeeded: true, responses };
  const encoded = { identity: identity.finish(), revision: 9, raftTerm: 7 };
  const expected = txnResponseMessage.toBytes(txnMessage(txn, { ...header, revision: 9 }));
  for (let before = 0; before < 300; before++) {
    const writer = new Writer();
    writer.raw(new Uint8Array(before));
    writeTxnResponse(writer, encoded, txn);
    assert.deepEqual(Buffer.from(writer.view().subarray(before)), Buffer.from(expected));
  }
});
