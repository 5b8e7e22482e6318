import assert from "node:assert/strict";
import { test } from "node:test";

import fc from "fast-check";

import {
  bool,
  bytes,
  type Codec,
  decode,
  encode,
  int,
  list,
  MalformedInput,
  oneOf,
  option,
  struct,
  text,
  uint,
  union,
  utf8,
} from "./codec.ts";

type Shape =
  | { readonly type: "circle"; readonly radius: number; readonly at: Point }
  | { readonly type: "poly"; readonly points: readonly Point[]; readonly closed: boolean }
  | { readonly type: "label"; readonly text: string; readonly font: string | undefined }
  | { readonly type: "image"; readonly pixels: Uint8Array; readonly depth: "mono" | "colour" };

interface Point {
  readonly x: number;
  readonly y: number;
}

const point = struct<Point>({ x: int, y: int });
const shape = union<Shape>({
  circle: [1, { radius: uint, at: point }],
  poly: [2, { points: list(point), closed: bool }],
  label: [3, { text, font: option(text) }],
  image: [4, { pixels: bytes, depth: oneOf(["mono", "colour"]) }],
});

function plain<T>(fields: { [K in keyof T]: fc.Arbitrary<T[K]> }): fc.Arbitrary<T> {
  return fc.record(fields, { noNullPrototype: true });
}

const coordinate = fc.integer({ min: -(2 ** 52), max: 2 ** 52 - 1 });
const points: fc.Arbitrary<Point> = plain({ x: coordinate, y: coordinate });
const shapes: fc.Arbitrary<Shape> = fc.oneof(
  plain({ type: fc.constant("circle" as const), radius: fc.maxSafeNat(), at: points }),
  plain({ type: fc.constant("poly" as const), points: fc.array(points), closed: fc.boolean() }),
  plain({
    type: fc.constant("label" as const),
    text: fc.string({ unit: "binary" }),
    font: fc.option(fc.string({ unit: "grapheme" }), { nil: undefined }),
  }),
  plain({
    type: fc.constant("image" as const),
    pixels: fc.uint8Array(),
    depth: fc.constantFrom("mono" as const, "colour" as const),
  }),
);

test("what is encoded decodes to itself", () => {
  fc.assert(
    fc.property(shapes, (value) => {
      assert.deepEqual(decode(shape, encode(shape, value)), value);
    }),
  );
});

test("bytes that mean nothing are refused, never trusted", () => {
  const hopeless: readonly (readonly [Codec<unknown>, readonly number[]])[] = [
    [shape, [9]],
    [shape, [1]],
    [shape, [1, 5, 0, 0, 5]],
    [bool, [2]],
    [bytes, [0xff, 0xff, 0xff, 0xff, 0x0f]],
    [list(uint), [0xff, 0xff, 0xff, 0xff, 0x0f]],
    [uint, [0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x01]],
    [text, [2, 0xc0, 0x80]],
    [text, [3, 0xed, 0xa0, 0x80]],
    [text, [1, 0xe2]],
    [text, [4, 0xf4, 0x90, 0x80, 0x80]],
  ];
  for (const [codec, input] of hopeless) {
    assert.throws(() => decode(codec, Uint8Array.from(input)), MalformedInput);
  }
});

test("any bytes either decode to something that re-encodes, or are refused as malformed", () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 40 }), (input) => {
      try {
        encode(shape, decode(shape, input));
      } catch (error) {
        assert.ok(error instanceof MalformedInput);
      }
    }),
    { numRuns: 2000 },
  );
});

test("text is UTF-8 as hosts write it", () => {
  fc.assert(
    fc.property(fc.string({ unit: "binary" }), (value) => {
      assert.deepEqual(utf8(value), new TextEncoder().encode(value));
    }),
  );
});
