/** Surrogate pairs are never halved by an edit of ours, and by a peer's only as they are everywhere. */

import assert from "node:assert/strict";
import { test } from "node:test";

import * as Y from "yjs";

import { Doc, SharedText } from "./index.ts";

const FACE = "\u{1F600}";

function textOf(content: string): SharedText {
  const text = new Doc({ client: 1 }).root("t", SharedText);
  text.insert(0, content);
  return text;
}

test("an insertion inside a pair goes behind it", () => {
  const text = textOf(`a${FACE}b`);
  text.insert(2, "x");
  assert.equal(text.toString(), `a${FACE}xb`);
});

test("a deletion that begins or ends inside a pair takes all of it", () => {
  for (const [index, count] of [
    [1, 1],
    [2, 1],
    [0, 2],
    [2, 2],
  ] as const) {
    const text = textOf(`a${FACE}b`);
    text.delete(index, count);
    assert.equal(
      text.toString(),
      `a${FACE}b`.slice(0, index === 2 ? 1 : index) + (index + count < 4 ? "b" : ""),
    );
  }
  const face = textOf(FACE);
  face.delete(1, 1);
  assert.equal(face.toString(), "");
});

test("formatting that ends inside a pair formats all of it, on every replica", () => {
  const text = textOf(`a${FACE}b`);
  text.format(0, 2, { bold: true });
  assert.deepEqual(text.toDelta(), [
    { insert: `a${FACE}`, attributes: { bold: true } },
    { insert: "b" },
  ]);
  const copy = new Y.Doc();
  Y.applyUpdate(copy, text.doc.encode());
  assert.equal(copy.getText("t").toJSON(), `a${FACE}b`);
});

test("formatting that changes nothing splits nothing", () => {
  const text = textOf(`a${FACE}b`);
  const before = text.doc.encode();
  text.format(0, 2, { bold: null });
  assert.equal(text.toString(), `a${FACE}b`);
  assert.deepEqual(text.doc.encode(), before);
});

test("a peer's operation inside a pair leaves the same on every replica", () => {
  const yjs = new Y.Doc();
  yjs.clientID = 5;
  yjs.getText("t").insert(0, `a${FACE}b`);
  const first = Y.encodeStateAsUpdate(yjs);
  const ours = new Doc({ client: 1 });
  ours.apply(first);
  const other = new Y.Doc();
  Y.applyUpdate(other, first);
  yjs.getText("t").insert(2, "x");
  const update = Y.encodeStateAsUpdate(yjs);
  ours.apply(update);
  Y.applyUpdate(other, update);
  assert.equal(ours.root("t", SharedText).toString(), other.getText("t").toJSON());
  assert.equal(ours.root("t", SharedText).toString(), "a\ufffdx\ufffdb");
});

test("half a pair that is inserted alone is replaced, here as everywhere", () => {
  const text = textOf("a\ud83db");
  assert.equal(text.toString(), "a\ufffdb");
});
