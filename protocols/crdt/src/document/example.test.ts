import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { test } from "node:test";

import { Doc, load, save, SharedMap, SharedText, UndoManager } from "../index.ts";

test("the example of the README runs", () => {
  // region: text
  const [alice, bob] = [new Doc({ client: 1 }), new Doc({ client: 2 })];
  alice.onUpdate((update, origin) => origin === "bob" || bob.apply(update, "alice"));
  bob.onUpdate((update, origin) => origin === "alice" || alice.apply(update, "bob"));
  const text = alice.root("body", SharedText);
  text.observe(({ delta, isLocal }) => assert.ok(delta.length > 0 || isLocal));
  text.insert(0, "Hello world");
  bob.root("body", SharedText).format(6, 5, { bold: true });
  const undo = new UndoManager(alice, { scope: [text] });
  text.insert(11, "!");
  undo.undo();
  const stored = load(save(alice), { client: 3 }); // its text is there before its structure is read
  // endregion
  assert.equal(bob.root("body", SharedText).toString(), "Hello world");
  assert.deepEqual(text.toDelta()[1], { insert: "world", attributes: { bold: true } });
  assert.equal(stored.root("body", SharedText).toString(), "Hello world");
});

test("the example of a nested document runs", () => {
  // region: map
  const doc = new Doc({ client: 1 });
  const card = doc.root("card", SharedMap);
  card.set("title", "Groceries");
  card.set("notes", SharedText.draft("milk"));
  card.open("notes", SharedText)?.insert(4, ", bread");
  // endregion
  assert.deepEqual(card.toJSON(), { title: "Groceries", notes: "milk, bread" });
});

test("documents show code that runs", () => {
  const root = new URL("../../../../", import.meta.url);
  const read = (path: string): string => readFileSync(new URL(path, root), "utf8");
  for (const document of ["protocols/crdt/README.md", "docs/protocols/crdt-text.md"]) {
    const blocks = [...read(document).matchAll(/<!-- (\S+)#(\S+) -->\n+```ts\n([^]*?)\n```/g)];
    assert.ok(blocks.length > 0, document);
    for (const [, source, region, block] of blocks) {
      const lines = read(source!).split("\n");
      const start = lines.findIndex((line) => line.trim() === `// region: ${region}`);
      const length = lines.slice(start).findIndex((line) => line.trim() === "// endregion");
      const body = lines.slice(start + 1, start + length).map((line) => line.slice(2));
      assert.equal(block, body.join("\n"), `${document}: ${region}`);
    }
  }
});
