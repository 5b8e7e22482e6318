/**
 * The simulator's speed, invariants on: events a second of CPU time, beside a
 * floor that does nothing but push and pop the same number of events through a
 * binary heap. And its memory, by how long one run is.
 *
 *     npm run bench -w bench -- lab
 *
 * `QUORATE_BENCH_EVENTS` is the length of the longest run that memory is measured
 * in, in millions of events (16).
 */

import { Random } from "@quorate/kernel";
import { play, runOfSeed, type Subject } from "@quorate/lab";
import { raft } from "@quorate/subjects";

import { crowd } from "./gossip-crowd.ts";
import { everyWorkload, memoryOf, workloadText } from "./lab-memory.ts";
import { report, type Row } from "./report.ts";

interface Measured {
  readonly events: number;
  readonly seconds: number;
  readonly simulatedMs: number;
}

function measure(work: () => { readonly events: number; readonly simulatedMs: number }): Measured {
  const started = process.cpuUsage();
  const done = work();
  const { user, system } = process.cpuUsage(started);
  return { ...done, seconds: (user + system) / 1e6 };
}

/** Runs seeds of one scenario until there were enough events. */
function fleet(scenario: string, nodes: number, enough: number): Measured {
  const subject: Subject = raft;
  return measure(() => {
    let events = 0;
    let simulatedMs = 0;
    for (let seed = 1; events < enough; seed++) {
      const outcome = play(subject, runOfSeed(subject, seed, { given: { nodes }, scenario }));
      events += outcome.steps;
      simulatedMs += outcome.atMs;
    }
    return { events, simulatedMs };
  });
}

/** A cluster in which one node knows a number; runs until all know it. */
function gossip(size: number): Measured {
  return measure(() => {
    const world = crowd(size);
    while (world.processes.some(({ known }) => known < size)) world.runFor(100);
    return { events: world.steps, simulatedMs: world.now };
  });
}

/** Seconds that a heap takes to pass so many events through, a hundred at a time in it. */
function floor(events: number): number {
  const heap: number[] = [];
  const random = new Random(1);
  const started = process.cpuUsage();
  for (let i = 0; i < 100; i++) push(heap, random.below(100));
  for (let i = 0; i < events; i++) push(heap, pop(heap) + random.below(100));
  const { user, system } = process.cpuUsage(started);
  return (user + system) / 1e6;
}

function push(heap: number[], value: number): void {
  let at = heap.length;
  heap.push(value);
  while (at > 0 && heap[(at - 1) >> 1]! > value) {
    heap[at] = heap[(at - 1) >> 1]!;
    at = (at - 1) >> 1;
  }
  heap[at] = value;
}

function pop(heap: number[]): number {
  const first = heap[0]!;
  const last = heap.pop()!;
  const { length } = heap;
  let at = 0;
  for (let child = 1; child < length; child = 2 * at + 1) {
    if (child + 1 < length && heap[child + 1]! < heap[child]!) child++;
    if (heap[child]! >= last) break;
    heap[at] = heap[child]!;
    at = child;
  }
  if (length > 0) heap[at] = last;
  return first;
}

fleet("calm", 3, 1_000_000); // So that the first row is not the one that pays for compilation.
const measured = [
  ["raft, 3 nodes, calm", fleet("calm", 3, 4_000_000)],
  ["raft, 5 nodes, calm", fleet("calm", 5, 4_000_000)],
  ["raft, 5 nodes, swarm", fleet("swarm", 5, 2_000_000)],
  ["gossip, 10,000 nodes, until all know", gossip(10_000)],
] as const;
report(
  "The simulator with invariants on, one core, CPU time",
  measured.map(([run, { events, seconds, simulatedMs }]) => ({
    run,
    events,
    "events/s": Math.round(events / seconds),
    "simulated : CPU": Math.round(simulatedMs / 1000 / seconds),
    "of a bare heap": (floor(events) / seconds).toFixed(2),
  })),
);

const longest = Number(process.env["QUORATE_BENCH_EVENTS"] ?? 16);
const lengths = [longest / 16, longest / 8, longest / 4, longest / 2, longest];
report(
  "Memory of one run that is only simulated: MiB in use after millions of events, garbage collected",
  everyWorkload().map((workload) => {
    console.error(`measuring ${workloadText(workload)}`); // Minutes each, at full length.
    const bytes = memoryOf({ workload, events: lengths.map((each) => each * 1e6) });
    const row: { [column: string]: Row[string] } = { run: workloadText(workload) };
    for (const [i, each] of lengths.entries()) row[`${each} M`] = (bytes[i]! / 2 ** 20).toFixed(1);
    return row;
  }),
);
