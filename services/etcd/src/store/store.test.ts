import assert from "node:assert/strict";
import { test } from "node:test";
import { bytesOf } from "../wire/binary.ts";
import { COMPARE_RESULT, COMPARE_TARGET, SORT_ORDER, SORT_TARGET } from "../wire/kv.ts";
import {
  compact,
  grant,
  listed,
  op,
  put,
  rangeOf,
  refusal,
  remove,
  revoke,
  run,
  textOf,
  txn,
  versionIs,
} from "./requests.test.ts";
import { EtcdStore } from "./store.ts";

function filled(...keys: string[]): EtcdStore {
  const store = new EtcdStore();
  for (const key of keys) store.apply(put(key, key.toUpperCase()));
  return store;
}

function only(store: EtcdStore, key: string, revision: number = 0) {
  const result = store.range(rangeOf({ key, revision }));
  assert.ok(result.type === "range");
  return result.kvs[0];
}

test("an empty store is at revision 1 and every put adds one", () => {
  const store = new EtcdStore();
  assert.equal(store.revision, 1);
  assert.deepEqual(store.apply(put("a", "1")), { type: "put", revision: 2, prevKv: undefined });
  assert.equal(store.revision, 2);
});

test("a key carries the revisions of its creation and last change, and its version", () => {
  const store = filled("a", "b");
  run(store, put("a", "x"));
  const kv = only(store, "a")!;
  assert.deepEqual([kv.createRevision, kv.modRevision, kv.version], [2, 4, 2]);
  run(store, remove("a"), put("a", "y"));
  const again = only(store, "a")!;
  assert.deepEqual([again.createRevision, again.modRevision, again.version], [6, 6, 1]);
});

test("deleting nothing leaves the revision alone", () => {
  const store = filled("a");
  assert.deepEqual(run(store, remove("b", "c")), {
    type: "deleteRange",
    revision: 2,
    deleted: 0,
    prevKvs: [],
  });
});

test("a range ends before its end, has none with \\0, and is empty when reversed", () => {
  const store = filled("a", "b", "c");
  assert.deepEqual(listed(store, { key: "a", rangeEnd: "c" }), ["a=A", "b=B"]);
  assert.deepEqual(listed(store, { key: "b", rangeEnd: "\0" }), ["b=B", "c=C"]);
  assert.deepEqual(listed(store, { key: "c", rangeEnd: "a" }), []);
  assert.deepEqual(listed(store, { key: "b", rangeEnd: "" }), ["b=B"]);
});

test("keys are ordered by their bytes", () => {
  const store = filled("\xff", "b", "ab", "a", "a\0");
  const result = store.range(rangeOf({ key: "\0", rangeEnd: "\0" }));
  assert.deepEqual(result.type === "range" && result.kvs.map((kv) => kv.key), [
    "a",
    "a\0",
    "ab",
    "b",
    "\xff",
  ]);
});

test("the count is of all keys in the range, whatever limit and filters leave", () => {
  const store = filled("a", "b", "c", "d");
  const request = { key: "\0", rangeEnd: "\0", limit: 2 };
  const cut = store.range(rangeOf(request));
  assert.ok(cut.type === "range" && cut.more && cut.count === 4 && cut.kvs.length === 2);
  const few = store.range(rangeOf({ ...request, minModRevision: 5 }));
  assert.ok(few.type === "range" && !few.more && few.count === 4 && few.kvs.length === 1);
  const none = store.range(rangeOf({ ...request, countOnly: true }));
  assert.ok(none.type === "range" && !none.more && none.count === 4 && none.kvs.length === 0);
});

test("a negative limit is none", () => {
  assert.equal(listed(filled("a", "b"), { limit: -1 }).length, 2);
});

test("filters come before the order and the order before the limit", () => {
  const store = filled("a", "b", "c", "d");
  run(store, put("a", "x"));
  const sorted = { sortTarget: SORT_TARGET.mod, sortOrder: SORT_ORDER.descend, limit: 2 };
  assert.deepEqual(listed(store, sorted), ["a=x", "d=D"]);
  assert.deepEqual(listed(store, { ...sorted, maxModRevision: 5 }), ["d=D", "c=C"]);
});

test("asked to sort without an order, only what the limit lets through is sorted", () => {
  const store = filled("a", "b", "c", "d");
  run(store, put("a", "x"));
  const request = { sortTarget: SORT_TARGET.mod, limit: 1 };
  assert.deepEqual(listed(store, request), ["b=B"]);
  assert.deepEqual(listed(store, { ...request, limit: 3 }), ["b=B", "c=C", "d=D"]);
});

test("sorting by value sees values even where only keys are wanted", () => {
  const store = new EtcdStore();
  run(store, put("a", "2"), put("b", "1"));
  const request = { sortTarget: SORT_TARGET.value, sortOrder: SORT_ORDER.ascend, keysOnly: true };
  assert.deepEqual(listed(store, request), ["b=", "a="]);
});

test("a read of an earlier revision is answered with the current one in the header", () => {
  const store = filled("a", "b");
  run(store, put("a", "x"), remove("b"));
  const past = store.range(rangeOf({ key: "\0", rangeEnd: "\0", revision: 3 }));
  assert.ok(past.type === "range" && past.revision === 5);
  assert.deepEqual(listed(store, { revision: 3 }), ["a=A", "b=B"]);
  assert.deepEqual(listed(store, { revision: 4 }), ["a=x", "b=B"]);
  assert.deepEqual(listed(store), ["a=x"]);
  assert.match(listed(store, { revision: 6 })[0]!, /future revision/);
});

test("a put can keep the value or the lease, of a key that exists", () => {
  const store = filled("a");
  run(store, grant("ab"), put("a", "1", { lease: "ab" }));
  run(store, put("a", "", { ignoreValue: true }));
  assert.deepEqual([textOf(only(store, "a")!.value), only(store, "a")!.lease], ["1", ""]);
  run(store, put("a", "2", { lease: "ab" }), put("a", "3", { ignoreLease: true }));
  assert.deepEqual([textOf(only(store, "a")!.value), only(store, "a")!.lease], ["3", "ab"]);
  assert.equal(refusal(run(store, put("n", "", { ignoreValue: true }))), "key not found");
  assert.equal(refusal(run(store, put("a", "x", { ignoreValue: true }))), "value is provided");
  const both = put("a", "x", { ignoreLease: true, lease: "ab" });
  assert.equal(refusal(run(store, both)), "lease is provided");
});

test("a put under an unknown lease is refused and changes nothing", () => {
  const store = filled("a");
  const before = store.digest();
  assert.deepEqual(run(store, put("a", "x", { lease: "1" })), {
    type: "error",
    code: 5,
    message: "etcdserver: requested lease not found",
  });
  assert.equal(store.digest(), before);
});

test("an empty key is refused", () => {
  const store = new EtcdStore();
  assert.equal(refusal(run(store, put("", "x"))), "key is not provided");
  assert.equal(refusal(run(store, remove(""))), "key is not provided");
  assert.equal(refusal(store.range(rangeOf({}))), "key is not provided");
});

test("revoking a lease deletes its keys in one revision", () => {
  const store = filled("a");
  run(store, grant("ab", 5), put("k", "1", { lease: "ab" }), put("j", "2", { lease: "ab" }));
  run(store, put("a", "3", { lease: "ab" }), put("a", "4"));
  assert.deepEqual(store.leaseKeys("ab"), ["j", "k"]);
  assert.deepEqual(run(store, revoke("ab")), { type: "leaseRevoke", revision: 7 });
  assert.deepEqual(listed(store), ["a=4"]);
  assert.equal(refusal(run(store, revoke("ab"))), "requested lease not found");
});

test("a lease is granted once, for no more than nine billion seconds", () => {
  const store = new EtcdStore();
  assert.deepEqual(run(store, grant("ab", 7)), {
    type: "leaseGrant",
    revision: 1,
    id: "ab",
    ttl: 7,
  });
  assert.equal(refusal(run(store, grant("ab", 7))), "lease already exists");
  assert.equal(refusal(run(store, grant("ac", 9_000_000_001))), "too large lease TTL");
});

test("operations of a transaction share a revision and see each other", () => {
  const store = filled("a");
  const result = run(
    store,
    txn({ success: [op.range("n"), op.put("n", "1"), op.range("n"), op.remove("zz")] }),
  );
  assert.ok(result.type === "txn");
  assert.deepEqual(
    result.responses.map((response) => response.revision),
    [2, 3, 3, 3],
  );
  const seen = result.responses[2]!;
  assert.equal(seen.type === "range" && seen.kvs.length, 1);
  assert.equal(store.revision, 3);
});

test("a transaction that changes nothing leaves the revision alone", () => {
  const store = filled("a");
  const result = run(store, txn({ success: [op.range("a"), op.remove("b")] }));
  assert.deepEqual([result.type === "txn" && result.revision, store.revision], [2, 2]);
});

test("which way nested transactions go is fixed before the first operation", () => {
  const store = new EtcdStore();
  const nested = {
    compare: [versionIs("a", 0)],
    success: [op.put("yes")],
    failure: [op.put("no")],
  };
  run(store, txn({ success: [op.put("a"), op.txn(nested)] }));
  assert.deepEqual(listed(store), ["a=", "yes="]);
});

test("a missing key compares as zero, but never by value", () => {
  const store = new EtcdStore();
  const goes = (compare: Parameters<typeof txn>[0]["compare"]): boolean => {
    const result = run(store, txn({ compare: compare! }));
    return result.type === "txn" && result.succeeded;
  };
  assert.ok(goes([versionIs("n", 0)]));
  assert.ok(goes([versionIs("n", 1, COMPARE_RESULT.less)]));
  for (const result of [0, 1, 2, 3]) {
    const operand = { type: "value", value: bytesOf("") } as const;
    const target = COMPARE_TARGET.value;
    assert.ok(!goes([{ key: "n", rangeEnd: "", result, target, operand }]));
  }
});

test("a comparison over a range holds if it holds for every key, or for zero if there is none", () => {
  const store = filled("a", "b");
  const goes = (rangeEnd: string, version: number): boolean => {
    const result = run(store, txn({ compare: [versionIs("a", version, 0, rangeEnd)] }));
    return result.type === "txn" && result.succeeded;
  };
  assert.ok(goes("\0", 1));
  run(store, put("b"));
  assert.ok(!goes("\0", 1));
  assert.ok(goes("A", 0));
});

test("a transaction cannot put a key twice, nor put what it deletes, at any depth", () => {
  const store = new EtcdStore();
  const dup = "duplicate key given in txn request";
  const tried = (...success: Parameters<typeof txn>[0]["success"] & object): string =>
    refusal(run(store, txn({ success })));
  assert.equal(tried(op.put("a"), op.put("a")), dup);
  assert.equal(tried(op.put("b"), op.remove("a", "c")), dup);
  assert.equal(tried(op.put("a"), op.txn({ success: [op.put("a")] })), dup);
  assert.equal(tried(op.remove("a", "c"), op.txn({ failure: [op.put("b")] })), dup);
  assert.equal(tried(op.txn({ success: [op.remove("a")] }), op.put("a")), dup);
  assert.equal(tried(op.txn({ success: [op.put("a")], failure: [op.put("a")] })), "txn");
  assert.equal(tried(op.remove("c", "a"), op.put("b")), "txn");
  assert.equal(tried(op.remove("\0", "\0"), op.put("b")), "txn");
});

test("a put that keeps the value of a key deleted before it in the transaction is refused", () => {
  const store = filled("a");
  const keep = op.put("a", "", { ignoreValue: true });
  const result = run(store, txn({ success: [op.remove("\0", "\0"), keep] }));
  assert.equal(refusal(result), "key not found");
  assert.equal(refusal(run(store, txn({ success: [keep, op.remove("\0", "\0")] }))), "txn");
});

test("a transaction that reads the future behind a put writes nothing", () => {
  const store = filled("a");
  const before = store.digest();
  const result = run(store, txn({ success: [op.put("b"), op.range("a", { revision: 3 })] }));
  assert.equal(refusal(result), "mvcc: required revision is a future revision");
  assert.equal(store.digest(), before);
});

test("a transaction under an unknown lease or of a compacted revision writes nothing", () => {
  const store = filled("a", "b", "c");
  run(store, compact(3));
  const before = store.digest();
  const lease = op.put("z", "", { lease: "1" });
  assert.equal(
    refusal(run(store, txn({ success: [op.put("y"), lease] }))),
    "requested lease not found",
  );
  const past = op.range("a", { revision: 2 });
  assert.equal(
    refusal(run(store, txn({ success: [op.put("y"), past] }))),
    "mvcc: required revision has been compacted",
  );
  assert.equal(store.digest(), before);
});

test("bytes that are no command are refused and change nothing", () => {
  const store = filled("a");
  const before = store.digest();
  const strange = [[], [0], [1, 255], [3, 10, 200], [8, 1], [7], [99, 1]];
  for (const bytes of strange) {
    assert.equal(
      refusal(store.apply(Uint8Array.from(bytes))),
      bytes.length === 1 && bytes[0] === 3 ? "txn" : "malformed command",
    );
  }
  assert.equal(store.digest(), before);
});
