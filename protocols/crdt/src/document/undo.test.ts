import assert from "node:assert/strict";
import { test } from "node:test";

import { Random } from "@quorate/kernel";
import * as Y from "yjs";

import { Doc, SharedMap, SharedText, UndoManager } from "./index.ts";
import { OurPeer, YjsPeer } from "./peers.test.ts";
import { randomEdit } from "./random-edit.test.ts";

const SEEDS = Number(process.env["QUORATE_SEEDS"] ?? 25);

test("undo takes back one's own typing and leaves that of others", () => {
  const [mine, theirs] = [new Doc({ client: 1 }), new Doc({ client: 2 })];
  const text = mine.root("t", SharedText);
  const undo = new UndoManager(mine);
  text.insert(0, "hello");
  theirs.apply(mine.encode());
  theirs.root("t", SharedText).insert(2, "-x-");
  mine.apply(theirs.encode());
  assert.equal(text.toString(), "he-x-llo");
  assert.ok(undo.undo());
  assert.equal(text.toString(), "-x-");
  assert.ok(undo.redo());
  assert.equal(text.toString(), "he-x-llo");
  theirs.apply(mine.encode(theirs.stateVector()));
  assert.equal(theirs.root("t", SharedText).toString(), "he-x-llo");
});

test("changes close together are one step, cut() begins another", () => {
  let now = 0;
  const doc = new Doc({ client: 1 });
  const text = doc.root("t", SharedText);
  const undo = new UndoManager(doc, { now: () => now, scope: [text] });
  text.insert(0, "a");
  now += 100;
  text.insert(1, "b");
  undo.cut();
  text.insert(2, "c");
  doc.root("m", SharedMap).set("outside", 1);
  undo.undo();
  assert.equal(text.toString(), "ab");
  undo.undo();
  assert.equal(text.toString(), "");
  assert.equal(undo.canUndo, false);
  assert.equal(doc.root("m", SharedMap).get("outside"), 1);
});

test("undo and redo come to what they come to in Yjs", () => {
  for (let seed = 1; seed <= SEEDS; seed++) {
    const random = new Random(seed);
    const ours = new OurPeer(1);
    const yjs = new YjsPeer(1);
    // Both at the same ids: what one does the other does.
    const ourUndo = new UndoManager(ours.doc);
    const scope = [yjs.text, yjs.array, yjs.map, yjs.xml];
    const yjsUndo = new Y.UndoManager(scope as never, { captureTimeout: 0 });
    for (let step = 0; step < 60; step++) {
      if (random.chance(1, 4)) {
        const isUndo = random.chance(2, 3);
        if (isUndo) {
          ourUndo.undo();
          yjsUndo.undo();
        } else {
          ourUndo.redo();
          yjsUndo.redo();
        }
      } else {
        const edit = randomEdit(random, seed % 3 > 0);
        const safe =
          "text" in edit ? { ...edit, text: edit.text.replace(/[\ud800-\udfff]+/g, "@") } : edit;
        ours.run(safe);
        yjs.run(safe);
      }
      assert.deepEqual(ours.state(), yjs.state(), `seed ${seed}, step ${step}`);
    }
    const fresh = new OurPeer(7);
    fresh.apply(ours.encode());
    assert.deepEqual(fresh.state(), yjs.state(), `seed ${seed}, copied`);
  }
});
