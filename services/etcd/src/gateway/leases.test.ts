import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { setTimeout as delay } from "node:timers/promises";

import {
  bytesOf,
  emptyMessage,
  leaseLeasesResponse,
  leaseRevokeRequest,
  leaseRevokeResponse,
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

test("a lease has the id asked for, or one of its own, and at least two seconds", async () => {
  const chosen = await leader.grant(100, "abc");
  assert.deepEqual([chosen.id, chosen.ttl], ["abc", 100]);
  const given = await follower.grant(100);
  assert.match(given.id, /^[1-9a-f][0-9a-f]{0,15}$/);
  assert.equal(BigInt.asIntN(64, BigInt(`0x${given.id}`)) > 0n, true);
  assert.equal((await leader.grant(0)).ttl, 2);
  assert.equal((await leader.grant(-5)).ttl, 2);
  const negative = await leader.grant(10, "ffffffffffffffff");
  assert.equal(negative.id, "ffffffffffffffff");
});

test("refusals carry etcd's codes and words", async () => {
  await leader.grant(100, "dead");
  await assert.rejects(follower.grant(100, "dead"), {
    code: 9,
    details: "etcdserver: lease already exists",
  });
  await assert.rejects(leader.grant(9_000_000_001), {
    code: 11,
    details: "etcdserver: too large lease TTL",
  });
  assert.equal((await leader.grant(9_000_000_000)).ttl, 9_000_000_000);
  for (const id of ["", "404"]) {
    await assert.rejects(
      leader.call("Lease/LeaseRevoke", leaseRevokeRequest, leaseRevokeResponse, { id }),
      { code: 5, details: "etcdserver: requested lease not found" },
    );
  }
});

test("revoking a lease deletes its keys in one revision", async () => {
  const { id } = await leader.grant(100);
  for (const key of ["r/b", "r/a"]) await leader.put(key, "v", { lease: id });
  const lease = await follower.timeToLive(id, true);
  assert.deepEqual(
    lease.keys.map((key) => Buffer.from(key).toString()),
    ["r/a", "r/b"],
  );
  assert.equal(lease.grantedTtl, 100);
  assert.ok(lease.ttl >= 98 && lease.ttl <= 100);
  const watch = follower.watch();
  watch.create("r/", { rangeEnd: bytesOf("r0") });
  const { header } = await watch.response();
  await leader.call("Lease/LeaseRevoke", leaseRevokeRequest, leaseRevokeResponse, { id });
  const at = header!.revision + 1;
  assert.deepEqual(await watch.events(2), [`0 delete r/a@${at}`, `0 delete r/b@${at}`]);
  watch.cancel();
  assert.equal((await leader.timeToLive(id)).ttl, -1);
});

test("of a lease that is not there, there is -1 left, and no error", async () => {
  for (const id of ["", "404"]) {
    const { ttl, grantedTtl, keys } = await follower.timeToLive(id, true);
    assert.deepEqual([ttl, grantedTtl, keys], [-1, 0, []]);
  }
});

test("leases are listed by what they have left", async () => {
  for (const [id, ttl] of [
    ["111", 3000],
    ["222", 1000],
    ["333", 2000],
  ] as const) {
    await leader.grant(ttl, id);
  }
  const { leases } = await follower.call(
    "Lease/LeaseLeases",
    emptyMessage,
    leaseLeasesResponse,
    {},
  );
  const ours = leases.map(({ id }) => id).filter((id) => ["111", "222", "333"].includes(id));
  assert.deepEqual(ours, ["222", "333", "111"]);
});

test("keeping alive answers in order, with 0 for what is not there, and ends when asked", async () => {
  const { id } = await leader.grant(50);
  const alive = follower.keepAlive();
  for (const each of [id, "404", "", id]) alive.write({ id: each });
  const answers: unknown[] = [];
  for (let i = 0; i < 4; i++) {
    const answer = await alive.next();
    answers.push([answer?.id, answer?.ttl]);
  }
  assert.deepEqual(answers, [
    [id, 50],
    ["404", 0],
    ["", 0],
    [id, 50],
  ]);
  alive.finish();
  assert.equal(await alive.next(), undefined);
});

test("thousands of renewals on one stream are all answered", async () => {
  const { id } = await leader.grant(50);
  const alive = follower.keepAlive();
  for (let i = 0; i < 5000; i++) alive.write({ id });
  alive.finish();
  let answered = 0;
  while ((await alive.next()) !== undefined) answered++;
  assert.equal(answered, 5000);
});

test("a lease that nobody keeps alive expires with its keys, one that is kept alive stays", async () => {
  const kept = await leader.grant(2);
  const left = await leader.grant(2);
  await leader.put("kept", "v", { lease: kept.id });
  await leader.put("left", "v", { lease: left.id });
  // A follower watches from what it has applied: a linearizable read makes that include the puts.
  assert.equal((await follower.range("left")).count, 1);
  const watch = follower.watch();
  watch.create("left");
  await watch.response();
  const alive = follower.keepAlive();
  while (!watch.hasNext) {
    alive.write({ id: kept.id });
    const answer = await alive.next();
    assert.equal(answer?.ttl, 2);
    await delay(300);
  }
  assert.match((await watch.events(1))[0]!, /^0 delete left@/);
  assert.equal((await leader.range("kept")).count, 1);
  assert.equal((await leader.timeToLive(left.id)).ttl, -1);
  alive.cancel();
  watch.cancel();
});
