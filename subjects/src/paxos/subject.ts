/** Multi-Paxos as the lab examines it: the production class, alone, with a key-value store in its log. */

import {
  MultiPaxos,
  type MultiPaxosConfig,
  multiPaxosDefaults,
  multiPaxosStandIn,
  type MultiPaxosWords,
} from "@quorate/consensus";
import type { NodeId } from "@quorate/kernel";
import type { Cluster, Parameters, Settings, Subject } from "@quorate/lab";

import {
  KEEP_ENTRIES,
  LEADER_PARAMETERS,
  leaderSettings,
  NODES,
  nodesOf,
  patienceMs,
  tolerance,
} from "../log/settings.ts";
import { substitution } from "../log/substitute.ts";
import { paxosBugs } from "./bugs.ts";
import { CLAIMS, MARKS, PaxosWitness } from "./witness.ts";
import { paxosWords } from "./words.ts";

const parameters: Parameters = {
  nodes: NODES,
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
  ...LEADER_PARAMETERS,
  ...KEEP_ENTRIES,
};

export const paxos: Subject<MultiPaxosWords, MultiPaxos> = {
  name: "paxos",
  version: 1,
  summary: "Multi-Paxos with polls, flexible quorums, a window, read rounds, leases and transfer",
  parameters,
  claims: CLAIMS,
  marks: MARKS,
  bugs: paxosBugs.map(({ bug }) => bug),
  words: paxosWords,
  standIn: substitution(multiPaxosStandIn),
  open,
};

function open(settings: Settings, bug: string | undefined): Cluster<MultiPaxosWords, MultiPaxos> {
  const nodes = nodesOf(settings);
  const config = configOf(nodes, settings);
  const majority = (nodes.length >> 1) + 1;
  const { prepare, accept } = config.quorums ?? { prepare: majority, accept: majority };
  const planted = paxosBugs.find((each) => each.bug.name === bug);
  const options = { leases: config.leaseReads, keepEntries: settings["keepEntries"]! };
  return {
    nodes,
    tolerates: tolerance(nodes.length - Math.max(prepare, accept), config),
    releases: 1,
    patienceMs: patienceMs(config),
    create: () => planted?.make(config) ?? new MultiPaxos(config),
    witness: (world) => new PaxosWitness(world, nodes, options, accept),
  };
}

function configOf(nodes: readonly NodeId[], settings: Settings): MultiPaxosConfig {
  const accept = Math.min(settings["accept"]!, nodes.length);
  return {
    ...multiPaxosDefaults({ voters: nodes }),
    ...leaderSettings(settings),
    quorums: accept === 0 ? undefined : { prepare: nodes.length - accept + 1, accept },
    window: settings["window"]!,
  };
}
