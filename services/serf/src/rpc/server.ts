/** The RPC port: accepts clients of the agent, such as the `serf` command. */

import { once } from "node:events";
import net, { type Server } from "node:net";

import type { Address } from "@quorate/host";

import { Connection } from "./connection.ts";
import { Session, type SessionOptions } from "./session.ts";

/** Clients at once; more are hung up on. */
const CLIENTS = 256;

export class RpcServer {
  private readonly options: SessionOptions;
  private readonly connections = new Set<Connection>();
  private server: Server | undefined;

  constructor(options: SessionOptions) {
    this.options = options;
  }

  /** Resolves to where it listens. @throws what the system says. */
  async listen({ host, port }: Address): Promise<Address> {
    const { logger } = this.options.agent;
    const server = net.createServer((socket) => {
      if (this.connections.size >= CLIENTS) {
        logger.warn("too many rpc clients");
        socket.destroy();
        return;
      }
      const connection = new Connection({
        socket,
        logger,
        onRequest: (_connection, request) => session.handle(request),
        onClose: (closed) => this.connections.delete(closed),
      });
      const session = new Session(connection, this.options);
      this.connections.add(connection);
      logger.debug({ client: connection.peer }, "rpc client");
    });
    server.listen({ host, port, exclusive: true });
    await once(server, "listening");
    server.on("error", (error) => logger.error({ reason: error.message }, "rpc port failed"));
    this.server = server;
    // What a server listens on by host and port has an address of this kind.
    return { host, port: (server.address() as net.AddressInfo).port };
  }

  get clients(): number {
    return this.connections.size;
  }

  /** Hangs up once what was said is on its way. */
  close(): void {
    this.server?.close();
    this.server = undefined;
    for (const connection of this.connections) connection.close();
  }
}
