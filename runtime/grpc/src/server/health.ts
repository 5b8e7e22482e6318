/**
 * The health checking service of gRPC, `grpc.health.v1.Health` (gRPC proposal "Health Checking Protocol").
 *
 * Check of an unknown service is NOT_FOUND; Watch of one says SERVICE_UNKNOWN and goes on. A watcher that does not read
 * is sent the latest status only, once it does.
 */

import { enumeration, string } from "../protobuf/fields.ts";
import { message, type MessageCodec } from "../protobuf/message.ts";
import type { CallHandler, ServerCall } from "./call.ts";
import type { GrpcServer } from "./server.ts";
import { Status } from "./status.ts";

/** The states of a service. */
export const Health = { unknown: 0, serving: 1, notServing: 2, serviceUnknown: 3 } as const;

/** One of {@link Health}. */
export type HealthStatus = (typeof Health)[keyof typeof Health];

interface HealthCheckRequest {
  readonly service: string;
}

interface HealthCheckResponse {
  readonly status: number;
}

const request: MessageCodec<HealthCheckRequest> = message("grpc.health.v1.HealthCheckRequest", {
  service: string(1),
});

const response: MessageCodec<HealthCheckResponse> = message("grpc.health.v1.HealthCheckResponse", {
  status: enumeration(1),
});

interface Watcher {
  readonly call: ServerCall;
  readonly service: string;
  /** The status last sent. */
  sent: HealthStatus | undefined;
}

/** Holds the states of services and tells those who watch. */
export class HealthService {
  private readonly states = new Map<string, HealthStatus>();
  private readonly watchers = new Set<Watcher>();

  /** Registers Check and Watch with a server. The service "" stands for the server as a whole, and is serving. */
  constructor(server: GrpcServer) {
    this.states.set("", Health.serving);
    server.unary("/grpc.health.v1.Health/Check", (call, bytes) => this.check(call, bytes));
    server.stream("/grpc.health.v1.Health/Watch", (call) => this.watch(call));
  }

  /** Sets the state of a service. */
  set(service: string, status: HealthStatus): void {
    this.states.set(service, status);
    for (const watcher of this.watchers) if (watcher.service === service) this.tell(watcher);
  }

  private check(call: ServerCall, bytes: Uint8Array): void {
    const status = this.states.get(request.decode(bytes).service);
    if (status === undefined) call.finish(Status.notFound, "unknown service");
    else call.respond(response.toBytes({ status }));
  }

  private watch(call: ServerCall): CallHandler {
    let watcher: Watcher | undefined;
    call.onCancel = () => {
      if (watcher !== undefined) this.watchers.delete(watcher);
    };
    return {
      onMessage: (bytes) => {
        if (watcher !== undefined) return;
        const added = { call, service: request.decode(bytes).service, sent: undefined };
        watcher = added;
        this.watchers.add(added);
        call.onDrain = () => this.tell(added);
        this.tell(added);
      },
      onEnd: () => {
        if (watcher === undefined) call.finish(Status.internal, "grpc: the request has no message");
      },
    };
  }

  private tell(watcher: Watcher): void {
    const status = this.states.get(watcher.service) ?? Health.serviceUnknown;
    if (status === watcher.sent || watcher.call.writableBytes() > 0) return;
    watcher.sent = status;
    watcher.call.send(response.toBytes({ status }));
  }
}
