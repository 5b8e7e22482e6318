import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { ProtobufError } from "./error.ts";
import {
  bool,
  bytes,
  enumeration,
  id64,
  int32,
  int64,
  nested,
  oneof,
  repeated,
  string,
  uint32,
  uint64,
} from "./fields.ts";
import { message, type MessageCodec } from "./message.ts";
import { Writer } from "./writer.ts";

interface Point {
  readonly x: number;
  readonly label: string;
}

const point: MessageCodec<Point> = message("Point", { x: int64(1), label: string(2) });

interface All {
  readonly data: Uint8Array;
  readonly text: string;
  readonly flag: boolean;
  readonly small: number;
  readonly unsigned: number;
  readonly signed: number;
  readonly large: number;
  readonly id: string;
  readonly sort: 0 | 1 | 2;
  readonly point: Point | undefined;
  readonly points: readonly Point[];
  readonly numbers: readonly number[];
  readonly names: readonly string[];
  readonly choice:
    | { readonly type: "number"; readonly value: number }
    | { readonly type: "point"; readonly value: Point }
    | undefined;
}

const all: MessageCodec<All> = message("All", {
  data: bytes(1),
  text: string(2),
  flag: bool(3),
  small: int32(4),
  unsigned: uint32(5),
  signed: int64(6),
  large: uint64(7),
  id: id64(8),
  sort: enumeration<0 | 1 | 2>(9),
  point: nested(10, point),
  points: repeated(nested(11, point)),
  numbers: repeated(int64(12)),
  names: repeated(string(13)),
  choice: oneof({ number: int64(14), point: nested(64, point) }),
});

interface Tree {
  readonly left: Tree | undefined;
  readonly right: Tree | undefined;
}

const tree: MessageCodec<Tree> = message("Tree", {
  left: nested(1, (): MessageCodec<Tree> => tree),
  right: nested(2, (): MessageCodec<Tree> => tree),
});

function hex(text: string): Buffer {
  return Buffer.from(text.replaceAll(" ", ""), "hex");
}

function only(values: Partial<All>): All {
  return all.create(values);
}

/** Computed by hand from the encoding specification. */
const vectors: readonly (readonly [bytes: string, values: Partial<All>])[] = [
  ["", {}],
  ["0a 03 010203", { data: Buffer.of(1, 2, 3) }],
  ["12 07 74657374696e67", { text: "testing" }],
  ["12 02 c3a9", { text: "é" }],
  ["18 01", { flag: true }],
  ["20 ff ff ff ff ff ff ff ff ff 01", { small: -1 }],
  ["28 ff ff ff ff 0f", { unsigned: 0xffffffff }],
  ["30 96 01", { signed: 150 }],
  ["30 ff ff ff ff ff ff ff ff ff 01", { signed: -1 }],
  ["30 80 80 80 80 f8 ff ff ff ff 01", { signed: -2_147_483_648 }],
  ["30 ff ff ff ff ff ff ff 0f", { signed: Number.MAX_SAFE_INTEGER }],
  ["30 81 80 80 80 80 80 80 f0 ff 01", { signed: Number.MIN_SAFE_INTEGER }],
  ["38 80 80 80 80 10", { large: 0x1_0000_0000 }],
  ["38 ff ff ff ff ff 7f", { large: 2 ** 42 - 1 }],
  ["40 ff ff ff ff ff ff ff ff ff 01", { id: "ffffffffffffffff" }],
  ["40 0c", { id: "c" }],
  ["40 80 80 80 80 80 80 80 80 80 01", { id: "8000000000000000" }],
  ["48 02", { sort: 2 }],
  ["52 00", { point: { x: 0, label: "" } }],
  ["52 05 08 07 12 01 61", { point: { x: 7, label: "a" } }],
  [
    "5a 02 08 01 5a 00",
    {
      points: [
        { x: 1, label: "" },
        { x: 0, label: "" },
      ],
    },
  ],
  ["62 06 03 8e 02 9e a7 05", { numbers: [3, 270, 86_942] }],
  ["6a 01 61 6a 00", { names: ["a", ""] }],
  ["70 00", { choice: { type: "number", value: 0 } }],
  ["82 04 02 08 05", { choice: { type: "point", value: { x: 5, label: "" } } }],
];

test("messages are laid out as the encoding specification says", () => {
  for (const [text, values] of vectors) {
    assert.equal(all.toBytes(only(values)).toString("hex"), text.replaceAll(" ", ""));
    assert.deepEqual(all.decode(hex(text)), only(values), text);
  }
});

test("repeated scalars are read packed, unpacked and mixed", () => {
  assert.deepEqual(all.decode(hex("60 01 62 02 02 03 60 04")).numbers, [1, 2, 3, 4]);
});

test("the last scalar wins, and nested messages are merged", () => {
  assert.equal(all.decode(hex("30 01 30 02")).signed, 2);
  assert.deepEqual(all.decode(hex("52 02 08 07 52 03 12 01 61")).point, { x: 7, label: "a" });
  assert.deepEqual(all.decode(hex("82 04 02 08 05 82 04 03 12 01 61")).choice, {
    type: "point",
    value: { x: 5, label: "a" },
  });
});

test("the last member of a oneof wins", () => {
  assert.deepEqual(all.decode(hex("82 04 02 08 05 70 09")).choice, { type: "number", value: 9 });
});

test("unknown fields of every wire type are skipped", () => {
  const unknown = "f8 06 01 f9 06 0102030405060708 fa 06 02 aabb fb 06 08 01 fc 06 fd 06 01020304";
  assert.deepEqual(all.decode(hex(`${unknown} 18 01 ${unknown}`)), only({ flag: true }));
});

test("a known field of another wire type is skipped as unknown", () => {
  assert.deepEqual(all.decode(hex("1a 01 00")), only({}));
});

test("integers beyond 2^53 are cut to the nearest safe one", () => {
  assert.equal(all.decode(hex("30 ff ff ff ff ff ff ff ff 7f")).signed, Number.MAX_SAFE_INTEGER);
  assert.equal(all.decode(hex("30 80 80 80 80 80 80 80 80 80 01")).signed, Number.MIN_SAFE_INTEGER);
});

test("malformed messages are refused with a reason", () => {
  const cases: readonly (readonly [string, string])[] = [
    ["0a", "truncated"],
    ["0a 05 01", "truncated"],
    ["0a ff ff ff ff 0f", "truncated"],
    ["30", "truncated"],
    ["30 80", "truncated"],
    ["30 ff ff ff ff ff ff ff ff ff 02", "bad varint"],
    ["30 80 80 80 80 80 80 80 80 80 80 01", "bad varint"],
    ["00", "bad tag"],
    ["07 00", "bad tag"],
    ["1f 00", "wrong wire type"],
    ["12 01 ff", "bad utf-8"],
    ["52 02 08", "truncated"],
    ["52 01 08 01", "truncated"],
    ["f9 06 01", "truncated"],
    ["fb 06 08 01", "truncated"],
    ["62 01 80", "truncated"],
  ];
  for (const [text, code] of cases) {
    assert.throws(
      () => all.decode(hex(text)),
      (error) => error instanceof ProtobufError && error.code === code,
      text,
    );
  }
});

test("nesting is bounded", () => {
  let inner: Buffer = Buffer.alloc(0);
  for (let depth = 0; depth < 200; depth++) {
    const prefix = new Writer();
    prefix.bytes(inner);
    prefix.uint32(10);
    inner = prefix.copy();
    if (depth === 98) assert.notEqual(tree.decode(inner).left, undefined);
  }
  assert.throws(() => tree.decode(inner), ProtobufError);
  assert.throws(() => tree.decode(hex("1b".repeat(200))), ProtobufError);
});

test("a description with a wrong or doubled number is refused", () => {
  assert.throws(() => message("M", { a: bool(0) }), TypeError);
  assert.throws(() => message("M", { a: bool(1), b: bool(1) }), TypeError);
  assert.throws(() => message("M", { a: bool(1), b: oneof({ c: bool(1) }) }), TypeError);
});

test("numbers and identifiers that do not fit are refused when encoding", () => {
  assert.throws(() => all.toBytes(only({ signed: 2 ** 53 })), RangeError);
  assert.throws(() => all.toBytes(only({ signed: 1.5 })), RangeError);
  assert.throws(() => all.toBytes(only({ large: -1 })), RangeError);
  assert.throws(() => all.toBytes(only({ id: "1".repeat(17) })), RangeError);
  assert.throws(() => all.toBytes(only({ id: "G" })), RangeError);
});

const anyPoint: fc.Arbitrary<Point> = fc.record(
  { x: fc.maxSafeInteger(), label: fc.string({ unit: "grapheme" }) },
  { noNullPrototype: true },
);

const anyAll: fc.Arbitrary<All> = fc.record(
  {
    data: fc.uint8Array({ maxLength: 300 }).map((data) => Buffer.from(data)),
    text: fc.string({ unit: "grapheme", maxLength: 200 }),
    flag: fc.boolean(),
    small: fc.integer(),
    unsigned: fc.integer({ min: 0, max: 0xffffffff }),
    signed: fc.maxSafeInteger(),
    large: fc.maxSafeNat(),
    id: fc.bigInt({ min: 0n, max: 2n ** 64n - 1n }).map((id) => (id === 0n ? "" : id.toString(16))),
    sort: fc.constantFrom(0, 1, 2),
    point: fc.option(anyPoint, { nil: undefined }),
    points: fc.array(anyPoint),
    numbers: fc.array(fc.maxSafeInteger()),
    names: fc.array(fc.string()),
    choice: fc.oneof(
      fc.constant(undefined),
      fc.maxSafeInteger().map((value) => ({ type: "number" as const, value })),
      anyPoint.map((value) => ({ type: "point" as const, value })),
    ),
  },
  { noNullPrototype: true },
);

test("what is encoded is decoded to the same", () => {
  const writer = new Writer();
  fc.assert(
    fc.property(anyAll, (value) => {
      all.encode(value, writer.reset());
      assert.deepEqual(all.decode(writer.buffer, writer.start, writer.end), value);
      assert.deepEqual(all.decode(new Uint8Array(writer.copy())), value);
    }),
  );
});

test("a writer grows from its end, whatever it holds", () => {
  const points = Array.from({ length: 2000 }, (_, x) => ({ x, label: "p".repeat(x % 200) }));
  const value = only({ points, data: Buffer.alloc(2 << 20, 7) });
  assert.deepEqual(all.decode(all.toBytes(value)), value);
});

test("random and mutated bytes are decoded or refused, and nothing else", () => {
  const mutated = fc
    .tuple(anyAll, fc.array(fc.tuple(fc.nat(), fc.nat(255)), { maxLength: 5 }))
    .map(([value, changes]) => {
      const encoded = all.toBytes(value);
      for (const [at, byte] of changes) if (encoded.length > 0) encoded[at % encoded.length] = byte;
      return encoded;
    });
  const random = fc.uint8Array({ maxLength: 60 });
  fc.assert(
    fc.property(fc.oneof(mutated, random), (data) => {
      try {
        all.toBytes(all.decode(data));
      } catch (error) {
        assert.ok(error instanceof ProtobufError, String(error));
      }
    }),
    { numRuns: 2000 },
  );
});
