import assert from "node:assert/strict";
import { test } from "node:test";
import { setTimeout as pause } from "node:timers/promises";

import { connect, outcomeOf } from "./client.ts";
import { NAMES, withCluster } from "./cluster.ts";
import { eventually } from "./wait.ts";

test("a lease ends when it was not kept alive for its time, not before, and its keys with it", (t) =>
  withCluster({}, async (cluster) => {
    const clients = NAMES.map((name) => connect(cluster.etcd(name)));
    const [client] = clients;
    const ttl = 2;
    try {
      const lease = client!.lease(ttl, { autoKeepAlive: false });
      await lease.put("mortal/a").value("1");
      await lease.put("mortal/b").value("2");
      await client!.put("immortal").value("3");
      let renewed = 0;
      for (let round = 0; round < 3; round++) {
        await pause(1000);
        // Before the request: it is from a later moment that the servers count.
        renewed = performance.now();
        const { TTL } = await lease.keepaliveOnce();
        assert.equal(Number(TTL), ttl);
      }
      assert.deepEqual(await client!.getAll().prefix("mortal/").keys(), ["mortal/a", "mortal/b"]);
      const revision = Number((await client!.put("immortal").value("4")).header.revision);
      const left = await eventually("the lease ends", async () => {
        const keys = await client!.getAll().prefix("mortal/").keys();
        return keys.length < 2 && { keys };
      });
      const lived = performance.now() - renewed;
      assert.deepEqual(left.keys, [], "all keys in one revision");
      assert.ok(lived >= ttl * 1000, `it lived ${lived} ms, less than its ${ttl} s`);
      t.diagnostic(`ended ${Math.round(lived - ttl * 1000)} ms after its time`);
      for (const each of clients) {
        assert.equal(await each.get("mortal/a").string(), null);
        assert.equal(await each.get("immortal").string(), "4");
        const { header } = await each.kv.range({ key: Buffer.from("immortal") });
        assert.equal(Number(header.revision), revision + 1);
        const { TTL } = await each.leaseClient.leaseTimeToLive({ ID: await lease.grant() });
        assert.equal(Number(TTL), -1);
      }
      lease.release();
    } finally {
      for (const each of clients) each.close();
    }
  }));

test("a lease that is kept alive survives the death of the leader", (t) =>
  withCluster({}, async (cluster) => {
    const leader = await cluster.leader();
    const survivors = cluster.others(leader).map((name) => connect(cluster.etcd(name)));
    const [client, other] = survivors;
    const ttl = 5;
    try {
      const { ID } = await client!.leaseClient.leaseGrant({ TTL: ttl });
      await client!.put("held").value("yes").lease(ID);
      await cluster.process(leader).killed();
      const renewed = await eventually("a keep-alive is answered", async () => {
        const begun = performance.now();
        try {
          const stream = await client!.leaseClient.leaseKeepAlive();
          const answer = new Promise<string>((resolve, reject) => {
            stream.on("data", (response) => resolve(response.TTL));
            stream.on("error", reject);
          });
          stream.write({ ID });
          const granted = await answer;
          stream.end();
          return { begun, granted };
        } catch (error) {
          if (outcomeOf(error) === undefined && !/UNAVAILABLE/.test(String(error))) throw error;
          return undefined;
        }
      });
      assert.equal(Number(renewed.granted), ttl);
      assert.equal(await other!.get("held").string(), "yes");
      const { keys, grantedTTL } = await other!.leaseClient.leaseTimeToLive({ ID, keys: true });
      assert.deepEqual([keys.map(String), Number(grantedTTL)], [["held"], ttl]);
      // From here on nobody keeps it alive.
      await eventually("it ends in the end", async () => {
        return (await other!.get("held").string()) === null;
      });
      const lived = performance.now() - renewed.begun;
      assert.ok(lived >= ttl * 1000, `it lived ${lived} ms, less than its ${ttl} s`);
      t.diagnostic(`ended ${Math.round(lived - ttl * 1000)} ms after its time`);
    } finally {
      for (const each of survivors) each.close();
    }
  }));
