import assert from "node:assert/strict";
import { test } from "node:test";

import { agree, fill, works } from "./checks.ts";
import { connect } from "./client.ts";
import { withCluster } from "./cluster.ts";
import { walFiles } from "./disk.ts";
import { eventually } from "./wait.ts";

test("a node that was down while the others threw their logs away catches up by a snapshot", () =>
  withCluster({ flags: ["--checkpoint-bytes", "100000"] }, async (cluster) => {
    const leader = await cluster.leader();
    const [lagging, other] = cluster.others(leader);
    await works(cluster, lagging!);
    await cluster.process(lagging!).killed();
    for (let round = 0; round < 3; round++) {
      await fill(cluster, other!, 300, 2000, `round${round}/`);
    }
    await eventually("the leader has thrown away what the lagging one lacks", () => {
      const checkpoints = walFiles(cluster.dataDir(leader), "checkpoint");
      return checkpoints.length > 0;
    });
    await cluster.start(lagging!);
    await agree(cluster);
    const [own, leading] = await Promise.all(
      [lagging!, leader].map(async (name) => (await cluster.status(name)).group),
    );
    assert.deepEqual(own!.figures, leading!.figures);

    const client = connect(cluster.etcd(lagging!));
    try {
      const there = await client.getAll().prefix("round1/").keys();
      assert.equal(there.length, 300);
    } finally {
      client.close();
    }
    // What it was sent, it keeps.
    await cluster.process(lagging!).killed();
    await cluster.start(lagging!);
    await works(cluster, lagging!);
    await agree(cluster);
  }));
