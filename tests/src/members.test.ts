/** A cluster that grows, loses a machine and gets another, under load: real processes, killed for real. */

import assert from "node:assert/strict";
import { test } from "node:test";

import { ENGINES, withCluster } from "./cluster.ts";
import { Load } from "./load.ts";
import { change, members, withNewcomers } from "./newcomers.ts";

for (const engine of ENGINES) {
  test(`on ${engine} a learner is promoted, a dead founder replaced, and nothing acknowledged is lost`, (t) =>
    withCluster({ engine, flags: ["--checkpoint-bytes", "65536"] }, (cluster) =>
      withNewcomers(cluster, async (newcomers) => {
        const load = new Load(cluster);
        load.start();
        await load.moves(100);
        const leader = await cluster.leader();
        const [other] = cluster.others(leader);
        const http = `127.0.0.1:${cluster.base(other!)}`;

        // It waits before it is a member; the change is asked of a node that does not lead.
        newcomers.launch("n4", `127.0.0.1:${cluster.base(other!) + 1}`);
        const added = await change(
          http,
          "add",
          "n4",
          "--address",
          newcomers.peer("n4"),
          "--learner",
        );
        assert.match(added, /^n4 is a member at \S+, a learner until it is promoted\n/);
        await newcomers.takesPart("n4", "learners");
        await change(http, "promote", "n4");
        await newcomers.takesPart("n4", "voters");
        await load.moves(50);

        await cluster.process(leader).killed();
        await load.moves(50);
        // Asked of the newcomer, which knows as much as anybody.
        await change(newcomers.http("n4"), "remove", leader);
        await change(newcomers.http("n4"), "add", "n5", "--address", newcomers.peer("n5"));
        newcomers.launch("n5", newcomers.peer("n4"));
        await newcomers.takesPart("n5", "voters");
        await load.moves(50);

        // A newcomer starts again without being told whom to join.
        await newcomers.process("n4").killed();
        newcomers.launch("n4");
        await newcomers.takesPart("n4", "voters");
        await load.moves(50);
        await load.stop();
        const founders = cluster.others(leader).map((name) => cluster.etcd(name));
        t.diagnostic(await load.check([...founders, newcomers.etcd("n4"), newcomers.etcd("n5")]));

        const back = cluster.launch(leader);
        assert.equal((await back.end()).status, 1);
        assert.match(
          back.complaints.join("\n"),
          new RegExp(`^quorate: ${leader} was removed from the cluster; [^\n]+$`),
        );
        const again = await members(http, "add", leader, "--address", newcomers.peer("n6"));
        assert.match(again.stderr, /was a member before, and names are used once/);
      }),
    ));
}

test("what would stop the cluster is refused with words, and a leader hands over before it goes", () =>
  withCluster({}, async (cluster) => {
    const leader = await cluster.leader();
    const [first, second] = cluster.others(leader);
    const http = `127.0.0.1:${cluster.base(first!)}`;
    await cluster.process(second!).killed();
    const refused = await members(http, "remove", leader);
    assert.equal(refused.status, 1);
    assert.match(
      refused.stderr,
      new RegExp(
        `without ${leader} only 1 of the 2 voters of etcd would be at work, and it takes 2: bring ${second} back`,
      ),
    );
    assert.match((await members(http, "remove", "n9")).stderr, /n9 is no member/);
    assert.match((await members(http, "promote", first!)).stderr, /only learners are promoted/);

    await change(http, "remove", second!);
    const { term } = (await cluster.status(first!)).group;
    await change(http, "remove", leader);
    const ended = await cluster.process(leader).end();
    assert.equal(ended.status, 1);
    assert.match(cluster.process(leader).complaints.join(), /was removed from the cluster/);
    const { group } = await cluster.status(first!);
    assert.equal(group.role, "leader");
    assert.ok(group.term > term);
    const last = await members(http, "remove", first!);
    assert.match(last.stderr, new RegExp(`${first} is the last voter of etcd`));
  }));
