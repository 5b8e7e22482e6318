/** Moves between engines of a cluster of real processes at work. */

import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { createRequire } from "node:module";
import path from "node:path";
import { test } from "node:test";
import { setTimeout as pause } from "node:timers/promises";

import { connect } from "./client.ts";
import { type Cluster, ENGINES, NAMES, type NodeName, withCluster } from "./cluster.ts";
import { agree, works } from "./checks.ts";
import { Load } from "./load.ts";
import { change, type Newcomer, withNewcomers } from "./newcomers.ts";
import { eventually } from "./wait.ts";

const COMMAND = path.join(
  path.dirname(createRequire(import.meta.url).resolve("quorate/package.json")),
  "bin/quorate.mjs",
);

/** Runs `quorate consensus …` as an operator would, and resolves to what it says, as JSON. */
function consensus(cluster: Cluster, ...words: readonly string[]): Promise<unknown> {
  const flags = ["--port-base", String(cluster.portBase), "--json"];
  return new Promise((resolve, reject) => {
    execFile(process.execPath, [COMMAND, "consensus", ...words, ...flags], (error, out, err) => {
      if (error === null) resolve(JSON.parse(out));
      else reject(new Error(err.trim() === "" ? out : err));
    });
  });
}

/** Which engine each node is on, and in which generation. */
async function standings(cluster: Cluster): Promise<readonly string[]> {
  const statuses = await Promise.all(NAMES.map((name) => cluster.status(name)));
  return statuses.map(({ group }) => `${group.engine} ${group.generation}`);
}

async function everyoneOn(cluster: Cluster, engine: string, generation: number): Promise<void> {
  await eventually(`everyone is on ${engine}`, async () => {
    return (await standings(cluster)).every((each) => each === `${engine} ${generation}`);
  });
}

for (const first of ENGINES) {
  const second = ENGINES[(ENGINES.indexOf(first) + 1) % ENGINES.length]!;

  test(`from ${first} to ${second} and back under load nothing is lost, and no client sees an error`, (t) =>
    withCluster({ engine: first }, async (cluster) => {
      const load = new Load(cluster);
      load.start();
      await load.moves(100);
      const client = connect(cluster.etcd("n1"));
      const errors: string[] = [];
      let slowestMs = 0;
      const stop = new AbortController();
      const writing = (async () => {
        for (let number = 0; !stop.signal.aborted; number++) {
          const begun = performance.now();
          const write = client.put("steady").value(String(number));
          await write.catch((error: unknown) => errors.push(String(error)));
          slowestMs = Math.max(slowestMs, performance.now() - begun);
          await pause(2);
        }
      })();
      assert.deepEqual(await consensus(cluster, "move", "etcd", "--to", second), {
        group: "etcd",
        engine: second,
        generation: 2,
        moved: true,
        behind: [],
      });
      await load.moves(100);
      await consensus(cluster, "move", "etcd", "--to", first);
      await everyoneOn(cluster, first, 3);
      await load.moves(100);
      stop.abort();
      await writing;
      client.close();
      assert.deepEqual(errors, [], "writes wait rather than fail");
      t.diagnostic(`the slowest write took ${Math.round(slowestMs)} ms`);
      await load.stop();
      t.diagnostic(await load.check());
      await works(cluster, "n1");
      await agree(cluster);
    }));
}

test("a node killed in the middle of a move, and one that slept through it, end where the others are", (t) =>
  withCluster({ engine: "raft" }, async (cluster) => {
    const load = new Load(cluster);
    load.start();
    await load.moves(100);
    for (const [round, victimLeads] of [true, false].entries()) {
      const leader = await cluster.leader();
      const victim = victimLeads ? leader : cluster.others(leader)[0]!;
      const to = round % 2 === 0 ? "paxos" : "raft";
      const asked = consensus(cluster, "move", "etcd", "--to", to).catch(() => undefined);
      await pause(20);
      await cluster.process(victim).killed();
      // The leader may be gone before it has heard of the move: somebody asks again.
      await asked;
      await eventually(`the others are on ${to}`, async () => {
        const up = await Promise.all(cluster.others(victim).map((name) => cluster.status(name)));
        if (up.every(({ group }) => group.engine === to)) return true;
        await consensus(cluster, "move", "etcd", "--to", to, "--wait", "1").catch(() => undefined);
        return false;
      });
      await load.moves(50);
      // What it was founded on is what its settings say still.
      await cluster.start(victim);
      await load.moves(50);
      await everyoneOn(cluster, to, round + 2);
    }
    await load.stop();
    t.diagnostic(await load.check());
    await works(cluster, "n2");
    await agree(cluster);
    // All at once, from the disk alone.
    await Promise.all(NAMES.map((name) => cluster.process(name).killed()));
    await cluster.start(...NAMES);
    await everyoneOn(cluster, "raft", 3);
    await agree(cluster);
  }));

test("after a move a node joins and votes, and one that was away meanwhile comes back", (t) =>
  withCluster({ engine: "raft", flags: ["--checkpoint-bytes", "65536"] }, (cluster) =>
    withNewcomers(cluster, async (newcomers) => {
      const load = new Load(cluster);
      load.start();
      await load.moves(100);
      /** Moves the group while `away` is down, has `newcomer` join, and brings `away` back. */
      const round = async (
        to: string,
        generation: number,
        away: NodeName,
        newcomer: Newcomer,
      ): Promise<void> => {
        await cluster.process(away).killed();
        const [contact] = cluster.others(away);
        await eventually(`the rest is on ${to}`, async () => {
          // That one of them is behind is a failure of the command, if not of the move.
          await consensus(cluster, "move", "etcd", "--to", to, "--wait", "1").catch(() => {});
          return (await cluster.status(contact!)).group.engine === to;
        });
        await load.moves(50);
        const http = `127.0.0.1:${cluster.base(contact!)}`;
        await change(http, "add", newcomer, "--address", newcomers.peer(newcomer));
        newcomers.launch(newcomer, `127.0.0.1:${cluster.base(contact!) + 1}`);
        await newcomers.takesPart(newcomer, "voters");
        const { groups } = await newcomers.status(newcomer);
        assert.deepEqual(
          groups.map((group) => `${group.engine} ${group.generation}`),
          [`${to} ${generation}`],
        );
        await cluster.start(away);
        await everyoneOn(cluster, to, generation);
        await load.moves(50);
      };
      await round("zab", 2, "n3", "n4");
      // Of four voters three must agree, so from here on the newcomer's vote counts.
      await round("paxos", 3, "n1", "n5");
      await Promise.all([cluster.process("n1").killed(), cluster.process("n2").killed()]);
      await load.moves(50);
      await load.stop();
      const there = [cluster.etcd("n3"), newcomers.etcd("n4"), newcomers.etcd("n5")];
      t.diagnostic(await load.check(there));
    }),
  ));

test("a move that makes no sense is refused in words", () =>
  withCluster({ engine: "raft" }, async (cluster) => {
    await assert.rejects(
      consensus(cluster, "move", "etcd", "--to", "viewstamped"),
      /etcd cannot run on "viewstamped", but on raft or paxos or zab/,
    );
    await assert.rejects(
      consensus(cluster, "move", "redis", "--to", "paxos"),
      /"redis" is no group; there is etcd/,
    );
    const already = await consensus(cluster, "move", "etcd", "--to", "raft");
    assert.deepEqual(already, {
      group: "etcd",
      engine: "raft",
      generation: 1,
      moved: false,
      behind: [],
    });
    const { groups } = (await consensus(cluster, "status")) as {
      readonly groups: readonly { readonly engine: string; readonly behind: readonly string[] }[];
    };
    assert.deepEqual(
      groups.map(({ engine, behind }) => [engine, behind]),
      [["raft", []]],
    );
  }));
