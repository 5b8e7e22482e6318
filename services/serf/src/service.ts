/** An agent with all that belongs to it: its log, its handlers, its RPC port, its metrics. */

import type { Tags } from "@quorate/gossip";
import type { Address, LogLevel } from "@quorate/host";
import type { Registry } from "prom-client";

import { Agent } from "./agent/agent.ts";
import type { AgentConfig } from "./agent/config.ts";
import { type EventHandler, EventHandlers } from "./agent/handlers.ts";
import { LogHub } from "./agent/log-hub.ts";
import { registerMetrics } from "./metrics.ts";
import { RpcServer } from "./rpc/server.ts";

export interface SerfServiceOptions {
  readonly config: AgentConfig;
  /** Where clients such as the `serf` command connect. */
  readonly rpc: Address;
  /** What those clients must know, if anything. */
  readonly rpcAuthKey?: string | undefined;
  readonly handlers?: readonly EventHandler[] | undefined;
  /** Default: info. */
  readonly logLevel?: LogLevel | undefined;
  /** Takes the log's JSON lines; by default they go to standard error. */
  readonly logSink?: ((json: string) => void) | undefined;
  /** The agent ended by itself: a client had it leave (no reason), or it could not go on. */
  readonly onStopped: (reason: Error | undefined) => void;
}

/** Where a service listens. `gossip` is what other members are told. */
export interface SerfAddresses {
  readonly gossip: Address;
  readonly rpc: Address;
}

export class SerfService {
  readonly agent: Agent;
  readonly handlers: EventHandlers;
  readonly logs: LogHub;
  private readonly options: SerfServiceOptions;
  private readonly rpc: RpcServer;

  constructor(options: SerfServiceOptions) {
    const { config, rpcAuthKey: authKey, onStopped } = options;
    this.options = options;
    const { logLevel = "info", logSink = toStandardError } = options;
    this.logs = new LogHub(config.name, logLevel, logSink);
    const { logger } = this.logs;
    const agent = new Agent({
      config,
      logger,
      onStopped: (reason) => {
        this.stop();
        onStopped(reason);
      },
    });
    this.agent = agent;
    this.handlers = new EventHandlers(options.handlers ?? [], {
      logger,
      self: () => agent.self(),
      respond: (query, payload) => {
        agent.respond(query, payload).catch((error: unknown) => {
          logger.warn({ query: query.name, reason: String(error) }, "cannot respond to query");
        });
      },
    });
    const onLeft = (): void => {
      this.stop();
      onStopped(undefined);
    };
    this.rpc = new RpcServer({ agent, logs: this.logs, handlers: this.handlers, authKey, onLeft });
    agent.subscribe((event) => this.handlers.handle(event));
  }

  /** @throws AgentError, or what the system says of a port or a file; nothing runs then. */
  async start(): Promise<SerfAddresses> {
    const gossip = await this.agent.start();
    try {
      return { gossip, rpc: await this.rpc.listen(this.options.rpc) };
    } catch (error) {
      this.agent.stop();
      throw error;
    }
  }

  /** Says farewell to the cluster; the service still answers until it is stopped. */
  leave(): Promise<void> {
    return this.agent.leave();
  }

  /** Stops without a word. Safe to call twice. */
  stop(): void {
    this.handlers.stop();
    this.rpc.close();
    this.agent.stop();
  }

  /** Takes over what may change while an agent runs. @throws AgentError for tags that are too long. */
  async reload(changed: {
    readonly logLevel: LogLevel;
    readonly handlers: readonly EventHandler[];
    readonly tags: Tags;
  }): Promise<void> {
    this.logs.setLevel(changed.logLevel);
    this.handlers.replace(changed.handlers);
    await this.agent.setTags(changed.tags);
  }

  /** Puts this service's metrics into a registry. */
  registerMetrics(registry: Registry): void {
    registerMetrics(registry, this.agent, () => ({
      clients: this.rpc.clients,
      droppedEvents: this.handlers.dropped,
    }));
  }
}

function toStandardError(json: string): void {
  process.stderr.write(json);
}
