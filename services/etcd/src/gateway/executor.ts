/**
 * Commands and reads on behalf of calls: what every service of the gateway does
 * with a request before it can be answered.
 */

import { type ReplicaResponse } from "@quorate/consensus";
import { type ServerCall, Status, type StatusCode } from "@quorate/grpc";
import { type Group } from "@quorate/host";

import { type Failure } from "../store/errors.ts";
import { type EtcdResult } from "../store/results.ts";
import { type Clock } from "./clock.ts";
import { PendingCalls } from "./pending.ts";

/** What clients are told when the cluster could not do it, as etcd puts it. */
const TOO_LARGE = "etcdserver: request is too large";
const OVERLOADED = "etcdserver: too many requests";
const STOPPED = "etcdserver: server stopped";
/** The outcome is unknown. */
const TIMED_OUT = "etcdserver: request timed out, possibly due to previous leader failure";

/** Bytes that a command has beyond its request. */
const COMMAND_OVERHEAD = 1;

export class Executor {
  readonly pending: PendingCalls;
  private readonly group: Group<EtcdResult>;
  private readonly commandBytes: number;

  constructor(
    group: Group<EtcdResult>,
    limits: { readonly timeoutMs: number; readonly requestBytes: number },
    clock: Clock,
  ) {
    this.group = group;
    this.commandBytes = limits.requestBytes + COMMAND_OVERHEAD;
    this.pending = new PendingCalls(limits.timeoutMs, clock);
  }

  /** Executes a command; `onResult` is called unless the call has ended or was refused. */
  execute(call: ServerCall, command: Uint8Array, onResult: (result: EtcdResult) => void): void {
    if (command.length > this.commandBytes) return call.finish(Status.invalidArgument, TOO_LARGE);
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
    this.pending.add(call);
    this.group.whenReadable("linearizable", (response) => {
      if (!this.pending.settle(call)) return;
      if (response.type !== "readable") return reject(call, response);
      onReadable();
    });
  }

  /** Executes a command for a stream, which sees to its own timeout; ends the stream if it is refused. */
  submit(call: ServerCall, command: Uint8Array, onResult: (result: EtcdResult) => void): void {
    this.group.submit(command, (response) => {
      if (call.done) return;
      if (response.type === "executed") onResult(response.result);
      else reject(call, response);
    });
  }

  /** Answers a call when something slow has succeeded, or with `failure`. */
  track(call: ServerCall, done: Promise<boolean>, onDone: () => void, failure: string): void {
    this.pending.add(call);
    const settle = (succeeded: boolean): void => {
      if (!this.pending.settle(call)) return;
      if (succeeded) onDone();
      else call.finish(Status.unavailable, failure);
    };
    done.then(settle, () => settle(false));
  }

  close(): void {
    this.pending.close(STOPPED);
  }
}

/** Ends a call with a refusal of the store. */
export function fail(call: ServerCall, failure: Failure): void {
  // The store's failures carry gRPC codes.
  call.finish(failure.code as StatusCode, failure.message);
}

function reject(call: ServerCall, response: ReplicaResponse<EtcdResult>): void {
  const reason = response.type === "rejected" ? response.reason : "timeout";
  switch (reason) {
    case "overloaded":
      return call.finish(Status.resourceExhausted, OVERLOADED);
    case "tooLarge":
      return call.finish(Status.invalidArgument, TOO_LARGE);
    case "stopped":
      return call.finish(Status.unavailable, STOPPED);
    default:
      call.finish(Status.unavailable, TIMED_OUT);
  }
}
