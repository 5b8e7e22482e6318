import assert from "node:assert/strict";
import { test } from "node:test";
import { MalformedInput } from "@quorate/kernel";
import { compact, grant, listed, put, remove, revoke, run } from "./requests.test.ts";
import { EtcdStore } from "./store.ts";

/** All pieces of an image. */
function imageOf(store: EtcdStore): Uint8Array[] {
  const source = store.snapshot();
  const pieces: Uint8Array[] = [];
  for (let piece = source.next(); piece !== undefined; piece = source.next()) pieces.push(piece);
  source.close();
  return pieces;
}

function restored(pieces: readonly Uint8Array[]): EtcdStore {
  const store = new EtcdStore();
  const sink = store.receive();
  for (const piece of pieces) sink.write(piece);
  store.install(sink);
  return store;
}

function busy(): EtcdStore {
  const store = new EtcdStore();
  run(store, grant("a1", 30), grant("a2", 40), revoke("a2"));
  for (let i = 0; i < 3000; i++) {
    const lease = i % 7 === 0 ? "a1" : "";
    store.apply(i % 5 === 4 ? remove(`k${(i * 7) % 50}`) : put(`k${i % 50}`, `v${i}`, { lease }));
  }
  run(store, compact(1500));
  return store;
}

test("an image brings back history, leases and all", () => {
  const store = busy();
  const copy = restored(imageOf(store));
  assert.equal(copy.digest(), store.digest());
  assert.deepEqual(copy.hashKv(), store.hashKv());
  assert.deepEqual(copy.leaseKeys("a1"), store.leaseKeys("a1"));
  assert.deepEqual(
    copy.leases().map((lease) => lease.ttl),
    [30],
  );
  for (const revision of [0, 1500, 1777, 2000]) {
    assert.deepEqual(listed(copy, { revision }), listed(store, { revision }));
  }
  const query = { from: 1500, key: "\0", rangeEnd: "\0", prevKv: true, maxEvents: 9999 };
  assert.deepEqual(copy.changes(query), store.changes(query));
});

test("an image shows the state when it was begun, whatever happens while it is read", () => {
  const store = busy();
  const expected = imageOf(store);
  const source = store.snapshot();
  const pieces = [source.next()!];
  run(store, put("new", "x"), revoke("a1"), remove("\0", "\0"), compact(store.revision));
  store.sweep(Infinity);
  for (let piece = source.next(); piece !== undefined; piece = source.next()) pieces.push(piece);
  source.close();
  assert.deepEqual(restored(pieces).digest(), restored(expected).digest());
  assert.ok(store.sweep(Infinity));
  assert.equal(restored(imageOf(store)).digest(), store.digest());
});

test("nothing is removed from the log while an image is open", () => {
  const store = busy();
  const source = store.snapshot();
  const before = store.sizes().total;
  assert.equal(store.sweep(Infinity), false);
  assert.equal(store.sizes().total, before);
  source.close();
  source.close();
  assert.ok(store.sweep(Infinity));
  assert.ok(store.sizes().total < before);
});

test("pieces are of 1 byte to 256 KiB, also where values are bigger", () => {
  const store = new EtcdStore();
  run(store, put("a", "x".repeat(1_000_000)), put("b", "y"));
  const pieces = imageOf(store);
  for (const { length } of pieces) assert.ok(length > 0 && length <= 262_144);
  assert.equal(restored(pieces).digest(), store.digest());
});

test("an image may come in pieces of any size", () => {
  const store = busy();
  const whole = Buffer.concat(imageOf(store));
  const pieces: Uint8Array[] = [];
  for (let at = 0; at < whole.length; at += 7) pieces.push(whole.subarray(at, at + 7));
  assert.equal(restored(pieces).digest(), store.digest());
});

test("an image that is cut short, altered or continued is not installed", () => {
  const store = busy();
  const whole = Buffer.concat(imageOf(store));
  const before = new EtcdStore();
  run(before, put("mine"));
  const refused = (bytes: Uint8Array): void => {
    const digest = before.digest();
    assert.throws(() => {
      const sink = before.receive();
      sink.write(bytes);
      before.install(sink);
    }, MalformedInput);
    assert.equal(before.digest(), digest);
  };
  refused(whole.subarray(0, whole.length - 1));
  refused(Buffer.concat([whole, whole]));
  for (let at = 0; at < whole.length; at += 997) {
    const altered = Buffer.from(whole);
    altered[at]! ^= 0x55;
    refused(altered);
  }
});

test("an installed store goes on like the one it is of", () => {
  const store = busy();
  const copy = restored(imageOf(store));
  for (let i = 0; i < 300; i++) {
    const command = i % 3 === 0 ? remove(`k${i % 50}`) : put(`k${(i * 3) % 50}`, `w${i}`);
    assert.deepEqual(copy.apply(command), store.apply(command));
  }
  run(copy, compact(2100));
  run(store, compact(2100));
  copy.sweep(Infinity);
  assert.equal(copy.digest(), store.digest());
  assert.deepEqual(copy.hashKv(), store.hashKv());
});
