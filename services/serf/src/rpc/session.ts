/** What one client has done so far, and its commands. */

import { createHash, timingSafeEqual } from "node:crypto";

import type { KeyOperation, QueryFilter, Tags } from "@quorate/gossip";

import type { Agent } from "../agent/agent.ts";
import {
  type AgentEvent,
  eventName,
  parseFilters,
  type PendingQuery,
  wants,
} from "../agent/event.ts";
import { AgentError, decodeBase64 } from "../agent/files.ts";
import type { EventHandlers } from "../agent/handlers.ts";
import { type LogHub, SERF_LEVELS, type SerfLevel } from "../agent/log-hub.ts";
import { agentStats } from "../agent/stats.ts";
import type { Connection, Request } from "./connection.ts";
import { type BodyCommand, type BodyOf, replies } from "./messages.ts";
import { memberFilter } from "./member-filter.ts";

const VERSION = 1;
const NS_PER_MS = 1_000_000;
/** Queries of which a client may still answer. */
const PENDING = 1024;
/** Name that only Serf itself may ask under, with one exception. */
const INTERNAL = "_serf_";

export interface SessionOptions {
  readonly agent: Agent;
  readonly logs: LogHub;
  readonly handlers: EventHandlers;
  /** What clients must know, if anything. */
  readonly authKey: string | undefined;
  /** A client had the agent leave: it has. */
  readonly onLeft: () => void;
}

const NO_COORDINATE = { vector: [], error: 0, adjustment: 0, height: 0 };
const NO_BYTES = new Uint8Array(0);

export class Session {
  private readonly options: SessionOptions;
  private readonly connection: Connection;
  private greeted = false;
  private known: boolean;
  /** How to end each subscription, by its number. */
  private readonly streams = new Map<number, () => void>();
  private monitor: { readonly seq: number; readonly end: () => void } | undefined;
  private readonly pending = new Map<number, PendingQuery>();
  private queries = 0;

  constructor(connection: Connection, options: SessionOptions) {
    this.connection = connection;
    this.options = options;
    this.known = options.authKey === undefined;
    connection.whenClosed(() => {
      this.monitor?.end();
      for (const end of this.streams.values()) end();
    });
  }

  /** Handles a request; resolves to whether the client may go on. */
  async handle({ header, body }: Request): Promise<boolean> {
    const { command, seq } = header;
    if (command !== "handshake" && !this.greeted) return this.refuse(seq, "Handshake required");
    if (command !== "handshake" && command !== "auth" && !this.known) {
      this.connection.reply(seq, "Authentication required");
      return true;
    }
    try {
      return await this.perform(command, seq, body);
    } catch (error) {
      if (!(error instanceof AgentError)) throw error;
      this.connection.reply(seq, error.message);
      return true;
    }
  }

  private refuse(seq: number, error: string): false {
    this.connection.reply(seq, error);
    return false;
  }

  private async perform(command: string, seq: number, body: unknown): Promise<boolean> {
    // The connection has read the body that belongs to the command.
    const of = <C extends BodyCommand>(_command: C): BodyOf<C> => body as BodyOf<C>;
    const done = (): true => (this.connection.reply(seq, ""), true);
    const { agent } = this.options;
    switch (command) {
      case "handshake":
        return this.handshake(seq, of(command).version);
      case "auth":
        return this.authenticate(seq, of(command).authKey);
      case "event": {
        const { name, payload, coalesce } = of(command);
        await agent.userEvent(name, payload, coalesce);
        return done();
      }
      case "force-leave": {
        const { node, prune } = of(command);
        await agent.forceLeave(node, prune);
        return done();
      }
      case "join":
        return this.join(seq, of(command));
      case "members":
        this.connection.reply(seq, "", [replies.members, { members: agent.members() }]);
        return true;
      case "members-filtered": {
        const members = agent.members().filter(memberFilter(of(command)));
        this.connection.reply(seq, "", [replies.members, { members }]);
        return true;
      }
      case "tags":
        await agent.setTags(this.changedTags(of(command)));
        return done();
      case "leave":
        await agent.leave();
        this.connection.reply(seq, "");
        this.options.onLeft();
        return false;
      default:
        return this.performMore(command, seq, body);
    }
  }

  private async performMore(command: string, seq: number, body: unknown): Promise<boolean> {
    const of = <C extends BodyCommand>(_command: C): BodyOf<C> => body as BodyOf<C>;
    const { agent } = this.options;
    switch (command) {
      case "stream":
        return this.stream(seq, of(command).type);
      case "monitor":
        return this.watchLog(seq, of(command).logLevel);
      case "stop":
        return this.stop(seq, of(command).stop);
      case "install-key":
        return this.keys(seq, "install", of(command).key);
      case "use-key":
        return this.keys(seq, "use", of(command).key);
      case "remove-key":
        return this.keys(seq, "remove", of(command).key);
      case "list-keys":
        return this.keys(seq, "list", "");
      case "query":
        return this.query(seq, of(command));
      case "respond":
        return this.respond(seq, of(command));
      case "stats":
        this.connection.reply(seq, "", [
          replies.stats,
          agentStats(agent, this.options.handlers.all),
        ]);
        return true;
      case "get-coordinate": {
        const coord = agent.coordinateOf(of(command).node);
        const reply = { coord: coord ?? NO_COORDINATE, ok: coord !== undefined };
        this.connection.reply(seq, "", [replies.coordinate, reply]);
        return true;
      }
      default:
        return this.refuse(seq, "Unsupported command");
    }
  }

  private handshake(seq: number, version: number): true {
    const error =
      version === VERSION
        ? this.greeted
          ? "Handshake already performed"
          : ""
        : "Unsupported IPC version";
    if (error === "") this.greeted = true;
    this.connection.reply(seq, error);
    return true;
  }

  private authenticate(seq: number, key: string): true {
    const { authKey } = this.options;
    // A node without a key takes none but the empty one, as Serf.
    const right = sameSecret(key, authKey ?? "");
    if (right) this.known = true;
    this.connection.reply(seq, right ? "" : "Invalid authentication token");
    return true;
  }

  /** The body follows an error too. */
  private async join(seq: number, { existing, replay }: BodyOf<"join">): Promise<true> {
    let num = 0;
    let failure = "";
    try {
      num = await this.options.agent.join(existing, replay);
    } catch (error) {
      if (!(error instanceof AgentError)) throw error;
      failure = error.message;
    }
    this.connection.reply(seq, failure, [replies.join, { num }]);
    return true;
  }

  private changedTags({ tags, deleteTags }: BodyOf<"tags">): Tags {
    const own = Object.entries(this.options.agent.self().tags);
    const kept = own.filter(([tag]) => !deleteTags.includes(tag));
    return Object.fromEntries([...kept, ...tags]);
  }

  private stream(seq: number, type: string): true {
    const filters = parseFilters(type);
    const error =
      filters === undefined
        ? "Invalid event filter"
        : this.streams.has(seq)
          ? "Stream with given sequence exists"
          : "";
    this.connection.reply(seq, error);
    if (error !== "" || filters === undefined) return true;
    const end = this.options.agent.subscribe((event) => {
      if (filters.some((filter) => wants(filter, event))) this.sendEvent(seq, event);
    });
    this.streams.set(seq, end);
    return true;
  }

  private sendEvent(seq: number, event: AgentEvent): void {
    const { connection } = this;
    const name = eventName(event);
    switch (event.type) {
      case "members":
        return connection.publish(seq, [
          replies.memberEvent,
          { event: name, members: event.members },
        ]);
      case "user": {
        const { ltime, name: of, payload, coalesce } = event;
        const record = { event: name, ltime, name: of, payload, coalesce };
        return connection.publish(seq, [replies.userEvent, record]);
      }
      case "query": {
        const { ltime, name: of, payload } = event.query;
        const record = { event: name, id: this.remember(event.query), ltime, name: of, payload };
        return connection.publish(seq, [replies.queryEvent, record]);
      }
    }
  }

  /** Keeps a query for its answer; gives its number to this client. */
  private remember(query: PendingQuery): number {
    const now = performance.now();
    for (const [id, { deadline }] of this.pending) {
      if (deadline > now && this.pending.size < PENDING) break;
      this.pending.delete(id);
    }
    this.pending.set(++this.queries, query);
    return this.queries;
  }

  private async respond(seq: number, { id, payload }: BodyOf<"respond">): Promise<true> {
    const query = this.pending.get(id);
    if (query === undefined || query.deadline < performance.now()) {
      throw new AgentError("No pending queries matching ID");
    }
    await this.options.agent.respond(query, payload);
    this.pending.delete(id);
    this.connection.reply(seq, "");
    return true;
  }

  private watchLog(seq: number, asked: string): true {
    const level = asked.toUpperCase();
    const error = !isSerfLevel(level)
      ? `Unknown log level: ${level}`
      : this.monitor === undefined
        ? ""
        : "Monitor already exists";
    this.connection.reply(seq, error);
    if (error !== "" || !isSerfLevel(level)) return true;
    const onLine = (log: string): void => this.connection.publish(seq, [replies.log, { log }]);
    this.monitor = { seq, end: this.options.logs.watch({ level, onLine }) };
    return true;
  }

  private stop(seq: number, stopped: number): true {
    if (this.monitor?.seq === stopped) {
      this.monitor.end();
      this.monitor = undefined;
    }
    this.streams.get(stopped)?.();
    this.streams.delete(stopped);
    this.connection.reply(seq, "");
    return true;
  }

  private async keys(seq: number, operation: KeyOperation, text: string): Promise<true> {
    const key = decodeBase64(text);
    if (key === undefined) throw new AgentError("the key is not base64");
    const { nodes, responses, errors, messages, keys } = await this.options.agent.keys(
      operation,
      key,
    );
    // Worded as Serf's key manager does; the body follows an error too.
    const error =
      errors > 0
        ? `${errors}/${nodes} nodes reported failure`
        : responses === nodes
          ? ""
          : `${responses}/${nodes} nodes reported success`;
    const reply = {
      messages: new Map(messages),
      keys: new Map(keys),
      numNodes: nodes,
      numErr: errors,
      numResp: responses,
    };
    this.connection.reply(seq, error, [replies.keys, reply]);
    return true;
  }

  private async query(seq: number, asked: BodyOf<"query">): Promise<true> {
    const { name, payload, requestAck, relayFactor, timeoutNs } = asked;
    if (name.startsWith(INTERNAL) && (name !== `${INTERNAL}ping` || payload.length > 0)) {
      throw new AgentError(`Queries cannot contain the '${INTERNAL}' prefix`);
    }
    const { connection } = this;
    const tell = (type: "ack" | "response" | "done", from: string, bytes: Uint8Array): void =>
      connection.publish(seq, [replies.queryRecord, { type, from, payload: bytes }]);
    let early: (() => void)[] | undefined = [];
    // The reply to the request goes first.
    const later = (send: () => void): void =>
      void (early === undefined ? send() : early.push(send));
    await this.options.agent.query(
      {
        name,
        payload,
        ack: requestAck,
        relayFactor,
        filters: filtersOf(asked),
        timeoutMs: timeoutNs > 0 ? timeoutNs / NS_PER_MS : undefined,
      },
      {
        onAck: (from) => later(() => tell("ack", from, NO_BYTES)),
        onResponse: (from, bytes) => later(() => tell("response", from, bytes)),
        onDone: () => later(() => tell("done", "", NO_BYTES)),
      },
    );
    connection.reply(seq, "");
    const waiting = early;
    early = undefined;
    for (const send of waiting) send();
    return true;
  }
}

function filtersOf({ filterNodes, filterTags }: BodyOf<"query">): readonly QueryFilter[] {
  const nodes: QueryFilter[] =
    filterNodes.length === 0 ? [] : [{ type: "nodes", names: filterNodes }];
  const tags = [...filterTags].map(
    ([tag, expression]) => ({ type: "tag", tag, expression }) as const,
  );
  return [...nodes, ...tags];
}

function isSerfLevel(level: string): level is SerfLevel {
  return SERF_LEVELS.some((each) => each === level);
}

/** Equal, in a time that says nothing about where they differ. */
function sameSecret(a: string, b: string): boolean {
  const digest = (text: string): Buffer => createHash("sha256").update(text).digest();
  return timingSafeEqual(digest(a), digest(b));
}
