/** Asks a node over HTTP, with a deadline and a bound on what it may answer. */

import http from "node:http";
import https from "node:https";

import { HUNG_UP, tlsFault } from "@quorate/host/tls";
import * as v from "valibot";

import { reasonOf } from "../errors.ts";
import { type NodeReport, parseReport } from "./report.ts";

/** How to trust and be trusted, as PEM. */
export interface AskTls {
  readonly ca?: string;
  readonly cert?: string;
  readonly key?: string;
}

export interface AskOptions {
  /** From the first byte sent to the last received. */
  readonly timeoutMs: number;
  /** Present if the nodes speak HTTPS. */
  readonly tls?: AskTls | undefined;
}

/** A report, or in words why there is none. */
export type Asked = { readonly type: "report"; readonly report: NodeReport } | Silent;

/** There is no answer. */
export interface Silent {
  readonly type: "silent";
  readonly reason: string;
  /** Whether nobody seems to be there at all. */
  readonly absent: boolean;
}

/** What a node answered when it was told to do something. */
export type Told =
  | { readonly type: "done"; readonly value: unknown }
  /** `code` is a word for programs, `reason` a sentence for people. */
  | {
      readonly type: "refused";
      readonly status: number;
      readonly code: string;
      readonly reason: string;
    }
  /** `heard`: whether it may have heard it, and done it. */
  | (Silent & { readonly heard: boolean });

const STRANGER: Silent = { type: "silent", reason: "not a Quorate node", absent: false };
const ANSWER_BYTES = 1 << 20;
/** Failures that come before anything was sent. */
const UNHEARD = new Set(["ECONNREFUSED", "ENOTFOUND", "EHOSTUNREACH", "ENETUNREACH", "EAI_AGAIN"]);

const refusalSchema = v.object({ error: v.string(), code: v.optional(v.string(), "") });

/** Asks `host:port` for its status. Never throws. */
export async function askStatus(endpoint: string, options: AskOptions): Promise<Asked> {
  try {
    const { value } = await exchange(endpoint, { method: "GET", path: "/status" }, options);
    const report = parseReport(value);
    if (report === undefined) return STRANGER;
    return { type: "report", report };
  } catch (error) {
    return silence(error, options);
  }
}

/** Tells `host:port` to do something: an operation, by its path. Never throws. */
export async function tell(
  endpoint: string,
  path: string,
  body: object,
  options: AskOptions,
): Promise<Told> {
  try {
    const question = { method: "POST", path, body: JSON.stringify(body) } as const;
    const { status, value } = await exchange(endpoint, question, options);
    if (status === 200) return { type: "done", value };
    const refusal = v.safeParse(refusalSchema, value);
    if (!refusal.success) return { ...STRANGER, heard: false };
    const { error: reason, code } = refusal.output;
    return { type: "refused", status, code, reason };
  } catch (error) {
    // A request leaves only after a handshake that both ends are content with.
    const heard = !UNHEARD.has(codeOf(error)) && tlsFault(error) === undefined;
    return { ...silence(error, options), heard };
  }
}

interface Question {
  readonly method: "GET" | "POST";
  readonly path: string;
  /** JSON. */
  readonly body?: string;
}

/** One request and its answer, which must be JSON. */
function exchange(
  endpoint: string,
  { method, path, body }: Question,
  { timeoutMs, tls }: AskOptions,
): Promise<{ readonly status: number; readonly value: unknown }> {
  const signal = AbortSignal.timeout(timeoutMs);
  return new Promise((resolve, reject) => {
    const url = `${tls === undefined ? "http" : "https"}://${endpoint}${path}`;
    const onResponse = (response: http.IncomingMessage): void => {
      const chunks: Buffer[] = [];
      let bytes = 0;
      response.on("data", (chunk: Buffer) => {
        bytes += chunk.length;
        if (bytes > ANSWER_BYTES) response.destroy(new Error("the answer is too long"));
        else chunks.push(chunk);
      });
      response.on("error", reject);
      response.on("end", () => {
        const value = parseJson(Buffer.concat(chunks).toString("utf8"));
        if (value === undefined) reject(new Error("not a Quorate node"));
        else resolve({ status: response.statusCode ?? 0, value });
      });
    };
    const headers = body === undefined ? {} : { "Content-Type": "application/json" };
    const options = { method, signal, agent: false, headers };
    const request =
      tls === undefined
        ? http.request(url, options, onResponse)
        : https.request(url, { ...options, ...tls }, onResponse);
    request.on("error", reject);
    request.end(body);
  });
}

/** JSON's value; undefined if the text is none. */
export function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

/** Why there is no answer, in words, from what the connection failed of. */
export function silence(error: unknown, { timeoutMs, tls }: AskOptions): Silent {
  const code = codeOf(error);
  const say = (reason: string, absent: boolean): Silent => ({ type: "silent", reason, absent });
  if (code === "ABORT_ERR") return say(`no answer within ${timeoutMs} ms`, true);
  if (code === "ECONNREFUSED") return say("connection refused", true);
  if (code === "ENOTFOUND") return say("no such host", true);
  // Also what a socket is told that was reset before or after its handshake.
  if (code === "ECONNRESET") return say(tls === undefined ? HUNG_UP.plain : HUNG_UP.tls, false);
  return say(tlsFault(error) ?? reasonOf(error), UNHEARD.has(code));
}

function codeOf(error: unknown): string {
  return error instanceof Error && "code" in error ? String(error.code) : "";
}
