/** Multi-Paxos as the lab examines it: the production class, alone, with a key-value store in its log. */

import {
  MultiPaxos,
  type MultiPaxosConfig,
  multiPaxosDefaults,
  type MultiPaxosWords,
} from "@quorate/consensus";
import type { Cluster, Parameters, Settings, Subject } from "@quorate/lab";

import { paxosBugs } from "./bugs.ts";
import { CLAIMS, MARKS, PaxosWitness } from "./witness.ts";
import { paxosWords } from "./words.ts";

const parameters: Parameters = {
  nodes: { summary: "how many nodes, all voters", fallback: 3, min: 1, max: 9, swarm: [3, 3, 5] },
  accept: {
    summary: "how many voters accept, instead of a majority; the others prepare",
    fallback: 0,
    min: 0,
    max: 9,
    swarm: [0, 0, 0, 2],
  },
  window: {
    summary: "how many slots may be undecided at once",
    fallback: 4096,
    min: 1,
    max: 1 << 20,
    swarm: [1, 4, 4096],
  },
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
    summary: "most unanswered messages to one member",
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

export const paxos: Subject<MultiPaxosWords, MultiPaxos> = {
  name: "paxos",
  version: 1,
  summary: "Multi-Paxos with polls, flexible quorums, a window, read rounds, leases and transfer",
  parameters,
  claims: CLAIMS,
  marks: MARKS,
  bugs: paxosBugs.map(({ bug }) => bug),
  words: paxosWords,
  open,
};

function open(settings: Settings, bug: string | undefined): Cluster<MultiPaxosWords, MultiPaxos> {
  const nodes = Array.from({ length: settings["nodes"]! }, (_, i) => `n${i + 1}`);
  const config = configOf(nodes, settings);
  const leases = config.leaseReads;
  const majority = (nodes.length >> 1) + 1;
  const { prepare, accept } = config.quorums ?? { prepare: majority, accept: majority };
  const planted = paxosBugs.find((each) => each.bug.name === bug);
  return {
    nodes,
    tolerates: {
      lost: nodes.length - Math.max(prepare, accept),
      driftPermille: DRIFT_PERMILLE,
      clockSteps: !leases,
      wipe: false,
    },
    releases: 1,
    patienceMs: 60 * config.electionMs,
    create: () => planted?.make(config) ?? new MultiPaxos(config),
    witness: (world) => new PaxosWitness(world, nodes, { leases, acceptQuorum: accept }),
  };
}

function configOf(nodes: readonly string[], settings: Settings): MultiPaxosConfig {
  const accept = Math.min(settings["accept"]!, nodes.length);
  return {
    ...multiPaxosDefaults({ voters: nodes }),
    quorums: accept === 0 ? undefined : { prepare: nodes.length - accept + 1, accept },
    window: settings["window"]!,
    electionMs: settings["electionMs"]!,
    heartbeatMs: settings["heartbeatMs"]!,
    appendBytes: settings["appendBytes"]!,
    inflightMessages: settings["inflightMessages"]!,
    uncommittedBytes: settings["uncommittedBytes"]!,
    leaseReads: settings["leaseReads"] === 1,
    clockDriftPermille: DRIFT_PERMILLE,
  };
}
