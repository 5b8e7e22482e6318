/** What a document's replica promises beyond the suite of `conformance`. */

import assert from "node:assert/strict";
import { test } from "node:test";

import * as Y from "yjs";

import {
  CrdtError,
  DocumentReplica,
  load,
  mapRoot,
  richTextRoot,
  save,
  textRoot,
  UndoManager,
} from "../index.ts";

const ROOTS = { body: textRoot } as const;

function open(client: number): DocumentReplica<typeof ROOTS> {
  return new DocumentReplica(ROOTS, { client });
}

test("the replica of the README merges text and fields", () => {
  // region: replica
  const page = { body: richTextRoot, fields: mapRoot };
  const alice = new DocumentReplica(page, { client: 1 });
  const bob = new DocumentReplica(page, { client: 2 });
  alice.mutate(({ body, fields }) => {
    body.insert(0, "Hello world");
    fields.set("status", "draft");
  });
  bob.merge(alice.delta()!);
  bob.mutate(({ body }) => body.format(0, 5, { bold: true }));
  alice.merge(bob.encode());
  assert.deepEqual(alice.value.body[0], { insert: "Hello", attributes: { bold: true } });
  assert.deepEqual(alice.version, bob.version);
  // endregion
  assert.deepEqual(alice.value, bob.value);
});

test("a version tells of deletions, though in Yjs they have no clock", () => {
  const [alice, bob] = [open(1), open(2)];
  alice.mutate(({ body }) => body.insert(0, "abc"));
  bob.merge(alice.encode());
  const before = bob.version;
  bob.mutate(({ body }) => body.delete(1, 1));
  assert.equal(bob.version.compare(before), "after");
  assert.ok(!alice.version.includes(bob.version));
  alice.merge(bob.delta()!);
  assert.deepEqual(alice.version, bob.version);
  assert.equal(alice.value.body, "ac");
});

test("Yjs takes in what a replica says of changes that only delete, and answers", () => {
  const replica = open(1);
  const theirs = new Y.Doc();
  for (const edit of [
    () => replica.root.body.insert(0, "abcd"),
    () => replica.root.body.delete(1, 2),
    () => replica.root.body.insert(1, "-"),
    () => replica.root.body.delete(0, 1),
  ]) {
    replica.mutate(edit);
    Y.applyUpdate(theirs, replica.delta()!);
    assert.equal(theirs.getText("body").toJSON(), replica.value.body);
  }
  theirs.getText("body").insert(0, "Yjs: ");
  assert.ok(replica.merge(Y.encodeStateAsUpdate(theirs)));
  assert.equal(replica.value.body, "Yjs: -d");
  assert.deepEqual(replica.encode(), Y.encodeStateAsUpdate(theirs));
});

test("the stored form keeps clocks in which nothing was written", () => {
  const replica = open(1);
  replica.mutate(({ body }) => body.insert(0, "abc"));
  replica.mutate(({ body }) => body.delete(0, 2));
  const stored = load(save(replica.doc), { client: 2 });
  assert.deepEqual(stored.encode(), replica.encode());
  assert.deepEqual(stored.stateVector(), replica.doc.stateVector());
});

test("what is changed outside of mutate, by an editor or by undo, is in the next delta", () => {
  const [alice, bob] = [open(1), open(2)];
  const undo = new UndoManager(alice.doc, { scope: [alice.root.body] });
  alice.root.body.insert(0, "abc");
  bob.merge(alice.delta()!);
  undo.undo();
  assert.equal(alice.value.body, "");
  bob.merge(alice.delta()!);
  assert.deepEqual(bob.value, alice.value);
  assert.deepEqual(bob.version, alice.version);
  undo.redo();
  bob.merge(alice.delta()!);
  assert.equal(bob.value.body, "abc");
  assert.equal(alice.delta(), undefined);
});

test("merging writes nothing: marks that became redundant stay", () => {
  const roots = { body: richTextRoot };
  const [alice, bob] = [1, 2].map((client) => new DocumentReplica(roots, { client }));
  alice!.mutate(({ body }) => body.insert(0, "abc"));
  bob!.merge(alice!.encode());
  for (const one of [alice!, bob!]) one.mutate(({ body }) => body.format(0, 2, { bold: true }));
  const [first, second] = [alice!.encode(), bob!.encode()];
  alice!.delta();
  alice!.merge(second);
  bob!.merge(first);
  assert.equal(alice!.delta(), undefined);
  assert.deepEqual(alice!.encode(), bob!.encode());
  assert.equal(alice!.value.body.length, 2);
});

test("a delta that waits for an earlier one is new once, and is kept by the state", () => {
  const [alice, bob] = [open(1), open(2)];
  const deltas = ["a", "b", "c"].map((letter, i) => {
    alice.mutate(({ body }) => body.insert(i, letter));
    return alice.delta()!;
  });
  assert.equal(bob.merge(deltas[2]!), true);
  assert.equal(bob.merge(deltas[2]!), false);
  assert.equal(bob.version.size, 0);
  const later = new DocumentReplica(ROOTS, { client: 3 }, bob.encode());
  later.merge(deltas[1]!);
  later.merge(deltas[0]!);
  assert.equal(later.value.body, "abc");
});

test("refusals are those of every replica", () => {
  const alice = open(1);
  const codeOf = (run: () => void): unknown => {
    try {
      run();
    } catch (error) {
      return error instanceof CrdtError && error.code;
    }
    return undefined;
  };
  assert.equal(
    codeOf(() => alice.merge(Uint8Array.of(9))),
    "malformed",
  );
  const twin = open(1);
  twin.mutate(({ body }) => body.insert(0, "x"));
  assert.equal(
    codeOf(() => alice.merge(twin.encode())),
    "duplicateActor",
  );
  // One struct of client 5 that is collected, of 2^31 clocks from clock 1 on.
  const long = Uint8Array.of(1, 1, 5, 1, 0, 0xff, 0xff, 0xff, 0xff, 7, 0);
  assert.equal(
    codeOf(() => alice.merge(long)),
    "tooLarge",
  );
  assert.equal(
    codeOf(() => open(2).root.body.insert(7, "x")),
    false,
  );
  const narrow = new DocumentReplica(ROOTS, { client: 3, pendingBytes: 40 });
  const source = open(4);
  const deltas = Array.from({ length: 8 }, () => {
    source.mutate(({ body }) => body.insert(0, "some words"));
    return source.delta()!;
  });
  const codes = deltas.slice(1).map((delta) => codeOf(() => narrow.merge(delta)));
  assert.ok(codes.includes("gap"));
});
