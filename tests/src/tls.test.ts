/** A cluster in which everybody shows certificates to everybody: real processes, operated as operators do. */

import assert from "node:assert/strict";
import fs from "node:fs";
import path from "node:path";
import { test } from "node:test";
import tls from "node:tls";

import { Authority } from "./authority.ts";
import { connectSecurely } from "./client.ts";
import { type Cluster, NAMES, type NodeName, withCluster } from "./cluster.ts";
import { withNewcomers } from "./newcomers.ts";
import { quorate } from "./node-process.ts";
import type { Security } from "./security.ts";
import { eventually } from "./wait.ts";

/** One that reads over HTTP, one that calls the clients' port, one that changes something. */
const COMMANDS = [["status"], ["kv", "get", "key"], ["members", "remove", "n9"]] as const;

function securityOf({ security }: Cluster): Security {
  assert.ok(security, "the cluster has certificates");
  return security;
}

/** Runs a command as an operator does: the same flags behind every one. */
async function operate(cluster: Cluster, ...words: readonly string[]): Promise<string> {
  return eventually(words.join(" "), async () => {
    const place = words.includes("--endpoints") ? [] : ["--port-base", String(cluster.portBase)];
    const ran = await quorate(...words, ...place, ...securityOf(cluster).flags);
    // A leader that has just been elected is waited for; so is what was done by an attempt before.
    if (ran.status === 0 || ran.stderr.includes("is that already")) return ran.stdout || " ";
    throw new Error(ran.stderr + ran.stdout);
  });
}

/** What a node complained of, once it has. */
function complains(cluster: Cluster, name: NodeName, words: string): Promise<unknown> {
  return eventually(`${name} complains: ${words}`, () => {
    return fs.readFileSync(path.join(cluster.directory, `${name}.log`), "utf8").includes(words);
  });
}

/** The number of the certificate that is shown at a port. */
function serialAt(port: number, security: Security): Promise<string> {
  const { rootCertificate: ca, certChain: cert, privateKey: key } = security.credentials;
  return new Promise((resolve, reject) => {
    const socket = tls.connect({ port, host: "127.0.0.1", ca, cert, key }, () => {
      resolve(socket.getPeerCertificate().serialNumber);
      socket.destroy();
    });
    socket.on("error", reject);
  });
}

test("under mutual TLS everything that an operator types works with the same flags", () =>
  withCluster({ tls: true }, (cluster) =>
    withNewcomers(cluster, async (newcomers) => {
      assert.match(await operate(cluster, "status"), /3 of 3 voters take part, 1 more may fail/);
      await operate(cluster, "kv", "put", "key", "before");
      const moved = await operate(cluster, "consensus", "move", "etcd", "--to", "zab");
      assert.match(moved, /all members are on zab/);
      assert.match(await operate(cluster, "consensus", "status"), /etcd +zab +2 .*n1, n2, n3/);

      // Whoever is asked must look elsewhere for the one that is gone.
      const leader = await cluster.leader();
      const [contact] = cluster.others(leader);
      await cluster.process(leader).killed();
      await operate(cluster, "kv", "put", "key", "after");
      const place = newcomers.peer("n4");
      await operate(cluster, "members", "add", "n4", "--address", place, "--learner");
      newcomers.launch("n4", `127.0.0.1:${cluster.base(contact!) + 1}`);
      await newcomers.takesPart("n4", "learners");
      await operate(cluster, "members", "promote", "n4");
      await newcomers.takesPart("n4", "voters");
      await cluster.start(leader);

      const there = ["--endpoints", newcomers.http("n4")];
      await operate(cluster, "members", "update", "n4", "--address", place, ...there);
      await operate(cluster, "members", "remove", leader, ...there);
      await cluster.process(leader).end();
      const list = await operate(cluster, "members", "list", ...there);
      const names = list
        .split("\n")
        .flatMap((line) => /^(n\d) +yes .* voter /.exec(line)?.[1] ?? []);
      assert.deepEqual(names, [...cluster.others(leader), "n4"]);
      const got = await operate(cluster, "kv", "get", "key", "--endpoints", newcomers.etcd("n4"));
      assert.equal(got, "after\n");
    }),
  ));

test("who cannot get in is told why, and so is the log of who did not let them", () =>
  withCluster({ tls: true }, async (cluster) => {
    const security = securityOf(cluster);
    const stranger = new Authority("somebody else's authority");
    const ca = ["--cacert", security.write(security.authority.pem)];
    const shown = (issue: Parameters<Security["shown"]>[2], by?: Authority): readonly string[] => {
      return Object.entries(security.shown("--cert", "--key", issue, by)).flat();
    };
    const own = shown({ names: ["operator"] });
    const expired = shown({ names: ["operator"], until: new Date(0), from: new Date(0) });
    const cases: readonly (readonly [readonly string[], RegExp, string])[] = [
      [[], /hung up without an answer, as a port that wants TLS/, "it does not speak TLS"],
      [ca, /it wants a certificate, and was shown none/, "it shows no certificate, and has to"],
      [
        [...ca, ...shown({ names: ["operator"] }, stranger)],
        /it may not accept the certificate of this end/,
        "the certificate that it shows is not signed by an authority trusted here",
      ],
      [
        ["--cacert", security.write(stranger.pem), ...own],
        /the certificate that it shows is not signed by an authority trusted here/,
        "it may not accept the certificate of this end",
      ],
      [[...ca, ...expired], /^quorate: --cert: \S+ has expired on /, ""],
      [[...ca, ...own.slice(0, 2), ...expired.slice(2)], /^quorate: --key: .* not the key of /, ""],
      [["--cacert", import.meta.filename, ...own], /--cacert: .* holds no certificate in PEM/, ""],
      [own.slice(2), /--cert and --key go together/, ""],
    ];
    for (const [flags, words, logged] of cases) {
      // What is wrong with files is found before anybody is asked.
      for (const command of logged === "" ? COMMANDS.slice(0, 1) : COMMANDS) {
        const ran = await quorate(...command, "--port-base", String(cluster.portBase), ...flags);
        assert.equal(ran.status, 1);
        assert.match(ran.stderr, words, command.join(" "));
        assert.doesNotMatch(ran.stderr, /is the cluster running/);
      }
      if (logged !== "") await complains(cluster, "n1", logged);
    }
    const elsewhere = `localhost:${cluster.base("n1")}`;
    const misnamed = await quorate("status", "--endpoints", elsewhere, ...security.flags);
    assert.match(misnamed.stderr, /is for DNS:n1, IP Address:127\.0\.0\.1, and not for localhost/);
  }));

test("a node with certificates that cannot do does not start, or is refused, in words at both ends", () =>
  withCluster({ tls: true }, async (cluster) => {
    const security = securityOf(cluster);
    const peer = (...rest: readonly [Parameters<Security["shown"]>[2], Authority?]) =>
      security.shown("--peer-cert-file", "--peer-key-file", ...rest);
    await cluster.process("n3").killed();
    const unfit = [
      [peer({ names: ["n3"], until: new Date(0), from: new Date(0) }), /has expired on/],
      [peer({ names: ["n3"], from: new Date(Date.now() + 1e9) }), /is valid only from/],
      [peer({ names: ["n2"] }), /is for DNS:n2, and must be for DNS:n3/],
      [{ "--key-file": security.write("no key") }, /--key-file: .* holds no private key in PEM/],
    ] as const;
    for (const [flags, words] of unfit) {
      const node = cluster.launch("n3", flags);
      assert.equal((await node.end()).status, 1);
      assert.match(node.complaints.join("\n"), words);
    }

    const stranger = new Authority("somebody else's authority");
    cluster.launch("n3", peer({ names: ["n3"] }, stranger));
    const untrusted = "the certificate that it shows is not signed by an authority trusted here";
    await complains(cluster, "n1", `"from":"n3","msg":"cannot talk to it at `);
    await complains(cluster, "n1", untrusted);
    await complains(cluster, "n3", "it may not accept the certificate of this end");
    await cluster.process("n3").killed();

    const none = ["--peer-cert-file", "--peer-key-file", "--peer-trusted-ca-file"];
    cluster.launch("n3", Object.fromEntries(none.map((flag) => [flag, undefined])));
    await complains(cluster, "n1", "it does not speak TLS");
    await complains(cluster, "n3", "it hung up without an answer, as a port that wants TLS does");
    await complains(cluster, "n3", "it speaks TLS, which is not set up here");
    await cluster.process("n3").killed();
    await cluster.start("n3");
  }));

test("certificates are renewed node by node, while the cluster serves", () =>
  withCluster({ tls: true }, async (cluster) => {
    const security = securityOf(cluster);
    let written = 0;
    for (const name of NAMES) {
      const port = cluster.base(name) + 2;
      const before = await serialAt(port, security);
      const [other] = cluster.others(name);
      const client = connectSecurely(cluster.etcd(other!), security.credentials);
      const write = (): Promise<unknown> =>
        eventually("a write is acknowledged", async () => {
          await client.put(`rotation/${written}`).value(name);
          return true;
        }).then(() => written++);
      assert.equal((await cluster.process(name).terminate()).status, 0);
      for (let count = 0; count < 10; count++) await write();
      // Each start has certificates of its own, made when it begins.
      await cluster.start(name);
      await write();
      assert.notEqual(await serialAt(port, security), before);
      client.close();
    }
    const kept = connectSecurely(cluster.etcd("n3"), security.credentials);
    assert.equal((await kept.getAll().prefix("rotation/").keys()).length, written);
    kept.close();
    await eventually("every node hears every other", async () => {
      const statuses = await Promise.all(NAMES.map((name) => cluster.status(name)));
      return statuses.every(({ peers }) => Object.values(peers).every((up) => up));
    });
  }));
