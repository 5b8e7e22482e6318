/**
 * What broadcasts miss. Each is in L packets from every node that knows of it,
 * so a node misses it with a probability of about e^-L; push/pulls bring it in
 * the end. And how long a cluster takes to know itself when all join at once.
 */

import { lan } from "../config.ts";
import { plainWire } from "../plain-wire.ts";
import { serfDefaults } from "../serf/config.ts";
import { Serf } from "../serf/serf.ts";
import { Swim } from "../swim/swim.ts";
import type { GossipWords } from "../words.ts";
import type { World, Worlds } from "./world.ts";

export interface DeliveryRun {
  readonly nodes: number;
  readonly events: number;
  readonly lossPermille: number;
  readonly seed: number;
}

export interface DeliveryResult {
  readonly deliveries: number;
  /** Not delivered within 5 s, by gossip alone. */
  readonly missed: number;
  /** Nor within a push/pull interval times four. */
  readonly missedForGood: number;
  readonly twice: number;
  /** Milliseconds to the last node, at the median and the worst event; misses left out. */
  readonly medianMs: number;
  readonly worstMs: number;
}

const SETTLE_MS = 10_000;
const EVENT_MS = 5000;

/** Serf's user events, one at a time, from different nodes. */
export function measureDelivery(worlds: Worlds, run: DeliveryRun): DeliveryResult {
  const names = Array.from({ length: run.nodes }, (_, i) => `n${i}`);
  const heard = new Map<string, Map<string, number>>();
  let twice = 0;
  let now = () => 0;
  const world: World<GossipWords, Serf> = worlds({
    seed: run.seed,
    nodes: names,
    latencyMs: [1, 3],
    lossPermille: run.lossPermille,
    create: (name) => new Serf(serfDefaults(lan({ name, wire: plainWire }))),
    onOutput: (node, output) => {
      if (output.type !== "userEvent") return;
      const times = heard.get(output.event.name) ?? new Map<string, number>();
      if (times.has(node)) twice++;
      heard.set(output.event.name, times.set(node, now()));
    },
  });
  now = () => world.now;
  for (const [i, name] of names.entries()) {
    if (i === 0) continue;
    join(world, name, names[0]!);
    world.runFor(20);
  }
  world.runFor(SETTLE_MS + 60_000);
  let missed = 0;
  const lasts: number[] = [];
  for (let i = 0; i < run.events; i++) {
    const from = names[(i * 7) % names.length]!;
    const begin = world.now;
    const event = { name: `event ${i}`, payload: new Uint8Array(32), coalesce: false };
    world.request(from, { type: "userEvent", ...event }, () => {});
    world.runFor(EVENT_MS);
    const times = [...(heard.get(event.name)?.values() ?? [])];
    missed += run.nodes - times.length;
    lasts.push(Math.max(...times) - begin);
  }
  world.runFor(4 * 120_000);
  const delivered = [...heard.values()].reduce((sum, times) => sum + times.size, 0);
  lasts.sort((a, b) => a - b);
  return {
    deliveries: run.events * run.nodes,
    missed,
    missedForGood: run.events * run.nodes - delivered,
    twice,
    medianMs: lasts[Math.floor(lasts.length / 2)] ?? 0,
    worstMs: lasts.at(-1) ?? 0,
  };
}

/** Joins, again and again if messages are lost. */
function join(world: World<GossipWords, Serf>, name: string, contact: string): void {
  world.request(name, { type: "join", addresses: [contact], replay: false }, (response) => {
    if (response.type === "joined" && response.contacted === 0) join(world, name, contact);
  });
}

export interface StormResult {
  readonly nodes: number;
  /** Of all pairs, how many did not know each other after so many seconds. */
  readonly unknownAfter: readonly (readonly [seconds: number, pairs: number])[];
}

/** Everybody joins within a second, each through one that joined before. */
export function measureStorm(
  worlds: Worlds,
  { nodes, seed, repairByPing }: { nodes: number; seed: number; repairByPing: boolean },
): StormResult {
  const names = Array.from({ length: nodes }, (_, i) => `n${i}`);
  const world: World<GossipWords, Swim> = worlds({
    seed,
    nodes: names,
    latencyMs: [1, 3],
    lossPermille: 0,
    create: (name) => new Swim({ ...lan({ name, wire: plainWire }), repairByPing }),
  });
  const pauses = Math.max(1, Math.floor(nodes / 100));
  for (const [i, name] of names.entries()) {
    if (i === 0) continue;
    const addresses = [names[(i * 31) % i]!];
    world.request(name, { type: "join", addresses, replay: false }, () => {});
    if (i % pauses === 0) world.runFor(10);
  }
  const unknownAfter: [number, number][] = [];
  for (const seconds of [1, 2, 5, 10, 30, 60]) {
    world.runFor(seconds * 1000 - (unknownAfter.at(-1)?.[0] ?? 0) * 1000);
    let pairs = 0;
    for (const name of names) pairs += nodes - world.process(name)!.members.present;
    unknownAfter.push([seconds, pairs]);
    if (pairs === 0) break;
  }
  return { nodes, unknownAfter };
}
