/** The HTTP port of a node: a server that listens, answers, and hangs up when told. */

import http, { type IncomingMessage, type Server, type ServerResponse } from "node:http";
import https from "node:https";
import type { AddressInfo } from "node:net";

import { type Address, HostError } from "@quorate/host";

import { hostPort } from "../cluster/ports.ts";
import type { ClientTls } from "../node/service.ts";

export type Handler = (request: IncomingMessage, response: ServerResponse) => void;

export interface HttpPortOptions {
  readonly handler: Handler;
  readonly tls: ClientTls | undefined;
}

const LIMITS = {
  headersTimeout: 5000,
  requestTimeout: 10_000,
  keepAliveTimeout: 10_000,
  maxHeaderSize: 16 << 10,
};

export class HttpPort {
  private readonly server: Server;

  constructor({ handler, tls }: HttpPortOptions) {
    if (tls === undefined) this.server = http.createServer(LIMITS, handler);
    else {
      const { cert, key, ca, requireClientCertificate } = tls;
      const trust = ca === undefined ? {} : { ca };
      // Asked of everybody who may show one: operations need it, where reading does not.
      const asks = { requestCert: ca !== undefined, rejectUnauthorized: requireClientCertificate };
      this.server = https.createServer({ ...LIMITS, cert, key, ...trust, ...asks }, handler);
    }
  }

  /** @throws HostError if the address is taken. */
  async listen({ host, port }: Address): Promise<Address> {
    await new Promise<void>((resolve, reject) => {
      this.server.once("error", (error: NodeJS.ErrnoException) => {
        const reason = error.code === "EADDRINUSE" ? "the port is in use" : error.message;
        reject(new HostError({ code: "listen", address: hostPort(host, port), reason }));
      });
      this.server.listen(port, host, resolve);
    });
    // A server that listens on a host and a port has such an address.
    return { host, port: (this.server.address() as AddressInfo).port };
  }

  async close(): Promise<void> {
    if (!this.server.listening) return;
    await new Promise<void>((resolve) => {
      this.server.close(() => resolve());
      this.server.closeAllConnections();
    });
  }
}
