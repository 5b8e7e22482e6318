/**
 * Commands and reads on behalf of calls: what every service of the gateway does
 * with a request before it can be answered.
 */

import { type ReplicaResponse } from "@quorate/consensus";
import { type ServerCall, Status, type StatusCode } from "@quorate/grpc";
import { type Group } from "@quorate/host";

import { type Failure } from "../store/errors.ts";
import { type EtcdResult } from "../store/results.ts";
import { PendingCalls } from "./pending.ts";

/** What a client is told while there is no leader, as etcd puts it. */
const NO_LEADER = "etcdserver: no leader";
/** The outcome is unknown. */
const TIMED_OUT = "etcdserver: request timed out, possibly due to previous leader failure";

export class Executor {
  readonly pending: PendingCalls;
  private readonly group: Group<EtcdResult>;

  constructor(group: Group<EtcdResult>, timeoutMs: number) {
    this.group = group;
    this.pending = new PendingCalls(timeoutMs);
  }

  /** Executes a command; `onResult` is called unless the call has ended or was refused. */
  execute(call: ServerCall, command: Uint8Array, onResult: (result: EtcdResult) => void): void {
    if (this.refusesWithoutLeader(call)) return;
    this.pending.add(call);
    this.group.submit(command, (response) => {
      if (!this.pending.settle(call)) return;
      if (response.type !== "executed") return reject(call, response);
      if (response.result.type === "error") return fail(call, response.result);
      onResult(response.result);
    });
  }

  /** Calls `onReadable` when the store shows at least everything answered before now. */
  whenReadable(call: ServerCall, onReadable: () => void): void {
    if (this.refusesWithoutLeader(call)) return;
    this.pending.add(call);
    this.group.whenReadable("linearizable", (response) => {
      if (!this.pending.settle(call)) return;
      if (response.type !== "readable") return reject(call, response);
      onReadable();
    });
  }

  /** Executes a command for a stream, which ends by its own rules. `undefined`: the outcome is unknown. */
  submit(command: Uint8Array, onResult: (result: EtcdResult | undefined) => void): void {
    this.group.submit(command, (response) => {
      onResult(response.type === "executed" ? response.result : undefined);
    });
  }

  /** Answers a call when something slow has succeeded. */
  track(call: ServerCall, done: Promise<unknown>, onDone: () => void): void {
    this.pending.add(call);
    const settle = (answer: () => void): void => {
      if (this.pending.settle(call)) answer();
    };
    done.then(
      () => settle(onDone),
      () => settle(() => call.finish(Status.unavailable, TIMED_OUT)),
    );
  }

  close(): void {
    this.pending.close("etcdserver: server stopped");
  }

  /** Clients may ask to be told at once that this member knows no leader. */
  private refusesWithoutLeader(call: ServerCall): boolean {
    if (this.group.log.leader !== undefined || call.metadata("hasleader") !== "true") return false;
    call.finish(Status.unavailable, NO_LEADER);
    return true;
  }
}

/** Ends a call with a refusal of the store. */
export function fail(call: ServerCall, failure: Failure): void {
  // The store's failures carry gRPC codes.
  call.finish(failure.code as StatusCode, failure.message);
}

function reject(call: ServerCall, response: ReplicaResponse<EtcdResult>): void {
  if (response.type === "rejected" && response.reason === "overloaded") {
    return call.finish(Status.resourceExhausted, "etcdserver: too many requests");
  }
  if (response.type === "rejected" && response.reason === "tooLarge") {
    return call.finish(Status.invalidArgument, "etcdserver: request is too large");
  }
  call.finish(Status.unavailable, TIMED_OUT);
}
