/** A client of one node: the npm `etcd3` without its retries, so that every outcome is seen. */

import {
  Etcd3,
  GRPCCancelledError,
  GRPCDeadlineExceededError,
  GRPCInternalError,
  GRPCUnavailableError,
  GRPCUnknownError,
  type IOptions,
} from "etcd3";

type Policy = NonNullable<NonNullable<IOptions["faultHandling"]>["global"]>;

/** Lets everything through once. */
const once: Policy = {
  _altReturn: undefined as never,
  onSuccess: () => ({ dispose: () => {} }),
  onFailure: () => ({ dispose: () => {} }),
  // The client's calls take no signal from their context unless a timeout policy is there.
  execute: async (call) => call({ signal: new AbortController().signal }),
};

/** A call that has no answer by then has an unknown outcome. */
const CALL_MS = 3000;

/** @param endpoints - `host:port`; more than one only where the client itself is on trial. */
export function connect(...endpoints: readonly string[]): Etcd3 {
  return dial({ hosts: endpoints.map((endpoint) => `http://${endpoint}`) });
}

/** The same over TLS. */
export function connectSecurely(
  endpoint: string,
  credentials: NonNullable<IOptions["credentials"]>,
): Etcd3 {
  return dial({ hosts: [`https://${endpoint}`], credentials });
}

function dial(options: Pick<IOptions, "hosts" | "credentials">): Etcd3 {
  return new Etcd3({
    ...options,
    grpcOptions: {
      "grpc.initial_reconnect_backoff_ms": 50,
      "grpc.min_reconnect_backoff_ms": 50,
      "grpc.max_reconnect_backoff_ms": 300,
      // Else clients of one address in one process share a connection.
      "grpc.use_local_subchannel_pool": 1,
    },
    defaultCallOptions: ({ isStream }) => (isStream ? {} : { deadline: Date.now() + CALL_MS }),
    faultHandling: { host: () => once, global: once },
  });
}

/**
 * What an error says of the request: `never` sent, or `unknown`. Undefined if
 * it is none that a fault explains.
 */
export function outcomeOf(error: unknown): "never" | "unknown" | undefined {
  if (error instanceof GRPCUnavailableError && /No connection established/.test(error.message)) {
    return "never";
  }
  const expected =
    error instanceof GRPCUnavailableError ||
    error instanceof GRPCDeadlineExceededError ||
    error instanceof GRPCCancelledError ||
    error instanceof GRPCInternalError ||
    error instanceof GRPCUnknownError;
  return expected ? "unknown" : undefined;
}
