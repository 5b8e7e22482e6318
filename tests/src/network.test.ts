/** The network between the nodes is cut in every way that three nodes allow, on every engine, under load. */

import { test } from "node:test";

import { type Cluster, ENGINES, NAMES, type NodeName, withCluster } from "./cluster.ts";
import { Load } from "./load.ts";
import { eventually } from "./wait.ts";

/** Runs a load over whatever `body` does to the network; what clients saw must be linearizable. */
function underLoad(
  engine: (typeof ENGINES)[number],
  body: (cluster: Cluster, load: Load) => Promise<void>,
): Promise<string> {
  return withCluster({ engine, wires: true }, async (cluster) => {
    const load = new Load(cluster);
    load.start();
    await load.moves(100);
    await body(cluster, load);
    cluster.wires.mend("late");
    await load.moves(100);
    await cluster.caughtUp(...NAMES);
    await load.stop();
    return load.check();
  });
}

/** Waits until another node leads than the one that did. */
function replaced(cluster: Cluster, leader: NodeName): Promise<boolean> {
  return eventually(`another node than ${leader} leads`, async () => {
    return (await cluster.leader()) !== leader;
  });
}

for (const engine of ENGINES) {
  for (const fate of ["late", "lost"] as const) {
    test(`on ${engine} a leader that is cut off is replaced and comes back, what was on its way ${fate}`, async (t) => {
      t.diagnostic(
        await underLoad(engine, async (cluster, load) => {
          for (let round = 0; round < 2; round++) {
            const leader = await cluster.leader();
            cluster.wires.isolate(leader);
            await replaced(cluster, leader);
            await load.moves(50);
            cluster.wires.mend(fate);
            await load.moves(50);
          }
        }),
      );
    });
  }

  test(`on ${engine} a leader that hears nobody is replaced`, async (t) => {
    t.diagnostic(
      await underLoad(engine, async (cluster, load) => {
        const leader = await cluster.leader();
        for (const other of cluster.others(leader)) cluster.wires.cut(other, leader);
        await replaced(cluster, leader);
        await load.moves(50);
      }),
    );
  });

  test(`on ${engine} a leader that nobody hears is replaced`, async (t) => {
    t.diagnostic(
      await underLoad(engine, async (cluster, load) => {
        const leader = await cluster.leader();
        for (const other of cluster.others(leader)) cluster.wires.cut(leader, other);
        await replaced(cluster, leader);
        await load.moves(50);
      }),
    );
  });

  test(`on ${engine} the cluster works whichever two nodes do not hear each other`, async (t) => {
    t.diagnostic(
      await underLoad(engine, async (cluster, load) => {
        for (const [one, other] of [
          ["n1", "n2"],
          ["n2", "n3"],
          ["n3", "n1"],
        ] as const) {
          cluster.wires.part(one, other);
          await load.moves(50);
          cluster.wires.mend("lost");
          await load.moves(20);
        }
      }),
    );
  });

  test(`on ${engine} nodes that are all cut off from each other serve again once they are not`, async (t) => {
    t.diagnostic(
      await underLoad(engine, async (cluster, load) => {
        for (const name of NAMES) cluster.wires.isolate(name);
        await eventually("nobody leads", async () => {
          const statuses = await Promise.all(NAMES.map((name) => cluster.status(name)));
          return statuses.every(({ group }) => group.role !== "leader");
        });
        cluster.wires.mend("lost");
        await load.moves(50);
      }),
    );
  });
}
