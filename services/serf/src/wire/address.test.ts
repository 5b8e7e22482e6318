import assert from "node:assert/strict";
import { test } from "node:test";

import { MalformedInput } from "@quorate/kernel";
import fc from "fast-check";

import { addressOf, endpointOf } from "./address.ts";

test("an address is its bytes and back", () => {
  for (const address of [
    "10.0.0.1:7946",
    "[::1]:7946",
    "[fe80::1:0:0:1]:1",
    "[1:2:3:4:5:6:7:8]:0",
  ]) {
    assert.equal(addressOf(endpointOf(address)), address);
  }
});

test("an address of version 4 is one in either clothes", () => {
  assert.equal(addressOf(endpointOf("[::ffff:10.0.0.1]:7946")), "10.0.0.1:7946");
});

test("every sixteen bytes have one text, which gives them back", () => {
  const sparse = fc.array(fc.oneof(fc.constant(0), fc.nat(255)), { minLength: 16, maxLength: 16 });
  fc.assert(
    fc.property(sparse, fc.nat(0xffff), (bytes, port) => {
      const address = addressOf({ ip: Uint8Array.from(bytes), port });
      assert.equal(addressOf(endpointOf(address)), address);
    }),
  );
});

test("what is no address is refused", () => {
  for (const wrong of [
    "",
    "10.0.0.1",
    "10.0.0:1",
    "10.0.0.256:1",
    "[1::2::3]:1",
    "[1:2]:1",
    "a:1",
    "1.2.3.4:65536",
  ]) {
    assert.throws(() => endpointOf(wrong), MalformedInput, wrong);
  }
  assert.throws(() => addressOf({ ip: new Uint8Array(5), port: 1 }), MalformedInput);
});
