import assert from "node:assert/strict";
import { test } from "node:test";

import fc from "fast-check";

import { decode, encode, MalformedInput, Random } from "@quorate/kernel";

import { ClockError } from "./errors.ts";
import { IntervalStamp } from "./interval-tree.ts";
import { intervalCodec, intervalFromJSON, MAX_DEPTH } from "./interval-tree-codec.ts";

test("the run of the paper's figure gives the paper's stamps (§4)", () => {
  const [a, b] = IntervalStamp.seed.fork();
  const [a1, c] = a.event().fork();
  const a2 = a1.event();
  assert.deepEqual(a2.toJSON(), [
    [[1, 0], 0],
    [0, [1, 1, 0], 0],
  ]);
  const joined = b.event().event().join(c);
  assert.deepEqual(joined.toJSON(), [
    [[0, 1], 1],
    [1, 0, 1],
  ]);
  const [d, e] = joined.fork();
  assert.deepEqual(
    [d.identity, e.identity],
    [
      [[0, 1], 0],
      [0, 1],
    ],
  );
  const last = a2.join(d);
  assert.deepEqual(last.toJSON(), [
    [1, 0],
    [1, [0, 1, 0], 1],
  ]);
  assert.deepEqual(last.event().toJSON(), [[1, 0], 2]);
});

test("a fork and its join are the stamp as it was", () => {
  const stamp = IntervalStamp.seed.event();
  const [left, right] = stamp.fork();
  assert.deepEqual(left.join(right), stamp);
});

test("stamps that own a part in common cannot be joined (C09)", () => {
  const [left, right] = IntervalStamp.seed.fork();
  assert.throws(() => left.join(left), { code: "overlap" });
  assert.throws(() => IntervalStamp.seed.join(right), { code: "overlap" });
  const [once] = left.fork();
  assert.throws(() => once.join(left), { code: "overlap" });
});

test("a stamp without identity compares and joins, and has no events", () => {
  const anonymous = IntervalStamp.seed.event().peek();
  assert.throws(() => anonymous.event(), { code: "anonymous" });
  assert.equal(IntervalStamp.seed.compare(anonymous), "before");
});

test("ten thousand rounds of fork, event and join keep stamps small", () => {
  const random = new Random(1);
  const stamps = [IntervalStamp.seed];
  let largest = 0;
  for (let i = 0; i < 10_000; i++) {
    const at = random.below(stamps.length);
    if (stamps.length < 4) {
      const [mine, theirs] = stamps[at]!.fork();
      stamps[at] = mine;
      stamps.push(theirs);
    } else {
      const [other] = stamps.splice(at, 1);
      const to = random.below(stamps.length);
      stamps[to] = stamps[to]!.join(other!);
    }
    const acting = random.below(stamps.length);
    stamps[acting] = stamps[acting]!.event();
    largest = Math.max(largest, encode(intervalCodec, stamps[acting]).length);
  }
  assert.ok(largest < 200, `largest stamp has ${largest} bytes`);
});

const stamps = fc.array(fc.tuple(fc.nat(2), fc.nat()), { maxLength: 30 }).map((script) => {
  const held = [IntervalStamp.seed];
  for (const [kind, pick] of script) {
    const at = pick % held.length;
    if (kind === 0) held[at] = held[at]!.event();
    else if (kind === 1) held.splice(at, 1, ...held[at]!.fork());
    else held[at] = held[at]!.join(held[(at + 1) % held.length]!.peek());
  }
  return held.at(-1)!;
});

test("the binary and the JSON form give the stamp back", () => {
  fc.assert(
    fc.property(stamps, (stamp) => {
      assert.deepEqual(decode(intervalCodec, encode(intervalCodec, stamp)), stamp);
      const json: unknown = JSON.parse(JSON.stringify(stamp));
      assert.deepEqual(intervalFromJSON(json), stamp);
    }),
  );
});

test("any bytes are read as a stamp in normal form or refused as malformed", () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 16, max: 4 }), (bytes) => {
      try {
        assert.deepEqual(encode(intervalCodec, decode(intervalCodec, bytes)), bytes);
      } catch (error) {
        assert.ok(error instanceof MalformedInput);
      }
    }),
    { numRuns: 1_000 },
  );
});

test("trees too deep for the stack are refused before they hurt", () => {
  const deep = new Uint8Array(100_000).fill(2);
  assert.throws(() => decode(intervalCodec, deep), MalformedInput);
  let json: unknown = 0;
  for (let i = 0; i <= MAX_DEPTH; i++) json = [1, json];
  assert.throws(() => intervalFromJSON([json, 0]), ClockError);
});

test("JSON that is no stamp is refused", () => {
  for (const wrong of [null, [1], [2, 0], [1, -1], [1, [1, 2]], [[1], 0], [1, "0"]]) {
    assert.throws(() => intervalFromJSON(wrong), ClockError);
  }
});
