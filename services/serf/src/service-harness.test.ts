/** Services for tests: on free ports of this machine, stopped when the test ends. */

import type { TestContext } from "node:test";

import { type AgentConfig, agentConfig } from "./agent/config.ts";
import { type EventHandler } from "./agent/handlers.ts";
import { type SerfAddresses, SerfService } from "./service.ts";

export interface Running {
  readonly service: SerfService;
  readonly addresses: SerfAddresses;
  readonly log: string[];
  readonly address: string;
}

export interface RunOptions extends Partial<Omit<AgentConfig, "name">> {
  readonly rpcAuthKey?: string;
  readonly handlers?: readonly EventHandler[];
  readonly onStopped?: (reason: Error | undefined) => void;
}

/** Fast where nothing else is tested: no waiting for changes to come together. */
const QUICK = { coalesceMs: 0, quietMs: 0, userCoalesceMs: 0, userQuietMs: 0 };

export function configOf(name: string, options: Partial<AgentConfig> = {}): AgentConfig {
  return agentConfig(name, {
    bind: { host: "127.0.0.1", port: 0 },
    profile: "local",
    ...options,
    protocol: { ...QUICK, retransmitMult: 4, ...options.protocol },
  });
}

export async function run(
  t: TestContext,
  name: string,
  options: RunOptions = {},
): Promise<Running> {
  const { rpcAuthKey, handlers, onStopped = () => {}, ...config } = options;
  const log: string[] = [];
  const service = new SerfService({
    config: configOf(name, config),
    rpc: { host: "127.0.0.1", port: 0 },
    rpcAuthKey,
    handlers,
    logLevel: "debug",
    logSink: (line) => log.push(line),
    onStopped,
  });
  t.after(() => service.stop());
  const addresses = await service.start();
  return { service, addresses, log, address: `127.0.0.1:${addresses.gossip.port}` };
}

const PATIENCE_MS = 20_000;

/** Asks again until it holds. @throws Error that says what did not. */
export async function eventually(what: string, holds: () => boolean): Promise<void> {
  const deadline = performance.now() + PATIENCE_MS;
  while (!holds()) {
    if (performance.now() > deadline) throw new Error(`not in time: ${what}`);
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
}
