/** `quorate agent`: one agent, from its settings to its last word. Stands in for `serf agent`. */

import process from "node:process";

import { AgentError, SerfService } from "@quorate/serf";

import { addressInUse, hostPort } from "../cluster/ports.ts";
import { CliError, EXIT, type ExitStatus, reasonOf } from "../errors.ts";
import type { Terminal } from "../terminal/terminal.ts";
import { version } from "../version.ts";
import { MetricsPort } from "./metrics-port.ts";
import { type AgentPlan, agentPlan } from "./plan.ts";
import { type AgentFlags, agentSettings } from "./settings.ts";
import type { AgentSettings } from "./table.ts";

/** What a leave may take beyond its broadcast. */
const FAREWELL_MS = 3000;
const LEAST_RETRY_MS = 1000;

/** Why an agent ends, and whether that is well. */
type Ending = { readonly well: boolean; readonly reason: string };

/**
 * Runs an agent until it is told to stop, or its client has it leave.
 * @throws CliError if it could not start, or could not go on.
 */
export async function agent(flags: AgentFlags, terminal: Terminal): Promise<ExitStatus> {
  const settings = agentSettings(flags);
  const plan = agentPlan(settings);
  for (const warning of plan.warnings) say(terminal, `Warning: ${warning}`);
  let end: (ending: Ending) => void = () => {};
  const ended = new Promise<Ending>((resolve) => (end = resolve));
  const service = new SerfService({
    ...plan,
    onStopped: (reason) => end({ well: reason === undefined, reason: reason?.message ?? "" }),
  });
  const metrics = new MetricsPort(service);
  let release = (): void => {};
  try {
    if (plan.metrics !== undefined) {
      const { host, port } = await metrics.listen(plan.metrics);
      terminal.write(`    Metrics addr: '${hostPort(host, port)}'\n`);
    }
    // Before anything is heard of the agent: whoever reads that it runs may send a signal.
    release = listen(service, { flags, settings, terminal, end });
    await start(service, plan, settings, terminal);
    void retryJoin(service, settings, end);
    const { well, reason } = await ended;
    if (reason !== "") throw new CliError({ code: "settings", reason });
    return well ? EXIT.fine : EXIT.failed;
  } finally {
    release();
    service.stop();
    metrics.close();
  }
}

async function start(
  service: SerfService,
  { config, rpcAuthKey }: AgentPlan,
  settings: AgentSettings,
  terminal: Terminal,
): Promise<void> {
  say(terminal, "Starting Serf agent...");
  const addresses = await service.start().catch((error: unknown) => {
    const taken = addressInUse(error);
    const reason =
      taken === undefined
        ? reasonOf(error)
        : `cannot listen on ${hostPort(taken.host, taken.port)}: the port is in use`;
    throw new CliError({ code: "settings", reason });
  });
  // In Serf's words, which scripts wait for.
  say(terminal, `Serf agent running! (quorate ${version()})`);
  const table = [
    ["Node name", `'${config.name}'`],
    ["Bind addr", `'${hostPort(config.bind.host, addresses.gossip.port)}'`],
    ["RPC addr", `'${hostPort(addresses.rpc.host, addresses.rpc.port)}'`],
    ["RPC auth", String(rpcAuthKey !== undefined)],
    ["Encrypted", String(config.keyring !== undefined)],
    ["Snapshot", String(config.snapshotPath !== undefined)],
    ["Profile", config.profile],
  ] as const;
  for (const [name, value] of table) terminal.write(`    ${name.padStart(10)}: ${value}\n`);
  if (settings.start_join.length === 0) return;
  say(terminal, `Joining cluster...(replay: ${settings.replay_on_join})`);
  const contacted = await service.agent
    .join(settings.start_join, settings.replay_on_join)
    .catch((error: unknown) => {
      throw new CliError({ code: "settings", reason: reasonOf(error) });
    });
  terminal.write(`    Join completed. Synced with ${contacted} initial agents\n`);
}

/** Tries until it works, the attempts are used up, or the agent is gone. */
async function retryJoin(
  service: SerfService,
  settings: AgentSettings,
  end: (ending: Ending) => void,
): Promise<void> {
  const { retry_join: places, retry_max_attempts: most, replay_on_join: replay } = settings;
  if (places.length === 0) return;
  const waitMs = Math.max(LEAST_RETRY_MS, settings.retry_interval);
  for (let attempt = 1; ; attempt++) {
    try {
      await service.agent.join(places, replay);
      return;
    } catch (error) {
      if (!(error instanceof AgentError)) throw error;
      if (most > 0 && attempt > most)
        return end({ well: false, reason: "maximum retry join attempts made" });
    }
    await new Promise((resolve) => setTimeout(resolve, waitMs).unref());
  }
}

interface Listening {
  readonly flags: AgentFlags;
  readonly settings: AgentSettings;
  readonly terminal: Terminal;
  readonly end: (ending: Ending) => void;
}

/** Signals, as Serf takes them. Returns how to let go of them. */
function listen(service: SerfService, { flags, settings, terminal, end }: Listening): () => void {
  let leaving = false;
  const stop = (gracefully: boolean): void => {
    // A second signal is from somebody in a hurry.
    if (!gracefully || leaving) return end({ well: false, reason: "" });
    leaving = true;
    say(terminal, "Gracefully shutting down agent...");
    setTimeout(
      () => end({ well: false, reason: "" }),
      settings.broadcast_timeout + FAREWELL_MS,
    ).unref();
    service.leave().then(
      () => end({ well: true, reason: "" }),
      (error: unknown) => end({ well: false, reason: reasonOf(error) }),
    );
  };
  const onInterrupt = (): void => stop(!settings.skip_leave_on_interrupt);
  const onTerminate = (): void => stop(settings.leave_on_terminate);
  const onHangUp = (): void => void reload(service, flags, terminal);
  process.on("SIGINT", onInterrupt);
  process.on("SIGTERM", onTerminate);
  process.on("SIGHUP", onHangUp);
  return () => {
    process.off("SIGINT", onInterrupt);
    process.off("SIGTERM", onTerminate);
    process.off("SIGHUP", onHangUp);
  };
}

/** Takes over what may change: log level, handlers, tags. What is wrong changes nothing. */
async function reload(service: SerfService, flags: AgentFlags, terminal: Terminal): Promise<void> {
  say(terminal, "Reloading configuration...");
  try {
    const { config, handlers, logLevel } = agentPlan(agentSettings(flags));
    await service.reload({ logLevel, handlers, tags: config.tags });
  } catch (error) {
    if (!(error instanceof CliError || error instanceof AgentError)) throw error;
    say(terminal, `Failed to reload configs: ${reasonOf(error)}`);
  }
}

/** A line in the style of Serf's. */
function say(terminal: Terminal, line: string): void {
  terminal.write(`==> ${line}\n`);
}
