/** What a run may set of any log with a leader, and what that makes of its configuration. */

import type { LeaderSettings } from "@quorate/consensus";
import type { NodeId } from "@quorate/kernel";
import type { Parameter, Parameters, Settings, Tolerance } from "@quorate/lab";

export const NODES: Parameter = {
  summary: "how many nodes, all voters",
  fallback: 3,
  min: 1,
  max: 9,
  swarm: [3, 3, 5],
};

export const LEADER_PARAMETERS: Parameters = {
  electionMs: {
    summary: "shortest election timeout; the longest is twice this",
    fallback: 500,
    min: 3,
    max: 60_000,
  },
  heartbeatMs: { summary: "how often a leader speaks", fallback: 100, min: 1, max: 20_000 },
  appendBytes: {
    summary: "most entry bytes in one message",
    fallback: 1 << 20,
    min: 1,
    max: 1 << 30,
    swarm: [64, 1 << 20],
  },
  inflightMessages: {
    summary: "most unanswered messages to one follower",
    fallback: 256,
    min: 1,
    max: 1 << 16,
    swarm: [1, 3, 256],
  },
  uncommittedBytes: {
    summary: "proposals are refused while more than this waits",
    fallback: 1 << 26,
    min: 1,
    max: 1 << 30,
    swarm: [200, 1 << 26],
  },
  leaseReads: {
    summary: "1: a leader serves reads under a lease",
    fallback: 1,
    min: 0,
    max: 1,
    swarm: [0, 1],
  },
};

/** What a log is compacted to: more than most runs come to. */
export const KEEP_ENTRIES: Parameters = {
  keepEntries: {
    summary: "committed entries that stay in a log; it is compacted when it holds twice as many",
    fallback: 4_096,
    min: 1,
    max: 1 << 20,
  },
};

/** Of two clocks, how much faster one may run: the bound that leases count on. */
const DRIFT_PERMILLE = 100;

export function nodesOf(settings: Settings): readonly NodeId[] {
  return Array.from({ length: settings["nodes"]! }, (_, i) => `n${i + 1}`);
}

export function leaderSettings(
  settings: Settings,
): Omit<LeaderSettings, "initial" | "inflightBytes"> {
  return {
    electionMs: settings["electionMs"]!,
    heartbeatMs: settings["heartbeatMs"]!,
    appendBytes: settings["appendBytes"]!,
    inflightMessages: settings["inflightMessages"]!,
    uncommittedBytes: settings["uncommittedBytes"]!,
    leaseReads: settings["leaseReads"] === 1,
    clockDriftPermille: DRIFT_PERMILLE,
  };
}

/** @param lost - How many nodes the others can do without. */
export function tolerance(lost: number, { leaseReads }: LeaderSettings): Tolerance {
  return { lost, driftPermille: DRIFT_PERMILLE, clockSteps: !leaseReads, wipe: false };
}

/** How long a core may take to serve again. */
export function patienceMs({ electionMs }: LeaderSettings): number {
  return 60 * electionMs;
}
