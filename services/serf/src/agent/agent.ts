/**
 * A Serf agent: the gossip process on memberlist's network, and what users do
 * with it. Handlers, RPC and the node's other services stand on this.
 */

import {
  type Address as GossipAddress,
  type Coordinate,
  type GossipWords,
  type JoinFailure,
  type KeyOperation,
  type KeyOutcome,
  type Member,
  type MemberStatus,
  type Output,
  type QueryRequest,
  Serf,
  type Tags,
} from "@quorate/gossip";
import { type Address, Driver, type Logger, Turn } from "@quorate/host";
import { unreachable } from "@quorate/kernel";

import { BoundedLog } from "../transport/counters.ts";
import { GossipTransport } from "../transport/transport.ts";
import { layersBytes } from "../wire/packet.ts";
import { serfWire } from "../wire/wire.ts";
import { advertised, resolveJoin } from "./addresses.ts";
import { type AgentConfig, protocolConfig } from "./config.ts";
import type { AgentEvent, PendingQuery } from "./event.ts";
import { AgentError, writeTags } from "./files.ts";
import { performKeyRequest } from "./keys.ts";
import { LagWatch } from "./lag-watch.ts";
import { NoteLog } from "./note-log.ts";
import { NoSnapshot, SnapshotFile } from "./snapshot.ts";
import { lineCodec } from "./snapshot-lines.ts";

/** Hears what comes back for a query. */
export interface QuerySink {
  onAck(from: string): void;
  onResponse(from: string, payload: Uint8Array): void;
  onDone(): void;
}

export interface AgentOptions {
  readonly config: AgentConfig;
  readonly logger: Logger;
  /** The agent stopped by itself, and why. */
  readonly onStopped: (reason: Error) => void;
}

type Request = GossipWords["Request"];
type Response = GossipWords["Response"];

/** For a driver with one process. */
const GROUP = 0;

export class Agent {
  readonly config: AgentConfig;
  readonly logger: Logger;
  private readonly options: AgentOptions;
  private readonly transport: GossipTransport;
  private readonly notes: NoteLog;
  private readonly listeners = new Set<(event: AgentEvent) => void>();
  private readonly queries = new Map<string, QuerySink>();
  private running: Running | undefined;
  private ended = false;

  constructor(options: AgentOptions) {
    const { config, logger } = options;
    this.options = options;
    this.config = config;
    this.logger = logger;
    this.notes = new NoteLog(logger);
    this.transport = new GossipTransport({
      layers: config,
      logger,
      streamTimeoutMs: protocolConfig(config, serfWire, layersBytes(config)).streamTimeoutMs,
      onError: (error) => this.fail(error),
    });
  }

  /**
   * Opens the port and starts. Resolves to the address that others are told.
   * @throws AgentError, or what the system says of a port or a file; nothing runs then.
   */
  async start(): Promise<Address> {
    const { config, logger } = this;
    const port = await this.transport.open(config.bind);
    const onDurable = (place: number): void => driver.onDurable(place);
    const { at, snapshot } = this.prepare(port, onDurable);
    const process = new Serf(protocolConfig(config, serfWire, layersBytes(config)));
    const driver = new Driver<GossipWords>({
      self: at.text,
      group: GROUP,
      process,
      messages: NO_CODEC,
      records: lineCodec,
      log: snapshot,
      transport: this.transport,
      turn: new Turn(),
      onOutput: (output) => this.onOutput(output),
      onNote: (note) => this.notes.note(note),
      onFatal: (error) => this.fail(error instanceof Error ? error : new Error(String(error))),
      stopped: { type: "refused", reason: "the agent is stopped" },
    });
    if (snapshot instanceof SnapshotFile)
      for (const line of snapshot.recovered) driver.recover(line);
    const late = new BoundedLog(logger);
    const lag = new LagWatch((lateMs) => {
      late.warn({ lateMs }, "the event loop was blocked");
      driver.request({ type: "lagged" }, () => {});
    });
    this.running = { process, driver, snapshot, lag, address: at.text };
    this.transport.deliverTo(driver);
    logger.info({ address: at.text, node: config.name }, "agent started");
    driver.start();
    return at.address;
  }

  /** What may still fail with the port open: it is closed again then. */
  private prepare(port: number, onDurable: (place: number) => void): Prepared {
    const { config, logger } = this;
    const { snapshotPath } = config;
    try {
      const at = advertised(config, port);
      const snapshot =
        snapshotPath === undefined
          ? new NoSnapshot(onDurable)
          : new SnapshotFile(snapshotPath, logger, onDurable);
      return { at, snapshot };
    } catch (error) {
      this.transport.close();
      if (error instanceof AgentError) throw error;
      throw new AgentError(`cannot open the snapshot: ${messageOf(error)}`);
    }
  }

  /** Stops without a word: the others will find out. After {@link leave}, the end. */
  stop(): void {
    this.ended = true;
    const { running } = this;
    this.running = undefined;
    running?.lag.stop();
    running?.driver.stop();
    this.transport.close();
    running?.snapshot.close();
    for (const sink of this.queries.values()) sink.onDone();
    this.queries.clear();
  }

  get counters(): GossipTransport["counters"] {
    return this.transport.counters;
  }

  /** How often each note was made. */
  get noteCounts(): ReadonlyMap<string, number> {
    return this.notes.counts;
  }

  /** Hears of every event from now on. Returns how to stop it. */
  subscribe(listener: (event: AgentEvent) => void): () => void {
    this.listeners.add(listener);
    return () => this.listeners.delete(listener);
  }

  /** Everybody this node knows, itself included. */
  members(): readonly Member[] {
    return this.running?.process.memberList() ?? [];
  }

  self(): Member {
    const self = this.members().find(({ name }) => name === this.config.name);
    if (self === undefined) throw new AgentError("the agent is stopped");
    return self;
  }

  coordinateOf(node: string): Coordinate | undefined {
    return this.running?.process.coordinateOf(node);
  }

  /** Figures of the process, as `serf info` shows them. */
  figures(): Readonly<Record<string, number>> {
    if (this.running === undefined) return {};
    const { process } = this.running;
    const members = process.memberList();
    const { intents, events, queries } = process.queueDepths;
    const count = (status: MemberStatus): number =>
      members.filter((member) => member.status === status).length;
    return {
      members: members.length,
      failed: count("failed"),
      left: count("left"),
      health_score: process.health,
      member_time: process.clock.time,
      event_time: process.eventClock.time,
      query_time: process.queryClock.time,
      intent_queue: intents,
      event_queue: events,
      query_queue: queries,
    };
  }

  /**
   * Joins through each address: a host name or an IP, with or without a port.
   * Resolves to how many were reached. @throws AgentError if none was.
   */
  async join(places: readonly string[], replay: boolean): Promise<number> {
    const resolved = await resolveJoin(places, this.config.bind.port);
    const failures: JoinFailure[] = [...resolved.failures];
    let contacted = 0;
    if (resolved.addresses.length > 0) {
      const addresses: readonly GossipAddress[] = resolved.addresses;
      const response = await this.ask({ type: "join", addresses, replay });
      if (response.type === "refused") throw new AgentError(response.reason);
      if (response.type !== "joined") throw unexpected(response);
      contacted = response.contacted;
      failures.push(...response.failures);
    }
    for (const { address, reason } of failures)
      this.logger.warn({ address, reason }, "join failed");
    if (contacted === 0 && places.length > 0) {
      const reasons = failures.map(({ address, reason }) => `${address}: ${reason}`).join("; ");
      throw new AgentError(`no address could be joined: ${reasons}`);
    }
    this.logger.info({ contacted }, "joined");
    return contacted;
  }

  /** Says farewell, and resolves once it has spread. */
  async leave(): Promise<void> {
    await this.accepted({ type: "leave" });
  }

  async userEvent(name: string, payload: Uint8Array, coalesce: boolean): Promise<void> {
    await this.accepted({ type: "userEvent", name, payload, coalesce });
  }

  /** Asks the cluster; `sink` hears what comes back, until `onDone`. @throws AgentError */
  async query(query: Omit<QueryRequest, "type">, sink: QuerySink): Promise<void> {
    const { driver } = this.mustRun();
    await new Promise<void>((resolve, reject) => {
      // Within the step: answers may follow at once.
      driver.request({ type: "query", ...query }, (response) => {
        if (response.type !== "asked") return reject(refusal(response));
        this.queries.set(keyOf(response.ltime, response.id), sink);
        resolve();
      });
    });
  }

  /** Answers a query that was put to this node. @throws AgentError, if it is over for example. */
  async respond({ ltime, id }: PendingQuery, payload: Uint8Array): Promise<void> {
    await this.accepted({ type: "respond", ltime, id, payload });
  }

  /** Publishes other tags, and writes them to the tags file if there is one. */
  async setTags(tags: Tags): Promise<void> {
    const { tagsFile } = this.config;
    await this.accepted({ type: "setTags", tags });
    if (tagsFile === undefined) return;
    try {
      writeTags(tagsFile, tags);
    } catch (error) {
      throw new AgentError(`the tags are set, but cannot be written: ${messageOf(error)}`);
    }
  }

  async forceLeave(node: string, prune: boolean): Promise<void> {
    await this.accepted({ type: "forceLeave", node, prune });
  }

  /** Does something with the keys of every member. @throws AgentError if nothing could be asked. */
  async keys(operation: KeyOperation, key: Uint8Array): Promise<KeyOutcome> {
    const response = await this.ask({ type: "key", operation, key });
    if (response.type !== "keys") throw refusal(response);
    return response.outcome;
  }

  private ask(request: Request): Promise<Response> {
    const { driver } = this.mustRun();
    return new Promise((resolve) => driver.request(request, resolve));
  }

  private async accepted(request: Request): Promise<Response> {
    const response = await this.ask(request);
    if (response.type === "refused") throw new AgentError(response.reason);
    return response;
  }

  private mustRun(): Running {
    if (this.running === undefined) throw new AgentError("the agent is stopped");
    return this.running;
  }

  private onOutput(output: Output): void {
    switch (output.type) {
      case "member":
        return;
      case "members": {
        const { change, members } = output;
        const names = members.map(({ name, address }) => `${name} ${address}`);
        this.logger.info({ members: names }, `member-${change}`);
        return this.publish({ type: "members", change, members });
      }
      case "userEvent": {
        const { ltime, name, payload, coalesce } = output.event;
        this.logger.info({ event: name, ltime }, "user event");
        return this.publish({ type: "user", ltime, name, payload, coalesce });
      }
      case "query": {
        const { ltime, id, name, payload, timeoutMs } = output.query;
        this.logger.info({ query: name, ltime }, "query");
        const deadline = performance.now() + timeoutMs;
        return this.publish({ type: "query", query: { ltime, id, name, payload, deadline } });
      }
      case "keyRequest":
        return this.onKeyRequest(output);
      case "queryAck":
        return this.queries.get(keyOf(output.ltime, output.id))?.onAck(output.from);
      case "queryResponse": {
        const sink = this.queries.get(keyOf(output.ltime, output.id));
        return sink?.onResponse(output.from, output.payload);
      }
      case "queryDone": {
        const key = keyOf(output.ltime, output.id);
        const sink = this.queries.get(key);
        this.queries.delete(key);
        return sink?.onDone();
      }
      case "nameTaken":
        return this.fail(new AgentError(`the cluster knows ${this.config.name} at ${output.by}`));
      default:
        return unreachable(output);
    }
  }

  private onKeyRequest({
    ltime,
    id,
    operation,
    key,
  }: Extract<Output, { type: "keyRequest" }>): void {
    const answer = performKeyRequest(operation, key, this.config, this.logger);
    this.running?.driver.request({ type: "keyDone", ltime, id, answer }, () => {});
  }

  private publish(event: AgentEvent): void {
    for (const listener of this.listeners) listener(event);
  }

  private fail(error: Error): void {
    if (this.ended) return;
    this.logger.fatal({ reason: error.message }, "the agent stops");
    // What led here may be a step of the process: it ends first.
    setImmediate(() => {
      if (this.ended) return;
      this.stop();
      this.options.onStopped(error);
    });
  }
}

interface Prepared {
  readonly at: ReturnType<typeof advertised>;
  readonly snapshot: SnapshotFile | NoSnapshot;
}

interface Running {
  readonly process: Serf;
  readonly driver: Driver<GossipWords>;
  readonly snapshot: SnapshotFile | NoSnapshot;
  readonly lag: LagWatch;
  readonly address: GossipAddress;
}

/** The transport has the bytes of memberlist; nothing asks this. */
const NO_CODEC = {
  write: () => {
    throw new Error("gossip has its own bytes");
  },
  read: () => {
    throw new Error("gossip has its own bytes");
  },
};

function keyOf(ltime: number, id: number): string {
  return `${ltime}/${id}`;
}

function refusal(response: Response): Error {
  return response.type === "refused" ? new AgentError(response.reason) : unexpected(response);
}

function unexpected(response: Response): Error {
  return new Error(`unexpected response: ${response.type}`);
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
