/** The npm `etcd3` client as people configure it, with all endpoints, while nodes are killed, restarted and cut off. */

import assert from "node:assert/strict";
import { once } from "node:events";
import { test } from "node:test";

import { Etcd3, type Watcher } from "etcd3";

import { type Cluster, NAMES, type NodeName, withCluster } from "./cluster.ts";
import { eventually } from "./wait.ts";

function usual(cluster: Cluster): Etcd3 {
  return new Etcd3({ hosts: cluster.endpoints().map((endpoint) => `http://${endpoint}`) });
}

/** Writes a key until it is taken: what programs do around a client that gives up on a lost connection. */
async function insist(client: Etcd3, key: string, value: string): Promise<void> {
  await eventually(`${key} is written`, async () => {
    await client.put(key).value(value);
    return true;
  });
}

test("npm etcd3 reads, writes, compares and leases on any node", () =>
  withCluster({}, async (cluster) => {
    for (const name of NAMES) {
      const client = new Etcd3({ hosts: `http://${cluster.etcd(name)}` });
      try {
        await client.put(`${name}/a`).value("1");
        await client.put(`${name}/b`).value("2");
        assert.equal(await client.get(`${name}/a`).string(), "1");
        assert.equal(await client.get(`${name}/none`).string(), null);
        const all = await client.getAll().prefix(`${name}/`).sort("Key", "Descend").strings();
        assert.deepEqual(Object.entries(all), [
          [`${name}/b`, "2"],
          [`${name}/a`, "1"],
        ]);
        const swap = (from: string, to: string) =>
          client
            .if(`${name}/a`, "Value", "==", from)
            .then(client.put(`${name}/a`).value(to))
            .else(client.get(`${name}/a`))
            .commit();
        assert.equal((await swap("1", "3")).succeeded, true);
        assert.equal((await swap("1", "4")).succeeded, false);
        const lease = client.lease(30, { autoKeepAlive: false });
        await lease.put(`${name}/leased`).value("x");
        await lease.keepaliveOnce();
        await lease.revoke();
        assert.equal(await client.get(`${name}/leased`).exists(), false);
        assert.equal(
          await client
            .delete()
            .prefix(`${name}/`)
            .exec()
            .then((r) => r.deleted),
          "2",
        );
      } finally {
        client.close();
      }
    }
  }));

/** What is done to a node while a client goes on, and how it is undone. */
interface Harm {
  readonly name: string;
  readonly wires: boolean;
  do(cluster: Cluster, name: NodeName): Promise<void> | void;
  undo(cluster: Cluster, name: NodeName): Promise<void> | void;
}

const harms: readonly Harm[] = [
  {
    name: "death",
    wires: false,
    do: (cluster, name) => cluster.process(name).killed(),
    undo: (cluster, name) => cluster.start(name),
  },
  {
    name: "isolation",
    wires: true,
    do: (cluster, name) => cluster.wires.isolate(name),
    undo: (cluster) => cluster.wires.mend("lost"),
  },
];

for (const harm of harms) {
  test(`a watcher, a lease, a lock and an election of npm etcd3 outlive the ${harm.name} of each node`, () =>
    withCluster({ wires: harm.wires }, async (cluster) => {
      const client = usual(cluster);
      const seen: string[] = [];
      let watcher: Watcher | undefined;
      try {
        watcher = await client.watch().prefix("jobs/").create();
        watcher.on("put", (kv) => seen.push(kv.key.toString()));
        const lease = client.lease(60);
        await lease.put("alive").value("yes");
        let lost: Error | undefined;
        lease.on("lost", (error) => (lost = error));
        const campaign = client.election("boss", 60).campaign("me");
        campaign.on("error", (error) => (lost = error));
        await once(campaign, "elected");
        let number = 0;
        for (const name of NAMES) {
          await harm.do(cluster, name);
          for (let i = 0; i < 10; i++) await insist(client, `jobs/${number++}`, name);
          await harm.undo(cluster, name);
          for (let i = 0; i < 20; i++) await insist(client, `jobs/${number++}`, name);
        }
        const expected = Array.from({ length: number }, (_, index) => `jobs/${index}`);
        await eventually("the watcher has seen it all", () => seen.includes(expected.at(-1)!));
        assert.deepEqual([...new Set(seen)], expected);
        assert.equal(await client.get("alive").string(), "yes");
        assert.equal(lost, undefined);
        const lock = client.lock("mutex").ttl(10);
        await lock.acquire();
        await assert.rejects(client.lock("mutex").ttl(10).acquire());
        await lock.release();
        await campaign.resign();
        await lease.revoke();
      } finally {
        await watcher?.cancel().catch(() => {});
        client.close();
      }
    }));
}
