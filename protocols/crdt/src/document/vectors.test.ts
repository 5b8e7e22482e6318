import assert from "node:assert/strict";
import { test } from "node:test";

import { Doc, DocumentError, mergeUpdates, SharedArray, SharedMap, SharedText } from "./index.ts";

function hex(bytes: Uint8Array): string {
  return Buffer.from(bytes).toString("hex");
}

function bytes(hex: string): Uint8Array {
  return new Uint8Array(Buffer.from(hex, "hex"));
}

/** A document of client 1 and the update of its last change. */
function watched(): { readonly doc: Doc; readonly last: () => string } {
  const doc = new Doc({ client: 1 });
  let last = "";
  doc.onUpdate((update) => {
    last = hex(update);
  });
  return { doc, last: () => last };
}

test("edits of a text make the bytes that Yjs makes", () => {
  const { doc, last } = watched();
  const text = doc.root("t", SharedText);
  text.insert(0, "ab");
  assert.equal(last(), "010101000401017402616200");
  text.insert(1, "X");
  assert.equal(last(), "01010102c401000101015800");
  text.delete(0, 1);
  assert.equal(last(), "000101010001");
  text.insert(2, "!");
  assert.equal(hex(doc.encode()), "0104010001010174018401000162c401000101015884010101210101010001");
  assert.equal(hex(doc.stateVector()), "010104");
  assert.equal(hex(doc.encode(bytes("010102"))), "01020102c401000101015884010101210101010001");
  assert.equal(text.toString(), "Xb!");
});

test("maps, arrays and nested types make the bytes that Yjs makes", () => {
  const map = watched();
  map.doc.root("m", SharedMap).set("k", 7);
  assert.equal(map.last(), "010101002801016d016b017d0700");
  map.doc.root("m", SharedMap).set("k", "v");
  assert.equal(hex(map.doc.encode()), "010201002101016d016b01a80100017701760101010001");
  const array = watched();
  array.doc.root("a", SharedArray).push(true, null, [1.5]);
  assert.equal(array.last(), "010101000801016103787e75017c3fc0000000");
  const nested = watched();
  nested.doc.root("m", SharedMap).set("n", SharedMap.draft({ x: 1 }));
  assert.equal(nested.last(), "010201002701016d016e01280001000178017d0100");
});

test("bold text makes the bytes that Yjs makes", () => {
  const { doc, last } = watched();
  doc.root("t", SharedText).insert(0, "hi", { bold: true });
  assert.equal(
    last(),
    "010301000601017404626f6c64047472756584010002686986010204626f6c64046e756c6c00",
  );
});

test("an empty document and an empty update are two zeros", () => {
  const doc = new Doc({ client: 1 });
  assert.equal(hex(doc.encode()), "0000");
  doc.apply(bytes("0000"));
  assert.equal(hex(mergeUpdates([])), "0000");
});

test("bytes that are no update are refused", () => {
  const doc = new Doc({ client: 1 });
  assert.throws(() => doc.apply(bytes("01")), DocumentError);
});
