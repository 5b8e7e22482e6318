/** What `serf info` shows: maps of text, with Serf's names. */

import type { Agent } from "./agent.ts";
import type { EventHandler } from "./handlers.ts";

const MIB = 1024 * 1024;

export function agentStats(
  agent: Agent,
  handlers: readonly EventHandler[],
): ReadonlyMap<string, ReadonlyMap<string, string>> {
  const { name, tags } = agent.self();
  const { config } = agent;
  const serf = Object.entries(agent.figures()).map(([key, value]) => [key, String(value)] as const);
  return new Map<string, ReadonlyMap<string, string>>([
    ["agent", new Map([["name", name]])],
    [
      "runtime",
      new Map([
        ["os", process.platform],
        ["arch", process.arch],
        ["version", `node ${process.version}`],
        ["resident_mib", String(Math.round(process.memoryUsage.rss() / MIB))],
      ]),
    ],
    ["serf", new Map([...serf, ["encrypted", String(config.keyring !== undefined)]])],
    ["tags", new Map(Object.entries(tags))],
    ["event_handlers", new Map(handlers.flatMap(named))],
  ]);
}

/** Each filter of a handler with its action, `user:deploy` → `deploy.sh`. */
function named({ filters, action }: EventHandler): readonly (readonly [string, string])[] {
  return filters.map(({ event, name }) => [`${event}:${name ?? ""}`, action] as const);
}
