import assert from "node:assert/strict";
import { test } from "node:test";

import { Random } from "@quorate/kernel";

import { Doc, DocumentError, load, save, SharedText } from "./index.ts";
import { OurPeer } from "./peers.test.ts";
import { randomEdit } from "./random-edit.test.ts";

const SEEDS = Number(process.env["QUORATE_SEEDS"] ?? 12);

function edited(seed: number, collects: boolean): OurPeer {
  const random = new Random(seed);
  const peers = [new OurPeer(1, collects), new OurPeer(2, collects), new OurPeer(3, collects)];
  for (let step = 0; step < 150; step++) {
    const peer = peers[random.below(3)]!;
    peer.run(randomEdit(random, seed % 2 === 0));
    if (random.chance(1, 5)) {
      const other = peers[random.below(3)]!;
      if (other !== peer) other.apply(peer.encode(other.stateVector()));
    }
  }
  return peers[0]!;
}

for (const collects of [true, false]) {
  test(`a stored document is the same document, ${collects ? "collected" : "with history"}`, () => {
    for (let seed = 1; seed <= SEEDS; seed++) {
      const peer = edited(seed, collects);
      const copy = new OurPeer(9, collects);
      Object.defineProperty(copy, "doc", { value: load(save(peer.doc), { client: 9, collects }) });
      assert.equal(copy.text.toString(), peer.text.toString(), `seed ${seed}`);
      assert.deepEqual(copy.state(), peer.state(), `seed ${seed}`);
      assert.deepEqual(copy.encode(), peer.encode(), `seed ${seed}`);
      const random = new Random(seed);
      for (let i = 0; i < 20; i++) copy.run(randomEdit(random, true));
      peer.apply(copy.encode(peer.stateVector()));
      assert.deepEqual(copy.state(), peer.state(), `seed ${seed}, edited`);
    }
  });
}

test("text of a stored document is read without its structure", () => {
  const doc = new Doc({ client: 1 });
  doc.root("t", SharedText).insert(0, "hello");
  const copy = load(save(doc), { client: 2 });
  assert.equal(copy.root("t", SharedText).toString(), "hello");
  assert.equal(copy.peek("t"), "hello");
  copy.root("t", SharedText).insert(5, " world");
  assert.equal(copy.peek("t"), undefined);
  assert.equal(copy.root("t", SharedText).toString(), "hello world");
});

test("the length of a stored text with embeds is that of the text", () => {
  const doc = new Doc({ client: 1 });
  doc.root("t", SharedText).insert(0, "ab");
  doc.root("t", SharedText).embed(1, { image: 1 });
  assert.equal(load(save(doc), { client: 2 }).root("t", SharedText).length, 3);
});

test("a stored document with one bit changed is refused", () => {
  const bytes = save(edited(4, true).doc);
  for (let at = 0; at < bytes.length; at += 7) {
    const broken = bytes.slice();
    broken[at]! ^= 1 << (at % 8);
    assert.throws(() => load(broken, { client: 5 }), DocumentError);
  }
});

test("updates that wait for others are stored too", () => {
  const source = new Doc({ client: 1 });
  const updates: Uint8Array[] = [];
  source.onUpdate((update) => updates.push(update));
  source.root("t", SharedText).insert(0, "a");
  source.root("t", SharedText).insert(1, "b");
  const early = new Doc({ client: 2 });
  early.apply(updates[1]!);
  assert.ok(early.isWaiting);
  const copy = load(save(early), { client: 3 });
  copy.apply(updates[0]!);
  assert.equal(copy.root("t", SharedText).toString(), "ab");
});
