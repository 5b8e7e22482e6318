import assert from "node:assert/strict";
import { test } from "node:test";

import fc from "fast-check";

import { decode, encode, MalformedInput } from "@quorate/kernel";

import { ClockError } from "./errors.ts";
import { VersionVector, versionVectorCodec } from "./version-vector.ts";

const entry = fc.tuple(fc.constantFrom("a", "b", "c", "long name", "é", "__proto__"), fc.nat(4));
const vectors = fc.array(entry, { maxLength: 6 }).map((entries) => VersionVector.of(entries));

/** The set of events that a vector stands for. */
function events(vector: VersionVector): ReadonlySet<string> {
  const all = vector.actors.flatMap((actor, i) =>
    Array.from({ length: vector.counters[i]! }, (_, n) => `${actor}:${n + 1}`),
  );
  return new Set(all);
}

test("the order is the inclusion of the sets of events, whatever the sizes", () => {
  fc.assert(
    fc.property(vectors, vectors, (a, b) => {
      const within = [...events(a)].every((event) => events(b).has(event));
      const around = [...events(b)].every((event) => events(a).has(event));
      const expected = within ? (around ? "equal" : "before") : around ? "after" : "concurrent";
      assert.equal(a.compare(b), expected);
      assert.equal(b.includes(a), within);
    }),
  );
});

test("merge is the union of the sets, meet the intersection", () => {
  fc.assert(
    fc.property(vectors, vectors, (a, b) => {
      assert.deepEqual(events(a.merge(b)), new Set([...events(a), ...events(b)]));
      assert.deepEqual(
        events(a.meet(b)),
        new Set([...events(a)].filter((one) => events(b).has(one))),
      );
    }),
  );
});

test("merge is commutative, associative and idempotent", () => {
  fc.assert(
    fc.property(vectors, vectors, vectors, (a, b, c) => {
      assert.deepEqual(a.merge(b), b.merge(a));
      assert.deepEqual(a.merge(b).merge(c), a.merge(b.merge(c)));
      assert.equal(a.merge(a), a);
    }),
  );
});

test("a missing actor and counter 0 are the same (C10)", () => {
  assert.equal(VersionVector.of([["a", 0]]).size, 0);
  assert.equal(
    VersionVector.of([["a", 1]])
      .with("a", 0)
      .compare(VersionVector.empty),
    "equal",
  );
  assert.equal(VersionVector.empty.with("a", 0), VersionVector.empty);
});

test("an increment is one event more, and changes no other vector", () => {
  const before = VersionVector.of([["b", 2]]);
  const after = before.increment("a").increment("b");
  assert.deepEqual(after.toJSON(), { a: 1, b: 3 });
  assert.deepEqual(before.toJSON(), { b: 2 });
  assert.equal(before.compare(after), "before");
});

test("counters are exact beyond 2^31 and stop at 2^53 - 1 (C11)", () => {
  const large = VersionVector.of([["a", 2 ** 31]]).increment("a");
  assert.equal(large.get("a"), 2 ** 31 + 1);
  assert.deepEqual(decode(versionVectorCodec, encode(versionVectorCodec, large)), large);
  const last = VersionVector.of([["a", Number.MAX_SAFE_INTEGER]]);
  assert.throws(() => last.increment("a"), { name: "ClockError", code: "overflow" });
});

test("the binary and the JSON form give the vector back", () => {
  fc.assert(
    fc.property(vectors, (vector) => {
      assert.deepEqual(decode(versionVectorCodec, encode(versionVectorCodec, vector)), vector);
      const json: unknown = JSON.parse(JSON.stringify(vector));
      assert.deepEqual(VersionVector.fromJSON(json), vector);
    }),
  );
});

test("equal vectors have equal bytes, and other bytes of the same vector are refused", () => {
  const bytes = encode(
    versionVectorCodec,
    VersionVector.of([
      ["b", 1],
      ["a", 2],
    ]),
  );
  assert.deepEqual([...bytes], [2, 1, 97, 2, 1, 98, 1]);
  for (const wrong of [
    [2, 1, 98, 1, 1, 97, 2],
    [2, 1, 97, 1, 1, 97, 2],
    [1, 1, 97, 0],
    [1, 0, 1],
    [255, 255, 255, 255, 15],
  ]) {
    assert.throws(() => decode(versionVectorCodec, Uint8Array.from(wrong)), MalformedInput);
  }
});

test("JSON that is no vector is refused", () => {
  for (const wrong of [null, 1, [], { a: 0 }, { a: 1.5 }, { a: "1" }, { "": 1 }, { a: 2 ** 53 }]) {
    assert.throws(() => VersionVector.fromJSON(wrong), ClockError);
  }
});

test("any bytes are read as a vector or refused as malformed", () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 24 }), (bytes) => {
      try {
        const vector = decode(versionVectorCodec, bytes);
        assert.deepEqual(encode(versionVectorCodec, vector), bytes);
      } catch (error) {
        assert.ok(error instanceof MalformedInput);
      }
    }),
  );
});
