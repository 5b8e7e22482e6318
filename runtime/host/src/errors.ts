/** What can go wrong between nodes, as data. */

export type HostErrorData =
  | { readonly code: "listen"; readonly address: string; readonly reason: string }
  | { readonly code: "refused"; readonly peer: string; readonly reason: string }
  | { readonly code: "configuration"; readonly reason: string }
  | { readonly code: "stopped" }
  | { readonly code: "overloaded" }
  | { readonly code: "timeout"; readonly afterMs: number }
  | { readonly code: "sessionLost" }
  | { readonly code: "rejected"; readonly reason: string; readonly definite: boolean };

export class HostError extends Error {
  override readonly name = "HostError";
  readonly data: HostErrorData;

  constructor(data: HostErrorData) {
    super(describe(data));
    this.data = data;
  }
}

function describe(data: HostErrorData): string {
  switch (data.code) {
    case "listen":
      return `cannot listen on ${data.address}: ${data.reason}`;
    case "refused":
      return `${data.peer} refused this node: ${data.reason}`;
    case "configuration":
      return data.reason;
    case "stopped":
      return "the node has stopped";
    case "overloaded":
      return "the node is overloaded; try again later";
    case "timeout":
      return `no answer within ${data.afterMs} ms; whether the command was executed is unknown`;
    case "sessionLost":
      return "the session was forgotten; whether the command was executed is unknown";
    case "rejected":
      return `rejected (${data.reason}); ${data.definite ? "it had no effect" : "whether it had an effect is unknown"}`;
  }
}
