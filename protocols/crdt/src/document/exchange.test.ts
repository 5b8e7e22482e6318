/** Everything that travels beside updates, held against Yjs and y-protocols. */

import assert from "node:assert/strict";
import { test } from "node:test";

import { Random } from "@quorate/kernel";
import * as awarenessProtocol from "y-protocols/awareness";
import * as Y from "yjs";

import {
  Awareness,
  type Cursor,
  cursorAt,
  decodeCursor,
  decodeVersion,
  diffUpdate,
  Doc,
  docAt,
  DocumentError,
  encodeCursor,
  encodeVersion,
  mergeUpdates,
  onSyncMessage,
  resolveCursor,
  SharedText,
  stateVectorOf,
  syncStep1,
  syncUpdate,
  versionOf,
} from "./index.ts";
import { OurPeer, YjsPeer } from "./peers.test.ts";
import { randomEdit } from "./random-edit.test.ts";

const SEEDS = Number(process.env["QUORATE_SEEDS"] ?? 12);

/** Updates of two replicas that edited concurrently. */
function someUpdates(seed: number): { readonly updates: Uint8Array[]; readonly random: Random } {
  const random = new Random(seed);
  const peers = [new OurPeer(3), new OurPeer(9)];
  const updates: Uint8Array[] = [];
  for (let step = 0; step < 40; step++) {
    const [one, other] = random.chance(1, 2) ? peers : peers.toReversed();
    one!.run(randomEdit(random, true));
    const made = one!.take();
    updates.push(...made);
    if (random.chance(1, 2)) for (const update of made) other!.apply(update);
  }
  return { updates, random };
}

test("merged updates are those that Yjs merges, gaps included", () => {
  for (let seed = 1; seed <= SEEDS; seed++) {
    const { updates, random } = someUpdates(seed);
    const some = updates.filter(() => random.chance(3, 4));
    const merged = mergeUpdates(some);
    assert.deepEqual(
      merged,
      Y.mergeUpdates(some.length === 1 ? [...some, some[0]!] : some),
      `seed ${seed}`,
    );
    assert.deepEqual(stateVectorOf(merged), Y.encodeStateVectorFromUpdate(merged), `seed ${seed}`);
    const partly = mergeUpdates(updates.slice(0, updates.length / 2));
    const known = stateVectorOf(partly);
    const whole = mergeUpdates(updates);
    assert.deepEqual(diffUpdate(whole, known), Y.diffUpdate(whole, known), `seed ${seed}`);
    const doc = new OurPeer(1);
    doc.apply(partly);
    doc.apply(diffUpdate(whole, known));
    const direct = new YjsPeer(1);
    direct.apply(whole);
    assert.deepEqual(doc.state(), direct.state(), `seed ${seed}`);
  }
});

test("cursors stay put and are read by both", () => {
  for (let seed = 1; seed <= SEEDS; seed++) {
    const random = new Random(seed);
    const ours = new OurPeer(1);
    for (let i = 0; i < 20; i++) ours.run(randomEdit(random, true));
    const yjs = new YjsPeer(2);
    yjs.apply(ours.encode());
    const cursors: Cursor[] = [];
    for (let at = 0; at <= ours.text.length; at++) {
      cursors.push(cursorAt(ours.text, at, "right"), cursorAt(ours.text, at, "left"));
    }
    for (let i = 0; i < 10; i++) ours.run(randomEdit(random, true));
    yjs.apply(ours.encode(yjs.stateVector()));
    for (const cursor of cursors) {
      const bytes = encodeCursor(cursor);
      assert.deepEqual(decodeCursor(bytes), cursor);
      const here = resolveCursor(ours.doc, cursor);
      const there = Y.createAbsolutePositionFromRelativePosition(
        Y.decodeRelativePosition(bytes),
        yjs.doc,
      );
      assert.equal(here?.index, there?.index, `seed ${seed}`);
    }
  }
});

test("a version brings back what was there", () => {
  for (let seed = 1; seed <= SEEDS; seed++) {
    const random = new Random(seed);
    const peer = new OurPeer(1, false);
    for (let i = 0; i < 30; i++) peer.run(randomEdit(random, true));
    const state = peer.state();
    const bytes = encodeVersion(versionOf(peer.doc));
    const yjs = new YjsPeer(2, false);
    yjs.apply(peer.encode());
    assert.deepEqual(bytes, Y.encodeSnapshot(Y.snapshot(yjs.doc)), `seed ${seed}`);
    for (let i = 0; i < 30; i++) peer.run(randomEdit(random, true));
    const after = peer.encode();
    const past = new OurPeer(3, false);
    Object.defineProperty(past, "doc", { value: docAt(peer.doc, decodeVersion(bytes), 3) });
    assert.deepEqual(past.state(), state, `seed ${seed}`);
    assert.deepEqual(peer.encode(), after, "looking back changes nothing");
  }
  assert.throws(
    () => docAt(new Doc({ client: 1 }), versionOf(new Doc({ client: 2 })), 3),
    DocumentError,
  );
});

test("two replicas bring each other up to date with sync messages", () => {
  const [one, other] = [new Doc({ client: 1 }), new Doc({ client: 2 })];
  one.root("t", SharedText).insert(0, "one");
  other.root("t", SharedText).insert(0, "other");
  const answer = onSyncMessage(other, syncStep1(one), "net")!;
  assert.equal(onSyncMessage(one, answer, "net"), undefined);
  onSyncMessage(other, onSyncMessage(one, syncStep1(other), "net")!, "net");
  one.onUpdate((update) => onSyncMessage(other, syncUpdate(update), "net"));
  one.root("t", SharedText).insert(0, "!");
  assert.equal(one.root("t", SharedText).toString(), other.root("t", SharedText).toString());
  assert.equal(Buffer.from(syncStep1(new Doc({ client: 1 }))).toString("hex"), "000100");
  assert.throws(() => onSyncMessage(one, new Uint8Array([7, 0]), "net"), DocumentError);
});

test("awareness is understood by y-protocols and understands it", () => {
  const ours = new Awareness({ client: 1 });
  const theirs = new awarenessProtocol.Awareness(new Y.Doc());
  try {
    assert.deepEqual(ours.show({ n: 0 }, 0).added, [1]);
    ours.show({ n: 1 }, 0);
    assert.equal(Buffer.from(ours.encode()).toString("hex"), "010101077b226e223a317d");
    awarenessProtocol.applyAwarenessUpdate(theirs, ours.encode(), "net");
    assert.deepEqual(theirs.getStates().get(1), { n: 1 });
    theirs.setLocalState({ name: "y" });
    const update = awarenessProtocol.encodeAwarenessUpdate(theirs, [theirs.clientID]);
    assert.deepEqual(ours.apply(update, 5).added, [theirs.clientID]);
    assert.deepEqual(ours.states.get(theirs.clientID), { name: "y" });
    // Somebody says that we are gone; we say that we are not.
    awarenessProtocol.removeAwarenessStates(theirs, [1], "gone");
    const gone = new Uint8Array([1, 1, 2, 4, ...Buffer.from("null")]);
    assert.deepEqual(ours.apply(gone, 6).updated, [1]);
    assert.deepEqual(ours.states.get(1), { n: 1 });
    assert.deepEqual(ours.tick(20_000).updated, [1]);
    assert.deepEqual(ours.tick(31_000).removed, [theirs.clientID]);
    assert.throws(() => ours.apply(new Uint8Array([1, 1, 1, 3, 91, 93, 32]), 0), DocumentError);
  } finally {
    theirs.destroy();
  }
});
