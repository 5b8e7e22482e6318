import assert from "node:assert/strict";
import { test } from "node:test";

import { type Event } from "../store/changes.ts";
import { requestCommand } from "../store/commands.ts";
import { EtcdStore } from "../store/store.ts";
import { bytesOf } from "../wire/binary.ts";
import {
  compactionRequestMessage,
  deleteRangeRequestMessage,
  putRequestMessage,
} from "../wire/index.ts";
import { type Watcher, WatchHub, type WatchTarget } from "./watch-hub.ts";

class FakeWatcher implements Watcher {
  readonly target: WatchTarget;
  next: number;
  ready = true;
  /** `key@revision`, with `-` before deletions. */
  readonly seen: string[] = [];
  readonly batches: number[] = [];
  lostAt: number | undefined;
  onDeliver: (() => void) | undefined;

  constructor(next: number, target: Partial<WatchTarget> = {}) {
    this.next = next;
    const everything = { key: "\0", rangeEnd: "\0" };
    this.target = { ...everything, prevKv: false, hidePuts: false, hideDeletes: false, ...target };
  }

  deliver(events: readonly Event[], revision: number): void {
    this.batches.push(events.length);
    for (const { type, kv } of events) {
      assert.ok(kv.modRevision <= revision);
      this.seen.push(`${type === "delete" ? "-" : ""}${kv.key}@${kv.modRevision}`);
    }
    this.onDeliver?.();
  }

  lost(compactRevision: number): void {
    assert.equal(this.lostAt, undefined);
    this.lostAt = compactRevision;
  }
}

function setUp(store = new EtcdStore()) {
  let settled = 0;
  const hub = new WatchHub(store, () => settled++);
  store.beforeCompaction = () => hub.advance();
  const apply = (kind: "put" | "deleteRange" | "compact", request: Uint8Array): void => {
    const result = store.apply(requestCommand(kind, request));
    assert.notEqual(result.type, "error");
  };
  return {
    store,
    hub,
    settled: () => settled,
    put: (key: string, value = "") => {
      const request = putRequestMessage.create({ key: bytesOf(key), value: Buffer.from(value) });
      apply("put", putRequestMessage.toBytes(request));
    },
    remove: (key: string) => {
      const request = deleteRangeRequestMessage.create({ key: bytesOf(key) });
      apply("deleteRange", deleteRangeRequestMessage.toBytes(request));
    },
    compact: (revision: number) => {
      apply("compact", compactionRequestMessage.toBytes({ revision, physical: false }));
    },
  };
}

async function rounds(count: number): Promise<void> {
  for (let i = 0; i < count; i++) await new Promise((resolve) => setImmediate(resolve));
}

test("a watcher from now on sees what comes, once", () => {
  const { store, hub, put, remove } = setUp();
  put("a");
  const watcher = new FakeWatcher(store.revision + 1);
  hub.add(watcher);
  put("a");
  hub.advance();
  hub.advance();
  remove("a");
  put("b");
  hub.advance();
  assert.deepEqual(watcher.seen, ["a@3", "-a@4", "b@5"]);
  assert.ok(hub.hasSeenAll(watcher));
});

test("watchers see their key or range, and not what they hide", () => {
  const { hub, put, remove } = setUp();
  const key = new FakeWatcher(2, { key: "b", rangeEnd: "" });
  const range = new FakeWatcher(2, { key: "b", rangeEnd: "d" });
  const fromC = new FakeWatcher(2, { key: "c", rangeEnd: "\0" });
  const deletions = new FakeWatcher(2, { hidePuts: true });
  const puts = new FakeWatcher(2, { hideDeletes: true });
  const watchers = [key, range, fromC, deletions, puts];
  for (const watcher of watchers) hub.add(watcher);
  for (const name of ["a", "b", "c", "d"]) put(name);
  remove("b");
  hub.advance();
  assert.deepEqual(key.seen, ["b@3", "-b@6"]);
  assert.deepEqual(range.seen, ["b@3", "c@4", "-b@6"]);
  assert.deepEqual(fromC.seen, ["c@4", "d@5"]);
  assert.deepEqual(deletions.seen, ["-b@6"]);
  assert.deepEqual(puts.seen, ["a@2", "b@3", "c@4", "d@5"]);
  for (const watcher of watchers) hub.remove(watcher);
  assert.equal(hub.size, 0);
});

test("a watcher from the past catches up and then hears of the present", async () => {
  const { hub, put } = setUp();
  for (let i = 0; i < 2500; i++) put("k");
  hub.advance();
  const watcher = new FakeWatcher(2);
  hub.add(watcher);
  assert.ok(!hub.hasSeenAll(watcher));
  put("new");
  hub.advance();
  await rounds(5);
  assert.equal(hub.slow, 0);
  put("newer");
  hub.advance();
  assert.equal(watcher.seen.length, 2502);
  assert.equal(new Set(watcher.seen).size, 2502);
  assert.equal(watcher.seen.at(-1), "newer@2503");
});

test("a watcher of the future hears nothing before its revision, and has not seen all", () => {
  const { hub, put } = setUp();
  const watcher = new FakeWatcher(4);
  hub.add(watcher);
  assert.ok(!hub.hasSeenAll(watcher));
  put("a");
  put("b");
  hub.advance();
  assert.deepEqual(watcher.seen, []);
  assert.ok(hub.hasSeenAll(watcher), "all before its revision is none of its business");
  put("c");
  hub.advance();
  assert.deepEqual(watcher.seen, ["c@4"]);
});

test("in a round everyone who lags has a turn, and nobody gets everything", async () => {
  const { hub, put } = setUp();
  for (let i = 0; i < 10_000; i++) put("k");
  hub.advance();
  const watchers = Array.from({ length: 8 }, () => new FakeWatcher(2));
  for (const watcher of watchers) hub.add(watcher);
  let most = 0;
  while (hub.slow > 0) {
    await rounds(1);
    const counts = watchers.map(({ seen }) => seen.length);
    most = Math.max(most, Math.max(...counts) - Math.min(...counts));
  }
  assert.ok(most <= 1000, `one was ${most} events ahead of another`);
  for (const { seen } of watchers) assert.equal(seen.length, 10_000);
});

test("batches are bounded in bytes", async () => {
  const { hub, put } = setUp();
  for (let i = 0; i < 10; i++) put("k", "v".repeat(400_000));
  const watcher = new FakeWatcher(2);
  hub.add(watcher);
  await rounds(10);
  assert.deepEqual(watcher.batches, [3, 3, 3, 1]);
});

test("one that is not ready is left alone, delays nobody, and goes on where it was", async () => {
  const { hub, put } = setUp();
  const slow = new FakeWatcher(2);
  const quick = new FakeWatcher(2);
  hub.add(slow);
  hub.add(quick);
  put("a");
  hub.advance();
  slow.ready = false;
  for (const key of ["b", "c", "d"]) {
    put(key);
    hub.advance();
  }
  await rounds(2);
  assert.deepEqual(slow.seen, ["a@2"]);
  assert.deepEqual(quick.seen, ["a@2", "b@3", "c@4", "d@5"]);
  assert.equal(hub.slow, 1);
  assert.ok(!hub.hasSeenAll(slow));
  slow.ready = true;
  hub.resume(slow);
  await rounds(2);
  assert.deepEqual(slow.seen, quick.seen);
  assert.equal(hub.slow, 0);
});

test("one that becomes slow after much that did not concern it is not lost to a compaction", async () => {
  const { store, hub, put, compact } = setUp();
  const watcher = new FakeWatcher(2, { key: "rare", rangeEnd: "" });
  hub.add(watcher);
  for (let i = 0; i < 100; i++) put("other");
  hub.advance();
  compact(store.revision);
  watcher.ready = false;
  put("rare");
  hub.advance();
  watcher.ready = true;
  hub.resume(watcher);
  await rounds(2);
  assert.equal(watcher.lostAt, undefined);
  assert.deepEqual(watcher.seen, ["rare@102"]);
});

test("who has seen everything sees what is compacted in the same breath", () => {
  const { store, hub, put, compact } = setUp();
  const watcher = new FakeWatcher(2);
  hub.add(watcher);
  put("a");
  put("a");
  put("a");
  compact(store.revision);
  hub.advance();
  assert.equal(watcher.lostAt, undefined);
  assert.deepEqual(watcher.seen, ["a@2", "a@3", "a@4"]);
});

test("what is compacted before a slow watcher has seen it, it has lost", async () => {
  const { store, hub, put, compact } = setUp();
  put("a");
  put("b");
  put("c");
  hub.advance();
  compact(store.revision);
  const before = new FakeWatcher(3);
  const at = new FakeWatcher(4);
  hub.add(before);
  hub.add(at);
  await rounds(2);
  assert.equal(before.lostAt, 4);
  assert.deepEqual(before.seen, []);
  assert.deepEqual(at.seen, ["c@4"]);
  assert.equal(hub.size, 1);
});

function imageOf(store: EtcdStore) {
  const source = store.snapshot();
  const sink = store.receive();
  for (let piece = source.next(); piece !== undefined; piece = source.next()) sink.write(piece);
  source.close();
  return sink;
}

test("after a snapshot was installed watchers see what they missed", async () => {
  const ahead = setUp();
  const behind = setUp();
  for (const { put } of [ahead, behind]) put("a");
  const watcher = new FakeWatcher(2);
  behind.hub.add(watcher);
  await rounds(2);
  for (const key of ["b", "c"]) ahead.put(key);
  behind.store.install(imageOf(ahead.store));
  behind.hub.advance();
  assert.deepEqual(watcher.seen, ["a@2", "b@3", "c@4"]);
});

test("what a snapshot does not hold, watchers have lost, but for those of the future", async () => {
  const ahead = setUp();
  const behind = setUp();
  const synced = new FakeWatcher(2);
  const future = new FakeWatcher(6);
  behind.hub.add(synced);
  behind.hub.add(future);
  for (const key of ["a", "a", "b", "c"]) ahead.put(key);
  ahead.compact(4);
  behind.store.install(imageOf(ahead.store));
  behind.hub.advance();
  await rounds(2);
  assert.equal(synced.lostAt, 4);
  assert.deepEqual(future.seen, []);
  behind.put("d");
  behind.hub.advance();
  assert.deepEqual(future.seen, ["d@6"]);
});

test("a watcher of the past of a store that was just recovered is told at once", async () => {
  const recovered = setUp();
  const other = setUp();
  for (const key of ["a", "b"]) other.put(key);
  recovered.store.install(imageOf(other.store));
  const watcher = new FakeWatcher(2);
  recovered.hub.add(watcher);
  assert.ok(!recovered.hub.hasSeenAll(watcher));
  await rounds(2);
  assert.deepEqual(watcher.seen, ["a@2", "b@3"]);
});

test("a watcher may be removed while it is being told", async () => {
  const { hub, put } = setUp();
  for (let i = 0; i < 3000; i++) put("k");
  hub.advance();
  const watcher = new FakeWatcher(2);
  watcher.onDeliver = () => hub.remove(watcher);
  hub.add(watcher);
  await rounds(5);
  assert.equal(watcher.seen.length, 1000);
  assert.equal(hub.size, 0);
});

test("whoever asks hears when watchers have been told", async () => {
  const { hub, put, settled } = setUp();
  put("a");
  hub.advance();
  const before = settled();
  hub.add(new FakeWatcher(2));
  await rounds(2);
  assert.ok(settled() > before);
});

test("a closed hub tells nobody", async () => {
  const { hub, put } = setUp();
  put("a");
  const watcher = new FakeWatcher(2);
  hub.add(watcher);
  hub.close();
  await rounds(2);
  assert.deepEqual(watcher.seen, []);
  assert.equal(hub.size, 0);
});
