/**
 * What the HTTP port answers: health, metrics, status, and a page for people, to
 * read; and the operations, to be told. For the same origin only.
 */

import fs from "node:fs";
import type { IncomingMessage, ServerResponse } from "node:http";
import net from "node:net";

import type { NodeMetrics } from "@quorate/host";

import { isLoopback } from "../cluster/ports.ts";
import { reasonOf } from "../errors.ts";
import type { Reporter } from "../node/report.ts";
import { type Answer, json, notAllowed } from "./answer.ts";
import type { ClusterView } from "./cluster-view.ts";
import type { Handler } from "./http-port.ts";
import type { Operations } from "./operations.ts";

export interface Sources {
  readonly reporter: Pick<Reporter, "reason" | "report">;
  readonly view: Pick<ClusterView, "look">;
  readonly registry: Pick<NodeMetrics["registry"], "metrics" | "contentType">;
  readonly operations: Operations;
}

type Route = () => Promise<Answer> | Answer;

/** Nothing from elsewhere, nothing inline, nobody's frame. */
const HEADERS = {
  "Cache-Control": "no-store",
  "Content-Security-Policy":
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self'; " +
    "base-uri 'none'; form-action 'none'; frame-ancestors 'none'",
  "Cross-Origin-Opener-Policy": "same-origin",
  "Cross-Origin-Resource-Policy": "same-origin",
  "Referrer-Policy": "no-referrer",
  "X-Content-Type-Options": "nosniff",
} as const;

/** The handler of a node's HTTP port. */
export function routes({ reporter, view, registry, operations }: Sources): Handler {
  const table = new Map<string, Route>([
    ["/", page("page.html", "text/html; charset=utf-8")],
    ["/page.css", page("page.css", "text/css; charset=utf-8")],
    ["/page.js", page("page.js", "text/javascript; charset=utf-8")],
    ["/icon.svg", page("icon.svg", "image/svg+xml")],
    ["/health", () => health(reporter.reason)],
    ["/status", async () => json(200, await reporter.report())],
    ["/cluster", async () => json(200, await view.look())],
    [
      "/metrics",
      async () => ({ status: 200, type: registry.contentType, body: await registry.metrics() }),
    ],
  ]);
  return (request, response) => {
    void answer(request, table, operations)
      .catch((error: unknown) => json(500, { error: reasonOf(error) }))
      .then((reply) => send(request, response, reply));
  };
}

async function answer(
  request: IncomingMessage,
  table: ReadonlyMap<string, Route>,
  operations: Operations,
): Promise<Answer> {
  const { method, url = "/" } = request;
  const refused = strange(request);
  if (refused !== undefined) return json(403, { error: refused });
  const path = url.split("?", 1)[0]!;
  const route = table.get(path);
  if (route === undefined) {
    const paths = [...table.keys(), ...operations.paths];
    return (
      (await operations.answer(request, path)) ?? json(404, { error: `${path} is not here`, paths })
    );
  }
  if (method !== "GET" && method !== "HEAD") return notAllowed(method, "GET, HEAD");
  return route();
}

/** Why a request must be another site's, if it is; undefined otherwise. */
function strange({ headers, socket }: IncomingMessage): string | undefined {
  const { host = "", origin } = headers;
  // A name that was made to point at this machine (DNS rebinding) is the only one a stranger
  // knows; on loopback nobody else calls it by a name. Beyond, names are the operator's business.
  if (isLocal(socket.localAddress ?? "") && !isOwnName(host)) {
    return `"${host}" is not a name of this node; use its address`;
  }
  if (origin !== undefined && !/^https?:\/\//.test(origin)) return "only for the same origin";
  if (origin !== undefined && origin.replace(/^https?:\/\//, "") !== host) {
    return "only for the same origin";
  }
  return undefined;
}

function isLocal(address: string): boolean {
  return isLoopback(address.replace(/^::ffff:/, ""));
}

function isOwnName(host: string): boolean {
  const name = host.replace(/:\d+$/, "").replaceAll(/[[\]]/g, "");
  return name === "localhost" || name.endsWith(".localhost") || net.isIP(name) !== 0;
}

/** A file of the page, read once; it is part of the package. */
function page(name: string, type: string): Route {
  let body: Buffer | undefined;
  return () => {
    body ??= fs.readFileSync(new URL(`../../page/${name}`, import.meta.url));
    return { status: 200, type, body };
  };
}

/** As etcd words it, so that its probes fit. */
function health(reason: string): Answer {
  const health = reason === "" ? "true" : "false";
  return json(reason === "" ? 200 : 503, { health, reason });
}

function send(request: IncomingMessage, response: ServerResponse, reply: Answer): void {
  const { status, type, body, allow } = reply;
  response.writeHead(status, {
    ...HEADERS,
    ...(allow === undefined ? {} : { Allow: allow }),
    // What was not read of a body is not worth a connection.
    ...(request.complete ? {} : { Connection: "close" }),
    "Content-Type": type,
    "Content-Length": Buffer.byteLength(body),
  });
  response.end(request.method === "HEAD" ? undefined : body);
}
