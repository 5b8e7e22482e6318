import assert from "node:assert/strict";
import { test } from "node:test";

import { withCluster } from "./cluster.ts";
import { Etcdctl } from "./etcdctl.ts";
import { SCRIPT, type Step } from "./etcdctl-script.ts";
import { installed, type Ran } from "./programs.ts";
import { withRealEtcd } from "./real-etcd.ts";

/** Runs the script and returns what each command answered, without what is each cluster's own. */
async function play(endpoint: string): Promise<readonly string[]> {
  const etcdctl = new Etcdctl(endpoint);
  let lease = "";
  const transcript: string[] = [];
  for (const { args, stdin } of SCRIPT) {
    const ran = await etcdctl.try(
      args.map((each) => each.replaceAll("$L", lease)),
      stdin,
    );
    if (args[1] === "grant") lease = /lease (\w+) granted/.exec(ran.stdout)?.[1] ?? lease;
    transcript.push(
      `${describe({ args, ...(stdin === undefined ? {} : { stdin }) })}\n${neutral(ran, lease)}`,
    );
  }
  return transcript;
}

function describe({ args, stdin }: Step): string {
  return `$ etcdctl ${args.join(" ")}${stdin === undefined ? "" : ` <<< ${JSON.stringify(stdin)}`}`;
}

/** Ids, ports, times of the day and the term are of no interest. */
function neutral({ status, stdout, stderr }: Ran, lease: string): string {
  const id = lease === "" ? "no lease" : BigInt(`0x${lease}`).toString();
  return `${stdout}${stderr}=> ${status}`
    .replaceAll(/127\.0\.0\.1:\d+/g, "ENDPOINT")
    .replaceAll(/"(cluster_id|member_id|raft_term)":\d+/g, '"$1":0')
    .replaceAll(/"(ClusterID|MemberID|RaftTerm)" : \d+/g, '"$1" : 0')
    .replaceAll(/took = [\d.]+\w*s/g, "took = TIME")
    .replaceAll(/remaining\(\d+s\)/g, "remaining(N)")
    .replaceAll(/"ts":"[^"]*"/g, '"ts":""')
    .replaceAll(/"(target|caller)":"[^"]*"/g, '"$1":""')
    .replaceAll(/endpoint:\/\/client-[\w-]+\//g, "endpoint://CLIENT/")
    .replaceAll(lease === "" ? "no lease" : lease, "LEASE")
    .replaceAll(id, "LEASE");
}

const reason = installed("etcd", "--version") ? false : "etcd itself is not installed here";

test("etcdctl prints the same from us as from etcd", { skip: reason }, async (t) => {
  let expected: readonly string[] = [];
  await withRealEtcd(async (endpoint) => {
    expected = await play(endpoint);
  });
  await withCluster({}, async (cluster) => {
    const actual = await play(cluster.etcd("n2"));
    if (process.env["SHOW"]) console.log(actual.join("\n"));
    const different = actual.flatMap((text, index) =>
      text === expected[index] ? [] : [`--- etcd\n${expected[index]}\n--- quorate\n${text}`],
    );
    assert.equal(different.length, 0, `\n${different.join("\n")}`);
    t.diagnostic(`${actual.length} commands`);
  });
});
