/**
 * The etcd gateway of one node: etcd's gRPC services over a replicated store.
 * Holds connections, framing and flow control, and no truth.
 */

import { type TlsOptions } from "node:tls";

import { type CallObserver, GrpcServer, Health, HealthService } from "@quorate/grpc";
import { type Address, type Group, type Node } from "@quorate/host";
import { isTlsHello } from "@quorate/host/tls";
import { type NodeId } from "@quorate/kernel";

import { type EtcdResult } from "../store/results.ts";
import { type EtcdStore } from "../store/store.ts";
import { CallCounts } from "./call-counts.ts";
import { systemClock } from "./clock.ts";
import { changeGroup, type ChangeMembers, ClusterService } from "./cluster.ts";
import { Executor } from "./executor.ts";
import { Headers } from "./headers.ts";
import { HttpService } from "./http.ts";
import { KvService } from "./kv.ts";
import { LeaderGate } from "./leader-gate.ts";
import { LeaseService } from "./leases.ts";
import { Lessor } from "./lessor.ts";
import { MaintenanceService } from "./maintenance.ts";
import { type MemberUrls, Roster } from "./members.ts";
import { GatewayMetrics } from "./metrics.ts";
import { Quota } from "./quota.ts";
import { WatchService } from "./watch.ts";

export interface EtcdServerOptions {
  readonly node: Node;
  readonly group: Group<EtcdResult>;
  readonly store: EtcdStore;
  /** Where the founders of the cluster served clients and peers when they founded it. */
  readonly members: ReadonlyMap<NodeId, MemberUrls>;
  /**
   * Where a member serves whose address in the log is `HOST:PORT`; undefined if none can be
   * there. By default all that is known is the peer URL.
   */
  readonly urlsAt?: (address: string) => MemberUrls | undefined;
  /** How the members are changed. By default this group's are, and nothing else looked at. */
  readonly change?: ChangeMembers;
  /** Tells clusters with the same members apart. */
  readonly clusterToken?: string;
  /** How long a call may wait for the cluster. Default 7 s, like etcd with its default election timeout. */
  readonly requestTimeoutMs?: number;
  /**
   * How long streams of clients that want a leader outlive it, up to a third
   * longer. Default 3 s, like etcd with its default election timeout.
   */
  readonly leaderlessMs?: number;
  /** The largest request in bytes. Default 1.5 MiB, like etcd. */
  readonly requestBytes?: number;
  /** Bytes of keys, values and history beyond which writes are refused. Default 2 GiB, like etcd. */
  readonly quotaBytes?: number;
  /** How often idle watchers that want it hear of the revision. Default 10 minutes. */
  readonly progressMs?: number;
  /** Watchers that one stream may have. Default 100,000. */
  readonly watchersPerStream?: number;
  readonly observer?: CallObserver;
}

/** What a message may have beyond the request it carries, as in etcd. */
const MESSAGE_OVERHEAD = 512 << 10;
const STOPPED = "etcdserver: server stopped";

export class EtcdServer {
  private readonly server: GrpcServer;
  private readonly gate: LeaderGate;
  private readonly executor: Executor;
  private readonly lessor: Lessor;
  private readonly health: HealthService;
  private readonly watches: WatchService;
  private readonly metrics: GatewayMetrics;
  private readonly http: HttpService;
  private readonly stopListening: () => void;

  constructor(options: EtcdServerOptions) {
    const { node, group, store } = options;
    const requestBytes = options.requestBytes ?? 3 << 19;
    const counts = new CallCounts(options.observer);
    this.http = new HttpService(group, node.metrics.registry);
    this.server = new GrpcServer({
      maxMessageBytes: requestBytes + MESSAGE_OVERHEAD,
      endOfTurn: (flush) => node.turn.atEnd(flush),
      onHttp1: (socket, first) => {
        if (isTlsHello(first)) node.complaints.onStrayTls(socket);
        this.http.accept(socket, first);
      },
      onTlsServer: (server) => node.complaints.watch(server),
      onError: (error) => node.logger.error({ err: error }, "a call failed"),
      observer: counts,
    });
    const hasLeader = (): boolean => group.log.leader !== undefined;
    const leaderlessMs = options.leaderlessMs ?? 3000;
    this.gate = new LeaderGate(this.server, hasLeader, leaderlessMs / 3, systemClock);
    const token = options.clusterToken ?? "quorate";
    const { members: founders, urlsAt = peerUrlAt } = options;
    const roster = new Roster({ self: node.name, founders, token, group, urlsAt });
    const headers = new Headers(roster, () => group.log.term);
    const timeoutMs = options.requestTimeoutMs ?? 7000;
    this.executor = new Executor(group, { timeoutMs, requestBytes }, systemClock);
    this.lessor = new Lessor(store, group, systemClock);
    const watchLimits = {
      fragmentBytes: requestBytes + MESSAGE_OVERHEAD,
      progressMs: options.progressMs ?? 600_000,
      watchersPerStream: options.watchersPerStream ?? 100_000,
    };
    this.watches = new WatchService(store, headers, watchLimits, systemClock);
    const quota = new Quota(store, options.quotaBytes ?? 2 ** 31);
    const { executor, lessor } = this;
    new KvService(store, executor, headers, quota).register(this.gate);
    new LeaseService(store, lessor, executor, headers, quota).register(this.gate);
    new MaintenanceService(store, group, roster, executor, headers, quota).register(this.gate);
    const change = options.change ?? changeGroup(group);
    const cluster = { roster, change, urlsAt, token, store, executor, headers };
    new ClusterService(cluster).register(this.gate);
    this.watches.register(this.gate);
    this.health = new HealthService(this.server);
    this.metrics = this.observe(node, group, store, counts, quota);
    this.stopListening = group.listen((output) => {
      if (output.type !== "role") this.watches.hub.advance();
    });
  }

  /** Calls that wait for the cluster, and watchers. */
  get load(): { readonly pending: number; readonly watchers: number } {
    return { pending: this.executor.pending.size, watchers: this.watches.hub.size };
  }

  /** Bytes of messages from and to clients. */
  get traffic(): { readonly received: number; readonly sent: number } {
    return { received: this.server.receivedBytes, sent: this.server.sentBytes };
  }

  /** @throws Error with the address, if it is taken. */
  async listen(address: Address, tls?: TlsOptions): Promise<Address> {
    const { host, port } = address;
    const bound =
      tls === undefined
        ? await this.server.listen(port, host)
        : await this.server.listenTls(tls, port, host);
    return { host, port: bound.port };
  }

  /** Refuses new calls, lets the running ones finish for `graceMs`, then closes. */
  async close(graceMs: number): Promise<void> {
    this.health.set("", Health.notServing);
    this.stopListening();
    this.watches.close(STOPPED);
    this.gate.close();
    this.lessor.close();
    const closed = this.server.close(graceMs);
    this.executor.close();
    await closed;
    this.http.close();
    this.metrics.close();
  }

  private observe(
    node: Node,
    group: Group<EtcdResult>,
    store: EtcdStore,
    counts: CallCounts,
    quota: Quota,
  ): GatewayMetrics {
    const { executor, watches } = this;
    return new GatewayMetrics(node.metrics.registry, {
      group,
      store,
      counts,
      quota,
      pending: () => executor.pending.size,
      watching: () => {
        const { size: watchers, slow } = watches.hub;
        return { watchers, slow, streams: watches.size };
      },
      traffic: () => this.traffic,
    });
  }
}

function peerUrlAt(address: string): MemberUrls {
  return { peerUrls: [`http://${address}`], clientUrls: [] };
}
