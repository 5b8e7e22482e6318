/**
 * HTTP/1.1 on the clients' port, as etcd has it: health, version and metrics.
 * The JSON gateway is yet to come.
 */

import {
  createServer,
  type IncomingMessage,
  type OutgoingHttpHeaders,
  type ServerResponse,
} from "node:http";
import { type Socket } from "node:net";

import { type Group } from "@quorate/host";
import { type Registry } from "prom-client";

import { type EtcdResult } from "../store/results.ts";
import { ETCD_VERSION } from "./maintenance.ts";

/** Connections on which nothing happens are closed after this. */
const IDLE_MS = 60_000;
/** How long the cluster may take to show that it is healthy. */
const HEALTH_MS = 1000;

export class HttpService {
  private readonly group: Group<EtcdResult>;
  private readonly registry: Registry;
  private readonly server = createServer((request, response) => {
    this.onRequest(request, response).catch(() => response.destroy());
  });

  constructor(group: Group<EtcdResult>, registry: Registry) {
    this.group = group;
    this.registry = registry;
    this.server.setTimeout(IDLE_MS);
  }

  /** Takes over a connection from which `first` has been read. */
  accept(socket: Socket, first: Buffer): void {
    if (first.length > 0) socket.unshift(first);
    this.server.emit("connection", socket);
    socket.resume();
  }

  close(): void {
    this.server.close();
  }

  private async onRequest(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const [pathname = "", query] = (request.url ?? "").split("?", 2);
    const answer = (
      status: number,
      type: string,
      body: string,
      headers: OutgoingHttpHeaders = {},
    ): void => {
      response.writeHead(status, { "content-type": type, ...headers }).end(body);
    };
    if (!["/health", "/version", "/metrics"].includes(pathname)) {
      return answer(404, "text/plain; charset=utf-8", "404 page not found\n");
    }
    if (request.method !== "GET") {
      const allow = { allow: "GET" };
      return answer(405, "text/plain; charset=utf-8", "Method Not Allowed\n", allow);
    }
    if (pathname === "/version") {
      const versions = { etcdserver: ETCD_VERSION, etcdcluster: ETCD_VERSION };
      return answer(200, "application/json", JSON.stringify(versions));
    }
    if (pathname === "/metrics") {
      return answer(200, this.registry.contentType, await this.registry.metrics());
    }
    const reason = await this.illness(new URLSearchParams(query).get("serializable") === "true");
    const health = { health: String(reason === ""), reason };
    answer(reason === "" ? 200 : 503, "application/json", JSON.stringify(health));
  }

  /** Why this member cannot serve, or "". A serializable check asks it alone. */
  private async illness(serializable: boolean): Promise<string> {
    if (this.group.log.leader === undefined) return "RAFT NO LEADER";
    if (serializable) return "";
    try {
      await this.group.read("linearizable", HEALTH_MS);
      return "";
    } catch {
      return "QGET ERROR:etcdserver: request timed out";
    }
  }
}
