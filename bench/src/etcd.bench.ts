/**
 * Puts and linearizable gets through gRPC on three processes with every write
 * synced, for 1, 64 and 512 clients, beside a real etcd on the same machine in
 * the same run. Rounds alternate between the two, so that a busy moment of the
 * machine hits both; the better round of each counts.
 *
 *     npm run bench -w bench -- etcd
 */

import { putRequest, rangeRequest } from "./etcd-requests.ts";
import { type Cluster, cpuSeconds, hasEtcd, startEtcd, startQuorate } from "./clusters.ts";
import { type LoadResult, runLoad } from "./h2-load.ts";
import { percentile, report, type Row } from "./report.ts";

const ROUNDS = 2;
const ROUND_MS = Number(process.env["QUORATE_BENCH_MS"] ?? 4000);
const WARM_UP_MS = 1500;
const CLIENTS = [1, 64, 512];
const VALUE_BYTES = 256;

interface Measured {
  readonly perSecond: number;
  readonly perCpuSecond: number;
  readonly p50: number;
  readonly p99: number;
  readonly errors: number;
}

const OPERATIONS = {
  put: { path: "/etcdserverpb.KV/Put", request: putRequest("bench-key-000001", VALUE_BYTES) },
  get: { path: "/etcdserverpb.KV/Range", request: rangeRequest("bench-key-000001") },
} as const;

async function measure(
  cluster: Cluster,
  operation: keyof typeof OPERATIONS,
  clients: number,
  durationMs: number,
): Promise<Measured> {
  const port = cluster.ports[await cluster.leader()];
  const before = cpuSeconds(cluster.pids());
  const { path, request } = OPERATIONS[operation];
  const load = { host: "127.0.0.1", port: port!, path, request, clients, durationMs };
  const result: LoadResult = await runLoad(load);
  const cpu = cpuSeconds(cluster.pids()) - before;
  return {
    perSecond: result.calls / result.seconds,
    perCpuSecond: result.calls / cpu,
    p50: percentile(result.latencies, 0.5),
    p99: percentile(result.latencies, 0.99),
    errors: result.errors,
  };
}

function better(a: Measured | undefined, b: Measured): Measured {
  return a === undefined || b.perSecond > a.perSecond ? b : a;
}

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
  operation: string,
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
