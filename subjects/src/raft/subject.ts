/** Raft as the lab examines it: the production class, alone, with a key-value store in its log. */

import { lan, Raft, type RaftConfig, type RaftWords } from "@quorate/consensus";
import type { Cluster, Parameters, Settings, Subject } from "@quorate/lab";

import { raftBugs } from "./bugs.ts";
import { substitute } from "./substitute.ts";
import { raftWords } from "./words.ts";
import { CLAIMS, MARKS, RaftWitness } from "./witness.ts";

const parameters: Parameters = {
  nodes: { summary: "how many nodes, all voters", fallback: 3, min: 1, max: 9, swarm: [3, 3, 5] },
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

/** Of two clocks, how much faster one may run: the bound that leases count on. */
const DRIFT_PERMILLE = 100;

export const raft: Subject<RaftWords, Raft> = {
  name: "raft",
  version: 1,
  summary: "Raft with PreVote, CheckQuorum, ReadIndex, leases and leadership transfer",
  parameters,
  claims: CLAIMS,
  marks: MARKS,
  bugs: raftBugs.map(({ bug }) => bug),
  words: raftWords,
  standIn: substitute,
  open,
};

function open(settings: Settings, bug: string | undefined): Cluster<RaftWords, Raft> {
  const nodes = Array.from({ length: settings["nodes"]! }, (_, i) => `n${i + 1}`);
  const config = configOf(nodes, settings);
  const leases = config.leaseReads;
  const planted = raftBugs.find((each) => each.bug.name === bug);
  return {
    nodes,
    tolerates: {
      lost: (nodes.length - 1) >> 1,
      driftPermille: DRIFT_PERMILLE,
      clockSteps: !leases,
      wipe: false,
    },
    releases: 1,
    patienceMs: 60 * config.electionMs,
    create: () => planted?.make(config) ?? new Raft(config),
    witness: (world) => new RaftWitness(world, nodes, leases),
  };
}

function configOf(nodes: readonly string[], settings: Settings): RaftConfig {
  const initial = { voters: nodes, outgoing: [], learners: [] };
  return {
    ...lan(initial),
    electionMs: settings["electionMs"]!,
    heartbeatMs: settings["heartbeatMs"]!,
    appendBytes: settings["appendBytes"]!,
    inflightMessages: settings["inflightMessages"]!,
    uncommittedBytes: settings["uncommittedBytes"]!,
    leaseReads: settings["leaseReads"] === 1,
    clockDriftPermille: DRIFT_PERMILLE,
  };
}
