import assert from "node:assert/strict";
import { test } from "node:test";

import { Random } from "@quorate/kernel";

import {
  Awareness,
  decodeCursor,
  decodeVersion,
  diffUpdate,
  Doc,
  DocumentError,
  mergeUpdates,
  onSyncMessage,
  SharedArray,
  SharedText,
  stateVectorOf,
} from "./index.ts";
import { OurPeer } from "./peers.test.ts";
import { randomEdit } from "./random-edit.test.ts";

const SEEDS = Number(process.env["QUORATE_SEEDS"] ?? 15);

function someone(seed: number, client: number): OurPeer {
  const random = new Random(seed);
  const peer = new OurPeer(client);
  for (let i = 0; i < 25; i++) peer.run(randomEdit(random, true));
  return peer;
}

/** Runs `read`; true when it was refused, which only one class of error may say. */
function refused(read: () => unknown): boolean {
  try {
    read();
    return false;
  } catch (error) {
    assert.ok(error instanceof DocumentError, `${String(error)}\n${(error as Error).stack}`);
    return true;
  }
}

function mutated(bytes: Uint8Array, random: Random): Uint8Array {
  const copy = bytes.slice();
  for (let n = random.below(3); n >= 0; n--) {
    const at = random.below(copy.length);
    if (random.chance(1, 2)) copy[at]! ^= 1 << random.below(8);
    else copy[at] = [0, 1, 0x7f, 0x80, 0xff][random.below(5)]!;
  }
  return random.chance(1, 5) ? copy.subarray(0, random.below(copy.length)) : copy;
}

test("an update cut short anywhere is refused and changes nothing", () => {
  const update = someone(1, 5).encode();
  const peer = someone(2, 6);
  const before = peer.encode();
  for (let length = 0; length < update.length; length++) {
    assert.ok(
      refused(() => peer.apply(update.subarray(0, length))),
      `${length} bytes`,
    );
  }
  assert.deepEqual(peer.encode(), before);
});

test("damaged updates are refused without a trace or taken without harm", () => {
  let refusals = 0;
  for (let seed = 1; seed <= SEEDS; seed++) {
    const random = new Random(seed);
    const update = someone(seed, 5).encode();
    for (let i = 0; i < 40; i++) {
      const peer = someone(seed + 1000, 6);
      if (random.chance(1, 2)) peer.apply(update);
      const [before, state] = [peer.encode(), peer.state()];
      const bytes = mutated(update, random);
      if (refused(() => peer.apply(bytes))) {
        refusals++;
        assert.deepEqual(peer.encode(), before, `seed ${seed}`);
        assert.deepEqual(peer.state(), state, `seed ${seed}`);
      }
      // Whatever came in, the document goes on: it edits, encodes and is copied.
      for (let n = 0; n < 5; n++) peer.run(randomEdit(random, false));
      const copy = new OurPeer(7);
      copy.apply(peer.encode());
      assert.equal(copy.text.toString(), peer.text.toString(), `seed ${seed}`);
    }
  }
  assert.ok(refusals > SEEDS, `${refusals} of ${SEEDS * 40} were refused`);
});

test("no other decoder takes damage for anything but damage", () => {
  const update = someone(3, 5).encode();
  const doc = new Doc({ client: 1 });
  for (let seed = 1; seed <= SEEDS * 20; seed++) {
    const random = new Random(seed);
    const bytes = mutated(update, random);
    refused(() => mergeUpdates([bytes, update]));
    refused(() => diffUpdate(bytes, new Uint8Array([0])));
    refused(() => stateVectorOf(bytes));
    refused(() => decodeVersion(bytes));
    refused(() => decodeCursor(bytes));
    refused(() => onSyncMessage(doc, bytes.subarray(random.below(8)), null));
    refused(() => new Awareness({ client: 1 }).apply(bytes.subarray(random.below(8)), 0));
    refused(() => doc.encode(bytes));
  }
});

test("lengths that nothing stands behind allocate nothing", () => {
  const doc = new Doc({ client: 1 });
  const huge = [0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x0f];
  assert.ok(refused(() => doc.apply(new Uint8Array(huge))));
  assert.ok(refused(() => doc.apply(new Uint8Array([1, ...huge, 1, 0]))));
  assert.ok(refused(() => doc.apply(new Uint8Array([1, 1, 1, 0, 4, 1, 1, 116, ...huge, 97]))));
  assert.ok(
    refused(() => doc.apply(new Uint8Array([1, 1, 1, 0, 0, ...huge, 0]))),
    "a clock beyond 2^31",
  );
  assert.equal(doc.rootNames().length, 0);
});

test("values nested too deeply are refused", () => {
  const doc = new Doc({ client: 1 });
  const nested = Array.from({ length: 20_000 }, () => [117, 1]).flat();
  const bytes = new Uint8Array([1, 1, 2, 0, 8, 1, 1, 97, 1, ...nested, 126, 0]);
  assert.ok(refused(() => doc.apply(bytes)));
  const json = `${"[".repeat(120)}${"]".repeat(120)}`;
  const text = [1, 1, 2, 0, 5, 1, 1, 116, 240, 1, ...Buffer.from(json), 0];
  assert.ok(refused(() => doc.apply(new Uint8Array(text))));
});

test("shared types nested 20,000 deep are merged, deleted and refused only as JSON", () => {
  const count = 20_000;
  const update: number[] = [1, ...varint(count), 2, 0, 7, 1, 1, 97, 0];
  for (let clock = 1; clock < count; clock++) update.push(7, 0, 2, ...varint(clock - 1), 0);
  update.push(0);
  const doc = new Doc({ client: 1 });
  doc.apply(new Uint8Array(update));
  const array = doc.root("a", SharedArray);
  assert.ok(refused(() => array.toJSON()));
  array.delete(0);
  assert.equal(array.length, 0);
  const copy = new Doc({ client: 3 });
  copy.apply(doc.encode());
  assert.equal(copy.root("a", SharedArray).length, 0);
});

function varint(value: number): number[] {
  return value < 0x80 ? [value] : [(value & 0x7f) | 0x80, ...varint(value >> 7)];
}

test("a stranger who writes under our client id is refused, and become() is the way out", () => {
  const mine = new Doc({ client: 1 });
  mine.root("t", SharedText).insert(0, "mine");
  const stranger = new Doc({ client: 1 });
  stranger.root("t", SharedText).insert(0, "strangers");
  const before = mine.encode();
  assert.throws(() => mine.apply(stranger.encode()), {
    name: "DocumentError",
    code: "duplicate-client",
  });
  assert.deepEqual(mine.encode(), before);
  stranger.root("elsewhere", SharedText).insert(0, "x");
  assert.throws(() => mine.apply(stranger.encode()), { code: "duplicate-client" });
  assert.deepEqual(mine.rootNames(), ["t"]);
  mine.become(2);
  mine.root("t", SharedText).insert(0, "still ");
  assert.equal(mine.root("t", SharedText).toString(), "still mine");
});

test("one's own past is loaded without a fuss", () => {
  const past = new Doc({ client: 1 });
  past.root("t", SharedText).insert(0, "past");
  const present = new Doc({ client: 1 });
  present.apply(past.encode());
  present.root("t", SharedText).insert(4, " and present");
  assert.equal(present.root("t", SharedText).toString(), "past and present");
});

test("what waits for missing updates is bounded", () => {
  const source = new Doc({ client: 1 });
  const updates: Uint8Array[] = [];
  source.onUpdate((update) => updates.push(update));
  for (let i = 0; i < 50; i++) source.root("t", SharedText).insert(0, "some text");
  const doc = new Doc({ client: 2, pendingBytes: 300 });
  assert.throws(
    () => {
      for (const update of updates.slice(1)) doc.apply(update);
    },
    { code: "pending-full" },
  );
  assert.ok(doc.isWaiting);
  doc.apply(updates[0]!);
  assert.equal(doc.isWaiting, false);
});
