/**
 * The experiment of the Lifeguard paper (Dadgar, Phillips, Currey 2017, §5):
 * some members are slow, together and again and again; how many healthy ones
 * are called failed, with and without each of Lifeguard's parts?
 */

import { lan, type SwimConfig } from "../config.ts";
import { plainWire } from "../plain-wire.ts";
import { mean } from "./scale.ts";
import { type SwimStation, swimStation, type SwimStationWords } from "./swim-station.ts";
import type { World, Worlds } from "./world.ts";

/** A set-up by configuration alone. */
export interface Variant {
  readonly name: string;
  readonly settings: Partial<SwimConfig>;
}

const WITHOUT = {
  awarenessMax: 1,
  suspicionMaxMult: 1,
  buddySystem: false,
} as const;

/** As the paper's subject has it: none of what we do besides. */
const MEMBERLIST = { repairByPing: false, noticesSleep: false } as const;

/** SWIM, each part of Lifeguard alone, all of it with several alphas (suspicion multipliers). */
export const VARIANTS: readonly Variant[] = [
  { name: "SWIM", settings: { ...WITHOUT, suspicionMult: 5 } },
  { name: "LHA-Probe", settings: { ...WITHOUT, awarenessMax: 8, suspicionMult: 5 } },
  { name: "LHA-Suspicion", settings: { ...WITHOUT, suspicionMaxMult: 6, suspicionMult: 5 } },
  { name: "Buddy System", settings: { ...WITHOUT, buddySystem: true, suspicionMult: 5 } },
  { name: "Lifeguard", settings: { suspicionMult: 5 } },
  { name: "Lifeguard, alpha 4", settings: { suspicionMult: 4 } },
  { name: "Lifeguard, alpha 3", settings: { suspicionMult: 3 } },
  { name: "Lifeguard, alpha 2", settings: { suspicionMult: 2 } },
  // And what noticing one's own sleep does, which is ours.
  { name: "SWIM, sleep noticed", settings: { ...WITHOUT, suspicionMult: 5, noticesSleep: true } },
  { name: "Lifeguard, alpha 2, sleep noticed", settings: { suspicionMult: 2, noticesSleep: true } },
];

export interface LifeguardRun {
  readonly nodes: number;
  readonly slow: number;
  readonly slowMs: number;
  readonly wellMs: number;
  readonly seed: number;
}

export interface LifeguardResult {
  /** Failures of healthy members, as seen by any member; and as seen by healthy ones. */
  readonly falsePositives: number;
  readonly falsePositivesAtHealthy: number;
  /** Failures of slow members: right or wrong, as one likes. */
  readonly slowFailed: number;
  readonly packets: number;
}

const SETTLE_MS = 15_000;
const RUN_MS = 120_000;

/** One run of one variant. */
export function measureLifeguard(
  worlds: Worlds,
  variant: Variant,
  run: LifeguardRun,
): LifeguardResult {
  const names = Array.from({ length: run.nodes }, (_, i) => `n${i}`);
  // Every seed has other members slow: a stride that divides no cluster size of interest.
  const slow = new Set<string>();
  for (let i = 0; slow.size < run.slow; i++) slow.add(names[(run.seed * 31 + i * 13) % run.nodes]!);
  let falsePositives = 0;
  let falsePositivesAtHealthy = 0;
  let slowFailed = 0;
  const spells = {
    fromMs: SETTLE_MS,
    untilMs: SETTLE_MS + RUN_MS,
    slowMs: run.slowMs,
    wellMs: run.wellMs,
  };
  const world: World<SwimStationWords, SwimStation> = worlds({
    seed: run.seed,
    nodes: names,
    latencyMs: [1, 2],
    lossPermille: 0,
    create: (name) =>
      swimStation(
        { ...lan({ name, wire: plainWire }), ...MEMBERLIST, ...variant.settings },
        slow.has(name) ? spells : undefined,
      ),
    onNote: (node, note) => {
      if (note.type !== "died") return;
      if (slow.has(note.node)) {
        slowFailed++;
        return;
      }
      falsePositives++;
      if (!slow.has(node)) falsePositivesAtHealthy++;
    },
  });
  for (const name of names.slice(1)) {
    world.request(name, { type: "join", addresses: [names[0]!], replay: false }, () => {});
  }
  world.runFor(SETTLE_MS + RUN_MS);
  const packets = names.reduce((sum, name) => sum + world.process(name)!.packets, 0);
  return { falsePositives, falsePositivesAtHealthy, slowFailed, packets };
}

export interface LifeguardPlan {
  readonly nodes: number;
  readonly slow: readonly number[];
  readonly slowMs: readonly number[];
  readonly wellMs: readonly number[];
  readonly seeds: number;
}

/** What the paper varies, thinned out to a few minutes. */
export const LIFEGUARD_PLAN: LifeguardPlan = {
  nodes: 128,
  slow: [1, 4, 16, 32],
  slowMs: [16_384],
  wellMs: [16, 256],
  seeds: 1,
};

export interface LifeguardRow {
  readonly variant: string;
  readonly falsePositives: number;
  readonly falsePositivesAtHealthy: number;
  /** Of SWIM's, in percent. */
  readonly share: number;
  readonly shareAtHealthy: number;
  readonly slowFailed: number;
  readonly packetsPerRun: number;
  readonly detectFirstMs: number;
  readonly detectLastMs: number;
}

/** The table: sums over all combinations of the plan, and how fast a real crash is noticed. */
export function lifeguardTable(worlds: Worlds, plan: LifeguardPlan): readonly LifeguardRow[] {
  const rows: LifeguardRow[] = [];
  for (const variant of VARIANTS) {
    const results = combinations(plan).map((run) => measureLifeguard(worlds, variant, run));
    const sum = (field: keyof LifeguardResult) =>
      results.reduce((total, result) => total + result[field], 0);
    const falsePositives = sum("falsePositives");
    const falsePositivesAtHealthy = sum("falsePositivesAtHealthy");
    const crash = measureDetection(worlds, variant.settings, plan.nodes, 4 * plan.seeds);
    rows.push({
      variant: variant.name,
      falsePositives,
      falsePositivesAtHealthy,
      share: percent(falsePositives, rows[0]?.falsePositives ?? falsePositives),
      shareAtHealthy: percent(
        falsePositivesAtHealthy,
        rows[0]?.falsePositivesAtHealthy ?? falsePositivesAtHealthy,
      ),
      slowFailed: sum("slowFailed"),
      packetsPerRun: sum("packets") / results.length,
      detectFirstMs: crash.first,
      detectLastMs: crash.last,
    });
  }
  return rows;
}

function combinations(plan: LifeguardPlan): readonly LifeguardRun[] {
  const { nodes, seeds } = plan;
  return plan.slow.flatMap((slow) =>
    plan.slowMs.flatMap((slowMs) =>
      plan.wellMs.flatMap((wellMs) =>
        Array.from({ length: seeds }, (_, i) => ({ nodes, slow, slowMs, wellMs, seed: i + 1 })),
      ),
    ),
  );
}

function percent(part: number, whole: number): number {
  return whole === 0 ? 0 : (100 * part) / whole;
}

/** How long until the first, and until all, call a crashed member failed, nobody being slow: means. */
export function measureDetection(
  worlds: Worlds,
  settings: Partial<SwimConfig>,
  nodes: number,
  crashes: number,
): { readonly first: number; readonly last: number } {
  const firsts: number[] = [];
  const lasts: number[] = [];
  for (let seed = 1; seed <= crashes; seed++) {
    const times = crashOne(worlds, settings, nodes, seed);
    firsts.push(Math.min(...times));
    lasts.push(Math.max(...times));
  }
  return { first: mean(firsts), last: mean(lasts) };
}

/** When each of the others learned of a crash, in milliseconds from it. */
function crashOne(
  worlds: Worlds,
  settings: Partial<SwimConfig>,
  nodes: number,
  seed: number,
): readonly number[] {
  const names = Array.from({ length: nodes }, (_, i) => `n${i}`);
  const victim = names[1 + ((seed * 31) % (nodes - 1))]!;
  const times: number[] = [];
  let now = () => 0;
  const world: World<SwimStationWords, SwimStation> = worlds({
    seed,
    nodes: names,
    latencyMs: [1, 2],
    lossPermille: 0,
    create: (name) => swimStation({ ...lan({ name, wire: plainWire }), ...settings }),
    onNote: (_node, note) => {
      if (note.type === "died" && note.node === victim) times.push(now());
    },
  });
  now = () => world.now;
  for (const name of names.slice(1)) {
    world.request(name, { type: "join", addresses: [names[0]!], replay: false }, () => {});
  }
  // At another moment of the probe interval each time.
  world.runFor(SETTLE_MS + ((137 * seed) % 1000));
  const crashedAt = world.now;
  world.crash(victim);
  world.runFor(60_000);
  return times.map((time) => time - crashedAt);
}
