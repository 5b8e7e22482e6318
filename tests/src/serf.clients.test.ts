/** Files, keys and the `serf` command itself: what our agent shares with the real one. */

import assert from "node:assert/strict";
import fs from "node:fs";
import path from "node:path";
import { describe, test } from "node:test";

import { withCluster } from "./cluster.ts";
import { installed } from "./programs.ts";
import { type Kind, quorate, SerfCluster } from "./serf-agents.ts";
import { eventually } from "./wait.ts";

const missing = installed("serf", "version") ? false : "serf is not installed here";

// Mostly waiting: side by side they take as long as the longest.
describe("our agent in place of the real one", { concurrency: 3, skip: missing }, () => {
  test("an agent comes back by its snapshot, also one that the other program wrote", () =>
    SerfCluster.with(async (cluster) => {
      const snapshot = (name: string): string[] => [
        `-snapshot=${path.join(cluster.directory, `${name}.snapshot`)}`,
      ];
      await cluster.start("r", "a", { flags: snapshot("a") });
      await cluster.start("q", "b", { join: ["a"], flags: snapshot("b") });
      await cluster.start("r", "c", { join: ["a"], flags: snapshot("c") });
      await cluster.allAlive();
      // A real agent writes its file with the line after the next, so there must be a next.
      const clocked = (name: string): boolean =>
        /event-clock: \d/.test(
          fs.readFileSync(snapshot(name)[0]!.slice("-snapshot=".length), "utf8"),
        );
      await eventually("what was heard is written down", async () => {
        await cluster.serf("a", "event", "-coalesce=false", "before", "");
        return clocked("b") && clocked("c");
      });
      await eventually(
        "all have heard",
        () => cluster.heard("b").length === cluster.heard("a").length,
      );
      await eventually(
        "all have heard",
        () => cluster.heard("c").length === cluster.heard("a").length,
      );
      await Promise.all([cluster.kill("b"), cluster.kill("c")]);
      // Each on the other's file: the programs change places.
      const heard = cluster.heard("c").length;
      await cluster.start("r", "b", { flags: snapshot("b") });
      await cluster.start("q", "c", { flags: snapshot("c") });
      await cluster.allAlive();
      await cluster.serf("a", "event", "-coalesce=false", "after", "");
      for (const name of ["b", "c"]) {
        await eventually(
          `${name} hears what is new`,
          () => cluster.heard(name).at(-1) === "user after ",
        );
      }
      assert.equal(cluster.heard("c").length, heard + 1, "and we hear nothing twice");
    }));

  test("keys are changed while a cluster of both runs, and who has none is kept out", () =>
    SerfCluster.with(async (cluster) => {
      const [first, second] = [
        "cg8StVXbQJ0gPvMd9o7yrg==",
        "T9jncgl9mbLus+baTTa7q7nPSUrXwbDi2dhbtqir37s=",
      ];
      const keyring = (name: string): string => {
        const file = path.join(cluster.directory, `${name}.keys`);
        if (!fs.existsSync(file)) fs.writeFileSync(file, JSON.stringify([first]));
        return `-keyring-file=${file}`;
      };
      const start = (kind: Kind, name: string, join: readonly string[]): Promise<void> =>
        cluster.start(kind, name, { join, flags: [keyring(name)] });
      await start("r", "r1", []);
      await start("q", "q2", ["r1"]);
      await start("q", "q3", ["r1"]);
      await cluster.allAlive();
      const lists = async (name: string): Promise<string> => cluster.serf(name, "keys", "-list");

      // Not all may have answered when the time for answers is up. An operator tries again.
      const change = (name: string, flag: string): Promise<boolean> =>
        eventually(
          `all answer ${name}`,
          async () => (await cluster.try(name, "keys", flag)).status === 0,
        );
      await change("q2", `-install=${second}`);
      await change("r1", `-use=${second}`);
      await change("q3", `-remove=${first}`);
      for (const name of ["r1", "q2"]) {
        const listed = await eventually(`all list their keys to ${name}`, async () => {
          const text = await lists(name);
          return text.includes("[3/3]") && text;
        });
        assert.match(listed, new RegExp(`${second.replaceAll("+", String.raw`\+`)} +\\[3/3\\]`));
        assert.ok(!listed.includes(first));
      }
      assert.equal((await cluster.try("r1", "keys", `-remove=${second}`)).status, 1);

      await cluster.kill("q2");
      await cluster.agree("q2 failed, q3 alive, r1 alive", ["r1", "q3"]);
      // By the keyring file, which was changed with the keys.
      await start("q", "q2", ["q3"]);
      await cluster.allAlive();
      await cluster.start("q", "q4");
      assert.equal((await cluster.try("q4", "join", cluster.address("r1"))).status, 1);
      assert.equal((await cluster.try("q4", "join", cluster.address("q2"))).status, 1);
      assert.equal((await cluster.try("q2", "join", cluster.address("q4"))).status, 1);
      await cluster.agree("q2 alive, q3 alive, r1 alive", ["r1", "q2", "q3"]);
    }));

  test("the serf command finds at our agent what it finds at its own", () =>
    SerfCluster.with(async (cluster) => {
      await cluster.start("q", "q1", {
        flags: ["-profile=local", "-rpc-auth=secret", "-tag=role=web"],
      });
      const refused = await cluster.try("q1", "members");
      assert.match(refused.stderr + refused.stdout, /Authentication required/);
      const wrong = await cluster.try("q1", "members", "-rpc-auth=guess");
      assert.match(wrong.stderr + wrong.stdout, /Invalid authentication token/);
      const auth = "-rpc-auth=secret";
      const monitor = cluster.follow("q1", "monitor", auth, "-log-level=debug");
      await monitor.hears(/\[INFO\] agent: agent started/);

      await cluster.start("r", "r2", { flags: ["-profile=local"] });
      assert.match(
        await cluster.serf("q1", "join", auth, cluster.address("r2")),
        /Successfully joined cluster by contacting 1 nodes/,
      );
      await eventually("both are there", async () => {
        const members = await cluster.serf("q1", "members", auth);
        return /^q1 .* alive  role=web$/m.test(members) && /^r2 .* alive/m.test(members);
      });
      assert.equal(await cluster.serf("q1", "members", auth, "-status=failed"), "\n");
      assert.match(await cluster.serf("q1", "members", auth, "-tag", "role=w.*"), /^q1 /);
      assert.doesNotMatch(await cluster.serf("q1", "members", auth, "-name", "r."), /^q1 /m);
      assert.match(await cluster.serf("q1", "info", auth), /members = 2/);
      await eventually("coordinates are known", async () => {
        const { status, stdout } = await cluster.try("q1", "rtt", auth, "r2", "q1");
        return status === 0 && /Estimated r2 <-> q1 rtt: [\d.]+ ms/.test(stdout);
      });
      // The time for answers is fixed, and may be over on a machine that does much else.
      await eventually("all can be reached", async () =>
        /Successfully contacted all live nodes/.test(
          (await cluster.try("q1", "reachability", auth)).stdout,
        ),
      );
      await cluster.serf("q1", "tags", auth, "-set", "a=b", "-delete", "role");
      assert.match(await cluster.serf("q1", "members", auth, "-name=q1"), /alive  a=b\n/);
      await cluster.serf("r2", "event", "-coalesce=false", "deploy", "v2");
      await monitor.hears(/Name: "deploy"/);
      await monitor.interrupt();
      assert.match(await cluster.serf("q1", "leave", auth), /Graceful leave complete/);
    }));

  test("of two agents with one name the later one stops, whosever it is", () =>
    SerfCluster.with(async (cluster) => {
      await cluster.start("r", "r1");
      await cluster.start("q", "q2", { join: ["r1"] });
      await cluster.start("q", "q3", { join: ["r1"] });
      await cluster.allAlive();
      for (const kind of ["q", "r"] as const) {
        const late = `late-${kind}`;
        await cluster.start(kind, late, { join: ["q2"], flags: ["-node=q3"] });
        await cluster.ended(late);
        await cluster.agree("q2 alive, q3 alive, r1 alive", ["r1", "q2", "q3"]);
      }
    }));

  test("the nodes of a cluster let a real agent in, and quorate members tells how all are", () =>
    withCluster({}, (nodes) =>
      SerfCluster.with(async (agents) => {
        const base = nodes.base("n1");
        await agents.start("r", "outside", { flags: [`-retry-join=127.0.0.1:${base + 5}`] });
        const gossip = async (): Promise<string> => {
          const { stdout } = await quorate("members", "--json", `--endpoints=127.0.0.1:${base}`);
          const { members } = JSON.parse(stdout) as {
            readonly members: readonly { readonly name: string; readonly gossip: string }[];
          };
          return members.map(({ name, gossip: status }) => `${name} ${status}`).join(", ");
        };
        const everybody = "n1 alive, n2 alive, n3 alive, outside alive";
        await eventually("all are there", async () => (await gossip()) === everybody);
        await agents.agree(everybody, ["outside"]);
        await nodes.process("n3").killed();
        await eventually("one has failed", async () =>
          /n3 failed, outside alive/.test(await gossip()),
        );
        await nodes.process("n2").terminate();
        await eventually("one has left", async () => /n2 left, n3 failed/.test(await gossip()));
        await agents.agree("n1 alive, n2 left, n3 failed, outside alive", ["outside"]);
      }),
    ));
});
