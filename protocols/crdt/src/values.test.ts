import assert from "node:assert/strict";
import { test } from "node:test";

import fc from "fast-check";

import { decode, encode, MalformedInput } from "@quorate/kernel";

import { jsonDocument, list, lww, mapOf, Replica, set } from "./index.ts";
import { json, MAX_NESTING, number, wellFormed } from "./values.ts";

test("JSON values and numbers come back as they were, bit by bit", () => {
  fc.assert(
    fc.property(fc.jsonValue(), (value) => {
      const normal = json.normal(value as never);
      assert.deepEqual(decode(json.codec, encode(json.codec, normal)), normal);
    }),
  );
  for (const value of [0, -0, 1.5, -(2 ** 51), 2 ** 53, NaN, Infinity, Number.MIN_VALUE]) {
    assert.ok(Object.is(decode(number.codec, encode(number.codec, value)), value), String(value));
  }
});

test("any bytes are a value or malformed, and nesting is bounded", () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 30, max: 8 }), (bytes) => {
      try {
        decode(json.codec, bytes);
      } catch (error) {
        assert.ok(error instanceof MalformedInput);
      }
    }),
  );
  const deep = new Uint8Array(100_000).fill(5);
  for (let i = 1; i < deep.length; i += 2) deep[i] = 1;
  assert.throws(() => decode(json.codec, deep), MalformedInput);
});

test("half a character is U+FFFD here as it is elsewhere", () => {
  assert.equal(wellFormed("a\ud800b\udc00 \ud83d\ude00"), "a\ufffdb\ufffd \ud83d\ude00");
  const type = mapOf(lww.string);
  const [a, b] = [new Replica(type, "a"), new Replica(type, "b")];
  a.mutate((entries) => entries.at("k\ud800").set("v\udc00"));
  b.merge(a.delta()!);
  assert.deepEqual(a.value, b.value);
  const [c, d] = [new Replica(set.string, "a"), new Replica(set.string, "b")];
  c.mutate((elements) =>
    ["\ud83d\ude00", "\ud83d\ude01", "\ud83d"].forEach((e) => elements.add(e)),
  );
  d.merge(c.encode());
  assert.deepEqual(d.value, c.value);
  assert.deepEqual(d.encode(), c.encode());
});

test("nobody changes a value by changing what was set or read", () => {
  const replica = new Replica(lww.json, "a");
  const given = { list: [1] };
  replica.mutate((register) => register.set(given));
  given.list.push(2);
  assert.deepEqual(replica.value, { list: [1] });
  assert.throws(() => (replica.value as typeof given).list.push(3), TypeError);
});

test("a document as deep as it may be is read by others, and a deeper one is not made", () => {
  const deepest = Array.from({ length: MAX_NESTING - 1 }, (_, i) => `k${i}`);
  const type = list(mapOf(jsonDocument));
  const [a, b] = [new Replica(type, "a"), new Replica(type, "b")];
  a.mutate((documents) => documents.push().at("d").set(deepest, 1));
  b.merge(a.delta()!);
  assert.deepEqual(b.value, a.value);
  a.mutate((documents) => {
    assert.throws(
      () =>
        documents
          .at(0)
          .at("d")
          .set([...deepest, "more"], 1),
      /nests at most/,
    );
  });
});
