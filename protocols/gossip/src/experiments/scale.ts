/**
 * How gossip scales: the same measurements at every size of cluster. News, the
 * time until a crash is noticed, and the load of a node, with everybody knowing
 * everybody from the start.
 */

import { lan } from "../config.ts";
import { ln } from "../logarithm.ts";
import { type MemberRecord, VERSIONS } from "../member.ts";
import { plainWire } from "../plain-wire.ts";
import { roster } from "../swim/members.ts";
import { type SwimStation, swimStation, type SwimStationWords } from "./swim-station.ts";
import type { World, Worlds } from "./world.ts";

export interface ScaleRun {
  readonly nodes: number;
  readonly seed: number;
  /** Of 1,000 packets, how many are lost. */
  readonly lossPermille: number;
}

export interface ScaleResult extends ScaleRun {
  /** Gossip rounds until half, 99 % and all of the nodes knew something new; the mean over several news. */
  readonly roundsHalf: number;
  readonly roundsMost: number;
  readonly roundsAll: number;
  /** ln n / ln(1 + f) + ln n / f: what push gossip with f packets a round needs. */
  readonly roundsBound: number;
  /** Of all deliveries of news, how many had not happened when the measurement ended. */
  readonly missed: number;
  /**
   * Milliseconds from a crash to the first node that suspects it, to the first
   * that calls it failed, and to the last that learns so; medians.
   */
  readonly suspectFirstMs: number;
  readonly detectFirstMs: number;
  readonly detectLastMs: number;
  /** The least a suspicion may last at this size: a part of the above. */
  readonly suspicionMinMs: number;
  /** Per node and second while nothing happens. */
  readonly quietPackets: number;
  readonly quietBytes: number;
  /** Per node and second while ten nodes crash and are noticed. */
  readonly busyBytes: number;
  /** Members called failed that had not crashed. */
  readonly falsePositives: number;
}

const NEWS = 5;
const CRASHES = 10;
const QUIET_MS = 20_000;
const SPREAD_MS = 5000;
const CRASH_MS = 40_000;

export function measureScale(worlds: Worlds, run: ScaleRun): ScaleResult {
  const probe = new Measurement(worlds, run);
  probe.world.runFor(5000);
  const quiet = probe.load(QUIET_MS);
  const news = Array.from({ length: NEWS }, (_, i) => probe.spreadNews(i));
  const rounds = (share: number) =>
    mean(news.map((times) => at(times, share) / probe.gossipIntervalMs));
  const missed = news.reduce((sum, times) => sum + run.nodes - 1 - times.length, 0);
  const crashes = probe.crashSome();
  return {
    ...run,
    roundsHalf: rounds(0.5),
    roundsMost: rounds(0.99),
    roundsAll: rounds(1),
    roundsBound: ln(run.nodes) / ln(4) + ln(run.nodes) / 3,
    missed,
    suspectFirstMs: median(crashes.map(({ suspected }) => suspected)),
    detectFirstMs: median(crashes.map(({ first }) => first)),
    detectLastMs: median(crashes.map(({ last }) => last)),
    suspicionMinMs: 4 * 1000 * Math.max(1, ln(run.nodes) / ln(10)),
    quietPackets: quiet.packets,
    quietBytes: quiet.bytes,
    busyBytes: probe.busyBytes,
    falsePositives: probe.falsePositives,
  };
}

interface Detection {
  readonly suspected: number;
  readonly first: number;
  readonly last: number;
}

/** A cluster, and what was noticed in it. */
class Measurement {
  readonly world: World<SwimStationWords, SwimStation>;
  readonly gossipIntervalMs = 200;
  falsePositives = 0;
  busyBytes = 0;

  private readonly run: ScaleRun;
  private readonly names: readonly string[];
  private readonly stations: readonly SwimStation[];
  private readonly crashedAt = new Map<string, number>();
  private readonly detections = new Map<string, Detection>();
  private arrivals: number[] = [];
  private subject = "";

  constructor(worlds: Worlds, run: ScaleRun) {
    this.run = run;
    this.names = Array.from({ length: run.nodes }, (_, i) => `n${i}`);
    this.world = open(worlds, run, this.names, this);
    this.stations = this.names.map((name) => this.world.process(name)!);
  }

  /** Packets and bytes that a node sends per second, over some time. */
  load(durationMs: number): { packets: number; bytes: number } {
    const before = this.total();
    this.world.runFor(durationMs);
    const after = this.total();
    const seconds = (durationMs / 1000) * this.stations.length;
    return {
      packets: (after.packets - before.packets) / seconds,
      bytes: (after.bytes - before.bytes) / seconds,
    };
  }

  private total(): { packets: number; bytes: number } {
    let packets = 0;
    let bytes = 0;
    for (const station of this.stations) {
      packets += station.packets;
      bytes += station.packetBytes;
    }
    return { packets, bytes };
  }

  /** A node changes its meta. Returns when each of the others knew, sorted. */
  spreadNews(round: number): readonly number[] {
    this.subject = this.names[(round * 37) % this.names.length]!;
    this.arrivals = [];
    const begin = this.world.now;
    const meta = Uint8Array.of(round + 1);
    this.world.request(this.subject, { type: "setMeta", meta }, () => {});
    this.world.runFor(SPREAD_MS);
    return this.arrivals.map((time) => time - begin).toSorted((a, b) => a - b);
  }

  /** A few nodes crash, one after the other. */
  crashSome(): readonly Detection[] {
    const count = Math.min(CRASHES, Math.max(1, Math.floor(this.run.nodes / 5)));
    const victims = this.names.slice(-count);
    const before = this.total();
    for (const victim of victims) {
      this.crashedAt.set(victim, this.world.now);
      this.world.crash(victim);
      this.world.runFor(Math.max(1, Math.floor(1000 / count)));
    }
    this.world.runFor(CRASH_MS);
    const seconds = (CRASH_MS / 1000 + 1) * this.names.length;
    this.busyBytes = (this.total().bytes - before.bytes) / seconds;
    return victims.flatMap((victim) => {
      const detection = this.detections.get(victim);
      return detection === undefined ? [] : [detection];
    });
  }

  noted(note: SwimStationWords["Note"], now: number): void {
    if (note.type === "failed" && !this.crashedAt.has(note.node)) this.falsePositives++;
    if (note.type !== "died" && note.type !== "suspected") return;
    const crashedAt = this.crashedAt.get(note.node);
    if (crashedAt === undefined) return;
    const elapsed = now - crashedAt;
    const { suspected, first } = this.detections.get(note.node) ?? { suspected: elapsed, first: 0 };
    const last = note.type === "died" ? elapsed : 0;
    this.detections.set(note.node, { suspected, first: first === 0 ? last : first, last });
  }

  said(node: string, output: SwimStationWords["Output"], now: number): void {
    if (output.type !== "member" || output.change !== "update") return;
    if (output.member.name === this.subject && node !== this.subject) this.arrivals.push(now);
  }
}

function open(
  worlds: Worlds,
  run: ScaleRun,
  names: readonly string[],
  to: Measurement,
): World<SwimStationWords, SwimStation> {
  const base = roster(
    names.map((name): MemberRecord => {
      const meta = new Uint8Array(0);
      return { name, address: name, incarnation: 1, meta, versions: VERSIONS, state: "alive" };
    }),
  );
  let now = () => 0;
  const world = worlds<SwimStationWords, SwimStation>({
    seed: run.seed,
    nodes: names,
    latencyMs: [1, 3],
    lossPermille: run.lossPermille,
    create: (name) => swimStation(lan({ name, wire: plainWire, roster: base })),
    onNote: (_node, note) => to.noted(note, now()),
    onOutput: (node, output) => to.said(node, output, now()),
  });
  now = () => world.now;
  return world;
}

/** The value at a share of a sorted list. */
function at(sorted: readonly number[], share: number): number {
  if (sorted.length === 0) return 0;
  return sorted[Math.max(0, Math.ceil(share * sorted.length) - 1)]!;
}

export function mean(values: readonly number[]): number {
  return values.reduce((sum, value) => sum + value, 0) / Math.max(1, values.length);
}

function median(values: readonly number[]): number {
  return at(
    values.toSorted((a, b) => a - b),
    0.5,
  );
}
