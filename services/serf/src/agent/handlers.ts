/**
 * Event handlers: a shell command or a webhook for events of some kinds, one
 * event at a time, in order, as in Serf. What a handler of a query prints (or a
 * webhook answers) is the response.
 */

import { spawn } from "node:child_process";

import type { Member } from "@quorate/gossip";
import type { Logger } from "@quorate/host";

import {
  type AgentEvent,
  type EventFilter,
  eventName,
  parseFilters,
  type PendingQuery,
  wants,
} from "./event.ts";
import { ipText } from "../wire/address.ts";
import { endpointOf } from "../wire/address.ts";

/** A command or an address, and what it is for. */
export interface EventHandler {
  readonly filters: readonly EventFilter[];
  /** A shell command, or the URL of a webhook. */
  readonly action: string;
}

/** How much of a handler's output is kept: its end. */
const OUTPUT_BYTES = 8 * 1024;
/** Events that wait for a slow handler; more are dropped. */
const QUEUE = 1024;
const SLOW_MS = 1000;
const WEBHOOK_MS = 10_000;

/**
 * Reads `handler`, `member-join,user:deploy=handler`; a handler that begins with
 * `http://` or `https://` is a webhook. Undefined if a filter is no event.
 */
export function parseHandler(text: string): EventHandler | undefined {
  const bare = isWebhook(text) || !text.includes("=");
  const at = bare ? 0 : text.indexOf("=");
  const filters = parseFilters(text.slice(0, at));
  return filters && { filters, action: bare ? text : text.slice(at + 1) };
}

function isWebhook(action: string): boolean {
  return /^https?:\/\//.test(action);
}

export interface EventHandlersOptions {
  readonly logger: Logger;
  readonly self: () => Member;
  readonly respond: (query: PendingQuery, payload: Uint8Array) => void;
}

export class EventHandlers {
  /** Dropped because handlers did not keep up. */
  dropped = 0;
  private readonly options: EventHandlersOptions;
  private handlers: readonly EventHandler[];
  private readonly queue: AgentEvent[] = [];
  private running = false;
  private stopped = false;

  constructor(handlers: readonly EventHandler[], options: EventHandlersOptions) {
    this.handlers = handlers;
    this.options = options;
  }

  get all(): readonly EventHandler[] {
    return this.handlers;
  }

  /** From the next event on. */
  replace(handlers: readonly EventHandler[]): void {
    this.handlers = handlers;
  }

  handle(event: AgentEvent): void {
    if (!this.handlers.some(({ filters }) => filters.some((filter) => wants(filter, event))))
      return;
    if (this.queue.length >= QUEUE) {
      if (this.dropped++ === 0)
        this.options.logger.warn("handlers are too slow: events are dropped");
      return;
    }
    this.queue.push(event);
    if (!this.running) void this.work();
  }

  /** Events that wait are dropped; a handler that runs goes on by itself. */
  stop(): void {
    this.stopped = true;
    this.queue.length = 0;
  }

  private async work(): Promise<void> {
    this.running = true;
    for (let event = this.queue.shift(); event !== undefined; event = this.queue.shift()) {
      for (const { filters, action } of this.handlers) {
        if (this.stopped) return;
        if (filters.some((filter) => wants(filter, event))) await this.invoke(action, event);
      }
    }
    this.running = false;
  }

  private async invoke(action: string, event: AgentEvent): Promise<void> {
    const { logger, respond, self } = this.options;
    const slow = setTimeout(() => logger.warn({ handler: action }, "handler is slow"), SLOW_MS);
    try {
      const run = isWebhook(action) ? callWebhook : runScript;
      const output = await run(action, self(), event);
      logger.debug(
        { handler: action, event: eventName(event), bytes: output.length },
        "handler ran",
      );
      if (event.type === "query" && output.length > 0) respond(event.query, output);
    } catch (error) {
      const reason = error instanceof Error ? error.message : String(error);
      logger.error({ handler: action, reason }, "handler failed");
    } finally {
      clearTimeout(slow);
    }
  }
}

/** Runs a shell command; resolves to what it printed. @throws Error if it failed. */
function runScript(command: string, self: Member, event: AgentEvent): Promise<Uint8Array> {
  return new Promise((resolve, reject) => {
    const child = spawn("/bin/sh", ["-c", command], {
      env: { ...process.env, ...environment(self, event) },
      stdio: "pipe",
    });
    let output: Buffer = Buffer.alloc(0);
    const keep = (piece: Buffer): void => {
      output = Buffer.concat([output, piece]);
      if (output.length > OUTPUT_BYTES) output = output.subarray(-OUTPUT_BYTES);
    };
    child.stdout.on("data", keep);
    child.stderr.on("data", keep);
    child.on("error", reject);
    child.on("close", (status, signal) => {
      if (status === 0) resolve(new Uint8Array(output));
      else reject(new Error(signal === null ? `exit status ${status}` : `killed by ${signal}`));
    });
    // A handler that does not read what it is given is no error.
    child.stdin.on("error", () => {});
    child.stdin.end(input(event));
  });
}

function environment(self: Member, event: AgentEvent): Readonly<Record<string, string>> {
  const variables: Record<string, string> = {
    SERF_EVENT: eventName(event),
    SERF_SELF_NAME: self.name,
    SERF_SELF_ROLE: self.tags["role"] ?? "",
  };
  for (const [tag, value] of Object.entries(self.tags)) {
    variables[`SERF_TAG_${tag.toUpperCase().replaceAll(/[^A-Z0-9_]/g, "_")}`] = value;
  }
  if (event.type === "user") {
    variables["SERF_USER_EVENT"] = event.name;
    variables["SERF_USER_LTIME"] = String(event.ltime);
  } else if (event.type === "query") {
    variables["SERF_QUERY_NAME"] = event.query.name;
    variables["SERF_QUERY_LTIME"] = String(event.query.ltime);
  }
  return variables;
}

/** What a script reads: lines of members, or the payload and a line end. */
function input(event: AgentEvent): Uint8Array {
  if (event.type === "members") return Buffer.from(event.members.map(memberLine).join(""));
  const payload = event.type === "user" ? event.payload : event.query.payload;
  if (payload.length === 0 || payload.at(-1) === 0x0a) return payload;
  return Buffer.concat([payload, Buffer.from("\n")]);
}

function memberLine({ name, address, tags }: Member): string {
  const pairs = Object.entries(tags).map(([tag, value]) => `${tag}=${value}`);
  const fields = [name, ipText(endpointOf(address).ip), tags["role"] ?? "", pairs.join(",")];
  return `${fields.map(clean).join("\t")}\n`;
}

function clean(field: string): string {
  return field.replaceAll("\t", String.raw`\t`).replaceAll("\n", String.raw`\n`);
}

/** Posts an event as JSON; resolves to the answer. @throws Error if it was not taken. */
async function callWebhook(url: string, self: Member, event: AgentEvent): Promise<Uint8Array> {
  const answer = await fetch(url, {
    method: "POST",
    headers: { "content-type": "application/json" },
    body: JSON.stringify({
      event: eventName(event),
      self: self.name,
      tags: self.tags,
      ...details(event),
    }),
    signal: AbortSignal.timeout(WEBHOOK_MS),
  });
  if (!answer.ok) throw new Error(`HTTP status ${answer.status}`);
  let body = Buffer.alloc(0);
  for await (const piece of answer.body ?? []) {
    body = Buffer.concat([body, piece]);
    // What is beyond is not read: leaving the loop hangs up.
    if (body.length >= OUTPUT_BYTES) break;
  }
  return new Uint8Array(body.subarray(0, OUTPUT_BYTES));
}

function details(event: AgentEvent): Readonly<Record<string, unknown>> {
  switch (event.type) {
    case "members":
      return {
        members: event.members.map(({ name, address, tags, status }) => ({
          name,
          address,
          tags,
          status,
        })),
      };
    case "user":
      return { name: event.name, ltime: event.ltime, payload: base64(event.payload) };
    case "query":
      return {
        name: event.query.name,
        ltime: event.query.ltime,
        payload: base64(event.query.payload),
      };
  }
}

function base64(bytes: Uint8Array): string {
  return Buffer.from(bytes).toString("base64");
}
