/**
 * How long a cluster of three processes takes to serve its first write after a
 * cold start, and to serve writes again after its leader was killed with
 * SIGKILL: ours, and etcd's with its default timeouts, in the same run.
 *
 *     npm run bench -w bench -- failover
 */

import { type Cluster, hasEtcd, startEtcd, startQuorate } from "./clusters.ts";
import { firstWrite } from "./first-write.ts";
import { report } from "./report.ts";

const ROUNDS = Number(process.env["QUORATE_BENCH_ROUNDS"] ?? 5);

interface Times {
  readonly coldStart: number[];
  readonly failover: number[];
}

async function round(start: () => Promise<Cluster>, times: Times): Promise<void> {
  const spawned = performance.now();
  const cluster = await start();
  try {
    times.coldStart.push((await firstWrite(cluster.ports)) - spawned);
    await cluster.ready;
    // A steady cluster, not one that has just come up.
    await new Promise((resolve) => setTimeout(resolve, 2000));
    const leader = await cluster.leader();
    cluster.kill(leader);
    const killed = performance.now();
    const survivors = cluster.ports.filter((_, node) => node !== leader);
    times.failover.push((await firstWrite(survivors)) - killed);
  } finally {
    await cluster.stop();
  }
}

function median(values: readonly number[]): number {
  return values.toSorted((a, b) => a - b)[values.length >> 1]!;
}

const servers = [["quorate", startQuorate] as const];
if (hasEtcd()) servers.push(["etcd", startEtcd] as never);
const all = servers.map(([name, start]) => ({
  name,
  start,
  times: { coldStart: [], failover: [] } as Times,
}));
for (let i = 0; i < ROUNDS; i++) for (const { start, times } of all) await round(start, times);
const peer = all.at(-1)!.times;
report(
  `First write after a cold start, and after kill -9 of the leader: median of ${ROUNDS}, three processes`,
  all.map(({ name, times }) => ({
    server: name,
    "cold start ms": Math.round(median(times.coldStart)),
    "ratio ": (median(times.coldStart) / median(peer.coldStart)).toFixed(2),
    "failover ms": Math.round(median(times.failover)),
    ratio: (median(times.failover) / median(peer.failover)).toFixed(2),
    "failover max ms": Math.round(Math.max(...times.failover)),
  })),
);
