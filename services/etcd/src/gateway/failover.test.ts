/** What clients see of a leader that is stopped in the middle. */

import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { setTimeout as delay } from "node:timers/promises";

import { type EtcdClient, type Member, TestCluster } from "./harness.test.ts";

let cluster: TestCluster;

before(async () => {
  cluster = await TestCluster.start(["n1", "n2", "n3"], {
    requestTimeoutMs: 3000,
    leaderlessMs: 600,
  });
});

after(() => cluster.close());

/** Puts until told to stop; counts those that were acknowledged. */
async function putUntil(client: EtcdClient, stopped: () => boolean): Promise<Map<number, string>> {
  const acknowledged = new Map<number, string>();
  for (let i = 0; !stopped(); i++) {
    try {
      const { header } = await client.put("load", `v${i}`);
      acknowledged.set(header!.revision, `v${i}`);
    } catch (error) {
      assert.equal((error as { code: number }).code, 14);
    }
  }
  return acknowledged;
}

async function restart(member: Member): Promise<void> {
  await cluster.startMember(member.name);
  await cluster.leader();
}

test("watches on a follower go on through a change of leader and miss nothing", async () => {
  const follower = await cluster.follower();
  const client = cluster.client(follower);
  const watch = client.watch();
  watch.create("load");
  const { header } = await watch.response();
  let stop = false;
  const load = putUntil(client, () => stop);
  await delay(300);
  const leader = await cluster.leader();
  await cluster.stop(leader);
  await cluster.leader();
  await delay(300);
  stop = true;
  const acknowledged = await load;
  const last = (await client.range("load")).header!.revision;
  const events = await watch.events(last - header!.revision);
  const expected = Array.from(
    { length: events.length },
    (_, i) => `0 put load@${header!.revision + 1 + i}`,
  );
  assert.deepEqual(events, expected);
  assert.ok(acknowledged.size > 10);
  for (const [revision, value] of acknowledged) {
    const read = await client.range("load", { revision });
    assert.equal(Buffer.from(read.kvs[0]!.value).toString(), value);
  }
  watch.cancel();
  await restart(leader);
});

test("a lease kept alive on a follower survives a change of leader", async () => {
  const follower = await cluster.follower();
  const client = cluster.client(follower);
  const { id } = await client.grant(2);
  await client.put("held", "v", { lease: id });
  const alive = client.keepAlive();
  const leader = await cluster.leader();
  for (let i = 0; i < 12; i++) {
    if (i === 3) await cluster.stop(leader);
    alive.write({ id });
    const answer = await alive.next();
    assert.equal(answer?.ttl, 2);
    await delay(300);
  }
  assert.equal((await client.range("held")).count, 1);
  alive.cancel();
  await restart(leader);
});

test("a member that comes back watches from where its clients ask", async () => {
  const follower = await cluster.follower();
  await cluster.stop(follower);
  const client = cluster.client(await cluster.leader());
  const { header } = await client.put("missed", "1");
  await client.put("missed", "2");
  const returned = await cluster.startMember(follower.name);
  const watch = cluster.client(returned).watch();
  watch.create("missed", { startRevision: header!.revision });
  const at = header!.revision;
  assert.deepEqual(await watch.events(2), [`0 put missed@${at}`, `0 put missed@${at + 1}`]);
  watch.cancel();
});

test("without a majority, streams that want a leader end, others wait, renewals time out", async () => {
  const stays = await cluster.leader();
  const client = cluster.client(stays);
  const wanting = { hasleader: "true" };
  const watch = client.watch(wanting);
  const patient = client.watch();
  const alive = client.keepAlive(wanting);
  const renewing = client.keepAlive();
  const { id } = await client.grant(100);
  for (const stream of [watch, patient]) {
    stream.create("m");
    await stream.response();
  }
  alive.write({ id });
  assert.equal((await alive.next())?.ttl, 100);
  const others = [...cluster.members.values()].filter((member) => member !== stays);
  for (const member of others) await cluster.stop(member);
  renewing.write({ id });
  const noLeader = { code: 14, details: "etcdserver: no leader" };
  await assert.rejects(watch.next(), noLeader);
  await assert.rejects(alive.next(), noLeader);
  await assert.rejects(renewing.next(), { code: 14, details: "etcdserver: request timed out" });
  for (const { name } of others) await cluster.startMember(name);
  await cluster.leader();
  const { header } = await client.put("m", "v");
  assert.deepEqual(await patient.events(1), [`0 put m@${header!.revision}`]);
  patient.cancel();
});
