/**
 * What a node can be told to do over its HTTP port: a table of operations, each
 * with its path, the JSON that it takes and what it does. Operations change the
 * cluster, so they are for its operators:
 *
 * - where clients' certificates are checked, for whoever shows a valid one;
 * - elsewhere for this machine only, unless the operator chose `--insecure`;
 * - never for a page of another site: a browser sends JSON only to a server that
 *   agrees first, which none does here, and {@link routes} looks at the origin.
 */

import type { IncomingMessage } from "node:http";
import type { Socket } from "node:net";
import { TLSSocket } from "node:tls";

import { HostError } from "@quorate/host";
import * as v from "valibot";

import { parseJson } from "../cluster/ask.ts";
import { isLoopback } from "../cluster/ports.ts";
import { type Answer, json, notAllowed } from "./answer.ts";

/** What became of an operation. */
export type Outcome =
  | { readonly type: "done"; readonly value: unknown }
  /** With a status of HTTP, a word for programs and a sentence for people. */
  | {
      readonly type: "refused";
      readonly status: 400 | 404 | 409 | 503 | 504;
      readonly code: string;
      readonly reason: string;
    };

export interface Operation {
  readonly path: string;
  /** Checks the body and does it; resolves to the refusal of a body that is wrong. */
  readonly run: (body: unknown) => Promise<Outcome>;
}

/**
 * Makes an operation. What `run` throws is answered as the node's own failure,
 * except for a `HostError`, whose meaning is known.
 */
export function operation<T>(
  path: string,
  schema: v.GenericSchema<unknown, T>,
  run: (body: T) => Promise<Outcome>,
): Operation {
  return {
    path,
    run: async (body) => {
      const parsed = v.safeParse(schema, body);
      if (!parsed.success) return refused(400, "badRequest", wrongIn(parsed.issues[0]));
      try {
        return await run(parsed.output);
      } catch (error) {
        if (error instanceof HostError) return failed(error);
        throw error;
      }
    },
  };
}

export function done(value: unknown): Outcome {
  return { type: "done", value };
}

export function refused(
  status: Extract<Outcome, { type: "refused" }>["status"],
  code: string,
  reason: string,
): Outcome {
  return { type: "refused", status, code, reason };
}

export interface OperatorRules {
  /** Whether the port checks certificates that clients show. */
  readonly checksCertificates: boolean;
  /** Whether the operator chose to send everything in the clear. */
  readonly insecure: boolean;
}

const BODY_BYTES = 64 << 10;

/** Answers the requests to the paths of a table. */
export class Operations {
  private readonly table: ReadonlyMap<string, Operation>;
  private readonly rules: OperatorRules;

  constructor(operations: readonly Operation[], rules: OperatorRules) {
    this.table = new Map(operations.map((each) => [each.path, each]));
    this.rules = rules;
  }

  get paths(): readonly string[] {
    return [...this.table.keys()];
  }

  /** Answers a request; undefined if no operation has this path. */
  async answer(request: IncomingMessage, path: string): Promise<Answer | undefined> {
    const asked = this.table.get(path);
    if (asked === undefined) return undefined;
    const { method, headers, socket } = request;
    if (method !== "POST") return notAllowed(method, "POST");
    const denied = denial(socket, this.rules);
    if (denied !== undefined) return error(403, "forbidden", denied);
    if (!/^application\/json\s*(;|$)/i.test(headers["content-type"] ?? "")) {
      return error(415, "badRequest", "the body must be JSON, with Content-Type: application/json");
    }
    const text = await bodyOf(request);
    if (text === undefined) {
      return error(413, "badRequest", `the body is longer than ${BODY_BYTES} bytes`);
    }
    const body = parseJson(text);
    if (body === undefined) return error(400, "badRequest", "the body is not JSON");
    const outcome = await asked.run(body);
    if (outcome.type === "done") return json(200, outcome.value);
    return error(outcome.status, outcome.code, outcome.reason);
  }
}

/** Why whoever is at the other end may not operate the cluster; undefined if they may. */
function denial(socket: Socket, { checksCertificates, insecure }: OperatorRules) {
  if (checksCertificates) {
    if (socket instanceof TLSSocket && socket.authorized) return undefined;
    return "only with a certificate signed by --trusted-ca-file";
  }
  if (insecure || isLoopback((socket.remoteAddress ?? "").replace(/^::ffff:/, ""))) {
    return undefined;
  }
  return "only from the node's own machine, or with --cert-file and --trusted-ca-file (or --insecure) on the node";
}

/** The body as text; undefined if it is too long. */
function bodyOf(request: IncomingMessage): Promise<string | undefined> {
  return new Promise((resolve, reject) => {
    const chunks: Buffer[] = [];
    let bytes = 0;
    request.on("data", (chunk: Buffer) => {
      bytes += chunk.length;
      if (bytes <= BODY_BYTES) chunks.push(chunk);
      else resolve(undefined);
    });
    request.on("error", reject);
    request.on("end", () => resolve(Buffer.concat(chunks).toString("utf8")));
  });
}

function wrongIn(issue: v.BaseIssue<unknown>): string {
  const where = v.getDotPath(issue);
  return where === null ? issue.message : `"${where}": ${issue.message}`;
}

/** What a failure of the cluster means to who asked: 503 had no effect, 504 may have had one. */
function failed({ data, message }: HostError): Outcome {
  switch (data.code) {
    case "changeRefused":
      return refused(409, data.problem, message);
    case "timeout":
    case "sessionLost":
      return refused(504, data.code, message);
    case "rejected":
      return refused(data.definite ? 503 : 504, data.reason, message);
    default:
      return refused(503, data.code, message);
  }
}

function error(status: number, code: string, reason: string): Answer {
  return json(status, { error: reason, code });
}
