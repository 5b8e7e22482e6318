/** Prometheus metrics of an agent that runs alone, over HTTP. */

import http from "node:http";
import type { AddressInfo } from "node:net";

import type { Address } from "@quorate/host";
import type { SerfService } from "@quorate/serf";
import { collectDefaultMetrics, Registry } from "prom-client";

import { hostPort } from "../cluster/ports.ts";
import { CliError, reasonOf } from "../errors.ts";

export class MetricsPort {
  private readonly registry = new Registry();
  private readonly server: http.Server;

  constructor(service: SerfService) {
    collectDefaultMetrics({ register: this.registry });
    service.registerMetrics(this.registry);
    this.server = http.createServer((request, response) => {
      const found = request.url === "/metrics";
      response.writeHead(found ? 200 : 404, { "content-type": this.registry.contentType });
      if (found) void this.registry.metrics().then((text) => response.end(text));
      else response.end();
    });
  }

  /** Resolves to where it listens. @throws CliError if it cannot. */
  async listen({ host, port }: Address): Promise<Address> {
    const { server } = this;
    await new Promise<void>((resolve, reject) => {
      server.once("error", (error) => {
        const reason = `cannot serve metrics at ${hostPort(host, port)}: ${reasonOf(error)}`;
        reject(new CliError({ code: "settings", reason }));
      });
      server.listen({ host, port }, resolve);
    });
    // What a server listens on by host and port has an address of this kind.
    return { host, port: (server.address() as AddressInfo).port };
  }

  close(): void {
    this.server.close();
    this.server.closeAllConnections();
  }
}
