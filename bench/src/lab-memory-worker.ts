/**
 * Plays one run and prints, as JSON, how many bytes are in use after each of some
 * numbers of events: `node --expose-gc lab-memory-worker.js '{"workload":…}'`. In a
 * process of its own, so that nothing else is in its heap.
 */

import {
  counter,
  DeltaSync,
  type HandleOf,
  map,
  set,
  SYNC_DEFAULTS,
  type SyncWords,
  type ValueOf,
} from "@quorate/crdt";
import { type NodeId, unreachable } from "@quorate/kernel";
import { play, runOfSeed, Simulation, type Spectator } from "@quorate/lab";
import { subjectNamed } from "@quorate/subjects";

import { crowd } from "./gossip-crowd.ts";
import type { MemoryJob, Workload } from "./lab-memory.ts";

/** Longer than any measurement. */
const WITHOUT_END_MS = 1e12;

class Samples {
  readonly bytes: number[] = [];
  private readonly events: readonly number[];
  private next: number;

  constructor(events: readonly number[]) {
    this.events = events;
    this.next = events[0]!;
  }

  /** So many events have happened. */
  after(steps: number): void {
    if (steps < this.next) return;
    globalThis.gc!();
    const { heapUsed, external } = process.memoryUsage();
    this.next = this.events[this.bytes.push(heapUsed + external)] ?? Infinity;
  }
}

function measure({ workload, events }: MemoryJob): readonly number[] {
  const samples = new Samples(events);
  const last = events.at(-1)!;
  switch (workload.type) {
    case "subject":
      playSubject(workload, last, samples);
      break;
    case "crowd":
      runOn(crowd(workload.nodes), last, samples);
      break;
    case "crdt":
      runOn(replicas(), last, samples);
      break;
    default:
      unreachable(workload);
  }
  return samples.bytes;
}

function playSubject(
  { subject: name, scenario, seed, settings }: Extract<Workload, { type: "subject" }>,
  last: number,
  samples: Samples,
): void {
  const subject = subjectNamed(name);
  if (subject === undefined) throw new Error(`no subject ${name}`);
  const plan = { given: settings, scenario, safetyMs: WITHOUT_END_MS };
  const run = runOfSeed(subject, seed, plan);
  let world = { steps: 0 };
  const spectator: Spectator = {
    opened: (opened) => void (world = opened),
    steps: () => samples.after(world.steps),
  };
  const { finding, steps, served } = play(subject, run, { spectator, budget: last });
  // The budget is spent: that ends the run, and nothing else may.
  if (finding?.claim !== "livelock") throw new Error(`${finding?.claim}: ${finding?.text}`);
  if (served * 1_000 < steps) throw new Error(`only ${served} operations served`);
}

function runOn(
  world: { readonly steps: number; step(): boolean },
  last: number,
  samples: Samples,
): void {
  while (world.steps < last) {
    world.step();
    samples.after(world.steps);
  }
}

const board = map({ votes: counter, names: set.string });
type Board = HandleOf<typeof board>;
type Words = SyncWords<number, ValueOf<typeof board>>;

const REPLICAS: readonly NodeId[] = ["a", "b", "c", "d"];
const CONFIG = { ...SYNC_DEFAULTS, gossipMs: 100, recentBytes: 1_500 };

/** Frozen, as every editor is: copies of a process share it. */
const editor = Object.freeze({
  apply({ votes, names }: Board, command: number): void {
    votes.increment(command);
    const name = `name ${command % 20}`;
    if (command % 2 === 0) names.add(name);
    else names.remove(name);
  },
});

/** Replicas that are edited for as long as somebody takes steps: what they hold stays small. */
function replicas(): { readonly steps: number; step(): boolean } {
  const world = new Simulation<Words, DeltaSync<ValueOf<typeof board>, Board, number>>({
    seed: 1,
    nodes: REPLICAS,
    create: (id) => new DeltaSync(board, editor, id, REPLICAS, CONFIG),
    latencyMs: [1, 30],
    syncMs: [1, 5],
    lossPermille: 20,
  });
  const { random } = world;
  return {
    get steps() {
      return world.steps;
    },
    step() {
      if (random.chance(1, 10)) {
        const id = REPLICAS[random.below(REPLICAS.length)]!;
        world.request(id, { type: "edit", command: random.below(1_000), wallMs: world.now });
      }
      return world.step();
    },
  };
}

const job = JSON.parse(process.argv[2] ?? "") as MemoryJob; // What `memoryOf` wrote.
console.log(JSON.stringify(measure(job)));
