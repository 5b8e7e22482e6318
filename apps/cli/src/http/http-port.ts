/** The HTTP port of a node: a server that listens, answers, and hangs up when told. */

import http, { type IncomingMessage, type Server, type ServerResponse } from "node:http";
import https from "node:https";
import type { AddressInfo, Socket } from "node:net";

import { type Address, HostError } from "@quorate/host";
import { type Complaints, isTlsHello } from "@quorate/host/tls";

import { hostPort } from "../cluster/ports.ts";
import type { ClientTls } from "../node/service.ts";

export type Handler = (request: IncomingMessage, response: ServerResponse) => void;

export interface HttpPortOptions {
  readonly handler: Handler;
  readonly tls: ClientTls | undefined;
  /** Hears of those with whom no connection comes about. */
  readonly complaints: Complaints;
}

const LIMITS = {
  headersTimeout: 5000,
  requestTimeout: 10_000,
  keepAliveTimeout: 10_000,
  maxHeaderSize: 16 << 10,
};

/** What is wrong with a request that cannot be read. */
interface ClientError extends Error {
  readonly code: string;
  readonly rawPacket?: Buffer;
}

const STATUSES: Readonly<Record<string, string>> = {
  HPE_HEADER_OVERFLOW: "431 Request Header Fields Too Large",
  ERR_HTTP_REQUEST_TIMEOUT: "408 Request Timeout",
};

export class HttpPort {
  private readonly server: Server;

  constructor({ handler, tls, complaints }: HttpPortOptions) {
    if (tls === undefined) {
      this.server = http.createServer(LIMITS, handler);
      this.server.on("clientError", (error: ClientError, socket: Socket) => {
        if (isTlsHello(error.rawPacket ?? Buffer.alloc(0))) complaints.onStrayTls(socket);
        // As Node does where nobody listens for this.
        const status = STATUSES[error.code] ?? "400 Bad Request";
        if (socket.writable) socket.write(`HTTP/1.1 ${status}\r\nConnection: close\r\n\r\n`);
        socket.destroy(error);
      });
    } else {
      const { cert, key, ca, requireClientCertificate } = tls;
      const trust = ca === undefined ? {} : { ca };
      // Asked of everybody who may show one: operations need it, where reading does not.
      const asks = { requestCert: ca !== undefined, rejectUnauthorized: requireClientCertificate };
      const server = https.createServer({ ...LIMITS, cert, key, ...trust, ...asks }, handler);
      complaints.watch(server);
      this.server = server;
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
