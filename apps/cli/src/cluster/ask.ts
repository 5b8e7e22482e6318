/** Asks a node over HTTP, with a deadline and a bound on what it may answer. */

import http from "node:http";
import https from "node:https";

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
export type Asked =
  | { readonly type: "report"; readonly report: NodeReport }
  | { readonly type: "silent"; readonly reason: string };

const ANSWER_BYTES = 1 << 20;

/** Asks `host:port` for its status. Never throws. */
export async function askStatus(endpoint: string, options: AskOptions): Promise<Asked> {
  try {
    const report = parseReport(await getJson(endpoint, "/status", options));
    if (report === undefined) return { type: "silent", reason: "not a Quorate node" };
    return { type: "report", report };
  } catch (error) {
    return { type: "silent", reason: inWords(error, options.timeoutMs) };
  }
}

function getJson(endpoint: string, path: string, options: AskOptions): Promise<unknown> {
  const { timeoutMs, tls } = options;
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
        try {
          resolve(JSON.parse(Buffer.concat(chunks).toString("utf8")));
        } catch {
          reject(new Error("not a Quorate node"));
        }
      });
    };
    const request =
      tls === undefined
        ? http.get(url, { signal, agent: false }, onResponse)
        : https.get(url, { signal, agent: false, ...tls }, onResponse);
    request.on("error", reject);
  });
}

function inWords(error: unknown, timeoutMs: number): string {
  const code = error instanceof Error && "code" in error ? error.code : undefined;
  if (code === "ABORT_ERR") return `no answer within ${timeoutMs} ms`;
  if (code === "ECONNREFUSED") return "connection refused";
  if (code === "ENOTFOUND") return "no such host";
  return reasonOf(error);
}
