/**
 * Hundreds of agents in one process, over real sockets. Fewer unless asked:
 * `QUORATE_AGENTS=200 node tools/test.mjs hundreds`.
 */

import assert from "node:assert/strict";
import { test } from "node:test";

import { run, type Running } from "./service-harness.test.ts";

const AGENTS = Number(process.env["QUORATE_AGENTS"] ?? 40);
const PATIENCE_MS = 120_000;
const AT_ONCE = 10;

/** Push/pulls more often than lan has them: what broadcasts miss is repaired while the test waits. */
const PROTOCOL = { profile: "lan", protocol: { pushPullMs: 5000 } } as const;

test(`${AGENTS} agents agree, notice a crash, and hear of an event`, async (t) => {
  const agents: Running[] = [];
  while (agents.length < AGENTS) {
    const count = Math.min(AT_ONCE, AGENTS - agents.length);
    const names = Array.from({ length: count }, (_, i) => `n${agents.length + i}`);
    const started = await Promise.all(names.map((name) => run(t, name, PROTOCOL)));
    agents.push(...started);
    // Everybody through another: no single one has to answer them all.
    const through = agents[Math.floor((agents.length - count) / 2)]!.address;
    await Promise.all(started.map((each) => joined(each, through)));
  }
  await all("they know each other", agents, ({ service }) => count(service, "alive") === AGENTS);
  t.diagnostic(`they agree after ${Math.round(performance.now())} ms of this process`);

  const [crashed] = agents.splice(AGENTS - 1, 1);
  crashed!.service.stop();
  await all("they see the crash", agents, ({ service }) => count(service, "failed") === 1);
  assert.ok(
    agents.every(({ service }) => count(service, "alive") === AGENTS - 1),
    "and nothing else",
  );

  const heard = new Map<string, number>();
  for (const { service } of agents) {
    service.agent.subscribe((event) => {
      if (event.type !== "user") return;
      heard.set(service.agent.config.name, (heard.get(service.agent.config.name) ?? 0) + 1);
    });
  }
  await agents[3]!.service.agent.userEvent("deploy", new Uint8Array(100), false);
  await all("they hear of the event", agents, ({ service }) =>
    heard.has(service.agent.config.name),
  );
  assert.ok(
    [...heard.values()].every((times) => times === 1),
    "once each",
  );
});

/** Joins, however often it takes: one process is all of them, and may be too busy to answer in time. */
async function joined({ service }: Running, through: string): Promise<void> {
  for (const deadline = performance.now() + PATIENCE_MS; ;) {
    try {
      await service.agent.join([through], false);
      return;
    } catch (error) {
      if (performance.now() > deadline) throw error;
    }
  }
}

function count(service: Running["service"], status: string): number {
  return service.agent.members().filter((member) => member.status === status).length;
}

/** Asks one after the other: each until it holds. */
async function all(
  what: string,
  agents: readonly Running[],
  holds: (agent: Running) => boolean,
): Promise<void> {
  const deadline = performance.now() + PATIENCE_MS;
  for (const agent of agents) {
    while (!holds(agent)) {
      if (performance.now() > deadline) throw new Error(`not in time: ${what}`);
      await new Promise((resolve) => setTimeout(resolve, 100));
    }
  }
}
