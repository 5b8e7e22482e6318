import assert from "node:assert/strict";
import { test } from "node:test";

import type { Etcd3, IWatchResponse, Watcher } from "etcd3";

import { connect, outcomeOf } from "./client.ts";
import { type NodeName, withCluster } from "./cluster.ts";
import { eventually, within } from "./wait.ts";

/** What a watcher was told, in the order in which it was told. */
class Seen {
  readonly revisions: number[] = [];
  readonly keys: string[] = [];
  disconnected = false;

  follow(watcher: Watcher): void {
    watcher.on("data", (response: IWatchResponse) => {
      for (const { kv } of response.events) {
        this.revisions.push(Number(kv.mod_revision));
        this.keys.push(kv.key.toString());
      }
    });
    watcher.on("disconnected", () => (this.disconnected = true));
    watcher.on("error", () => (this.disconnected = true));
  }

  get last(): number {
    return this.revisions.at(-1) ?? 0;
  }
}

async function watch(client: Etcd3, seen: Seen, startRevision?: number): Promise<Watcher> {
  const builder = client.watch().prefix("w/");
  if (startRevision !== undefined) builder.startRevision(String(startRevision));
  const watcher = builder.watcher();
  seen.follow(watcher);
  await new Promise<void>((resolve, reject) => {
    watcher.on("connected", () => resolve());
    watcher.on("error", reject);
  });
  return watcher;
}

/** Writes keys one after the other; some through each node, whatever breaks. */
async function write(
  clients: readonly Etcd3[],
  acknowledged: Map<string, number>,
  prefix: string,
  count: number,
): Promise<void> {
  for (let number = 0; number < count; number++) {
    const key = `w/${prefix}/${number}`;
    try {
      const { header } = await clients[number % clients.length]!.put(key).value("");
      acknowledged.set(key, Number(header.revision));
    } catch (error) {
      assert.notEqual(outcomeOf(error), undefined, String(error));
    }
  }
}

test("watchers see every revision once and in order through the death of a leader", () =>
  withCluster({}, async (cluster) => {
    const leader = await cluster.leader();
    const [first, second] = cluster.others(leader) as readonly [NodeName, NodeName];
    const clients = [first, second].map((name) => connect(cluster.etcd(name)));
    const [survivor, later] = clients as [Etcd3, Etcd3];
    const doomed = connect(cluster.etcd(leader));
    const watchers: Watcher[] = [];
    try {
      const steady = new Seen();
      const cut = new Seen();
      const acknowledged = new Map<string, number>();
      watchers.push(await watch(survivor, steady));
      const broken = await watch(doomed, cut);
      await write([doomed, ...clients], acknowledged, "before", 150);
      // While these are written the leader dies.
      const writing = write(clients, acknowledged, "during", 300);
      await eventually("the doomed one has seen some", () => cut.keys.includes("w/during/50"));
      await cluster.process(leader).killed();
      await eventually("the stream of the dead one breaks", () => cut.disconnected);
      // A client that goes on trying by itself must not tell the same again.
      await broken.cancel();
      doomed.close();
      watchers.push(await watch(later, cut, cut.last + 1));
      await writing;
      await write(clients, acknowledged, "after", 50);
      assert.ok(acknowledged.size > 300, "most writes are acknowledged");

      const goal = Math.max(...acknowledged.values());
      for (const seen of [steady, cut]) {
        await eventually(`a watcher has seen revision ${goal}`, () => seen.last >= goal);
        assert.deepEqual(
          seen.revisions,
          [...new Set(seen.revisions)].toSorted((a, b) => a - b),
          "in order, once",
        );
        const told = new Map(seen.keys.map((key, index) => [key, seen.revisions[index]]));
        for (const [key, revision] of acknowledged) assert.equal(told.get(key), revision, key);
      }
      assert.equal(steady.disconnected, false, "the survivor's stream holds");
      // The history, read from its beginning, is what both saw.
      const replayed = new Seen();
      watchers.push(await watch(survivor, replayed, 1));
      await eventually("the replay is complete", () => replayed.last >= steady.last);
      assert.deepEqual(replayed.revisions, steady.revisions);
      assert.deepEqual(cut.revisions, steady.revisions);
    } finally {
      for (const watcher of watchers) await within("a watcher ends", watcher.cancel());
      for (const client of clients) client.close();
      doomed.close();
    }
  }));
