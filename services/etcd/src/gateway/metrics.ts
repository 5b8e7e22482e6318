/**
 * Prometheus metrics of the gateway, under the names that etcd's dashboards and
 * alerts use. All are read when they are scraped.
 */

import { type Group } from "@quorate/host";
import { Counter, Gauge, type Registry } from "prom-client";

import { type EtcdResult } from "../store/results.ts";
import { type EtcdStore } from "../store/store.ts";
import { type CallCounts, CODE_NAMES } from "./call-counts.ts";
import { type Quota } from "./quota.ts";

export interface MetricSources {
  readonly group: Group<EtcdResult>;
  readonly store: EtcdStore;
  readonly counts: CallCounts;
  readonly quota: Quota;
  /** Calls that wait for the cluster. */
  readonly pending: () => number;
  /** Watchers, those of them that are behind, and the streams that carry them. */
  readonly watching: () => {
    readonly watchers: number;
    readonly slow: number;
    readonly streams: number;
  };
  /** Bytes of messages from and to clients. */
  readonly traffic: () => { readonly received: number; readonly sent: number };
}

const CALL_LABELS = ["grpc_type", "grpc_service", "grpc_method"] as const;

export class GatewayMetrics {
  private readonly registry: Registry;
  private readonly names: string[] = [];
  private readonly stopListening: () => void;
  private leaderChanges = 0;
  private leader: string | undefined;

  constructor(registry: Registry, sources: MetricSources) {
    this.registry = registry;
    this.stopListening = sources.group.listen((output) => {
      if (output.type !== "role") return;
      if (output.leader !== undefined && output.leader !== this.leader) this.leaderChanges++;
      this.leader = output.leader;
    });
    this.observeGroup(sources);
    this.observeStore(sources);
    this.observeClients(sources);
    this.observeCalls(sources.counts);
  }

  /** Takes the metrics out of the registry. */
  close(): void {
    this.stopListening();
    for (const name of this.names) this.registry.removeSingleMetric(name);
  }

  private observeGroup({ group, pending }: MetricSources): void {
    this.gauge("etcd_server_has_leader", "Whether this member knows a leader.", () =>
      group.log.leader === undefined ? 0 : 1,
    );
    this.gauge("etcd_server_is_leader", "Whether this member is the leader.", () =>
      group.isLeader ? 1 : 0,
    );
    this.counter(
      "etcd_server_leader_changes_seen_total",
      "Leaders this member has met.",
      () => this.leaderChanges,
    );
    this.gauge(
      "etcd_server_proposals_committed_total",
      "The last committed entry.",
      () => group.log.commitIndex,
    );
    this.gauge(
      "etcd_server_proposals_applied_total",
      "The last applied entry.",
      () => group.appliedIndex,
    );
    this.gauge("etcd_server_proposals_pending", "Calls that wait for the cluster.", pending);
  }

  private observeStore({ store, quota }: MetricSources): void {
    this.gauge(
      "etcd_server_quota_backend_bytes",
      "What the store may take before writes are refused.",
      () => quota.bytes,
    );
    this.gauge(
      "etcd_mvcc_db_total_size_in_bytes",
      "Memory for all versions of all keys, an estimate.",
      () => store.sizes().total,
    );
    this.gauge(
      "etcd_mvcc_db_total_size_in_use_in_bytes",
      "Bytes of the keys that exist now and their values.",
      () => store.sizes().live,
    );
    this.gauge("etcd_debugging_mvcc_keys_total", "Keys that exist.", () => store.sizes().keys);
    this.gauge(
      "etcd_debugging_mvcc_current_revision",
      "The present revision.",
      () => store.revision,
    );
    this.gauge(
      "etcd_debugging_mvcc_compact_revision",
      "The last compacted revision.",
      () => store.compactRevision,
    );
    this.gauge("quorate_etcd_leases", "Leases that exist.", () => store.sizes().leases);
  }

  private observeClients({ watching, traffic }: MetricSources): void {
    this.gauge("etcd_debugging_mvcc_watcher_total", "Watchers.", () => watching().watchers);
    this.gauge(
      "etcd_debugging_mvcc_slow_watcher_total",
      "Watchers that are behind.",
      () => watching().slow,
    );
    this.gauge(
      "etcd_debugging_mvcc_watch_stream_total",
      "Streams of watchers.",
      () => watching().streams,
    );
    this.counter(
      "etcd_network_client_grpc_received_bytes_total",
      "Bytes of messages from clients.",
      () => traffic().received,
    );
    this.counter(
      "etcd_network_client_grpc_sent_bytes_total",
      "Bytes of messages to clients.",
      () => traffic().sent,
    );
  }

  private observeCalls(counts: CallCounts): void {
    const started: Counter = new Counter({
      name: "grpc_server_started_total",
      help: "Calls begun.",
      labelNames: CALL_LABELS,
      registers: [],
      collect: () => {
        started.reset();
        for (const { type, service, method, started: count } of counts.methods) {
          started.inc({ grpc_type: type, grpc_service: service, grpc_method: method }, count);
        }
      },
    });
    const handled: Counter = new Counter({
      name: "grpc_server_handled_total",
      help: "Calls ended, by status.",
      labelNames: [...CALL_LABELS, "grpc_code"],
      registers: [],
      collect: () => {
        handled.reset();
        for (const { type, service, method, handled: byCode } of counts.methods) {
          for (const [code, count] of byCode.entries()) {
            if (count === 0) continue;
            const labels = { grpc_type: type, grpc_service: service, grpc_method: method };
            handled.inc({ ...labels, grpc_code: CODE_NAMES[code]! }, count);
          }
        }
      },
    });
    this.register("grpc_server_started_total", started);
    this.register("grpc_server_handled_total", handled);
  }

  private gauge(name: string, help: string, read: () => number): void {
    const collect = (): void => gauge.set(read());
    const gauge: Gauge = new Gauge({ name, help, registers: [], collect });
    this.register(name, gauge);
  }

  private counter(name: string, help: string, read: () => number): void {
    const collect = (): void => {
      counter.reset();
      counter.inc(read());
    };
    const counter: Counter = new Counter({ name, help, registers: [], collect });
    this.register(name, counter);
  }

  private register(name: string, metric: Counter | Gauge): void {
    this.registry.registerMetric(metric);
    this.names.push(name);
  }
}
