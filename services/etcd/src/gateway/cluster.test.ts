import assert from "node:assert/strict";
import { test, type TestContext } from "node:test";

import { HostError, isVacancy } from "@quorate/host";

import {
  memberAddRequest,
  memberAddResponse,
  memberListRequest,
  memberListResponse,
  memberPromoteRequest,
  memberRemoveRequest,
  memberUpdateRequest,
} from "../wire/cluster-messages.ts";
import { type ChangeMembers } from "./cluster.ts";
import { type EtcdClient, TestCluster } from "./harness.test.ts";

class ClusterClient {
  private readonly client: EtcdClient;

  constructor(client: EtcdClient) {
    this.client = client;
  }

  add(peerUrls: readonly string[], isLearner: boolean) {
    const request = { peerUrls, isLearner };
    return this.client.call("Cluster/MemberAdd", memberAddRequest, memberAddResponse, request);
  }

  list() {
    return this.client.call("Cluster/MemberList", memberListRequest, memberListResponse, {
      linearizable: true,
    });
  }

  remove(id: string) {
    const method = "Cluster/MemberRemove";
    return this.client.call(method, memberRemoveRequest, memberListResponse, { id });
  }

  promote(id: string) {
    const method = "Cluster/MemberPromote";
    return this.client.call(method, memberPromoteRequest, memberListResponse, { id });
  }

  update(id: string, peerUrls: readonly string[]) {
    const method = "Cluster/MemberUpdate";
    return this.client.call(method, memberUpdateRequest, memberListResponse, { id, peerUrls });
  }
}

async function three(t: TestContext, change?: ChangeMembers) {
  const cluster = await TestCluster.start(["n1", "n2", "n3"], change && { change });
  t.after(() => cluster.close());
  const client = new ClusterClient(cluster.client(await cluster.follower()));
  // Answered once the leader has committed something: from then on it takes changes.
  await client.list();
  return { cluster, client };
}

/** As etcd words it, code first. */
async function refused(call: Promise<unknown>, code: number, message: string): Promise<void> {
  await assert.rejects(call, { code, details: `etcdserver: ${message}` });
}

test("a member that is added waits for its node without a name, at any member's asking", async (t) => {
  const { cluster, client } = await three(t);
  const { member, members } = await client.add(["http://127.0.0.1:9"], true);
  assert.deepEqual(member, {
    id: member?.id,
    name: "",
    peerUrls: ["http://127.0.0.1:9"],
    clientUrls: [],
    isLearner: true,
  });
  assert.equal(members.length, 4);
  const listed = (await client.list()).members;
  assert.deepEqual(
    listed.find(({ id }) => id === member?.id),
    member,
  );
  assert.deepEqual(
    listed,
    listed.toSorted((a, b) => (a.id.padStart(16, "0") < b.id.padStart(16, "0") ? -1 : 1)),
  );
  const { group } = await cluster.leader();
  const [vacant] = group.members.filter(({ node }) => isVacancy(node));
  assert.deepEqual([vacant?.part, vacant?.address], ["learner", `127.0.0.1:9#${member?.id}`]);
});

test("a member that is added to vote is shown as no learner, and does not vote before it can", async (t) => {
  const { cluster, client } = await three(t);
  const { member } = await client.add(["http://127.0.0.1:9"], false);
  assert.equal(member?.isLearner, false);
  const { group } = await cluster.leader();
  assert.deepEqual(group.status().voters, ["n1", "n2", "n3"]);
  await refused(client.promote(member!.id), 9, "can only promote a learner member");
});

test("a member is reached elsewhere under its old id, and gone for good once removed", async (t) => {
  const { cluster, client } = await three(t);
  const added = (await client.add(["http://127.0.0.1:9"], true)).member!;
  const updated = await client.update(added.id, ["http://127.0.0.1:10"]);
  const found = updated.members.find(({ id }) => id === added.id);
  assert.deepEqual(found?.peerUrls, ["http://127.0.0.1:10"]);
  const listed = (await client.list()).members.find(({ id }) => id === added.id);
  assert.deepEqual(listed?.peerUrls, ["http://127.0.0.1:10"]);
  const left = (await client.remove(added.id)).members;
  assert.equal(left.length, 3);
  await refused(client.remove(added.id), 5, "member not found");
  const again = (await client.add(["http://127.0.0.1:9"], true)).member!;
  assert.notEqual(again.id, added.id);
  assert.equal((await cluster.leader()).group.members.length, 4);
});

test("what cannot be is refused as etcd refuses it", async (t) => {
  const { client } = await three(t);
  const [founder, other] = (await client.list()).members;
  const bad = "given member URLs are invalid";
  for (const urls of [[], ["nonsense"], ["http://h"], ["http://h:1", "http://h:2"]]) {
    await refused(client.add(urls, false), 3, bad);
  }
  await refused(client.add(founder!.peerUrls, false), 9, "Peer URLs already exists");
  await refused(client.update(other!.id, founder!.peerUrls), 9, "Peer URLs already exists");
  await refused(client.update(other!.id, ["nonsense"]), 3, bad);
  for (const call of [
    client.remove("1234"),
    client.promote("1234"),
    client.update("1234", ["x"]),
  ]) {
    await refused(call, 5, "member not found");
  }
  await refused(client.promote(founder!.id), 9, "can only promote a learner member");
  const { member } = await client.add(["http://127.0.0.1:9"], true);
  const lagging = "can only promote a learner member which is in sync with leader";
  await refused(client.promote(member!.id), 9, lagging);
});

test("the last voter stays", async (t) => {
  const cluster = await TestCluster.start(["n1"]);
  t.after(() => cluster.close());
  const client = new ClusterClient(cluster.client(cluster.member("n1")));
  const [only] = (await client.list()).members;
  const words = "re-configuration failed due to not enough started members";
  await refused(client.remove(only!.id), 9, words);
});

test("a change that would cost the quorum, or whose outcome is unknown, is told as etcd tells it", async (t) => {
  const answers: (() => Promise<"quorum">)[] = [
    () => Promise.resolve("quorum"),
    () => Promise.reject(new HostError({ code: "timeout", afterMs: 1 })),
  ];
  const { client } = await three(t, () => answers.shift()!());
  const [founder] = (await client.list()).members;
  await refused(client.remove(founder!.id), 14, "unhealthy cluster");
  await refused(client.remove(founder!.id), 14, "request timed out");
});
