/** An agent's Prometheus metrics. Counted in plain fields, read when scraped. */

import { Counter, Gauge, type Registry } from "prom-client";

import type { Agent } from "./agent/agent.ts";

/** What the parts around an agent count. */
interface Surroundings {
  readonly clients: number;
  readonly droppedEvents: number;
}

export function registerMetrics(
  registry: Registry,
  agent: Agent,
  surroundings: () => Surroundings,
): void {
  const { counters } = agent;
  const counted = [
    ["packetsReceived", "packets_received_total", "Datagrams received."],
    ["packetBytesReceived", "packet_bytes_received_total", "Bytes of datagrams received."],
    ["packetsSent", "packets_sent_total", "Datagrams sent."],
    ["packetBytesSent", "packet_bytes_sent_total", "Bytes of datagrams sent."],
    ["packetsDropped", "packets_dropped_total", "Datagrams that the system would not send."],
    ["streamsAccepted", "streams_accepted_total", "Streams accepted."],
    ["streamsOpened", "streams_opened_total", "Streams opened."],
    ["streamBytesReceived", "stream_bytes_received_total", "Bytes received over streams."],
    ["streamBytesSent", "stream_bytes_sent_total", "Bytes sent over streams."],
  ] as const;
  for (const [field, name, help] of counted) {
    counter(registry, name, help, undefined, (set) => set("", counters[field]));
  }
  counter(
    registry,
    "packet_faults_total",
    "Damaged datagrams, by what was wrong.",
    "fault",
    (set) => {
      for (const [fault, count] of Object.entries(counters.packetFaults)) set(fault, count);
    },
  );
  counter(
    registry,
    "stream_faults_total",
    "Failed streams, by what went wrong.",
    "fault",
    (set) => {
      for (const [fault, count] of Object.entries(counters.streamFaults)) set(fault, count);
    },
  );
  counter(registry, "events_total", "Notable events of the protocol.", "type", (set) => {
    for (const [type, count] of agent.noteCounts) set(type, count);
  });
  counter(
    registry,
    "handler_events_dropped_total",
    "Events that handlers were too slow for.",
    undefined,
    (set) => {
      set("", surroundings().droppedEvents);
    },
  );
  gauge(registry, "rpc_clients", "Clients of the RPC port.", undefined, (set) =>
    set("", surroundings().clients),
  );
  gauge(registry, "figure", "Figures of the agent, as serf info shows them.", "name", (set) => {
    for (const [name, value] of Object.entries(agent.figures())) set(name, value);
  });
}

type Set = (label: string, value: number) => void;

function gauge(
  registry: Registry,
  name: string,
  help: string,
  label: string | undefined,
  read: (set: Set) => void,
): void {
  const metric: Gauge = new Gauge({
    name: `quorate_gossip_${name}`,
    help,
    labelNames: label === undefined ? [] : [label],
    registers: [registry],
    collect: () =>
      read((value, to) => metric.set(label === undefined ? {} : { [label]: value }, to)),
  });
}

function counter(
  registry: Registry,
  name: string,
  help: string,
  label: string | undefined,
  read: (set: Set) => void,
): void {
  const metric: Counter = new Counter({
    name: `quorate_gossip_${name}`,
    help,
    labelNames: label === undefined ? [] : [label],
    registers: [registry],
    collect: () => {
      metric.reset();
      read((value, by) => metric.inc(label === undefined ? {} : { [label]: value }, by));
    },
  });
}
