import assert from "node:assert/strict";
import { test } from "node:test";
import { Random } from "@quorate/kernel";
import { type Changes } from "./changes.ts";
import { expireCommand, keepAliveCommand } from "./commands.ts";
import {
  compact,
  grant,
  listed,
  op,
  put,
  refusal,
  remove,
  run,
  textOf,
  txn,
} from "./requests.test.ts";
import { EtcdStore } from "./store.ts";

const EVERYTHING = { key: "\0", rangeEnd: "\0", prevKv: true, maxEvents: 1000 };

function told(changes: Changes): string[] {
  if (changes.type === "compacted") return [`compacted ${changes.compactRevision}`];
  return changes.events.map(({ type, kv, prevKv }) => {
    const before = prevKv === undefined ? "" : ` was ${textOf(prevKv.value)}`;
    return `${kv.modRevision} ${type} ${kv.key}=${textOf(kv.value)}${before}`;
  });
}

test("the compacted revision stays readable, what came before does not", () => {
  const store = new EtcdStore();
  run(store, put("a", "1"), put("a", "2"), put("b", "1"), remove("b"), put("a", "3"));
  assert.deepEqual(run(store, compact(4)), { type: "compact", revision: 6 });
  for (const swept of [0, Infinity]) {
    store.sweep(swept);
    assert.deepEqual(listed(store, { revision: 4 }), ["a=2", "b=1"]);
    assert.match(listed(store, { revision: 3 })[0]!, /has been compacted/);
    assert.deepEqual(listed(store), ["a=3"]);
  }
});

test("compacting at or before the compacted revision, or in the future, is refused", () => {
  const store = new EtcdStore();
  run(store, put("a"), put("a"), compact(2));
  assert.equal(refusal(run(store, compact(2))), "mvcc: required revision has been compacted");
  assert.equal(refusal(run(store, compact(4))), "mvcc: required revision is a future revision");
});

test("compaction gives back the memory of versions and of deleted keys", () => {
  const store = new EtcdStore();
  for (let i = 0; i < 20_000; i++) store.apply(put(`k${i % 100}`, "some value or other"));
  for (let i = 0; i < 50; i++) store.apply(remove(`k${i}`));
  const before = store.sizes();
  run(store, put("last"), compact(store.revision));
  assert.ok(store.sweep(Infinity));
  const after = store.sizes();
  assert.equal(after.keys, 51);
  assert.ok(after.total < before.total / 20, `${after.total} of ${before.total} are left`);
});

test("removal keeps up with commands without being asked to", () => {
  const store = new EtcdStore();
  for (let i = 0; i < 5000; i++) store.apply(put("k", "v"));
  run(store, compact(store.revision));
  const before = store.sizes().total;
  for (let i = 0; i < 1000; i++) store.apply(put("k", "v"));
  assert.ok(store.sizes().total < before / 2);
});

test("changes come in the order of revisions, each with what was there before", () => {
  const store = new EtcdStore();
  run(store, put("a", "1"), txn({ success: [op.put("b", "1"), op.put("a", "2")] }), remove("a"));
  assert.deepEqual(told(store.changes({ ...EVERYTHING, from: 1 })), [
    "2 put a=1",
    "3 put b=1",
    "3 put a=2 was 1",
    "4 delete a= was 2",
  ]);
});

test("a batch of changes never ends within a revision", () => {
  const store = new EtcdStore();
  run(store, put("a"), txn({ success: [op.put("b"), op.put("c"), op.put("d")] }), put("e"));
  const first = store.changes({ ...EVERYTHING, from: 1, maxEvents: 2 });
  assert.deepEqual(told(first), ["2 put a=", "3 put b=", "3 put c=", "3 put d="]);
  assert.equal(first.type === "changes" && first.next, 4);
  const second = store.changes({ ...EVERYTHING, from: 4, maxEvents: 2 });
  assert.deepEqual([told(second), second.type === "changes" && second.next], [["4 put e="], 5]);
});

test("changes of a few keys are found in bounded steps", () => {
  const store = new EtcdStore();
  for (let i = 0; i < 100; i++) store.apply(put(i === 77 ? "rare" : "frequent"));
  const query = { ...EVERYTHING, key: "rare", rangeEnd: "", maxChanges: 10 };
  const found: string[] = [];
  let steps = 0;
  for (let from = 1; from <= store.revision; steps++) {
    const changes = store.changes({ ...query, from });
    found.push(...told(changes));
    from = changes.type === "changes" ? changes.next : Infinity;
  }
  assert.deepEqual([found, steps], [["79 put rare="], 10]);
});

test("changes before the compacted revision are gone, those of it are not", () => {
  const store = new EtcdStore();
  run(store, put("a", "1"), remove("a"), put("b", "1"), put("b", "2"), compact(3));
  store.sweep(Infinity);
  assert.deepEqual(told(store.changes({ ...EVERYTHING, from: 2 })), ["compacted 3"]);
  assert.deepEqual(told(store.changes({ ...EVERYTHING, from: 3 })), [
    "3 delete a=",
    "4 put b=1",
    "5 put b=2 was 1",
  ]);
  assert.deepEqual(store.changes({ ...EVERYTHING, from: 9 }), {
    type: "changes",
    events: [],
    next: 9,
  });
});

test("the hash of a store is the one that etcd computes", () => {
  const store = new EtcdStore();
  run(store, put("a", "1"), grant("abc"), put("b", "2", { lease: "abc" }), remove("a"));
  const hash = store.hashKv();
  // Taken from etcd 3.4.23 after the same requests.
  assert.equal(hash.type === "hash" && hash.hash, 755_962_497);
});

function due(...ids: string[]): { id: string; renewals: number }[] {
  return ids.map((id) => ({ id, renewals: 0 }));
}

test("an expiry does nothing to a lease that was kept alive since", () => {
  const store = new EtcdStore();
  run(store, grant("a1", 7), grant("a2"));
  assert.deepEqual(run(store, keepAliveCommand("a1")), {
    type: "leaseKeepAlive",
    revision: 1,
    ttl: 7,
  });
  assert.deepEqual(run(store, keepAliveCommand("a9")), {
    type: "leaseKeepAlive",
    revision: 1,
    ttl: 0,
  });
  const result = run(store, expireCommand(due("a1", "a2")));
  assert.deepEqual(result.type === "leaseExpire" && result.expired, ["a2"]);
  assert.equal(store.lease("a1")?.renewals, 1);
});

test("an expiry revokes each lease in a revision of its own, and knows what was gone already", () => {
  const store = new EtcdStore();
  run(store, grant("a1"), grant("a2"), put("k", "", { lease: "a1" }));
  const expired = run(store, expireCommand(due("a1", "a9", "a2")));
  assert.deepEqual(expired, { type: "leaseExpire", revision: 3, expired: ["a1", "a2"] });
  assert.deepEqual(listed(store), []);
});

test("what has been swept away shows in no answer, change, hash or digest", () => {
  const random = new Random(11);
  const swept = new EtcdStore();
  const kept = new EtcdStore();
  // An open image keeps the other store's log as it is.
  const image = kept.snapshot();
  for (let round = 0; round < 12; round++) {
    for (let i = 0; i < 3000; i++) {
      const key = `k${random.below(random.chance(1, 2) ? 50 : 3000)}`;
      const command = random.chance(1, 3) ? remove(key) : put(key, `v${i}`.repeat(random.below(9)));
      assert.deepEqual(swept.apply(command), kept.apply(command));
    }
    const oldest = Math.max(2, swept.compactRevision);
    const at = oldest + random.below(swept.revision - oldest) + 1;
    run(swept, compact(at));
    run(kept, compact(at));
    if (random.chance(2, 3)) swept.sweep(Infinity);
    assert.equal(swept.digest(), kept.digest());
    assert.deepEqual(swept.hashKv(), kept.hashKv());
    for (const revision of [0, at, at + random.below(swept.revision - at + 1)]) {
      assert.deepEqual(listed(swept, { revision }), listed(kept, { revision }));
    }
    const query = { ...EVERYTHING, maxEvents: 1e6, from: at };
    assert.deepEqual(swept.changes(query), kept.changes(query));
  }
  run(swept, compact(swept.revision));
  swept.sweep(Infinity);
  assert.ok(swept.sizes().total < kept.sizes().total / 4);
  image.close();
});
