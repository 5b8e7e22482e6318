/**
 * One node, composed: the host's node, the services on it and the HTTP port,
 * started in the order that finds out early what cannot work, and stopped in
 * the order that lets running calls end.
 */

import { type Address, createLogger, HostError, type Logger, Node } from "@quorate/host";

import { type AskTls } from "../cluster/ask.ts";
import { consensusOperations } from "../consensus/operations.ts";
import { addressInUse, hostPort, HTTP_OFFSET, PEER_OFFSET } from "../cluster/ports.ts";
import { reasonOf } from "../errors.ts";
import { ClusterView } from "../http/cluster-view.ts";
import { HttpPort } from "../http/http-port.ts";
import { Operations } from "../http/operations.ts";
import { ClusterMembers } from "../members/cluster-members.ts";
import { memberOperations } from "../members/operations.ts";
import { routes } from "../http/routes.ts";
import { type CompleteSettings } from "../settings/node-settings.ts";
import { engineOf, portsOf, rowsOf, type ServiceRow } from "./catalogue.ts";
import { Reporter } from "./report.ts";
import { type ClientTls, type PreparedService } from "./service.ts";

/** Which node leads a group, as this node knows it. */
export interface Leadership {
  readonly group: string;
  readonly leader: string | null;
  readonly term: number;
}

export interface RunningNodeOptions {
  readonly settings: CompleteSettings;
  readonly onLeader: (leadership: Leadership) => void;
  /** The node stopped itself, and why. */
  readonly onFatal: (error: unknown) => void;
}

/** How long the running calls of a service have, unless the one who stops the node is in a hurry. */
const CALLS_MS = 500;
const HTTP_TIMEOUT_MS = 700;

export class RunningNode {
  private readonly options: RunningNodeOptions;
  private readonly logger: Logger;
  private readonly node: Node;
  private readonly members: ClusterMembers;
  private readonly rows: readonly ServiceRow[];
  private readonly services = new Map<string, PreparedService>();
  private readonly addresses: Record<string, string> = {};
  private reporter: Reporter | undefined;
  private http: HttpPort | undefined;

  constructor(options: RunningNodeOptions) {
    const { settings } = options;
    const { name, cluster, host, portBase } = settings;
    this.options = options;
    this.rows = rowsOf(settings.services);
    this.logger = createLogger(name, settings.logLevel);
    this.node = new Node({
      name,
      members: new Map(
        cluster.map((member) => [
          member.name,
          { host: member.host, port: member.portBase + PEER_OFFSET },
        ]),
      ),
      founders: settings.founders.map((founder) => founder.name),
      listen: { host, port: portBase + PEER_OFFSET },
      clusterToken: settings.clusterToken,
      dataDir: settings.dataDir,
      tls: settings.peerTls,
      logger: this.logger,
      onFatal: (error) => {
        if (this.reporter !== undefined) this.reporter.phase = "failed";
        options.onFatal(error);
      },
    });
    this.members = new ClusterMembers({
      self: name,
      groups: () => this.node.groups,
      told: cluster,
      ask: { timeoutMs: HTTP_TIMEOUT_MS, tls: askTls(settings.clientTls) },
    });
  }

  /**
   * Starts everything and resolves to where it listens: `http`, `peer` and each service.
   * @throws HostError, StorageError, or what a service throws; nothing runs then.
   */
  async start(): Promise<Readonly<Record<string, string>>> {
    const { settings } = this.options;
    for (const row of this.rows) await this.prepare(row);
    const reporter = new Reporter(this.node, settings, this.members, this.rows, this.services);
    this.reporter = reporter;
    try {
      // First, so that the node can say that it starts, and a taken port harms nothing.
      this.note("http", await this.listenHttp(reporter));
      this.note("peer", await this.node.start());
      for (const row of this.rows) {
        const { host } = await this.open(row);
        for (const { name, portOffset } of portsOf([row])) {
          this.note(name, { host, port: settings.portBase + portOffset });
        }
      }
    } catch (error) {
      await this.stop(0);
      throw error;
    }
    reporter.phase = "serving";
    this.watchLeaders();
    return this.addresses;
  }

  /** Hands leadership over within `graceMs`, ends the running calls, stops. Safe to call twice. */
  async stop(graceMs: number): Promise<void> {
    if (this.reporter !== undefined) this.reporter.phase = "stopping";
    const callsMs = Math.min(graceMs, CALLS_MS);
    try {
      await Promise.all([...this.services.values()].map((service) => service.close(callsMs)));
    } finally {
      await this.stopNode(graceMs);
    }
  }

  /** Closes the HTTP port whatever became of the rest: a process that listens does not end. */
  private async stopNode(graceMs: number): Promise<void> {
    try {
      await this.node.stop({ graceMs });
    } finally {
      await this.http?.close();
    }
  }

  private async prepare(row: ServiceRow): Promise<void> {
    const { settings } = this.options;
    const { name, groupId, portOffset } = row;
    const { electionMs, heartbeatMs, checkpointBytes, quotaBytes, host, portBase } = settings;
    const prepare = await row.load();
    const service = prepare({
      node: this.node,
      logger: this.logger.child({ service: name }),
      listen: { host, port: portBase + portOffset },
      tls: settings.clientTls,
      members: settings.cluster,
      founders: settings.founders,
      changeMembers: async (change) => (await this.members.change([change]))?.problem,
      clusterToken: settings.clusterToken,
      group: {
        id: groupId,
        name,
        engine: engineOf(row, settings.consensus) || undefined,
        log: { electionMs, heartbeatMs },
        replica: { checkpointBytes },
      },
      quotaBytes,
      portOffset,
      peersUseTls: settings.peerTls !== undefined,
      gossipKey: settings.gossipKey,
    });
    this.services.set(name, service);
  }

  private async open({ name, portOffset }: ServiceRow): Promise<Address> {
    try {
      return await this.services.get(name)!.listen();
    } catch (error) {
      // Services throw what the system throws; the node's other ports say it in these words.
      const { host, portBase } = this.options.settings;
      // A service may listen in more than one place.
      const taken = addressInUse(error);
      const at = taken ?? { host, port: portBase + portOffset };
      const reason = taken === undefined ? reasonOf(error) : "the port is in use";
      throw new HostError({ code: "listen", address: hostPort(at.host, at.port), reason });
    }
  }

  private async listenHttp(reporter: Reporter): Promise<Address> {
    const { settings } = this.options;
    const { clientTls, insecure } = settings;
    const view = new ClusterView({
      self: settings.name,
      report: () => reporter.report(),
      ask: { timeoutMs: HTTP_TIMEOUT_MS, tls: askTls(clientTls) },
    });
    const own = [...this.services.values()].flatMap((service) => service.operations ?? []);
    const shared =
      this.node.groups.length === 0
        ? []
        : [...memberOperations(this.members), ...consensusOperations(this.node, this.rows)];
    const operations = new Operations([...shared, ...own], {
      checksCertificates: clientTls?.ca !== undefined,
      insecure,
    });
    this.http = new HttpPort({
      handler: routes({ reporter, view, registry: this.node.metrics.registry, operations }),
      tls: clientTls,
      complaints: this.node.complaints,
    });
    return this.http.listen({ host: settings.host, port: settings.portBase + HTTP_OFFSET });
  }

  private note(name: string, { host, port }: Address): void {
    this.addresses[name] = hostPort(host, port);
  }

  private watchLeaders(): void {
    for (const group of this.node.groups) {
      const tell = (): void => {
        const { name, leader, term } = group.status();
        this.options.onLeader({ group: name, leader: leader ?? null, term });
      };
      group.listen((output) => {
        if (output.type === "role") tell();
      });
      tell();
    }
  }
}

/** Nodes trust each other's HTTP ports by the authorities that clients' certificates come from. */
export function askTls(tls: ClientTls | undefined): AskTls | undefined {
  if (tls === undefined) return undefined;
  const { cert, key, ca } = tls;
  return { ca: ca ?? cert, cert, key };
}
