/** etcdctl and `quorate` on a cluster whose certificates were made as docs/certificates.md says, by those very commands. */

import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import fs from "node:fs";
import path from "node:path";
import { test } from "node:test";

import { type Cluster, NAMES, type NodeName, withCluster } from "./cluster.ts";
import { Etcdctl } from "./etcdctl.ts";
import { quorate } from "./node-process.ts";
import { installed } from "./programs.ts";
import { eventually } from "./wait.ts";

const missing =
  installed("etcdctl", "version") && installed("openssl", "version")
    ? false
    : "etcdctl or openssl is not installed here";

/** Runs what the page says, for nodes that are all on this machine. Returns where the files are. */
function asThePageSays(cluster: Cluster): string {
  const page = fs.readFileSync(new URL("../../docs/certificates.md", import.meta.url), "utf8");
  const [, commands = ""] = /## Make them.*?```sh\n(.*?)```/s.exec(page) ?? [];
  const directory = path.join(cluster.directory, "as-the-page-says");
  fs.mkdirSync(directory);
  const script = commands.replaceAll(/10\.0\.0\.\d/g, "127.0.0.1");
  const made = spawnSync("bash", ["-euc", script], { cwd: directory, encoding: "utf8" });
  assert.equal(made.status, 0, made.stderr);
  return directory;
}

test(
  "etcdctl works with the certificates that the page makes, while a node is killed and comes back",
  { skip: missing },
  () =>
    withCluster({ tls: true }, async (cluster) => {
      const { security } = cluster;
      assert.ok(security, "the cluster has certificates");
      const directory = asThePageSays(cluster);
      const file = (name: string): string => path.join(directory, name);
      const launch = (name: NodeName): void => {
        cluster.launch(name, {
          "--cert-file": file(`${name}.pem`),
          "--key-file": file(`${name}-key.pem`),
          "--trusted-ca-file": file("ca.pem"),
          "--peer-cert-file": file(`${name}.pem`),
          "--peer-key-file": file(`${name}-key.pem`),
          "--peer-trusted-ca-file": file("ca.pem"),
        });
      };
      const operator = ["--cacert", file("ca.pem"), "--cert", file("operator.pem")];
      const flags = [...operator, "--key", file("operator-key.pem")];
      const etcdctl = (...names: readonly NodeName[]): Etcdctl => {
        return new Etcdctl(...names.map((name) => `https://${cluster.etcd(name)}`)).with(flags);
      };
      await Promise.all(NAMES.map((name) => cluster.process(name).terminate()));
      for (const name of NAMES) launch(name);
      const all = etcdctl(...NAMES);
      await eventually("a write is acknowledged", async () => {
        return (await all.try(["put", "greeting", "hello"])).status === 0;
      });
      await cluster.process("n1").killed();
      await etcdctl("n2", "n3").do(["put", "greeting", "hello again"]);
      launch("n1");
      const back = etcdctl("n1");
      await eventually("the one that was killed serves", async () => {
        return (await back.try(["get", "greeting"])).stdout === "greeting\nhello again\n";
      });
      const members = await back.do(["member", "list"]);
      for (const name of NAMES)
        assert.ok(members.includes(`https://${cluster.etcd(name)}`), members);
      const status = await quorate("status", "--port-base", String(cluster.portBase), ...flags);
      assert.match(status.stdout, /3 of 3 voters take part/, status.stderr);

      const other = new Etcdctl(`https://${cluster.etcd("n1")}`).with(security.flags);
      assert.notEqual((await other.try(["get", "greeting"])).status, 0, "trusts another authority");
      const none = new Etcdctl(`https://${cluster.etcd("n1")}`).with(["--cacert", file("ca.pem")]);
      assert.notEqual((await none.try(["get", "greeting"])).status, 0, "shows no certificate");
      const plain = new Etcdctl(cluster.etcd("n1"));
      assert.notEqual((await plain.try(["get", "greeting"])).status, 0, "speaks in the clear");
      const log = fs.readFileSync(path.join(cluster.directory, "n1.log"), "utf8");
      assert.match(log, /"msg":"it does not accept the certificate of this end"/);
      assert.match(log, /"msg":"it shows no certificate, and has to"/);
      assert.match(log, /"msg":"it does not speak TLS"/);
    }),
);
