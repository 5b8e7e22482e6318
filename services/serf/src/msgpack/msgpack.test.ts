import assert from "node:assert/strict";
import { test } from "node:test";

import { MalformedInput, Reader } from "@quorate/kernel";
import fc from "fast-check";

import {
  bool,
  bytes,
  dictionary,
  type Dialect,
  float,
  int,
  is,
  list,
  nullableBytes,
  optional,
  type Pack,
  packed,
  PackWriter,
  record,
  text,
  uint,
  uintOf,
  ValueScanner,
} from "./index.ts";

const old = new PackWriter("old");
const modern = new PackWriter("new");
const hex = (value: Uint8Array): string => Buffer.from(value).toString("hex");
const from = (digits: string): Reader => new Reader(new Uint8Array(Buffer.from(digits, "hex")));

test("integers are written in their shortest unsigned form, as Go does", () => {
  const forms: readonly (readonly [number, string])[] = [
    [0, "00"],
    [127, "7f"],
    [128, "cc80"],
    [255, "ccff"],
    [256, "cd0100"],
    [65_536, "ce00010000"],
    [2 ** 32, "cf0000000100000000"],
    [2 ** 53 - 1, "cf001fffffffffffff"],
    [-1, "ff"],
    [-32, "e0"],
    [-33, "d0df"],
    [-129, "d1ff7f"],
    [-32_769, "d2ffff7fff"],
    [-(2 ** 40), "d3ffffff0000000000"],
  ];
  for (const [value, form] of forms) {
    assert.equal(hex(packed(old, int, value)), form);
    assert.equal(int.read(from(form)), value);
  }
});

test("the old dialect has one kind of string, the new one tells bytes from text", () => {
  const long = "x".repeat(40);
  assert.equal(hex(packed(old, text, long)).slice(0, 6), "da0028");
  assert.equal(hex(packed(modern, text, long)).slice(0, 4), "d928");
  assert.equal(hex(packed(old, bytes, new Uint8Array(3))), "a3000000");
  assert.equal(hex(packed(modern, bytes, new Uint8Array(3))), "c403000000");
});

test("every form of a string is read, whatever was expected", () => {
  for (const form of ["a16e", "d9016e", "da00016e", "db000000016e", "c4016e", "c500016e"]) {
    assert.equal(text.read(from(form)), "n");
    assert.deepEqual([...bytes.read(from(form))], [0x6e]);
  }
});

interface Sample {
  readonly type: "sample";
  readonly node: string;
  readonly seq: number;
  readonly source: string | undefined;
  readonly payload: Uint8Array | undefined;
}

const sample: Pack<Sample> = record<Sample>({
  type: is("sample"),
  node: ["Node", text],
  seq: ["SeqNo", uintOf(32)],
  source: ["SourceNode", optional(text)],
  payload: ["Payload", nullableBytes],
});

test("a record is written in the byte order of its fields, without those that are left out", () => {
  const value: Sample = {
    type: "sample",
    node: "n",
    seq: 1,
    source: undefined,
    payload: undefined,
  };
  assert.equal(hex(packed(old, sample, value)), "83a44e6f6465a16ea75061796c6f6164c0a55365714e6f01");
  assert.deepEqual(sample.read(from("83a44e6f6465a16ea75061796c6f6164c0a55365714e6f01")), value);
});

test("a record is read in any order, with unknown fields and without known ones", () => {
  const read = sample.read(from("83a55365714e6f07a3466f6f9293010203a161a44e6f6465a16e"));
  assert.deepEqual(read, {
    type: "sample",
    node: "n",
    seq: 7,
    source: undefined,
    payload: undefined,
  });
});

test("lengths beyond the bytes at hand are refused before anything is allocated", () => {
  const claims = ["dbffffffff00", "c6ffffffff00", "ddffffffff00", "dfffffffff00", "84a16100"];
  const readers = [text, bytes, list(uint), dictionary(uint), sample];
  for (const claim of claims) {
    for (const pack of readers) assert.throws(() => pack.read(from(claim)), MalformedInput);
  }
});

test("nesting as deep as the input is long costs no stack", () => {
  const deep = `81a378797a${"91".repeat(200_000)}00`;
  assert.equal(sample.read(from(deep)).node, "");
});

test("integers that cannot be counted with are refused", () => {
  assert.throws(() => uint.read(from("cf0020000000000000")), MalformedInput);
  assert.throws(() => uint.read(from("ff")), MalformedInput);
  assert.throws(() => uintOf(8).read(from("cd0100")), MalformedInput);
});

const values = fc.record({
  flag: fc.boolean(),
  count: fc.maxSafeInteger(),
  share: fc.double({ noNaN: true }),
  name: fc.string({ unit: "grapheme" }),
  body: fc.uint8Array({ maxLength: 400 }),
  names: fc.array(fc.string(), { maxLength: 40 }),
});
type Value = typeof values extends fc.Arbitrary<infer T> ? T : never;
const value: Pack<Value> = record<Value>({
  flag: ["F", bool],
  count: ["C", int],
  share: ["S", float],
  name: ["N", text],
  body: ["B", bytes as Pack<Value["body"]>],
  names: ["L", list(text) as Pack<string[]>],
});

test("what is written is read back, in both dialects", () => {
  fc.assert(
    fc.property(values, fc.constantFrom<Dialect>("old", "new"), (each, dialect) => {
      const written = packed(new PackWriter(dialect), value, each);
      const read = value.read(new Reader(written));
      assert.deepEqual({ ...read, body: [...read.body] }, { ...each, body: [...each.body] });
    }),
  );
});

test("the end of a value is found however it is cut", () => {
  fc.assert(
    fc.property(values, fc.integer({ min: 1, max: 9 }), (each, step) => {
      const written = packed(modern, value, each);
      const scanner = new ValueScanner(0);
      let length = 0;
      while (!scanner.scan(written, length)) length = Math.min(written.length, length + step);
      assert.equal(scanner.offset, written.length);
    }),
  );
});

test("any bytes are a value or malformed, never anything else", () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 200 }), (input) => {
      for (const pack of [sample, value]) {
        try {
          pack.read(new Reader(input));
        } catch (error) {
          assert.ok(error instanceof MalformedInput);
        }
      }
    }),
  );
});
