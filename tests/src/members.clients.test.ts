/** etcdctl's member commands: what a real etcd answers is answered here, and the node that was added joins. */

import assert from "node:assert/strict";
import { test } from "node:test";

import { withCluster } from "./cluster.ts";
import { Etcdctl } from "./etcdctl.ts";
import { withNewcomers } from "./newcomers.ts";
import { installed } from "./programs.ts";
import { withRealEtcd } from "./real-etcd.ts";
import { eventually } from "./wait.ts";

const missing = installed("etcdctl", "version") ? false : "etcdctl is not installed here";

/** `id, status, name, peer URLs, client URLs, learner` of each member. */
async function list(etcdctl: Etcdctl): Promise<readonly (readonly string[])[]> {
  const text = await etcdctl.do(["member", "list"]);
  return text
    .trim()
    .split("\n")
    .map((line) => line.split(", "));
}

/** The last line of what a command that must fail complains of: etcd's own words. */
async function refusal(etcdctl: Etcdctl, ...args: readonly string[]): Promise<string> {
  const { status, stderr } = await etcdctl.try(["member", ...args]);
  assert.notEqual(status, 0, `member ${args.join(" ")} is refused`);
  return stderr.trim().split("\n").at(-1) ?? "";
}

/** etcdctl pads ids with blanks where they begin with zeros. */
function withoutIds(text: string): string {
  return text.replaceAll(/ +[\da-f]{10,16}\b/g, " ID");
}

/** What is asked of both: a learner comes and goes, and what cannot be is asked for. */
async function script(endpoint: string): Promise<readonly string[]> {
  const etcdctl = new Etcdctl(endpoint);
  const [[founder = "", , , url = ""] = []] = await list(etcdctl);
  const place = "http://127.0.0.1:9001";
  const said = [];
  const added = await etcdctl.do(["member", "add", "x", `--peer-urls=${place}`, "--learner"]);
  const [, id = ""] = /Member +(\w+) added to cluster/.exec(added) ?? [];
  said.push(withoutIds(added));
  const shown = (await list(etcdctl)).find(([each]) => each === id);
  said.push((shown ?? []).slice(1).join(", "));
  for (const args of [
    ["add", "y", `--peer-urls=${place}`],
    ["promote", id],
    ["promote", founder],
    ["promote", "1234"],
    ["remove", "1234"],
    ["update", "1234", `--peer-urls=${place}`],
    ["update", id, `--peer-urls=${url}`],
  ]) {
    said.push(await refusal(etcdctl, ...args));
  }
  const moved = await etcdctl.do(["member", "update", id, "--peer-urls=http://127.0.0.1:9021"]);
  said.push(withoutIds(moved));
  // etcd 3.4 takes a learner whose URL was updated for none from then on; not a thing to repeat.
  said.push(((await list(etcdctl)).find(([each]) => each === id) ?? []).slice(1, 5).join(", "));
  said.push(withoutIds(await etcdctl.do(["member", "remove", id])));
  said.push(await refusal(etcdctl, "remove", id));
  return said;
}

test(
  "etcdctl hears of members what it hears from a real etcd",
  { skip: missing || (installed("etcd", "--version") ? false : "etcd is not installed here") },
  () =>
    withCluster({}, async (cluster) => {
      const ours = await script(cluster.etcd("n1"));
      await withRealEtcd(async (endpoint) => {
        const theirs = await script(endpoint);
        // Theirs has one member, ours three: the line that lists them is not the same.
        const lines = (said: readonly string[]): readonly string[] =>
          said.map((text) =>
            text
              .replace(/ETCD_INITIAL_CLUSTER=.*\n/, "")
              // What etcd says of a URL that is taken within the second in which it was added.
              .replace("member ID already exist", "Peer URLs already exists"),
          );
        assert.deepEqual(lines(ours), lines(theirs));
      });
    }),
);

test(
  "a member that etcdctl adds joins, is promoted, and replaces one that it removes",
  { skip: missing },
  () =>
    withCluster({}, (cluster) =>
      withNewcomers(cluster, async (newcomers) => {
        const leader = await cluster.leader();
        const [other] = cluster.others(leader);
        const etcdctl = new Etcdctl(cluster.etcd(other!));
        await etcdctl.do(["put", "before", "1"]);
        const place = `http://${newcomers.peer("n4")}`;
        await etcdctl.do(["member", "add", "n4", `--peer-urls=${place}`, "--learner"]);
        const [id = ""] = (await list(etcdctl)).find((member) => member[3] === place) ?? [];
        newcomers.launch("n4", `127.0.0.1:${cluster.base(other!) + 1}`);
        await newcomers.takesPart("n4", "learners");
        const client = `http://${newcomers.etcd("n4")}`;
        const started = (await list(etcdctl)).find(([each]) => each === id);
        assert.deepEqual(started, [id, "started", "n4", place, client, "true"]);
        await eventually("n4 is promoted", async () => {
          const { status, stderr } = await etcdctl.try(["member", "promote", id]);
          if (status !== 0) throw new Error(stderr);
          return true;
        });
        await newcomers.takesPart("n4", "voters");

        const [gone = ""] = (await list(etcdctl)).find((member) => member[2] === leader) ?? [];
        await etcdctl.do(["member", "remove", gone]);
        assert.equal((await cluster.process(leader).end()).status, 1);
        const there = new Etcdctl(newcomers.etcd("n4"));
        await there.do(["put", "after", "2"]);
        assert.equal(await there.do(["get", "before"]), "before\n1\n");
        const names = (await list(there)).map(([, , name]) => name);
        assert.deepEqual(new Set(names), new Set([...cluster.others(leader), "n4"]));
      }),
    ),
);
