/** The Lease service. */

import { randomBytes } from "node:crypto";

import { type ServerCall, Status } from "@quorate/grpc";

import { checkLeaseTtl } from "../store/check.ts";
import { keepAliveCommand, requestCommand } from "../store/commands.ts";
import { FAILURES } from "../store/errors.ts";
import { type EtcdStore } from "../store/store.ts";
import { bytesOf } from "../wire/binary.ts";
import {
  leaseGrantRequest,
  leaseGrantResponse,
  leaseKeepAliveRequest,
  leaseKeepAliveResponse,
  leaseLeasesResponse,
  leaseRevokeRequest,
  leaseRevokeResponse,
  leaseTimeToLiveRequest,
  leaseTimeToLiveResponse,
} from "../wire/lease-messages.ts";
import { type Executor, fail } from "./executor.ts";
import { type Headers } from "./headers.ts";
import { type LeaderGate, type StreamHandler } from "./leader-gate.ts";
import { type Lessor } from "./lessor.ts";
import { type Quota } from "./quota.ts";

/** Shorter leases could run out during a change of leader. Seconds. */
const LEAST_TTL = 2;
/** Renewals of one stream that may wait; a client is not read from while there are more. */
const MOST_RENEWALS = 1000;

export class LeaseService {
  private readonly store: EtcdStore;
  private readonly lessor: Lessor;
  private readonly executor: Executor;
  private readonly headers: Headers;
  private readonly quota: Quota;

  constructor(
    store: EtcdStore,
    lessor: Lessor,
    executor: Executor,
    headers: Headers,
    quota: Quota,
  ) {
    this.store = store;
    this.lessor = lessor;
    this.executor = executor;
    this.headers = headers;
    this.quota = quota;
  }

  register(gate: LeaderGate): void {
    const path = (method: string): string => `/etcdserverpb.Lease/${method}`;
    gate.unary(path("LeaseGrant"), (call, message) => this.grant(call, message));
    gate.unary(path("LeaseRevoke"), (call, message) => this.revoke(call, message));
    gate.unary(path("LeaseTimeToLive"), (call, message) => this.timeToLive(call, message));
    gate.unary(path("LeaseLeases"), (call) => this.leases(call));
    gate.stream(path("LeaseKeepAlive"), (call) => this.keepAlive(call));
  }

  private grant(call: ServerCall, message: Buffer): void {
    const { ttl, id } = leaseGrantRequest.decode(message);
    const refused = checkLeaseTtl(ttl);
    if (refused !== undefined) return fail(call, refused);
    if (this.quota.exceeded) return fail(call, FAILURES.noSpace);
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
    // Nonsense is refused here rather than by everyone.
    leaseRevokeRequest.decode(message);
    this.executor.execute(call, requestCommand("leaseRevoke", message), (result) => {
      if (result.type !== "leaseRevoke") return;
      const header = this.headers.at(result.revision);
      call.respond(leaseRevokeResponse.toBytes({ header }));
    });
  }

  /**
   * Renews leases for as long as the client likes. A renewal that takes too
   * long ends the stream, so that the client tries another member.
   */
  private keepAlive(call: ServerCall): StreamHandler {
    const { pending } = this.executor;
    let waiting = 0;
    let ended = false;
    call.sendHeaders();
    call.onCancel = () => pending.settle(call);
    const onRenewed = (id: string, revision: number, ttl: number): void => {
      const response = { header: this.headers.at(revision), id, ttl };
      call.send(leaseKeepAliveResponse.toBytes(response));
      pending.settle(call);
      if (--waiting > 0) pending.add(call);
      else if (ended) call.finish(Status.ok);
      if (waiting === MOST_RENEWALS - 1) call.release();
    };
    return {
      onMessage: (message) => {
        const { id } = leaseKeepAliveRequest.decode(message);
        if (waiting++ === 0) pending.add(call);
        if (waiting >= MOST_RENEWALS) call.hold();
        this.executor.submit(call, keepAliveCommand(id), (result) => {
          if (result.type === "leaseKeepAlive") onRenewed(id, result.revision, result.ttl);
        });
      },
      onEnd: () => {
        ended = true;
        if (waiting === 0) call.finish(Status.ok);
      },
      end: (message) => {
        pending.settle(call);
        call.finish(Status.unavailable, message);
      },
    };
  }

  private timeToLive(call: ServerCall, message: Buffer): void {
    const { id, keys: wantsKeys } = leaseTimeToLiveRequest.decode(message);
    this.executor.whenReadable(call, () => {
      const header = this.headers.at(this.store.revision);
      const lease = this.store.lease(id);
      if (lease === undefined) {
        const response = { header, id, ttl: -1, grantedTtl: 0, keys: [] };
        return call.respond(leaseTimeToLiveResponse.toBytes(response));
      }
      const ttl = Math.floor(this.lessor.remainingMs(lease) / 1000);
      const keys = wantsKeys ? this.store.leaseKeys(id).map(bytesOf) : [];
      const response = { header, id, ttl, grantedTtl: lease.ttl, keys };
      call.respond(leaseTimeToLiveResponse.toBytes(response));
    });
  }

  private leases(call: ServerCall): void {
    this.executor.whenReadable(call, () => {
      const header = this.headers.at(this.store.revision);
      // As in etcd, what runs out first comes first.
      const leases = this.store
        .leases()
        .map((lease) => ({ id: lease.id, left: this.lessor.remainingMs(lease) }))
        .toSorted((a, b) => a.left - b.left);
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
