import assert from "node:assert/strict";
import { test } from "node:test";

import { decode, encode, MalformedInput, Random } from "@quorate/kernel";

import { parseTxId, txId } from "../tx-id.ts";
import type { Message, Record } from "./messages.ts";
import { messageCodec, recordCodec } from "./wire.ts";

const tx = "c:1:42";

const MESSAGES: readonly Message[] = [
  { type: "prepare", tx, floor: 7 },
  { type: "vote", tx, yes: true },
  { type: "decide", tx, commit: false },
  { type: "ack", tx },
  { type: "inquire", tx },
];

const RECORDS: readonly Record[] = [
  { type: "epoch", epoch: 3 },
  { type: "prepared", tx },
  { type: "committed", tx, participants: ["a", "b"] },
  { type: "applied", tx },
  { type: "ended", tx },
  { type: "memory", coordinator: "c", epoch: 2, floor: 9 },
];

test("messages and records come back as they were written, in these bytes", () => {
  for (const message of MESSAGES) {
    assert.deepEqual(decode(messageCodec, encode(messageCodec, message)), message);
  }
  for (const record of RECORDS) {
    assert.deepEqual(decode(recordCodec, encode(recordCodec, record)), record);
  }
  assert.deepEqual([...encode(messageCodec, MESSAGES[1]!)], [2, 6, 99, 58, 49, 58, 52, 50, 1]);
});

test("bytes that are no message are refused, whatever they are", () => {
  const random = new Random(1);
  for (let round = 0; round < 2_000; round++) {
    const bytes = Uint8Array.from({ length: random.below(20) }, () => random.below(256));
    try {
      decode(messageCodec, bytes);
    } catch (error) {
      assert.ok(error instanceof MalformedInput);
    }
  }
});

test("a transaction's name tells its coordinator, whose name may have colons", () => {
  const name = { coordinator: "eu:west:1", epoch: 2, sequence: 30 };
  assert.deepEqual(parseTxId(txId(name)), name);
  for (const wrong of ["", "c", "c:1", ":1:2", "c:1:x", "c:-1:2", `c:1:${"9".repeat(16)}`]) {
    assert.equal(parseTxId(wrong), undefined, wrong);
  }
});
