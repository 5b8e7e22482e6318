/**
 * The membership agent on a node: joins those of the other nodes, and whatever
 * `serf` agents join it. A helper, not a foundation: if it stops, the node goes on.
 */

import { lookup } from "node:dns/promises";

import type { Address, LogLevel } from "@quorate/host";
import { agentConfig, Keyring, parseKey, SerfService } from "@quorate/serf";

import type { Member } from "../cluster/members.ts";
import { hostPort, HTTP_OFFSET, isLoopback, SERF_RPC_OFFSET } from "../cluster/ports.ts";
import type { PreparedService, ServiceHost } from "./service.ts";

const RETRY_MS = 1000;
/** Nodes of one site. A farewell must not keep a node from stopping: it takes some 0.4 s so. */
const PROTOCOL = { gossipIntervalMs: 100, leaveBroadcastMs: 200, leavePropagationMs: 30 };
/** And may take this long on a busy machine, before the others are left to find out. */
const FAREWELL_MS = 1000;

/** Makes the agent, which runs once it is told to listen. */
export function prepareSerf(host: ServiceHost): PreparedService {
  const agent = new NodeAgent(host);
  return {
    listen: () => agent.start(),
    close: (graceMs) => agent.stop(graceMs),
    figures: () => agent.service?.agent.figures() ?? {},
    membership: () => agent.membership(),
  };
}

class NodeAgent {
  service: SerfService | undefined;
  private readonly host: ServiceHost;
  private stopped = false;

  constructor(host: ServiceHost) {
    this.host = host;
  }

  async start(): Promise<Address> {
    const { listen, logger, node, members, gossipKey, portOffset } = this.host;
    const own = members.find(({ name }) => name === node.name);
    const told = await addressOf(own?.host ?? listen.host);
    const bind = { host: await addressOf(listen.host), port: listen.port };
    const service = new SerfService({
      config: agentConfig(node.name, {
        bind,
        advertise: { host: told, port: bind.port },
        tags: { role: "quorate", http: hostPort(told, bind.port - portOffset + HTTP_OFFSET) },
        keyring: gossipKey === "" ? undefined : new Keyring([parseKey(gossipKey)]),
        protocol: PROTOCOL,
      }),
      // The protocol of clients has no TLS: never beyond this machine.
      rpc: {
        host: isLoopback(bind.host) ? bind.host : "127.0.0.1",
        port: bind.port - portOffset + SERF_RPC_OFFSET,
      },
      // Pino's name of the level it was made with.
      logLevel: logger.level as LogLevel,
      onStopped: (reason) => {
        logger.error({ reason: reason?.message ?? "a client had it leave" }, "agent stopped");
      },
    });
    await service.start();
    service.registerMetrics(node.metrics.registry);
    this.service = service;
    void this.joinOthers(service);
    return listen;
  }

  /** Until one of the other nodes was met; from then on gossip brings the rest. */
  private async joinOthers(service: SerfService): Promise<void> {
    const { members, node, portOffset } = this.host;
    const others = members
      .filter(({ name }) => name !== node.name)
      .map(({ host, portBase }: Member) => hostPort(host, portBase + portOffset));
    for (let met = others.length === 0; !met && !this.stopped;) {
      met = await service.agent.join(others, false).then(
        () => true,
        () => false,
      );
      if (!met) await new Promise((resolve) => setTimeout(resolve, RETRY_MS).unref());
    }
  }

  async stop(graceMs: number): Promise<void> {
    const { service } = this;
    if (service === undefined || this.stopped) return;
    this.stopped = true;
    if (graceMs > 0) {
      const late = new Promise((resolve) => setTimeout(resolve, FAREWELL_MS).unref());
      await Promise.race([service.leave().catch(() => {}), late]);
    }
    service.stop();
  }

  membership(): Readonly<Record<string, string>> {
    const members = this.service?.agent.members() ?? [];
    return Object.fromEntries(members.map(({ name, status }) => [name, status]));
  }
}

/** Gossip speaks of addresses, not of names. */
async function addressOf(host: string): Promise<string> {
  return (await lookup(host)).address;
}
