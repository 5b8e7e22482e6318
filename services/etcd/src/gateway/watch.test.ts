import assert from "node:assert/strict";
import { after, afterEach, before, test } from "node:test";
import { setTimeout as delay } from "node:timers/promises";

import {
  bytesOf,
  putRequestMessage,
  txnRequestMessage,
  txnResponseMessage,
  watchRequest,
  type WatchResponse,
  watchResponse,
} from "../wire/index.ts";
import { type EtcdClient, type Member, TestCluster, type WatchClient } from "./harness.test.ts";

let cluster: TestCluster;
let member: Member;
let client: EtcdClient;
const open: WatchClient[] = [];

before(async () => {
  cluster = await TestCluster.start(["n1"], { progressMs: 40, watchersPerStream: 300 });
  member = await cluster.leader();
  client = cluster.client(member);
});

afterEach(async () => {
  for (const watch of open.splice(0)) watch.cancel();
  await untilUnwatched();
});

async function untilUnwatched(): Promise<void> {
  while (member.server.load.watchers > 0) await delay(2);
}

after(() => cluster.close());

function watching(from: EtcdClient = client): WatchClient {
  const watch = from.watch();
  open.push(watch);
  return watch;
}

async function revision(): Promise<number> {
  return (await client.range("any")).header!.revision;
}

function outcome({ watchId, created, canceled, cancelReason }: WatchResponse): unknown[] {
  return [watchId, created, canceled, cancelReason];
}

test("a watcher is told the revision it begins after, and everything from there", async () => {
  const { header } = await client.put("w1", "before");
  const watch = watching();
  watch.create("w1");
  const created = await watch.response();
  assert.deepEqual(outcome(created), [0, true, false, ""]);
  assert.equal(created.header!.revision, header!.revision);
  await client.put("w1", "after");
  await client.delete("w1");
  const { revision: at } = header!;
  assert.deepEqual(await watch.events(2), [`0 put w1@${at + 1}`, `0 delete w1@${at + 2}`]);
});

test("ids count from 0, pass over those that clients chose, and may be chosen once", async () => {
  const watch = watching();
  const ids: unknown[] = [];
  for (const watchId of [0, 1, 0, 7, 7, -5]) {
    watch.create("ids", { watchId });
    ids.push(outcome(await watch.response()));
  }
  const duplicate = "mvcc: duplicate watch ID provided on the WatchStream";
  assert.deepEqual(ids, [
    [0, true, false, ""],
    [1, true, false, ""],
    [2, true, false, ""],
    [7, true, false, ""],
    [-1, true, true, duplicate],
    [-5, true, false, ""],
  ]);
});

test("a range without keys is refused, no key stands for the least", async () => {
  const watch = watching();
  for (const [key, rangeEnd] of [
    ["b", "a"],
    ["b", "b"],
  ] as const) {
    watch.create(key, { rangeEnd: bytesOf(rangeEnd) });
    const reason = "mvcc: watcher range is empty";
    assert.deepEqual(outcome(await watch.response()), [-1, true, true, reason]);
  }
  watch.create("", { rangeEnd: bytesOf("\0") });
  watch.create("");
  assert.deepEqual(outcome(await watch.response()), [0, true, false, ""]);
  assert.deepEqual(outcome(await watch.response()), [1, true, false, ""]);
  const { header } = await client.put("anything", "");
  assert.deepEqual(await watch.events(1), [`0 put anything@${header!.revision}`]);
});

test("cancelling one watcher leaves the others, an unknown one is not answered", async () => {
  const watch = watching();
  watch.create("c1");
  watch.create("c2");
  watch.cancelWatch(99);
  watch.cancelWatch(0);
  assert.equal((await watch.response()).watchId, 0);
  assert.equal((await watch.response()).watchId, 1);
  assert.deepEqual(outcome(await watch.response()), [0, false, true, ""]);
  await client.put("c1", "");
  const { header } = await client.put("c2", "");
  assert.deepEqual(await watch.events(1), [`1 put c2@${header!.revision}`]);
});

test("only those who ask hear what the key was before", async () => {
  await client.put("p", "one");
  const watch = watching();
  watch.create("p", { prevKv: true });
  watch.create("p");
  await watch.response();
  await watch.response();
  await client.put("p", "two");
  const previous = new Map<number, string | undefined>();
  for (let i = 0; i < 2; i++) {
    const { watchId, events } = await watch.response();
    const [event] = events;
    previous.set(watchId, event?.prevKv && Buffer.from(event.prevKv.value).toString());
  }
  assert.deepEqual([previous.get(0), previous.get(1)], ["one", undefined]);
});

test("filters hide puts or deletions, in the past and in the present", async () => {
  const from = (await revision()) + 1;
  await client.put("f", "");
  await client.delete("f");
  const watch = watching();
  watch.create("f", { startRevision: from, filters: [0] });
  watch.create("f", { startRevision: from, filters: [1] });
  await client.put("f", "");
  await client.delete("f");
  const events = await watch.events(4);
  assert.deepEqual(events.toSorted(), [
    `0 delete f@${from + 1}`,
    `0 delete f@${from + 3}`,
    `1 put f@${from}`,
    `1 put f@${from + 2}`,
  ]);
});

test("a watcher of the future waits for its revision", async () => {
  const now = await revision();
  const watch = watching();
  watch.create("future", { startRevision: now + 3 });
  await watch.response();
  for (let i = 0; i < 3; i++) await client.put("future", String(i));
  assert.deepEqual(await watch.events(1), [`0 put future@${now + 3}`]);
});

test("a watcher of compacted history is created, and told what is left", async () => {
  const { header } = await client.put("gone", "1");
  await client.put("gone", "2");
  const last = (await client.put("gone", "3")).header!.revision;
  await client.compact(last);
  const watch = watching();
  watch.create("gone", { startRevision: header!.revision });
  assert.deepEqual(outcome(await watch.response()), [0, true, false, ""]);
  const lost = await watch.response();
  assert.deepEqual(outcome(lost), [0, false, true, ""]);
  assert.equal(lost.compactRevision, last);
  watch.create("gone", { startRevision: last });
  await watch.response();
  assert.deepEqual(await watch.events(1), [`1 put gone@${last}`]);
});

function txnOf(count: number, bytes: number) {
  const value = Buffer.alloc(bytes, "v");
  return {
    success: Array.from({ length: count }, (_, i) => ({
      request: {
        type: "requestPut" as const,
        value: putRequestMessage.create({ key: bytesOf(`big${i}`), value }),
      },
    })),
  };
}

test("a large revision comes in one response, or in fragments for those who asked", async () => {
  const whole = watching();
  whole.create("big", { rangeEnd: bytesOf("bih"), prevKv: true });
  await whole.response();
  const pieces = watching();
  pieces.create("big", { rangeEnd: bytesOf("bih"), prevKv: true, fragment: true });
  await pieces.response();
  // With what was there before, the second is beyond the limit of 2 MiB.
  const request = txnOf(10, 150_000);
  await client.call("KV/Txn", txnRequestMessage, txnResponseMessage, request);
  await client.call("KV/Txn", txnRequestMessage, txnResponseMessage, request);
  assert.equal((await whole.response()).events.length, 10);
  assert.equal((await whole.response()).events.length, 10);
  assert.equal((await pieces.response()).events.length, 10);
  const first = await pieces.response();
  const second = await pieces.response();
  assert.equal(first.fragment, true);
  assert.equal(second.fragment, false);
  assert.equal(first.events.length + second.events.length, 10);
  assert.ok(watchResponse.toBytes(first).length < 2 << 20);
});

test("progress is answered at once if nothing is owed, with the revision", async () => {
  const watch = watching();
  watch.requestProgress();
  const { header } = await client.put("progress", "");
  watch.create("progress");
  watch.requestProgress();
  const [first, created, second] = [
    await watch.response(),
    await watch.response(),
    await watch.response(),
  ];
  assert.equal(first.watchId, -1);
  assert.equal(created.created, true);
  assert.deepEqual(outcome(second), [-1, false, false, ""]);
  assert.ok(second.header!.revision >= header!.revision);
});

test("progress never overtakes events", async () => {
  const from = (await revision()) + 1;
  for (let i = 0; i < 50; i++) await client.put("order", "v".repeat(50_000));
  const watch = watching();
  for (let i = 0; i < 20; i++) watch.create("order", { startRevision: from });
  const puts = Promise.all(Array.from({ length: 200 }, () => client.put("order", "v")));
  const seen = new Map<number, number>();
  for (let answered = 0; answered < 40;) {
    watch.requestProgress();
    for (;;) {
      const { watchId, created, header, events } = await watch.response();
      if (created) seen.set(watchId, from - 1);
      else if (watchId === -1) {
        // Everything up to the revision named has been told, as far as there was anything.
        for (const last of seen.values()) assert.ok(last >= Math.min(header!.revision, from + 49));
        answered++;
        break;
      } else {
        for (const { kv } of events) {
          assert.equal(kv!.modRevision, seen.get(watchId)! + 1);
          seen.set(watchId, kv!.modRevision);
        }
      }
    }
  }
  await puts;
  const last = await revision();
  watch.requestProgress();
  for (;;) {
    const { watchId, header, events } = await watch.response();
    for (const { kv } of events) seen.set(watchId, kv!.modRevision);
    if (watchId === -1 && header!.revision === last) break;
  }
  for (const revisionSeen of seen.values()) assert.equal(revisionSeen, last);
});

test("progress is owed as long as a watcher of the stream waits for the future", async () => {
  const now = await revision();
  const watch = watching();
  watch.create("owed", { startRevision: now + 3 });
  await watch.response();
  watch.requestProgress();
  for (let i = 0; i < 3; i++) await client.put("owed", "");
  const first = await watch.response();
  assert.equal(first.watchId, -1);
  assert.equal(first.header!.revision, now + 2);
  assert.deepEqual(await watch.events(1), [`0 put owed@${now + 3}`]);
});

test("idle watchers that asked for it hear of the revision now and then, the others do not", async () => {
  const watch = watching();
  watch.create("idle", { progressNotify: true });
  watch.create("idle");
  await watch.response();
  await watch.response();
  const { header } = await client.put("elsewhere", "");
  for (;;) {
    const { watchId, events, header: told } = await watch.response();
    assert.equal(watchId, 0);
    assert.equal(events.length, 0);
    if (told!.revision === header!.revision) break;
  }
});

test("a stream whose client has no more to ask goes on", async () => {
  const watch = watching();
  watch.create("half");
  await watch.response();
  watch.finish();
  await delay(20);
  const { header } = await client.put("half", "");
  assert.deepEqual(await watch.events(1), [`0 put half@${header!.revision}`]);
});

test("a stream may have only so many watchers", async () => {
  const watch = watching();
  for (let i = 0; i < 301; i++) watch.create("many");
  for (let i = 0; i < 300; i++) assert.equal((await watch.response()).canceled, false);
  const refused = await watch.response();
  assert.deepEqual(outcome(refused), [
    -1,
    true,
    true,
    "etcdserver: too many watchers on one stream",
  ]);
  watch.cancelWatch(5);
  watch.create("many");
  assert.equal((await watch.response()).canceled, true);
  assert.deepEqual(outcome(await watch.response()), [300, true, false, ""]);
});

test("watchers go with their stream, however it ends", async () => {
  const cancelled = watching();
  cancelled.create("x");
  await cancelled.response();
  const broken = client.open("Watch/Watch", { ...watchRequest, toBytes }, watchResponse);
  function toBytes(request: Parameters<typeof watchRequest.toBytes>[0]): Buffer {
    return request.requestUnion === undefined
      ? Buffer.of(0x0a, 0x7f)
      : watchRequest.toBytes(request);
  }
  const failed = new Promise((resolve) => broken.on("error", resolve));
  const created = new Promise((resolve) => broken.once("data", resolve));
  const value = { ...EMPTY_CREATE, key: bytesOf("x") };
  broken.write({ requestUnion: { type: "createRequest", value } });
  await created;
  assert.equal(member.server.load.watchers, 2);
  broken.write({ requestUnion: undefined });
  cancelled.cancel();
  assert.equal(((await failed) as { code: number }).code, 13);
  await untilUnwatched();
});

const EMPTY_CREATE = {
  key: new Uint8Array(0),
  rangeEnd: new Uint8Array(0),
  startRevision: 0,
  progressNotify: false,
  filters: [],
  prevKv: false,
  watchId: 0,
  fragment: false,
};

test("a client that does not read costs no more than its share, and misses nothing", async () => {
  const from = (await revision()) + 1;
  const slow = watching(cluster.client(member));
  slow.create("slow");
  await slow.response();
  slow.pause();
  const quick = watching();
  quick.create("slow");
  await quick.response();
  const sent = member.server.traffic.sent;
  for (let i = 0; i < 100; i++) await client.put("slow", Buffer.alloc(100_000));
  assert.equal((await quick.events(100)).length, 100);
  // All of it to the quick one, to the slow one little more than the megabyte and what its client holds.
  const bytes = member.server.traffic.sent - sent;
  assert.ok(bytes < 14_000_000, `${bytes} bytes sent`);
  slow.resume();
  const events = await slow.events(100);
  assert.deepEqual(
    events,
    Array.from({ length: 100 }, (_, i) => `0 put slow@${from + i}`),
  );
});

test("a stopped server says so to those who watch", async () => {
  const other = await TestCluster.start(["n1"]);
  const stopping = await other.leader();
  const watch = other.client(stopping).watch();
  watch.create("a");
  await watch.response();
  await other.stop(stopping);
  const stopped = { code: 14, details: "etcdserver: server stopped" };
  await assert.rejects(watch.next(), stopped);
  await other.close();
});
