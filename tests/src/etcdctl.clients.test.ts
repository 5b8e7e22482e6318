/** etcdctl with all three endpoints, while nodes are killed, restarted and cut off. */

import assert from "node:assert/strict";
import { test } from "node:test";

import { NAMES, withCluster } from "./cluster.ts";
import { Etcdctl } from "./etcdctl.ts";
import { installed } from "./programs.ts";
import { eventually } from "./wait.ts";

const missing = installed("etcdctl", "version") ? false : "etcdctl is not installed here";

test(
  "etcdctl puts, gets, watches, transacts and leases while nodes are killed",
  { skip: missing },
  () =>
    withCluster({}, async (cluster) => {
      const etcdctl = new Etcdctl(...cluster.endpoints());
      const leader = await cluster.leader();
      const [other] = cluster.others(leader);
      // It stays on the node it is given: one that is not killed while it watches.
      const watching = new Etcdctl(cluster.etcd(other!)).talk("watch", "key/", "--prefix");
      const lease = /lease (\w+) granted/.exec(await etcdctl.do(["lease", "grant", "60"]))![1]!;
      await etcdctl.do(["put", "leased", "x", "--lease", lease]);
      const keeping = new Etcdctl(...cluster.endpoints(other)).talk("lease", "keep-alive", lease);
      await keeping.hears(/keepalived with TTL\(60\)/);
      await etcdctl.do(["put", "key/before", "1"]);
      await watching.hears(/PUT\nkey\/before\n1\n/);

      await cluster.process(leader).killed();
      await etcdctl.do(["put", "key/without-leader", "2"]);
      assert.equal(
        await etcdctl.do(["get", "key/", "--prefix"]),
        "key/before\n1\nkey/without-leader\n2\n",
      );
      const txn = 'value("key/before") = "1"\n\nput key/txn 3\n\n\n\n';
      assert.match(await etcdctl.do(["txn"], txn), /^SUCCESS/);
      await watching.hears(/key\/without-leader\n2\nPUT\nkey\/txn\n3\n/);
      await cluster.start(leader);

      for (const name of NAMES) {
        if (name === other) continue;
        await cluster.process(name).killed();
        await etcdctl.do(["put", `key/without-${name}`, name]);
        await cluster.start(name);
        await watching.hears(new RegExp(`PUT\\nkey/without-${name}\\n${name}\\n`));
      }
      assert.match(
        await etcdctl.do(["lease", "timetolive", lease, "--keys"]),
        /attached keys\(\[leased\]\)/,
      );
      await watching.interrupt();
      await keeping.interrupt();
      await etcdctl.do(["lease", "revoke", lease]);
      assert.equal(await etcdctl.do(["get", "leased"]), "");
      const members = await etcdctl.do(["member", "list"]);
      assert.equal(members.trim().split("\n").length, 3);
    }),
);

test(
  "etcdctl on the side of the majority goes on while the leader is cut off",
  { skip: missing },
  () =>
    withCluster({ wires: true }, async (cluster) => {
      const leader = await cluster.leader();
      const others = cluster.others(leader);
      const etcdctl = new Etcdctl(...others.map((name) => cluster.etcd(name)));
      const watching = new Etcdctl(cluster.etcd(leader)).talk("watch", "key/", "--prefix");
      await etcdctl.do(["put", "key/before", "1"]);
      await watching.hears(/PUT\nkey\/before\n1\n/);

      cluster.wires.isolate(leader);
      await etcdctl.do(["put", "key/without-leader", "2"]);
      assert.equal(
        await etcdctl.do(["get", "key/", "--prefix"]),
        "key/before\n1\nkey/without-leader\n2\n",
      );
      const alone = new Etcdctl(cluster.etcd(leader));
      const { status, stderr } = await alone.try(["get", "key/", "--prefix"]);
      assert.notEqual(status, 0, "a node without a quorum serves no linearizable read");
      assert.match(stderr, /deadline exceeded|timed out|no leader/);
      assert.equal(
        await alone.do(["get", "key/", "--prefix", "--consistency=s"]),
        "key/before\n1\n",
        "and says what it knows to who asks for no more",
      );
      // etcdctl asks for watches that end with the leader; it is told so, and nothing that is not so.
      assert.notEqual(await watching.ended(), 0);
      assert.match(watching.stdout + watching.stderr, /no leader/);
      assert.doesNotMatch(watching.stdout, /without-leader/);

      cluster.wires.mend("late");
      await eventually("the node that was cut off serves", async () => {
        const { stdout } = await alone.try(["get", "key/without-leader"]);
        return stdout === "key/without-leader\n2\n";
      });
      const again = alone.talk("watch", "key/", "--prefix", "--rev=1");
      await again.hears(/PUT\nkey\/before\n1\nPUT\nkey\/without-leader\n2\n/);
      await again.interrupt();
    }),
);
