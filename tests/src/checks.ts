/** What tests ask of a cluster after they broke it. */

import assert from "node:assert/strict";

import type { Etcd3, ICallable } from "etcd3";

import { connect } from "./client.ts";
import { type Cluster, NAMES, type NodeName } from "./cluster.ts";
import { eventually } from "./wait.ts";

/** Writes keys through a node; every one of them must be acknowledged. */
export async function fill(
  cluster: Cluster,
  name: NodeName,
  count: number,
  valueBytes = 10,
  prefix = "fill/",
): Promise<void> {
  const client = connect(cluster.etcd(name));
  const value = "x".repeat(valueBytes);
  const atOnce = 20;
  try {
    for (let number = 0; number < count; number += atOnce) {
      const keys = Array.from({ length: atOnce }, (_, index) => `${prefix}${number + index}`);
      await Promise.all(keys.map((key) => client.put(key).value(value)));
    }
  } finally {
    client.close();
  }
}

/** Asserts that a node takes writes and shows them; the first may find no leader yet. */
export async function works(cluster: Cluster, name: NodeName): Promise<void> {
  const client = connect(cluster.etcd(name));
  try {
    await eventually(`${name} takes writes`, async () => {
      await client.put("works").value(name);
      return true;
    });
    assert.equal(await client.get("works").string(), name);
  } finally {
    client.close();
  }
}

/** Asserts that all nodes hold the same, bit by bit. */
export async function agree(cluster: Cluster): Promise<void> {
  await cluster.caughtUp(...NAMES);
  const clients = NAMES.map((name) => connect(cluster.etcd(name)));
  try {
    const { revision } = (await clients[0]!.kv.range({ key: Buffer.from("works") })).header;
    const hashes = await Promise.all(clients.map((client) => hashKv(client, revision)));
    assert.deepEqual(
      hashes,
      hashes.map(() => hashes[0]),
    );
  } finally {
    for (const client of clients) client.close();
  }
}

/** By the name that the client's own method gets wrong ("hashKV is not a function"). */
async function hashKv(client: Etcd3, revision: string): Promise<number> {
  // What it keeps to itself is what all its calls go through.
  const { client: calls } = client.maintenance as unknown as {
    readonly client: ICallable<unknown>;
  };
  const { hash } = (await calls.exec("Maintenance", "hashKv", { revision })) as {
    readonly hash: number;
  };
  assert.ok(hash > 0, "a hash of something");
  return hash;
}

/** Makes a node the leader, by the call that etcd has for it. */
export async function lead(cluster: Cluster, name: NodeName): Promise<void> {
  await eventually(`${name} leads`, async () => {
    const leader = await cluster.leader();
    if (leader === name) return true;
    const client = connect(cluster.etcd(leader));
    try {
      const { members } = await client.cluster.memberList({});
      const target = members.find((member) => member.name === name);
      assert.ok(target, `${name} is a member`);
      await client.maintenance.moveLeader({ targetID: target.ID });
    } finally {
      client.close();
    }
    return false;
  });
}
