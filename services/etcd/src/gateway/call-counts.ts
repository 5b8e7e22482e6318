/** Counts calls by method and outcome. On the hot path: a look-up and an addition. */

import { type CallObserver, type StatusCode } from "@quorate/grpc";

/** How often a method was called. */
export interface MethodCounts {
  readonly service: string;
  readonly method: string;
  readonly type: "unary" | "server_stream" | "bidi_stream";
  started: number;
  /** Calls that have ended, by status code. */
  readonly handled: number[];
}

/** The names of status codes by number, as gRPC for Go and therefore etcd's metrics spell them. */
export const CODE_NAMES: readonly string[] = [
  "OK",
  "Canceled",
  "Unknown",
  "InvalidArgument",
  "DeadlineExceeded",
  "NotFound",
  "AlreadyExists",
  "PermissionDenied",
  "ResourceExhausted",
  "FailedPrecondition",
  "Aborted",
  "OutOfRange",
  "Unimplemented",
  "Internal",
  "Unavailable",
  "DataLoss",
  "Unauthenticated",
];

const STREAMS: ReadonlyMap<string, MethodCounts["type"]> = new Map([
  ["/etcdserverpb.Watch/Watch", "bidi_stream"],
  ["/etcdserverpb.Lease/LeaseKeepAlive", "bidi_stream"],
  ["/grpc.health.v1.Health/Watch", "server_stream"],
] as const);

export class CallCounts implements CallObserver {
  private readonly byPath = new Map<string, MethodCounts>();
  private readonly next: CallObserver | undefined;

  /** @param next - Who else wants to know. */
  constructor(next: CallObserver | undefined) {
    this.next = next;
  }

  /** Methods that were called at least once. */
  get methods(): Iterable<MethodCounts> {
    return this.byPath.values();
  }

  onStarted(path: string): void {
    (this.byPath.get(path) ?? this.meet(path)).started++;
    this.next?.onStarted(path);
  }

  onHandled(path: string, code: StatusCode): void {
    (this.byPath.get(path) ?? this.meet(path)).handled[code]!++;
    this.next?.onHandled(path, code);
  }

  private meet(path: string): MethodCounts {
    const [, service = "", method = ""] = path.split("/");
    const type = STREAMS.get(path) ?? "unary";
    const handled = CODE_NAMES.map(() => 0);
    const counts: MethodCounts = { service, method, type, started: 0, handled };
    this.byPath.set(path, counts);
    return counts;
  }
}
