import assert from "node:assert/strict";
import { test } from "node:test";

import { decode, encode, MalformedInput } from "@quorate/kernel";
import fc from "fast-check";

import {
  type Departure,
  answerCodec,
  type Hello,
  helloCodec,
  judge,
  type KnownDirectories,
  MAGIC,
} from "./handshake.ts";

const own = { node: "n1", cluster: "c", directory: "d1" };
const hello: Hello = {
  magic: MAGIC,
  oldest: 1,
  newest: 1,
  identity: { node: "n2", cluster: "c", directory: "d2" },
  to: "n1",
};
const members = new Set(["n2", "n3"]);
const nobody = (): Departure => undefined;

function known(): KnownDirectories {
  const met = new Map<string, string>();
  return {
    meet(node, directory) {
      const first = met.get(node) ?? directory;
      met.set(node, first);
      return first;
    },
  };
}

test("a member of the same cluster is welcome, again and again", () => {
  const book = known();
  assert.equal(judge(hello, own, members, book, nobody), undefined);
  assert.equal(judge(hello, own, members, book, nobody), undefined);
});

test("strangers are refused with the reason", () => {
  const departures = new Map<string, Departure>([
    ["n7", "pending"],
    ["n8", "certain"],
  ]);
  const refusal = (change: Partial<Hello>) =>
    judge({ ...hello, ...change }, own, members, known(), (node) => departures.get(node));
  const identity = hello.identity;
  assert.equal(refusal({ oldest: 2, newest: 9 })?.reason, "version");
  assert.equal(refusal({ identity: { ...identity, cluster: "other" } })?.reason, "cluster");
  assert.equal(refusal({ to: "n7" })?.reason, "wrongNode");
  assert.equal(refusal({ identity: { ...identity, node: "n9" } })?.reason, "unknownNode");
  assert.equal(refusal({ identity: { ...identity, node: "n8" } })?.reason, "removedNode");
  assert.equal(refusal({ identity: { ...identity, node: "n7" } })?.reason, "leavingNode");
});

test("a member that comes back with another directory has forgotten its votes, and is refused", () => {
  const book = known();
  assert.equal(judge(hello, own, members, book, nobody), undefined);
  const wiped = { ...hello, identity: { ...hello.identity, directory: "new" } };
  const refusal = judge(wiped, own, members, book, nobody);
  assert.equal(refusal?.reason, "replacedDirectory");
  assert.match(refusal.text, /wiped or replaced \(it was d2, now new\)/);
});

test("handshakes survive the wire, and garbage does not pass for one", () => {
  assert.deepEqual(decode(helloCodec, encode(helloCodec, hello)), hello);
  const refused = { type: "refused", reason: "cluster", text: "no" } as const;
  assert.deepEqual(decode(answerCodec, encode(answerCodec, refused)), refused);
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 60 }), (bytes) => {
      for (const codec of [helloCodec, answerCodec]) {
        try {
          decode<unknown>(codec, bytes);
        } catch (error) {
          assert.ok(error instanceof MalformedInput);
        }
      }
    }),
  );
});
