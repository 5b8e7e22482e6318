import assert from "node:assert/strict";
import { test } from "node:test";
import { MalformedInput, Writer } from "@quorate/kernel";
import fc from "fast-check";
import { bytesOf } from "./binary.ts";
import { keyValueLength, readPut, readRange, readTxn, writeKeyValue } from "./kv-codecs.ts";
import { headerMessage } from "./header.ts";
import {
  compactionResponseMessage,
  keyValueMessage,
  putRequestMessage,
  rangeRequestMessage,
  rangeResponseMessage,
  txnRequestMessage,
  txnResponseMessage,
} from "./kv-messages.ts";
import {
  writeCompactionResponse,
  writeIdentity,
  writeRangeResponse,
  writeTxnResponse,
} from "./kv-responses.ts";
import { op, rangeMessage, txnBytes, versionIs } from "../store/requests.test.ts";

const key = fc.uint8Array({ maxLength: 40 }).map((bytes) => String.fromCharCode(...bytes));
const value = fc.uint8Array({ maxLength: 300 });
const id = fc.bigInt({ min: 0n, max: 2n ** 64n - 1n }).map((n) => (n === 0n ? "" : n.toString(16)));
const int = fc.oneof(
  fc.integer({ min: -5, max: 300 }),
  fc.maxSafeInteger(),
  fc.constantFrom(0x7fff_ffff, 0x8000_0000, 0xffff_ffff, 0x1_0000_0000),
);

test("what the descriptions write of a put, the code by hand reads", () => {
  const request = { key, value, lease: id, prevKv: fc.boolean(), ignoreValue: fc.boolean() };
  fc.assert(
    fc.property(fc.record({ ...request, ignoreLease: fc.boolean() }), (put) => {
      const bytes = putRequestMessage.toBytes({ ...put, key: bytesOf(put.key) });
      const read = readPut(bytes, 0, bytes.length);
      assert.deepEqual({ ...read, value: Uint8Array.from(read.value) }, { ...put });
    }),
  );
});

test("what the descriptions write of a range, the code by hand reads", () => {
  const flags = { serializable: fc.boolean(), keysOnly: fc.boolean(), countOnly: fc.boolean() };
  const bounds = { minModRevision: int, maxModRevision: int, minCreateRevision: int };
  const sorting = { sortOrder: fc.integer({ min: 0, max: 9 }), sortTarget: fc.nat(9) };
  const request = { key, rangeEnd: key, limit: int, revision: int, ...sorting, ...flags };
  const range = fc.record({ ...request, ...bounds, maxCreateRevision: int });
  fc.assert(
    fc.property(range, (request) => {
      const bytes = rangeRequestMessage.toBytes(rangeMessage(request));
      assert.deepEqual(readRange(bytes, 0, bytes.length), { ...request });
    }),
  );
});

test("a pair by hand is the pair by description, and as long as announced", () => {
  const revision = fc.oneof(fc.nat(), fc.maxSafeNat());
  const numbers = { createRevision: revision, modRevision: revision, version: revision };
  fc.assert(
    fc.property(fc.record({ key, ...numbers, value, lease: id }), (kv) => {
      const writer = new Writer();
      writeKeyValue(writer, kv);
      const expected = keyValueMessage.toBytes({ ...kv, key: bytesOf(kv.key) });
      assert.deepEqual(Buffer.from(writer.view()), expected);
      assert.equal(keyValueLength(kv), expected.length);
    }),
  );
});

test("a transaction with all kinds of operations and operands is read whole", () => {
  const request = {
    compare: [
      versionIs("a", 3, 1, "b"),
      { ...versionIs("a", 0), target: 3, operand: { type: "value", value: bytesOf("v") } as const },
      { ...versionIs("a", 0), target: 4, operand: { type: "lease", lease: "ffff" } as const },
      {
        ...versionIs("a", 0),
        target: 1,
        operand: { type: "createRevision", createRevision: -1 } as const,
      },
      {
        ...versionIs("a", 0),
        target: 2,
        operand: { type: "modRevision", modRevision: 7 } as const,
      },
      { ...versionIs("a", 0), operand: undefined },
    ],
    success: [op.put("a", "b"), op.range("c"), op.remove("d", "e")],
    failure: [op.txn({ success: [op.put("n")], failure: [{ type: "none" } as const] })],
  };
  const bytes = txnBytes(request);
  const read = readTxn(bytes, 0, bytes.length);
  const plain = (whole: object): unknown => JSON.parse(JSON.stringify(whole));
  assert.deepEqual(plain(read), plain(request));
});

test("unknown fields are passed over, broken ones refused", () => {
  const known = putRequestMessage.toBytes(putRequestMessage.create({ lease: "5" }));
  const unknown = Buffer.from([0xf8, 0x07, 0x01, 0xfa, 0x07, 0x02, 1, 2, 0xfd, 0x07, 1, 2, 3, 4]);
  const bytes = Buffer.concat([unknown, known]);
  assert.equal(readPut(bytes, 0, bytes.length).lease, "5");
  for (const broken of [[0x0a, 5, 1], [0x18], [0x18, 0x80], [0x0b], [0x02, 0], [0xfd, 0x07, 1]]) {
    assert.throws(() => readPut(Uint8Array.from(broken), 0, broken.length), MalformedInput);
  }
});

test("bytes of any kind are read or refused, never worse", () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 60 }), (bytes) => {
      for (const read of [readPut, readRange, readTxn]) {
        try {
          read(bytes, 0, bytes.length);
        } catch (error) {
          assert.ok(error instanceof MalformedInput);
        }
      }
    }),
    { numRuns: 1000 },
  );
});

test("transactions nested without end are refused", () => {
  let bytes: Buffer = txnRequestMessage.toBytes(txnRequestMessage.create());
  for (let depth = 0; depth < 20_000; depth++) {
    const length = bytes.length;
    const prefix = [];
    const inner = length + 1 + varint(length).length;
    prefix.push(0x12, ...varint(inner), 0x22, ...varint(length));
    bytes = Buffer.concat([Buffer.from(prefix), bytes]);
    if (bytes.length > 60_000) break;
  }
  assert.throws(() => readTxn(bytes, 0, bytes.length), /nested too deeply/);
});

function varint(value: number): number[] {
  const bytes: number[] = [];
  let rest = value;
  for (; rest >= 0x80; rest >>>= 7) bytes.push((rest & 0x7f) | 0x80);
  bytes.push(rest);
  return bytes;
}

test("responses by hand are the responses by description", () => {
  const kv = {
    key: "k",
    createRevision: 2,
    modRevision: 300,
    version: 4,
    value: new Uint8Array(200).fill(1),
    lease: "abc",
  };
  const message = { ...kv, key: bytesOf(kv.key) };
  const header = { clusterId: "ffffffffffffffff", memberId: "1f", revision: 300, raftTerm: 7 };
  const kvs = Array.from({ length: 90 }, () => kv);
  const revision = 9;
  const range = { type: "range", revision, kvs, more: true, count: 400 } as const;
  const put = { type: "put", revision, prevKv: kv } as const;
  const deletion = { type: "deleteRange", revision, deleted: 90, prevKvs: kvs } as const;
  const inner = { type: "txn", revision: 0, succeeded: false, responses: [put, range] } as const;
  const txn = { type: "txn", revision, succeeded: true, responses: [inner, deletion] } as const;
  const messages = kvs.map(() => message);
  const inside = headerMessage.create({ revision });
  const putMessage = { header: inside, prevKv: message };
  const rangeMessage = { header: inside, kvs: messages, more: true, count: 400 };
  const deletionMessage = { header: inside, deleted: 90, prevKvs: messages };
  const innerMessage = {
    header: headerMessage.create(),
    succeeded: false,
    responses: [
      { response: { type: "responsePut", value: putMessage } },
      { response: { type: "responseRange", value: rangeMessage } },
    ],
  } as const;
  const responses = [
    { response: { type: "responseTxn", value: innerMessage } },
    { response: { type: "responseDeleteRange", value: deletionMessage } },
  ] as const;
  const written = (write: (writer: Writer) => void): Buffer => {
    const writer = new Writer();
    write(writer);
    return Buffer.from(writer.view());
  };
  const identity = written((writer) => writeIdentity(writer, header.clusterId, header.memberId));
  const encoded = { identity, revision: header.revision, raftTerm: header.raftTerm };
  assert.deepEqual(
    written((writer) => writeRangeResponse(writer, encoded, range)),
    rangeResponseMessage.toBytes({ ...rangeMessage, header }),
  );
  assert.deepEqual(
    written((writer) => writeTxnResponse(writer, encoded, txn)),
    txnResponseMessage.toBytes({ header, succeeded: true, responses }),
  );
  assert.deepEqual(
    written((writer) => writeCompactionResponse(writer, encoded)),
    compactionResponseMessage.toBytes({ header }),
  );
});
