/**
 * SWIM's detector and the accrual one under the same faults: how fast a crash
 * is noticed, how often the living are called gone, and what it costs.
 */

import type { Process, Vocabulary } from "@quorate/kernel";

import { lan } from "../config.ts";
import { VERSIONS } from "../member.ts";
import { PHI_DEFAULTS, PhiAccrual, type PhiWords } from "../phi/phi.ts";
import { plainWire } from "../plain-wire.ts";
import { roster } from "../swim/members.ts";
import type { Swim } from "../swim/swim.ts";
import type { GossipWords } from "../words.ts";
import { mean } from "./scale.ts";
import { type Spells, Station, type StationWords } from "./station.ts";
import { swimStation } from "./swim-station.ts";
import type { World, Worlds } from "./world.ts";

export interface DetectorRun {
  readonly nodes: number;
  readonly lossPermille: number;
  /** How many are slow for 5 s out of 6. */
  readonly slow: number;
  readonly seeds: number;
}

export interface DetectorResult {
  readonly detector: string;
  readonly detectFirstMs: number;
  readonly detectLastMs: number;
  /** Opinions that a living, well node was gone, per run. */
  readonly falsePositives: number;
  /** Per node and second. */
  readonly packets: number;
  readonly bytes: number;
}

const SETTLE_MS = 30_000;
const CALM_MS = 120_000;
const CRASH_MS = 60_000;

/** One detector: how it is made, and how it says that somebody is gone. */
interface Candidate<V extends Vocabulary, P extends Process<V>> {
  readonly name: string;
  create(name: string, names: readonly string[], spells: Spells | undefined): Station<V, P>;
  /** The node that `output` calls gone. */
  gone(output: V["Output"]): string | undefined;
}

const SWIM: Candidate<GossipWords, Swim> = {
  name: "SWIM with Lifeguard (lan)",
  create(name, names, spells) {
    const base = roster(
      names.map((member) => ({
        name: member,
        address: member,
        incarnation: 1,
        meta: new Uint8Array(0),
        versions: VERSIONS,
        state: "alive",
      })),
    );
    return swimStation(lan({ name, wire: plainWire, roster: base }), spells);
  },
  gone: (output) =>
    output.type === "member" && output.change === "leave" ? output.member.name : undefined,
};

/** Two numbers and a name of about eight letters each. */
const BEAT_BYTES = 17;

const PHI: Candidate<PhiWords, PhiAccrual> = {
  name: "phi accrual (threshold 8)",
  create: (_name, names, spells) =>
    new Station<PhiWords, PhiAccrual>(
      new PhiAccrual({ ...PHI_DEFAULTS, peers: names }),
      (message) => 4 + BEAT_BYTES * message.beats.length,
      { beat: [] },
      spells,
    ),
  gone: (output) => (output.type === "gone" ? output.node : undefined),
};

export function compareDetectors(worlds: Worlds, run: DetectorRun): readonly DetectorResult[] {
  return [examine(worlds, SWIM, run), examine(worlds, PHI, run)];
}

function examine<V extends Vocabulary, P extends Process<V>>(
  worlds: Worlds,
  candidate: Candidate<V, P>,
  run: DetectorRun,
): DetectorResult {
  const firsts: number[] = [];
  const lasts: number[] = [];
  let falsePositives = 0;
  let packets = 0;
  let bytes = 0;
  const names = Array.from({ length: run.nodes }, (_, i) => `n${i}`);
  for (let seed = 1; seed <= run.seeds; seed++) {
    const victim = names[(seed * 7) % run.nodes]!;
    const slow = new Set(names.filter((name) => name !== victim).slice(0, run.slow));
    const spells = { fromMs: SETTLE_MS, untilMs: SETTLE_MS + CALM_MS, slowMs: 5000, wellMs: 1000 };
    const times: number[] = [];
    let crashed = false;
    let now = () => 0;
    const world: World<StationWords<V>, Station<V, P>> = worlds({
      seed,
      nodes: names,
      latencyMs: [1, 3],
      lossPermille: run.lossPermille,
      create: (name) => candidate.create(name, names, slow.has(name) ? spells : undefined),
      onOutput: (_node, output) => {
        const gone = candidate.gone(output);
        if (gone === undefined || slow.has(gone)) return;
        if (crashed && gone === victim) times.push(now());
        else falsePositives++;
      },
    });
    now = () => world.now;
    world.runFor(SETTLE_MS + CALM_MS);
    for (const name of names) {
      packets += world.process(name)!.packets;
      bytes += world.process(name)!.packetBytes;
    }
    const crashedAt = world.now;
    crashed = true;
    world.crash(victim);
    world.runFor(CRASH_MS);
    firsts.push(Math.min(...times) - crashedAt);
    lasts.push(Math.max(...times) - crashedAt);
  }
  const nodeSeconds = (run.seeds * run.nodes * (SETTLE_MS + CALM_MS)) / 1000;
  return {
    detector: candidate.name,
    detectFirstMs: mean(firsts),
    detectLastMs: mean(lasts),
    falsePositives: falsePositives / run.seeds,
    packets: packets / nodeSeconds,
    bytes: bytes / nodeSeconds,
  };
}
