import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { setTimeout as delay } from "node:timers/promises";

import {
  bytesOf,
  compareMessage,
  deleteRangeRequestMessage,
  deleteRangeResponseMessage,
  hashKvRequest,
  hashKvResponse,
  putRequestMessage,
  putResponseMessage,
  rangeRequestMessage,
  type RequestOpMessage,
  txnRequestMessage,
  txnResponseMessage,
} from "../wire/index.ts";
import { type EtcdClient, TestCluster } from "./harness.test.ts";

let cluster: TestCluster;
let leader: EtcdClient;
let follower: EtcdClient;

before(async () => {
  cluster = await TestCluster.start(["n1", "n2", "n3"], { requestTimeoutMs: 900 });
  leader = cluster.client(await cluster.leader());
  follower = cluster.client(await cluster.follower());
});

after(() => cluster.close());

function text(bytes: Uint8Array | undefined): string {
  return Buffer.from(bytes ?? []).toString();
}

function putOp(key: string, value: string): RequestOpMessage {
  const put = putRequestMessage.create({ key: bytesOf(key), value: Buffer.from(value) });
  return { request: { type: "requestPut", value: put } };
}

test("what was put through one member is read through another at once", async () => {
  for (let i = 0; i < 20; i++) {
    const { header } = await follower.put("seen", `v${i}`);
    const read = await leader.range("seen");
    assert.equal(text(read.kvs[0]?.value), `v${i}`);
    assert.equal(read.kvs[0]?.modRevision, header!.revision);
    assert.equal(read.header!.clusterId, header!.clusterId);
    assert.notEqual(read.header!.memberId, header!.memberId);
  }
});

test("a serializable read is answered by the member that was asked", async () => {
  await leader.put("local", "v");
  const read = await leader.range("local", { serializable: true });
  assert.equal(text(read.kvs[0]?.value), "v");
});

test("a transaction takes one revision and answers each operation", async () => {
  const { header } = await leader.put("t", "1");
  const condition = compareMessage.create({
    key: bytesOf("t"),
    target: 2,
    targetUnion: { type: "modRevision", value: header!.revision },
  });
  const read = rangeRequestMessage.create({ key: bytesOf("t") });
  const response = await follower.call("KV/Txn", txnRequestMessage, txnResponseMessage, {
    compare: [condition],
    success: [putOp("t", "2"), { request: { type: "requestRange", value: read } }, putOp("u", "3")],
  });
  assert.equal(response.succeeded, true);
  assert.equal(response.header!.revision, header!.revision + 1);
  const ranged = response.responses[1]?.response;
  assert.ok(ranged?.type === "responseRange");
  assert.equal(text(ranged.value.kvs[0]?.value), "2");
});

test("refusals carry etcd's codes and words", async () => {
  const refusals: readonly (readonly [() => Promise<unknown>, number, string])[] = [
    [() => leader.put("", "v"), 3, "etcdserver: key is not provided"],
    [() => leader.range(""), 3, "etcdserver: key is not provided"],
    [() => leader.delete(""), 3, "etcdserver: key is not provided"],
    [() => leader.put("a", "v", { ignoreValue: true }), 3, "etcdserver: value is provided"],
    [
      () => leader.put("a", "v", { ignoreLease: true, lease: "1" }),
      3,
      "etcdserver: lease is provided",
    ],
    [() => leader.put("absent", "", { ignoreValue: true }), 3, "etcdserver: key not found"],
    [() => leader.put("a", "v", { lease: "77" }), 5, "etcdserver: requested lease not found"],
    [
      () => leader.range("a", { revision: 1e9 }),
      11,
      "etcdserver: mvcc: required revision is a future revision",
    ],
    [() => leader.compact(1e9), 11, "etcdserver: mvcc: required revision is a future revision"],
    [
      () =>
        leader.call("KV/Txn", txnRequestMessage, txnResponseMessage, {
          success: [putOp("twice", "1"), putOp("twice", "2")],
        }),
      3,
      "etcdserver: duplicate key given in txn request",
    ],
    [
      () =>
        leader.call("KV/Txn", txnRequestMessage, txnResponseMessage, {
          success: Array.from({ length: 129 }, (_, i) => putOp(`k${i}`, "")),
        }),
      3,
      "etcdserver: too many operations in txn request",
    ],
  ];
  for (const [ask, code, details] of refusals) await assert.rejects(ask(), { code, details });
});

test("history before a compaction cannot be read nor compacted again", async () => {
  await leader.put("old", "1");
  const { header } = await leader.put("old", "2");
  await follower.compact(header!.revision, true);
  const compacted = {
    code: 11,
    details: "etcdserver: mvcc: required revision has been compacted",
  };
  await assert.rejects(leader.range("old", { revision: header!.revision - 1 }), compacted);
  await assert.rejects(leader.compact(header!.revision), compacted);
  const hash = { revision: header!.revision - 1 };
  await assert.rejects(
    leader.call("Maintenance/HashKV", hashKvRequest, hashKvResponse, hash),
    compacted,
  );
  const read = await leader.range("old", { revision: header!.revision });
  assert.equal(text(read.kvs[0]?.value), "2");
});

test("a request beyond the limit is too large, one beyond gRPC's is not received", async () => {
  const limit = 1_572_864;
  await leader.put("large", Buffer.alloc(limit - 64));
  const tooLarge = { code: 3, details: "etcdserver: request is too large" };
  await assert.rejects(leader.put("large", Buffer.alloc(limit)), tooLarge);
  const key = "k".repeat(limit + 1);
  await assert.rejects(leader.delete(key), tooLarge);
  const { count } = await leader.range(key);
  assert.equal(count, 0);
  await assert.rejects(leader.put("large", Buffer.alloc(limit + 524_288)), {
    code: 8,
    details: /^grpc: received message larger than max \(\d+ vs. 2097152\)$/,
  });
});

test("unknown methods and services are unimplemented, in gRPC's words", async () => {
  const ask = (method: string) =>
    leader.call(method, deleteRangeRequestMessage, deleteRangeResponseMessage, {});
  await assert.rejects(ask("KV/Nope"), {
    code: 12,
    details: "unknown method Nope for service etcdserverpb.KV",
  });
  await assert.rejects(ask("Maintenance/Snapshot"), {
    code: 12,
    details: "unknown method Snapshot for service etcdserverpb.Maintenance",
  });
  await assert.rejects(ask("Auth/AuthEnable"), {
    code: 12,
    details: "unknown service etcdserverpb.Auth",
  });
});

test("bytes that are no request are an internal error", async () => {
  const broken = { ...putRequestMessage, toBytes: () => Buffer.of(0x0a, 0x7f) };
  await assert.rejects(leader.call("KV/Put", broken, putResponseMessage, {}), {
    code: 13,
    details: /^grpc: error unmarshalling request: /,
  });
});

test("without a majority, calls time out, and are refused at once to those who want a leader", async () => {
  const stays = await cluster.leader();
  const others = [...cluster.members.values()].filter((member) => member !== stays);
  const client = cluster.client(stays);
  await client.put("before", "v");
  for (const member of others) await cluster.stop(member);
  await assert.rejects(client.put("lost", "v"), {
    code: 14,
    details: "etcdserver: request timed out",
  });
  await assert.rejects(client.range("before"), {
    code: 14,
    details: "etcdserver: request timed out",
  });
  while (stays.group.log.leader !== undefined) await delay(10);
  const noLeader = { code: 14, details: "etcdserver: no leader" };
  const wanting = { hasleader: "true" };
  await assert.rejects(client.range("before", {}, wanting), noLeader);
  await assert.rejects(client.range("before", { serializable: true }, wanting), noLeader);
  await assert.rejects(client.watch(wanting).next(), noLeader);
  const local = await client.range("before", { serializable: true });
  assert.equal(local.count, 1);
  for (const { name } of others) await cluster.startMember(name);
  await client.put("after", "v");
});
