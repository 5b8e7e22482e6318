/** Raft as the lab examines it: the production class, alone, with a key-value store in its log. */

import { lan, Raft, raftStandIn, type RaftWords } from "@quorate/consensus";
import type { Cluster, Settings, Subject } from "@quorate/lab";

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
import { raftBugs } from "./bugs.ts";
import { raftWords } from "./words.ts";
import { CLAIMS, MARKS, RaftWitness } from "./witness.ts";

export const raft: Subject<RaftWords, Raft> = {
  name: "raft",
  version: 1,
  summary: "Raft with PreVote, CheckQuorum, ReadIndex, leases and leadership transfer",
  parameters: { nodes: NODES, ...LEADER_PARAMETERS, ...KEEP_ENTRIES },
  claims: CLAIMS,
  marks: MARKS,
  bugs: raftBugs.map(({ bug }) => bug),
  words: raftWords,
  standIn: substitution(raftStandIn),
  open,
};

function open(settings: Settings, bug: string | undefined): Cluster<RaftWords, Raft> {
  const nodes = nodesOf(settings);
  const config = { ...lan({ voters: nodes }), ...leaderSettings(settings) };
  const planted = raftBugs.find((each) => each.bug.name === bug);
  const options = { leases: config.leaseReads, keepEntries: settings["keepEntries"]! };
  return {
    nodes,
    tolerates: tolerance((nodes.length - 1) >> 1, config),
    releases: 1,
    patienceMs: patienceMs(config),
    create: () => planted?.make(config) ?? new Raft(config),
    witness: (world) => new RaftWitness(world, nodes, options),
  };
}
