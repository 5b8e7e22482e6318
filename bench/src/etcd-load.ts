/** Puts and linearizable gets of the etcd API at a cluster's leader, measured. */

import { type Cluster, cpuSeconds } from "./clusters.ts";
import { putRequest, rangeRequest } from "./etcd-requests.ts";
import { type LoadResult, runLoad } from "./h2-load.ts";
import { percentile } from "./report.ts";

const VALUE_BYTES = 256;

export type Operation = "put" | "get";

export interface Measured {
  readonly perSecond: number;
  readonly perCpuSecond: number;
  readonly p50: number;
  readonly p99: number;
  /** Durable writes of all nodes' logs, per call. */
  readonly syncsPerCall: number;
  readonly errors: number;
}

/** What can be asked: the method, and the request as protobuf bytes. */
const OPERATIONS: Readonly<Record<Operation, { readonly path: string; readonly request: Uint8Array }>> = {
  put: { path: "/etcdserverpb.KV/Put", request: putRequest("bench-key-000001", VALUE_BYTES) },
  get: { path: "/etcdserverpb.KV/Range", request: rangeRequest("bench-key-000001") },
};

/** Loads the leader for a while. */
export async function measure(
  cluster: Cluster,
  operation: Operation,
  clients: number,
  durationMs: number,
): Promise<Measured> {
  const port = cluster.ports[await cluster.leader()];
  const before = cpuSeconds(cluster.pids());
  const syncsBefore = await cluster.syncs();
  const { path, request } = OPERATIONS[operation];
  const load = { host: "127.0.0.1", port: port!, path, request, clients, durationMs };
  const result: LoadResult = await runLoad(load);
  const syncs = (await cluster.syncs()) - syncsBefore;
  const cpu = cpuSeconds(cluster.pids()) - before;
  return {
    perSecond: result.calls / result.seconds,
    perCpuSecond: result.calls / cpu,
    p50: percentile(result.latencies, 0.5),
    p99: percentile(result.latencies, 0.99),
    syncsPerCall: syncs / result.calls,
    errors: result.errors,
  };
}

/** The one with more per second. */
export function better(a: Measured | undefined, b: Measured): Measured {
  return a === undefined || b.perSecond > a.perSecond ? b : a;
}
