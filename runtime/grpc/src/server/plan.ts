/**
 * What to do with a request, worked out of its headers alone.
 *
 * The plan is noted in the header block. A block from the decoder's cache brings its plan along, so that for a busy
 * client none of this is done again.
 */

import type { HeaderBlock } from "../http2/header-block.ts";
import type { Route } from "./call.ts";
import { parseTimeout } from "./deadlines.ts";
import { Status, type StatusCode } from "./status.ts";

/** How to answer a request. */
export interface CallPlan {
  /** The method called, or undefined if there is none. */
  readonly route: Route | undefined;
  /** Not OK: end the call with this and `message` at once. */
  readonly code: StatusCode;
  readonly message: string;
  /** Time for the call, or infinity. */
  readonly timeoutMs: number;
  /** Not 0: the request is not gRPC, and this is the HTTP status that says so. */
  readonly httpStatus: number;
}

/** Plans a request. `services` are the names of those that have routes. */
export function planCall(
  headers: HeaderBlock,
  routes: ReadonlyMap<string, Route>,
  services: ReadonlySet<string>,
): CallPlan {
  if (!isGrpc(headers.contentType)) return notGrpc(415);
  if (headers.method !== "POST") return notGrpc(405);
  const route = routes.get(headers.path);
  if (route === undefined) return refuse(undefined, unknownPath(headers.path, services));
  const encoding = headers.get("grpc-encoding");
  if (encoding !== undefined && encoding !== "identity" && encoding !== "") {
    const name = JSON.stringify(encoding);
    return refuse(route, `grpc: Decompressor is not installed for grpc-encoding ${name}`);
  }
  const timeout = headers.get("grpc-timeout");
  const timeoutMs = timeout === undefined ? Number.POSITIVE_INFINITY : parseTimeout(timeout);
  if (Number.isNaN(timeoutMs)) {
    const message = `malformed grpc-timeout: ${JSON.stringify(timeout)}`;
    return { route, code: Status.internal, message, timeoutMs: 0, httpStatus: 0 };
  }
  return { route, code: Status.ok, message: "", timeoutMs, httpStatus: 0 };
}

/** `application/grpc`, alone or with a suffix or parameters. */
function isGrpc(contentType: string): boolean {
  const name = "application/grpc";
  if (!contentType.startsWith(name)) return false;
  const after = contentType[name.length];
  return after === undefined || after === "+" || after === ";";
}

function unknownPath(path: string, services: ReadonlySet<string>): string {
  const slash = path.lastIndexOf("/");
  if (slash <= 0) return `malformed method name: ${JSON.stringify(path)}`;
  const service = path.slice(1, slash);
  if (!services.has(service)) return `unknown service ${service}`;
  return `unknown method ${path.slice(slash + 1)} for service ${service}`;
}

function refuse(route: Route | undefined, message: string): CallPlan {
  const code = Status.unimplemented;
  return { route, code, message, timeoutMs: Number.POSITIVE_INFINITY, httpStatus: 0 };
}

function notGrpc(httpStatus: number): CallPlan {
  const timeoutMs = Number.POSITIVE_INFINITY;
  return { route: undefined, code: Status.ok, message: "", timeoutMs, httpStatus };
}
