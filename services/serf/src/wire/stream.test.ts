import assert from "node:assert/strict";
import { test } from "node:test";

import type { StreamMessage } from "@quorate/gossip";
import { MalformedInput } from "@quorate/kernel";
import fc from "fast-check";

import { Keyring } from "./keyring.ts";
import { MEMBERS, STATE } from "./samples.test.ts";
import { encodeStream, StreamReader, type Unnumbered } from "./stream.ts";

const ring = new Keyring([new Uint8Array(16).fill(3)]);
const LAYERS = [undefined, ring].flatMap((keyring) =>
  [false, true].map((compress) => ({ keyring, compress })),
);

const MESSAGES: readonly StreamMessage[] = [
  { type: "pushPull", exchange: 1, reply: true, join: true, members: MEMBERS, state: STATE },
  { type: "pushPull", exchange: 1, reply: true, join: false, members: [], state: undefined },
  {
    type: "streamPing",
    exchange: 1,
    seq: 5,
    node: "n2",
    source: { name: "n1", address: "10.0.0.1:7946" },
  },
  { type: "streamAck", exchange: 1, seq: 5 },
  { type: "streamError", exchange: 1, text: "no" },
];

function unnumbered(message: StreamMessage): Unnumbered {
  const copy: { exchange?: number } = { ...message };
  delete copy.exchange;
  // What is left of a union's member is one of the union without the number.
  return copy as Unnumbered;
}

test("every message is read, through every layer, however it is cut", () => {
  fc.assert(
    fc.property(
      fc.constantFrom(...MESSAGES),
      fc.constantFrom(...LAYERS),
      fc.integer({ min: 1, max: 300 }),
      (message, layers, step) => {
        const bytes = encodeStream(message, layers);
        const reader = new StreamReader("answer", layers.keyring);
        for (let at = 0; at < bytes.length; at += step) {
          const read = reader.push(bytes.subarray(at, at + step));
          const last = at + step >= bytes.length;
          assert.deepEqual(read, last ? unnumbered(message) : undefined);
        }
      },
    ),
  );
});

test("the answer of a real agent is read", () => {
  const reader = new StreamReader("answer", undefined);
  const read = reader.push(new Uint8Array(Buffer.from(ANSWER, "hex")));
  assert.ok(read?.type === "pushPull");
  assert.deepEqual(
    read.members.map(({ name, address, incarnation, state }) => ({
      name,
      address,
      incarnation,
      state,
    })),
    [{ name: "real", address: "127.0.0.1:21946", incarnation: 1, state: "alive" }],
  );
  assert.deepEqual(read.members[0]?.versions, [1, 5, 2, 2, 5, 5]);
  assert.deepEqual(read.state, {
    ltime: 1,
    statusLTimes: [["real", 0]],
    left: [],
    eventLTime: 1,
    events: [],
    queryLTime: 1,
  });
});

test("with a key nothing plain is read, without one nothing sealed, and the other side is told which", () => {
  const plain = encodeStream(MESSAGES[3]!, { keyring: undefined, compress: false });
  const sealed = encodeStream(MESSAGES[3]!, { keyring: ring, compress: false });
  const other = new Keyring([new Uint8Array(16)]);
  assert.throws(
    () => new StreamReader("answer", ring).push(plain),
    /remote state is not encrypted/,
  );
  assert.throws(
    () => new StreamReader("answer", undefined).push(sealed),
    /encryption is not configured/,
  );
  assert.throws(() => new StreamReader("answer", other).push(sealed), /No installed keys/);
});

test("nothing beyond the limit is kept, whatever the message promises", () => {
  const promises = [
    "0affffffff", // sealed, 4 GiB
    "0683a44a6f696ec2a54e6f646573ce7fffffffac5573657253746174654c656e00",
    "0683a44a6f696ec2a54e6f64657300ac5573657253746174654c656ece7fffffff",
  ];
  for (const promise of promises) {
    const reader = new StreamReader("question", promise.startsWith("0a") ? ring : undefined);
    assert.throws(() => reader.push(new Uint8Array(Buffer.from(promise, "hex"))), /too large/);
  }
  const reader = new StreamReader("question", undefined, 1000);
  // A text of 64 KiB that goes on and on.
  reader.push(Uint8Array.from([6, 0x81, 0xda, 0xff, 0xff]));
  assert.throws(() => {
    for (let i = 0; i < 20; i++) reader.push(new Uint8Array(100));
  }, /too large/);
});

test("any bytes are a message, malformed, or not whole yet", () => {
  const attempt = (bytes: Uint8Array): void => {
    for (const keyring of [undefined, ring]) {
      try {
        new StreamReader("question", keyring).push(bytes);
      } catch (error) {
        assert.ok(error instanceof MalformedInput, String(error));
      }
    }
  };
  fc.assert(fc.property(fc.uint8Array({ maxLength: 200 }), attempt));
  fc.assert(
    fc.property(
      fc.constantFrom(...MESSAGES),
      fc.array(fc.tuple(fc.nat(), fc.nat(255)), { minLength: 1, maxLength: 4 }),
      fc.boolean(),
      (message, changes, compress) => {
        const bytes = encodeStream(message, { keyring: undefined, compress });
        for (const [at, byte] of changes) bytes[at % bytes.length] = byte;
        attempt(bytes);
      },
    ),
  );
});

/** A Serf 0.9.4 agent, alone, to one that joins. */
const ANSWER =
  "0982a4416c676f00a3427566da00cf000d0c22a5e44d1a37c34a397943a6cc9c00acaacc2923670a9d3074ca3029e3" +
  "a69900268748052143460ea93f0000045895c4cd983072dc604cf3c64d00524dca5c34f52f50a830a162907212a64d" +
  "195272ca8461430aca1b39749a55d155ca22c63200465999e3c6548002020414006b4855113b1ce930a192c6680053" +
  "67d3cee1260000b0bb78f3eaddcbb7afdfbf80030b1e4cb8b0e1c388132b5eccb8b1e3c790234b9e4cb970a9b56dcb" +
  "acdc68864ece366228ce81a42a4a1d8a7930bb6565954e9d39aa1d0642aa940d8080";
