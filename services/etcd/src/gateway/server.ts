/**
 * The etcd gateway of one node: etcd's gRPC services over a replicated store.
 * Holds connections, framing and flow control, and no truth.
 */

import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import { type Socket } from "node:net";
import { type TlsOptions } from "node:tls";

import { type CallObserver, GrpcServer, Health, HealthService } from "@quorate/grpc";
import { type Address, type Group, type Node } from "@quorate/host";
import { type NodeId } from "@quorate/kernel";

import { type EtcdResult } from "../store/results.ts";
import { type EtcdStore } from "../store/store.ts";
import { registerCluster } from "./cluster.ts";
import { Executor } from "./executor.ts";
import { Headers } from "./headers.ts";
import { KvService } from "./kv.ts";
import { LeaseService } from "./leases.ts";
import { Lessor } from "./lessor.ts";
import { ETCD_VERSION, MaintenanceService } from "./maintenance.ts";
import { membership, type MemberUrls } from "./members.ts";
import { WatchService } from "./watch.ts";
import { WatchHub } from "./watch-hub.ts";

export interface EtcdServerOptions {
  readonly node: Node;
  readonly group: Group<EtcdResult>;
  readonly store: EtcdStore;
  /** Where every member serves clients and peers, this one included. */
  readonly members: ReadonlyMap<NodeId, MemberUrls>;
  /** Tells clusters with the same members apart. */
  readonly clusterToken?: string;
  /** How long a call may wait for the cluster. Default 7 s, like etcd with its default election timeout. */
  readonly requestTimeoutMs?: number;
  /** The largest request in bytes. Default 1.5 MiB, like etcd. */
  readonly requestBytes?: number;
  /** How often idle watchers that want it hear of the revision. Default 10 minutes. */
  readonly progressMs?: number;
  readonly observer?: CallObserver;
}

/** What a message may have beyond the request it carries, as in etcd. */
const MESSAGE_OVERHEAD = 512 << 10;

export class EtcdServer {
  private readonly server: GrpcServer;
  private readonly executor: Executor;
  private readonly lessor: Lessor;
  private readonly health: HealthService;
  private readonly hub: WatchHub;
  private readonly watches: WatchService;
  private readonly stopListening: () => void;
  private readonly http = createServer((request, response) => this.onHttp(request, response));
  private readonly group: Group<EtcdResult>;

  constructor(options: EtcdServerOptions) {
    const { node, group, store } = options;
    const requestBytes = options.requestBytes ?? 3 << 19;
    this.group = group;
    this.server = new GrpcServer({
      maxMessageBytes: requestBytes + MESSAGE_OVERHEAD,
      endOfTurn: (flush) => node.turn.atEnd(flush),
      onHttp1: (socket, first) => this.onHttp1(socket, first),
      onError: (error) => node.logger.error({ err: error }, "a call failed"),
      ...(options.observer === undefined ? {} : { observer: options.observer }),
    });
    const known = membership(node.name, options.members, options.clusterToken ?? "quorate");
    const headers = new Headers(known, () => group.log.term);
    this.executor = new Executor(group, options.requestTimeoutMs ?? 7000);
    this.lessor = new Lessor(store, group);
    this.hub = new WatchHub(store);
    this.watches = new WatchService({
      store,
      hub: this.hub,
      headers,
      fragmentBytes: requestBytes + MESSAGE_OVERHEAD,
      progressMs: options.progressMs ?? 600_000,
    });
    new KvService(store, this.executor, headers).register(this.server);
    new LeaseService(store, this.lessor, this.executor, headers).register(this.server);
    new MaintenanceService(store, group, known, this.executor, headers).register(this.server);
    registerCluster(this.server, known, store, this.executor, headers);
    this.server.stream("/etcdserverpb.Watch/Watch", (call) => this.watches.open(call));
    this.health = new HealthService(this.server);
    this.stopListening = group.listen((output) => {
      if (output.type === "role") return;
      this.hub.advance();
      this.watches.afterAdvance();
    });
  }

  /** Calls that wait for the cluster, and open watch streams. */
  get load(): { readonly pending: number; readonly watchers: number } {
    return { pending: this.executor.pending.size, watchers: this.hub.size };
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
    this.watches.close();
    this.lessor.close();
    const closed = this.server.close(graceMs);
    this.executor.close();
    await closed;
    this.hub.close();
    this.http.close();
  }

  /** HTTP/1.1 on the same port, as etcd has it: health and version; the JSON gateway is yet to come. */
  private onHttp1(socket: Socket, first: Buffer): void {
    socket.unshift(first);
    this.http.emit("connection", socket);
    socket.resume();
  }

  private onHttp(request: IncomingMessage, response: ServerResponse): void {
    const answer = (status: number, body: object): void => {
      response.writeHead(status, { "content-type": "application/json" });
      response.end(`${JSON.stringify(body)}\n`);
    };
    if (request.url === "/version") {
      return answer(200, { etcdserver: ETCD_VERSION, etcdcluster: ETCD_VERSION });
    }
    if (request.url === "/health") {
      const healthy = this.group.log.leader !== undefined;
      const reason = healthy ? "" : "RAFT NO LEADER";
      return answer(healthy ? 200 : 503, { health: String(healthy), reason });
    }
    answer(404, {
      error: `no such page: ${request.url ?? ""}; gRPC and /health, /version are here`,
    });
  }
}
