import { test } from "node:test";
import assert from "node:assert/strict";
import { setTimeout as pause } from "node:timers/promises";

import { connect } from "./client.ts";
import { ENGINES, NAMES, withCluster } from "./cluster.ts";
import { Load } from "./load.ts";
import { eventually } from "./wait.ts";

for (const engine of ENGINES) {
  test(`on ${engine} a leader killed under load loses nothing and leaves a linearizable history`, (t) =>
    withCluster({ engine }, async (cluster) => {
      const load = new Load(cluster);
      load.start();
      await load.moves(200);
      for (let round = 0; round < 2; round++) {
        const leader = await cluster.leader();
        await cluster.process(leader).killed();
        const begun = performance.now();
        await load.moves(100);
        t.diagnostic(`100 writes within ${Math.round(performance.now() - begun)} ms of the kill`);
        await cluster.leader();
        await cluster.start(leader);
        await load.moves(100);
      }
      await load.stop();
      t.diagnostic(await load.check());
    }));

  test(`on ${engine} all nodes killed at once come back with everything that was acknowledged`, (t) =>
    withCluster({ engine }, async (cluster) => {
      const load = new Load(cluster);
      load.start();
      await load.moves(200);
      await Promise.all(NAMES.map((name) => cluster.process(name).killed()));
      await cluster.start(...NAMES);
      await load.moves(100);
      await load.stop();
      t.diagnostic(await load.check());
    }));

  test(`on ${engine} a leader that was paused and resumed answers no stale reads`, (t) =>
    withCluster({ engine }, async (cluster) => {
      const load = new Load(cluster);
      load.start();
      await load.moves(100);
      for (let round = 0; round < 2; round++) {
        const leader = await cluster.leader();
        cluster.process(leader).pause();
        // The others elect one of themselves, since the paused one cannot answer `leader`.
        await eventually("another node leads", async () => (await cluster.leader()) !== leader);
        await load.moves(150);
        cluster.process(leader).resume();
        await load.moves(100);
      }
      await load.stop();
      t.diagnostic(await load.check());
    }));

  test(`on ${engine} a leader that is asked to stop hands over, exits with 0, and hardly anybody notices`, (t) =>
    withCluster({ engine }, async (cluster) => {
      const leader = await cluster.leader();
      const [next] = cluster.others(leader);
      const { term } = (await cluster.status(leader)).group;
      const client = connect(cluster.etcd(next!));
      const errors: string[] = [];
      let longestMs = 0;
      const stop = new AbortController();
      const writing = (async () => {
        for (let number = 0; !stop.signal.aborted; number++) {
          const begun = performance.now();
          await client
            .put("steady")
            .value(String(number))
            .catch((error: unknown) => {
              errors.push(String(error));
            });
          longestMs = Math.max(longestMs, performance.now() - begun);
          await pause(2);
        }
      })();
      const ended = await cluster.process(leader).terminate();
      assert.deepEqual(ended, { status: 0, signal: null });
      const successor = await cluster.leader();
      assert.notEqual(successor, leader);
      const { group } = await cluster.status(successor);
      assert.equal(group.term, term + 1, "one election, which the old leader called for");
      await client.put("after").value("yes");
      stop.abort();
      await writing;
      client.close();
      assert.deepEqual(errors, [], "writes through another node wait rather than fail");
      t.diagnostic(`the slowest write took ${Math.round(longestMs)} ms`);
      await cluster.start(leader);
      assert.deepEqual(cluster.process(successor).complaints, []);
    }));
}
