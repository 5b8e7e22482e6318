/**
 * Puts and linearizable gets through gRPC on three processes with every write
 * synced, for 1, 64 and 512 clients, beside a real etcd on the same machine in
 * the same run. Rounds alternate between the two, so that a busy moment of the
 * machine hits both; the better round of each counts.
 *
 *     npm run bench -w bench -- etcd
 */

import { type Cluster, hasEtcd, startEtcd, startQuorate } from "./clusters.ts";
import { better, measure, type Measured, type Operation } from "./etcd-load.ts";
import { report, type Row } from "./report.ts";

const ROUNDS = 2;
const ROUND_MS = Number(process.env["QUORATE_BENCH_MS"] ?? 4000);
const WARM_UP_MS = 1500;
const CLIENTS = [1, 64, 512];

async function compare(clusters: readonly Cluster[]): Promise<readonly Row[]> {
  const rows: Row[] = [];
  for (const cluster of clusters) {
    for (const operation of ["put", "get"] as const) {
      await measure(cluster, operation, 64, WARM_UP_MS);
    }
  }
  for (const operation of ["put", "get"] as const) {
    for (const clients of CLIENTS) {
      const best = new Map<Cluster, Measured>();
      for (let round = 0; round < ROUNDS; round++) {
        for (const cluster of clusters) {
          const measured = await measure(cluster, operation, clients, ROUND_MS);
          best.set(cluster, better(best.get(cluster), measured));
        }
      }
      const peer = best.get(clusters[1] ?? clusters[0]!)!;
      for (const cluster of clusters) rows.push(row(cluster, operation, clients, best.get(cluster)!, peer));
    }
  }
  return rows;
}

function row(
  cluster: Cluster,
  operation: Operation,
  clients: number,
  measured: Measured,
  peer: Measured,
): Row {
  return {
    operation,
    clients,
    server: cluster.name,
    "per s": Math.round(measured.perSecond),
    ratio: (measured.perSecond / peer.perSecond).toFixed(2),
    "per CPU s": Math.round(measured.perCpuSecond),
    "CPU ratio": (measured.perCpuSecond / peer.perCpuSecond).toFixed(2),
    "p50 ms": measured.p50.toFixed(2),
    "p99 ms": measured.p99.toFixed(2),
    "p99 ratio": (measured.p99 / peer.p99).toFixed(2),
    errors: measured.errors,
  };
}

const clusters = [await startQuorate()];
if (hasEtcd()) clusters.push(await startEtcd());
else console.error("etcd is not installed: no peer to compare with");
try {
  await Promise.all(clusters.map(({ ready }) => ready));
  report("etcd API: three processes, synced writes, 256-byte values, asked on the leader", await compare(clusters));
} finally {
  await Promise.all(clusters.map((cluster) => cluster.stop()));
}
