/** What the simulator holds in memory after so many events of one run, measured in a process of its own. */

import { spawnSync } from "node:child_process";
import path from "node:path";
import { fileURLToPath } from "node:url";

import { catalogue } from "@quorate/subjects";

/** A run that goes on for as long as it is let. */
export type Workload =
  | {
      /** One of {@link catalogue}. */
      readonly type: "subject";
      readonly subject: string;
      readonly scenario: string;
      readonly seed: number;
      readonly settings: { readonly [name: string]: number };
    }
  /** The simplest gossip, in a cluster of `nodes`. */
  | { readonly type: "crowd"; readonly nodes: number }
  /** Replicas of a counter and a set that are edited without end. */
  | { readonly type: "crdt" };

export interface MemoryJob {
  readonly workload: Workload;
  /** After how many events to look, in ascending order. */
  readonly events: readonly number[];
}

/** Where a protocol's own state is bounded only far away: a replica remembers ten thousand sessions. */
const SETTINGS: { readonly [subject: string]: { readonly [name: string]: number } } = {
  replica: { nodes: 5, sessions: 100 },
};

/** Under faults as drawn by this seed, every engine goes on serving. */
const SWARM_SEED = 4;

/** Every subject in calm and under faults, and what is not in the catalogue. */
export function everyWorkload(): readonly Workload[] {
  const subjects = catalogue.flatMap(({ name: subject }) =>
    ["calm", "swarm"].map((scenario) => ({
      type: "subject" as const,
      subject,
      scenario,
      seed: SWARM_SEED,
      settings: SETTINGS[subject] ?? { nodes: 5 },
    })),
  );
  return [
    ...subjects,
    { type: "crowd", nodes: 1_000 },
    { type: "crowd", nodes: 10_000 },
    { type: "crdt" },
  ];
}

export function workloadText(workload: Workload): string {
  switch (workload.type) {
    case "subject":
      return `${workload.subject}, ${workload.settings["nodes"]} nodes, ${workload.scenario}`;
    case "crowd":
      return `simple gossip, ${workload.nodes.toLocaleString("en")} nodes`;
    case "crdt":
      return "crdt, 4 replicas of a counter and a set";
  }
}

/**
 * Bytes in use after each of the job's numbers of events, garbage collected.
 * @throws Error with what the process said, if it failed.
 */
export function memoryOf(job: MemoryJob): readonly number[] {
  const worker = fileURLToPath(new URL("lab-memory-worker.js", import.meta.url));
  const { status, stdout, stderr } = spawnSync(
    process.execPath,
    ["--expose-gc", path.resolve(worker), JSON.stringify(job)],
    { encoding: "utf8" },
  );
  if (status !== 0) throw new Error(`${workloadText(job.workload)}: ${stderr}`);
  return JSON.parse(stdout) as number[]; // What the worker wrote.
}
