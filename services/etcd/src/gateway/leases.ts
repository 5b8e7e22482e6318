/** The Lease service. */

import { randomBytes } from "node:crypto";

import { type CallHandler, type GrpcServer, type ServerCall, Status } from "@quorate/grpc";

import { checkLeaseTtl } from "../store/check.ts";
import { keepAliveCommand, requestCommand } from "../store/commands.ts";
import { type EtcdStore } from "../store/store.ts";
import { bytesOf } from "../wire/binary.ts";
import {
  leaseGrantRequest,
  leaseGrantResponse,
  leaseKeepAliveRequest,
  leaseKeepAliveResponse,
  leaseLeasesResponse,
  leaseRevokeResponse,
  leaseTimeToLiveRequest,
  leaseTimeToLiveResponse,
} from "../wire/lease-messages.ts";
import { type Executor, fail } from "./executor.ts";
import { type Headers } from "./headers.ts";
import { type Lessor } from "./lessor.ts";

/** Shorter leases could run out during a change of leader. Seconds. */
const LEAST_TTL = 2;

export class LeaseService {
  private readonly store: EtcdStore;
  private readonly lessor: Lessor;
  private readonly executor: Executor;
  private readonly headers: Headers;

  constructor(store: EtcdStore, lessor: Lessor, executor: Executor, headers: Headers) {
    this.store = store;
    this.lessor = lessor;
    this.executor = executor;
    this.headers = headers;
  }

  register(server: GrpcServer): void {
    const path = (method: string): string => `/etcdserverpb.Lease/${method}`;
    server.unary(path("LeaseGrant"), (call, message) => this.grant(call, message));
    server.unary(path("LeaseRevoke"), (call, message) => this.revoke(call, message));
    server.unary(path("LeaseTimeToLive"), (call, message) => this.timeToLive(call, message));
    server.unary(path("LeaseLeases"), (call) => this.leases(call));
    server.stream(path("LeaseKeepAlive"), (call) => this.keepAlive(call));
  }

  private grant(call: ServerCall, message: Buffer): void {
    const { ttl, id } = leaseGrantRequest.decode(message);
    const refused = checkLeaseTtl(ttl);
    if (refused !== undefined) return fail(call, refused);
    // What the request leaves to the server is decided once, before all members see it.
    const request = { ttl: Math.max(ttl, LEAST_TTL), id: id === "" ? freshId() : id };
    const command = requestCommand("leaseGrant", leaseGrantRequest.toBytes(request));
    this.executor.execute(call, command, (result) => {
      if (result.type !== "leaseGrant") return;
      const header = this.headers.at(result.revision);
      const { id: granted, ttl: seconds } = result;
      const response = leaseGrantResponse.create({ header, id: granted, ttl: seconds });
      call.respond(leaseGrantResponse.toBytes(response));
    });
  }

  private revoke(call: ServerCall, message: Buffer): void {
    this.executor.execute(call, requestCommand("leaseRevoke", message), (result) => {
      if (result.type !== "leaseRevoke") return;
      const header = this.headers.at(result.revision);
      call.respond(leaseRevokeResponse.toBytes({ header }));
    });
  }

  private keepAlive(call: ServerCall): CallHandler {
    let waiting = 0;
    let ended = false;
    call.sendHeaders();
    const finishIfDone = (): void => {
      if (ended && waiting === 0) call.finish(Status.ok);
    };
    return {
      onMessage: (message) => {
        const { id } = leaseKeepAliveRequest.decode(message);
        waiting++;
        this.renew(call, id, () => {
          waiting--;
          finishIfDone();
        });
      },
      onEnd: () => {
        ended = true;
        finishIfDone();
      },
    };
  }

  /** Not under the executor's timeout: a stream outlives its single renewals. */
  private renew(call: ServerCall, id: string, onDone: () => void): void {
    this.executor.submit(keepAliveCommand(id), (result) => {
      if (result?.type === "leaseKeepAlive") {
        const header = this.headers.at(result.revision);
        const response = { header, id, ttl: result.ttl };
        call.send(leaseKeepAliveResponse.toBytes(response));
      } else call.finish(Status.unavailable, "etcdserver: request timed out");
      onDone();
    });
  }

  private timeToLive(call: ServerCall, message: Buffer): void {
    const { id, keys: wantsKeys } = leaseTimeToLiveRequest.decode(message);
    this.executor.whenReadable(call, () => {
      const header = this.headers.at(this.store.revision);
      const lease = this.store.lease(id);
      const keys = wantsKeys ? this.store.leaseKeys(id).map(bytesOf) : [];
      const response =
        lease === undefined
          ? { header, id, ttl: -1, grantedTtl: 0, keys: [] }
          : { header, id, ttl: this.lessor.remaining(id, lease.ttl), grantedTtl: lease.ttl, keys };
      call.respond(leaseTimeToLiveResponse.toBytes(response));
    });
  }

  private leases(call: ServerCall): void {
    this.executor.whenReadable(call, () => {
      const header = this.headers.at(this.store.revision);
      const leases = this.store.leases().map(({ id }) => ({ id }));
      call.respond(leaseLeasesResponse.toBytes({ header, leases }));
    });
  }
}

/** A random positive 63-bit id, as lower-case hexadecimal without leading zeros. */
function freshId(): string {
  const bytes = randomBytes(8);
  bytes[0] = bytes[0]! & 0x7f;
  return bytes.toString("hex").replace(/^0+(?=.)/, "");
}
