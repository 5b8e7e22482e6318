/**
 * Prometheus metrics of a node. Hot paths count in plain fields; the registry
 * reads them when it is scraped.
 */

import type { Wal } from "@quorate/storage";
import { collectDefaultMetrics, Counter, Gauge, Histogram, Registry } from "prom-client";

import type { Group } from "./group.ts";
import type { Transport } from "./transport/transport.ts";

export class NodeMetrics {
  readonly registry: Registry = new Registry();
  readonly syncSeconds: Histogram;
  private readonly notes: Counter<"group" | "type">;

  constructor() {
    const { registry } = this;
    collectDefaultMetrics({ register: registry });
    this.syncSeconds = new Histogram({
      name: "quorate_log_sync_duration_seconds",
      help: "Time to make one batch of the write-ahead log durable.",
      buckets: [0.0001, 0.0002, 0.0005, 0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.5, 1, 5],
      registers: [registry],
    });
    this.notes = new Counter({
      name: "quorate_events_total",
      help: "Notable events of the protocols: elections, snapshots, truncations.",
      labelNames: ["group", "type"],
      registers: [registry],
    });
  }

  /** Counts a protocol's note. */
  noted(group: string, type: string): void {
    this.notes.inc({ group, type });
  }

  observeLog(log: Wal): void {
    const { statistics } = log;
    const counters = [
      ["records", "quorate_log_records_total", "Records made durable."],
      ["bytes", "quorate_log_bytes_total", "Bytes of records made durable."],
      ["syncs", "quorate_log_syncs_total", "Durable writes of the log."],
      ["checkpoints", "quorate_log_checkpoints_total", "Checkpoints completed."],
      ["checkpointBytes", "quorate_log_checkpoint_bytes_total", "Bytes written to checkpoints."],
    ] as const;
    for (const [field, name, help] of counters)
      this.counter(name, help, (add) => add(statistics[field]));
  }

  observeTransport(transport: Transport): void {
    this.gauge("quorate_peer_up", "Whether this node can send to a peer.", "peer", (set) => {
      for (const [peer, link] of transport.links) set(peer, link.isUp ? 1 : 0);
    });
    const counters = [
      ["sentBytes", "quorate_peer_sent_bytes_total", "Bytes sent to a peer."],
      ["sentMessages", "quorate_peer_sent_messages_total", "Messages sent to a peer."],
      [
        "droppedMessages",
        "quorate_peer_dropped_messages_total",
        "Messages dropped because a peer was gone or slow.",
      ],
    ] as const;
    for (const [field, name, help] of counters) {
      this.counter(
        name,
        help,
        (add) => {
          for (const [peer, link] of transport.links) add(link[field], { peer });
        },
        ["peer"],
      );
    }
    this.counter("quorate_peers_received_messages_total", "Messages from all peers.", (add) => {
      add(transport.receivedMessages);
    });
    this.counter("quorate_peers_received_bytes_total", "Bytes from all peers.", (add) => {
      add(transport.receivedBytes);
    });
  }

  observeGroups(groups: () => readonly Group<unknown>[]): void {
    const gauges = [
      ["quorate_group_is_leader", "Whether this node leads the group.", "isLeader"],
      ["quorate_group_has_leader", "Whether this node knows the group's leader.", "hasLeader"],
      ["quorate_group_term", "The group's term.", "term"],
      ["quorate_group_commit_index", "The last committed entry.", "commitIndex"],
      ["quorate_group_applied_index", "The last entry the state machine has seen.", "appliedIndex"],
      [
        "quorate_group_generation",
        "How many engines the group's log has been on, the present one included.",
        "generation",
      ],
    ] as const;
    for (const [name, help, field] of gauges) {
      this.gauge(name, help, "group", (set) => {
        for (const group of groups()) {
          const status = group.status();
          const values = {
            isLeader: status.role === "leader" ? 1 : 0,
            hasLeader: status.leader === undefined ? 0 : 1,
            term: status.term,
            commitIndex: status.commitIndex,
            appliedIndex: status.appliedIndex,
            generation: status.generation,
          };
          set(group.name, values[field]);
        }
      });
    }
  }

  /** A gauge with one label, read when it is scraped. */
  private gauge(
    name: string,
    help: string,
    label: string,
    read: (set: (labelValue: string, value: number) => void) => void,
  ): void {
    const gauge: Gauge = new Gauge({
      name,
      help,
      labelNames: [label],
      registers: [],
      collect: () => read((labelValue, value) => gauge.set({ [label]: labelValue }, value)),
    });
    this.registry.registerMetric(gauge);
  }

  /** A counter that something else counts, read when it is scraped. */
  private counter(
    name: string,
    help: string,
    read: (add: (value: number, labels?: Readonly<Record<string, string>>) => void) => void,
    labelNames: readonly string[] = [],
  ): void {
    const counter: Counter = new Counter({
      name,
      help,
      labelNames: [...labelNames],
      registers: [],
      collect: () => {
        counter.reset();
        read((value, labels = {}) => counter.inc(labels, value));
      },
    });
    this.registry.registerMetric(counter);
  }
}
