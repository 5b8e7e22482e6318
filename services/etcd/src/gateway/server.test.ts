import assert from "node:assert/strict";
import { after, before, test } from "node:test";

import {
  alarmRequest,
  alarmResponse,
  defragmentResponse,
  emptyMessage,
  hashKvRequest,
  hashKvResponse,
  memberListRequest,
  memberListResponse,
  moveLeaderRequest,
  moveLeaderResponse,
  statusResponse,
} from "../wire/index.ts";
import { type EtcdClient, TestCluster } from "./harness.test.ts";

let cluster: TestCluster;
let leader: EtcdClient;
let follower: EtcdClient;

before(async () => {
  cluster = await TestCluster.start(["n1", "n2", "n3"]);
  leader = cluster.client(await cluster.leader());
  follower = cluster.client(await cluster.follower());
});

after(() => cluster.close());

function members(client: EtcdClient, linearizable = false) {
  const request = { linearizable };
  return client.call("Cluster/MemberList", memberListRequest, memberListResponse, request);
}

function status(client: EtcdClient) {
  return client.call("Maintenance/Status", emptyMessage, statusResponse, {});
}

test("every member lists all members under the same ids, by id", async () => {
  const list = (await members(leader)).members;
  assert.deepEqual((await members(follower, true)).members, list);
  assert.deepEqual(list.map(({ name }) => name).toSorted(), ["n1", "n2", "n3"]);
  assert.deepEqual(
    list,
    list.toSorted((a, b) => (BigInt(`0x${a.id}`) < BigInt(`0x${b.id}`) ? -1 : 1)),
  );
  for (const { name, clientUrls } of list) assert.deepEqual(clientUrls, [`http://${name}:2379`]);
});

test("status tells who leads and how much there is", async () => {
  await leader.put("s", "v");
  const [ahead, behind] = [await status(leader), await status(follower)];
  assert.equal(ahead.leader, ahead.header!.memberId);
  assert.equal(behind.leader, ahead.leader);
  assert.notEqual(behind.header!.memberId, ahead.header!.memberId);
  assert.equal(ahead.raftTerm, behind.raftTerm);
  assert.ok(ahead.raftAppliedIndex > 0 && ahead.raftIndex >= ahead.raftAppliedIndex);
  assert.ok(ahead.dbSize > 0 && ahead.dbSizeInUse > 0);
  assert.deepEqual(ahead.errors, []);
});

test("members that have applied the same have the same hash", async () => {
  await follower.range("s");
  const ask = (client: EtcdClient) =>
    client.call("Maintenance/HashKV", hashKvRequest, hashKvResponse, {});
  const [one, other] = [await ask(leader), await ask(follower)];
  assert.equal(one.hash, other.hash);
  const future = { revision: 1e9 };
  await assert.rejects(leader.call("Maintenance/HashKV", hashKvRequest, hashKvResponse, future), {
    code: 11,
    details: "etcdserver: mvcc: required revision is a future revision",
  });
});

test("there are no alarms, and none can be raised", async () => {
  const ask = (action: number) =>
    leader.call("Maintenance/Alarm", alarmRequest, alarmResponse, { action, alarm: 1 });
  assert.deepEqual((await ask(0)).alarms, []);
  assert.deepEqual((await ask(2)).alarms, []);
  await assert.rejects(ask(1), { code: 12 });
});

test("defragmentation has nothing to do and says so", async () => {
  const response = await leader.call(
    "Maintenance/Defragment",
    emptyMessage,
    defragmentResponse,
    {},
  );
  assert.ok(response.header!.revision > 0);
});

test("leadership is moved by the leader only, and to a member", async () => {
  const move = (client: EtcdClient, targetId: string) =>
    client.call("Maintenance/MoveLeader", moveLeaderRequest, moveLeaderResponse, { targetId });
  const [{ leader: before }, target] = [await status(leader), await status(follower)];
  const targetId = target.header!.memberId;
  await assert.rejects(move(follower, targetId), {
    code: 9,
    details: "etcdserver: not leader",
  });
  for (const nobody of ["99", ""]) {
    await assert.rejects(move(leader, nobody), {
      code: 9,
      details: "etcdserver: bad leader transferee",
    });
  }
  await move(leader, before);
  await move(leader, targetId);
  assert.equal((await status(leader)).leader, targetId);
  await cluster.leader();
  await move(follower, before);
  await cluster.leader();
});

function get(path: string, method = "GET") {
  const { host, port } = [...cluster.members.values()][0]!.address;
  return fetch(`http://${host}:${port}${path}`, { method, headers: { connection: "close" } });
}

test("health and version are told over HTTP/1.1", async () => {
  for (const path of ["/health", "/health?exclude=NOSPACE", "/health?serializable=true"]) {
    const health = await get(path);
    assert.equal(health.status, 200);
    assert.deepEqual(await health.json(), { health: "true", reason: "" });
  }
  const version = await get("/version");
  assert.equal(version.headers.get("content-type"), "application/json");
  assert.deepEqual(await version.json(), { etcdserver: "3.5.0", etcdcluster: "3.5.0" });
  const posted = await get("/health", "POST");
  assert.equal(posted.status, 405);
  assert.equal(posted.headers.get("allow"), "GET");
  const strange = await get("//?%");
  assert.equal(strange.status, 404);
  const metrics = await get("/metrics");
  assert.match(await metrics.text(), /^etcd_server_has_leader 1$/m);
  const unknown = await get("/nope");
  assert.equal(unknown.status, 404);
  assert.equal(await unknown.text(), "404 page not found\n");
});

test("metrics have etcd's names", async () => {
  const member = await cluster.leader();
  const client = cluster.client(member);
  await client.put("counted", "v");
  await assert.rejects(client.put("", "v"));
  const watch = client.watch();
  watch.create("counted");
  await watch.response();
  const text = await member.node.metrics.registry.metrics();
  const value = (name: string): number => {
    const line = text.split("\n").find((each) => each.startsWith(`${name} `));
    assert.ok(line, name);
    return Number(line.slice(name.length + 1));
  };
  const put = 'grpc_type="unary",grpc_service="etcdserverpb.KV",grpc_method="Put"';
  assert.ok(value(`grpc_server_started_total{${put}}`) >= 2);
  assert.ok(value(`grpc_server_handled_total{${put},grpc_code="OK"}`) >= 1);
  assert.ok(value(`grpc_server_handled_total{${put},grpc_code="InvalidArgument"}`) >= 1);
  const stream = 'grpc_type="bidi_stream",grpc_service="etcdserverpb.Watch",grpc_method="Watch"';
  assert.equal(value(`grpc_server_started_total{${stream}}`), 1);
  assert.equal(value("etcd_server_has_leader"), 1);
  assert.equal(value("etcd_server_is_leader"), 1);
  assert.ok(value("etcd_server_leader_changes_seen_total") >= 1);
  assert.ok(value("etcd_mvcc_db_total_size_in_bytes") > 0);
  assert.equal(value("etcd_debugging_mvcc_watcher_total"), 1);
  assert.equal(value("etcd_debugging_mvcc_watch_stream_total"), 1);
  assert.equal(value("etcd_debugging_mvcc_slow_watcher_total"), 0);
  assert.equal(value("etcd_server_proposals_pending"), 0);
  assert.equal(value("etcd_debugging_mvcc_current_revision"), member.store.revision);
  watch.cancel();
});

test("a member without a majority is not healthy, and a closed server leaves no metrics", async () => {
  const stays = [...cluster.members.values()][0]!;
  for (const member of cluster.members.values()) if (member !== stays) await cluster.stop(member);
  const health = await get("/health");
  assert.equal(health.status, 503);
  assert.equal(((await health.json()) as { health: string }).health, "false");
  await cluster.stop(stays);
  const text = await stays.node.metrics.registry.metrics();
  assert.doesNotMatch(text, /^etcd_|^grpc_/m);
});
