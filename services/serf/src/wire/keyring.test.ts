import assert from "node:assert/strict";
import { createCipheriv } from "node:crypto";
import { test } from "node:test";

import fc from "fast-check";

import { Keyring, KeyringError } from "./keyring.ts";

const key = (byte: number, length = 32): Uint8Array => new Uint8Array(length).fill(byte);
const plain = Buffer.from("a packet");

test("what one key sealed any ring with that key opens", () => {
  for (const length of [16, 24, 32]) {
    const sealed = new Keyring([key(1, length)]).seal(plain);
    assert.equal(sealed.length, plain.length + 29);
    const other = new Keyring([key(2), key(1, length)]);
    assert.deepEqual(Buffer.from(other.open(sealed)!), plain);
  }
});

test("another key, another binding, or one changed bit opens nothing", () => {
  const ring = new Keyring([key(1)]);
  const sealed = ring.seal(plain, Buffer.from("head"));
  assert.ok(ring.open(sealed, Buffer.from("head")));
  assert.equal(ring.open(sealed), undefined);
  assert.equal(new Keyring([key(2)]).open(sealed, Buffer.from("head")), undefined);
  for (let bit = 0; bit < sealed.length * 8; bit += 5) {
    const changed = sealed.slice();
    changed[bit >> 3]! ^= 1 << (bit & 7);
    assert.equal(ring.open(changed, Buffer.from("head")), undefined);
  }
});

test("version 0, which pads, is read", () => {
  const nonce = new Uint8Array(12).fill(9);
  const cipher = createCipheriv("aes-256-gcm", key(1), nonce);
  const padded = Buffer.concat([plain, Buffer.alloc(8, 8)]);
  const body = Buffer.concat([cipher.update(padded), cipher.final()]);
  const sealed = Buffer.concat([Buffer.from([0]), nonce, body, cipher.getAuthTag()]);
  assert.deepEqual(Buffer.from(new Keyring([key(1)]).open(sealed)!), plain);
});

test("any bytes are opened or not, without an error", () => {
  const ring = new Keyring([key(1), key(2)]);
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 100 }), (input) => ring.open(input) === undefined),
  );
});

test("keys are changed member by member: install, use, remove", () => {
  const a = new Keyring([key(1)]);
  const b = new Keyring([key(1)]);
  for (const ring of [a, b]) ring.install(key(2));
  a.use(key(2));
  assert.ok(b.open(a.seal(plain)), "b has the key though it does not use it yet");
  assert.ok(a.open(b.seal(plain)), "a still has the old one");
  b.use(key(2));
  for (const ring of [a, b]) ring.remove(key(1));
  assert.ok(b.open(a.seal(plain)));
  assert.equal(a.open(new Keyring([key(1)]).seal(plain)), undefined);
});

test("a ring refuses keys of other lengths, to use what it has not, and to lose its primary", () => {
  const ring = new Keyring([key(1)]);
  assert.throws(() => ring.install(key(2, 20)), KeyringError);
  assert.throws(() => ring.use(key(2)), /not in the keyring/);
  assert.throws(() => ring.remove(key(1)), /primary key is not allowed/);
  ring.remove(key(3));
  ring.install(key(1));
  assert.equal(ring.list().length, 1);
  assert.throws(() => new Keyring([]), KeyringError);
});
