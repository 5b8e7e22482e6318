/**
 * The consensus engines under the etcd service, three real processes each with
 * every write synced: puts at the leader by 1, 64 and 512 clients, as ratios to
 * Raft and to a real etcd in the same run. Rounds alternate, so that a busy
 * moment of the machine hits all; the better round of each counts.
 *
 *     npm run bench -w bench -- engine-load
 */

import { type Cluster, hasEtcd, startEtcd, startQuorate } from "./clusters.ts";
import { ENGINE_NAMES } from "./engine-costs.ts";
import { better, measure, type Measured } from "./etcd-load.ts";
import { report, type Row } from "./report.ts";

const ROUNDS = 3;
const ROUND_MS = Number(process.env["QUORATE_BENCH_MS"] ?? 3000);
const WARM_UP_MS = 1500;
const CLIENTS = [1, 64, 512];

async function compare(clusters: readonly Cluster[], clients: number): Promise<readonly Row[]> {
  const best = new Map<string, Measured>();
  for (let round = 0; round < ROUNDS; round++) {
    for (const cluster of clusters) {
      const measured = await measure(cluster, "put", clients, ROUND_MS);
      best.set(cluster.name, better(best.get(cluster.name), measured));
    }
  }
  const raft = best.get("raft")!;
  const etcd = best.get("etcd");
  return [...best].map(([server, measured]) => ({
    clients,
    server,
    "puts/s": Math.round(measured.perSecond),
    "of raft's": (measured.perSecond / raft.perSecond).toFixed(2),
    "of etcd's": etcd === undefined ? "-" : (measured.perSecond / etcd.perSecond).toFixed(2),
    "per CPU s": Math.round(measured.perCpuSecond),
    "p50 ms": measured.p50.toFixed(2),
    "p99 ms": measured.p99.toFixed(2),
    "p50 of raft's": (measured.p50 / raft.p50).toFixed(2),
    "p99 of raft's": (measured.p99 / raft.p99).toFixed(2),
    "syncs a put": measured.syncsPerCall.toFixed(3),
    errors: measured.errors,
  }));
}

const clusters: Cluster[] = [];
try {
  for (const engine of ENGINE_NAMES) {
    const cluster = await startQuorate(engine);
    clusters.push(cluster);
    await cluster.ready;
  }
  if (hasEtcd()) clusters.push(await startEtcd());
  else console.error("etcd is not installed: no peer to compare with");
  for (const cluster of clusters) await measure(cluster, "put", 64, WARM_UP_MS);
  const rows: Row[] = [];
  for (const clients of CLIENTS) rows.push(...(await compare(clusters, clients)));
  report("Engines: puts of 256 bytes at the leader, three processes, synced writes", rows);
} finally {
  await Promise.all(clusters.map((cluster) => cluster.stop()));
}
