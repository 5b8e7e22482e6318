import assert from "node:assert/strict";
import { test } from "node:test";

import { MalformedInput } from "@quorate/kernel";
import fc from "fast-check";

import { compress, decompress } from "./lzw.ts";

const LIMIT = 1 << 20;

test("a push/pull that a Go agent compressed is expanded, and compressed to the same bytes", () => {
  const wire = Buffer.from(COMPRESSED_BY_GO, "hex");
  const plain = decompress(wire, LIMIT);
  // Type 6, then the map's first key.
  assert.equal(Buffer.from(plain.subarray(0, 7)).toString("latin1"), "\u0006\u0083\u00a4Join");
  assert.deepEqual(Buffer.from(compress(plain)), wire);
});

test("nothing is compressed to a clear and an end", () => {
  assert.equal(Buffer.from(compress(new Uint8Array(0))).toString("hex"), "000302");
  assert.equal(decompress(compress(new Uint8Array(0)), LIMIT).length, 0);
});

test("what is compressed is expanded again", () => {
  const repetitive = fc
    .array(fc.tuple(fc.uint8Array({ maxLength: 6 }), fc.nat(60)), { maxLength: 40 })
    .map((runs) =>
      Uint8Array.from(
        runs.flatMap(([run, times]) => Array.from({ length: times }, () => [...run]).flat()),
      ),
    );
  fc.assert(
    fc.property(fc.oneof(fc.uint8Array({ maxLength: 9000 }), repetitive), (input) => {
      assert.deepEqual(decompress(compress(input), input.length), Uint8Array.from(input));
    }),
  );
});

test("the table is cleared when it is full, as often as it takes", () => {
  for (const length of [3000, 4096, 5000, 20_000, 200_000]) {
    const input = Uint8Array.from({ length }, (_, i) => (i * i * 31 + (i >> 3)) & 0xff);
    assert.deepEqual(decompress(compress(input), length), input);
    const same = new Uint8Array(length).fill(7);
    assert.deepEqual(decompress(compress(same), length), same);
  }
});

test("expansion stops at the limit", () => {
  const bomb = compress(new Uint8Array(100_000));
  assert.ok(bomb.length < 1000);
  assert.throws(() => decompress(bomb, 99_999), MalformedInput);
});

test("damaged and cut data is malformed, never anything else", () => {
  const whole = compress(Uint8Array.from({ length: 600 }, (_, i) => i % 7));
  for (let cut = 0; cut < whole.length; cut++) {
    assert.throws(() => decompress(whole.subarray(0, cut), LIMIT), MalformedInput);
  }
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 300 }), (input) => {
      try {
        decompress(input, LIMIT);
      } catch (error) {
        assert.ok(error instanceof MalformedInput);
      }
    }),
  );
});

/** The answer of a Serf 0.9.4 agent alone, to a joining one. */
const COMPRESSED_BY_GO =
  "000d0c22a5e44d1a37c34a397943a6cc9c00acaacc2923670a9d3074ca3029e3a69900268748052143460ea93f0000" +
  "045895c4cd983072dc604cf3c64d00524dca5c34f52f50a830a162907212a64d195272ca8461430aca1b39749a55d1" +
  "55ca22c63200465999e3c6548002020414006b4855113b1ce930a192c668005367d3cee1260000b0bb78f3eaddcbb7" +
  "afdfbf80030b1e4cb8b0e1c388132b5eccb8b1e3c790234b9e4cb970a9b56dcbacdc68864ece366228ce81a42a4a1d" +
  "8a7930bb6565954e9d39aa1d0642aa940d8080";
