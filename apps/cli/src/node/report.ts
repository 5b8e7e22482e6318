/** What this node says of itself: at `/health` and `/status`. */

import type { Node } from "@quorate/host";

import type { Member } from "../cluster/members.ts";
import type { ClusterMembers } from "../members/cluster-members.ts";
import type { CompleteSettings } from "../settings/node-settings.ts";
import { hostPort, HTTP_OFFSET, PEER_OFFSET } from "../cluster/ports.ts";
import type { GroupReport, MemberReport, NodeReport } from "../cluster/report.ts";
import { version } from "../version.ts";
import { portsOf, type ServiceRow } from "./catalogue.ts";
import type { PreparedService } from "./service.ts";

export type Phase = "starting" | "serving" | "stopping" | "failed";

/** Counters of the node's metrics that the status repeats, so that rates can be had from it. */
const COUNTERS = {
  logRecords: "quorate_log_records_total",
  logBytes: "quorate_log_bytes_total",
  logSyncs: "quorate_log_syncs_total",
  peerMessages: "quorate_peers_received_messages_total",
  peerBytes: "quorate_peers_received_bytes_total",
} as const;

export class Reporter {
  phase: Phase = "starting";
  private readonly node: Node;
  private readonly settings: Pick<CompleteSettings, "clusterToken" | "founders">;
  private readonly members: Pick<ClusterMembers, "list">;
  private readonly rows: readonly ServiceRow[];
  private readonly services: ReadonlyMap<string, PreparedService>;
  private readonly startedMs = performance.now();

  constructor(
    node: Node,
    settings: Pick<CompleteSettings, "clusterToken" | "founders">,
    members: Pick<ClusterMembers, "list">,
    rows: readonly ServiceRow[],
    services: ReadonlyMap<string, PreparedService>,
  ) {
    this.node = node;
    this.settings = settings;
    this.members = members;
    this.rows = rows;
    this.services = services;
  }

  /** Why the node does not serve; "" if it does. */
  get reason(): string {
    if (this.phase !== "serving") return `the node is ${this.phase}`;
    const { groups, name } = this.node;
    const foreign = groups.find(({ members }) => members.every(({ node }) => node !== name));
    if (foreign !== undefined) return `the node has yet to be added to ${foreign.name}`;
    const lost = groups.find((group) => group.status().leader === undefined);
    return lost === undefined ? "" : `${lost.name} has no leader`;
  }

  async report(): Promise<NodeReport> {
    const { node, settings, members, rows, reason } = this;
    return {
      name: node.name,
      version: version(),
      clusterId: node.clusterId,
      clusterToken: settings.clusterToken,
      founders: settings.founders.map(({ name, host, portBase }) => {
        return { name, peer: hostPort(host, portBase + PEER_OFFSET) };
      }),
      removed: [...new Set(node.groups.flatMap(({ log }) => log.configuration.removed))],
      pid: process.pid,
      healthy: reason === "",
      reason,
      uptimeMs: Math.round(performance.now() - this.startedMs),
      members: members.list().map((member) => memberReport(member, rows)),
      peers: Object.fromEntries(node.peers),
      groups: this.groups(),
      gossip: this.gossip(),
      counters: await this.counters(),
    };
  }

  private groups(): readonly GroupReport[] {
    return this.node.groups.map((group) => {
      const status = group.status();
      const figures = this.services.get(status.name)?.figures() ?? {};
      const { promotable } = group.log.configuration;
      return { ...status, promotable, leader: status.leader ?? null, figures };
    });
  }

  /** How the others are, as gossip has it. */
  private gossip(): Readonly<Record<string, string>> {
    const told = [...this.services.values()].map(({ membership }) => membership?.() ?? {});
    return Object.assign({}, ...told) as Readonly<Record<string, string>>;
  }

  private async counters(): Promise<Readonly<Record<string, number>>> {
    const { registry } = this.node.metrics;
    const counters: Record<string, number> = { residentBytes: process.memoryUsage.rss() };
    for (const [name, metric] of Object.entries(COUNTERS)) {
      // Registered when the node opens its log and its transport.
      const values = (await registry.getSingleMetric(metric)?.get())?.values ?? [];
      counters[name] = values.reduce((sum, { value }) => sum + value, 0);
    }
    return counters;
  }
}

/** Where a member listens, by the convention of port blocks. */
function memberReport({ name, host, portBase }: Member, rows: readonly ServiceRow[]): MemberReport {
  const at = (offset: number): string => hostPort(host, portBase + offset);
  const ports = portsOf(rows).map((port) => [port.name, at(port.portOffset)]);
  const services = Object.fromEntries(ports);
  return { name, peer: at(PEER_OFFSET), http: at(HTTP_OFFSET), services };
}
