/** Zab as the lab examines it: the production class, alone, with a key-value store in its log. */

import { Zab, zabDefaults, zabStandIn, type ZabWords } from "@quorate/consensus";
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
import { zabBugs } from "./bugs.ts";
import { CLAIMS, MARKS, ZabWitness } from "./witness.ts";
import { zabWords } from "./words.ts";

export const zab: Subject<ZabWords, Zab> = {
  name: "zab",
  version: 1,
  summary: "Zab with fast leader election, sessions, read rounds, leases and transfer",
  parameters: { nodes: NODES, ...LEADER_PARAMETERS, ...KEEP_ENTRIES },
  claims: CLAIMS,
  marks: MARKS,
  bugs: zabBugs.map(({ bug }) => bug),
  words: zabWords,
  standIn: substitution(zabStandIn),
  open,
};

function open(settings: Settings, bug: string | undefined): Cluster<ZabWords, Zab> {
  const nodes = nodesOf(settings);
  const config = { ...zabDefaults({ voters: nodes }), ...leaderSettings(settings) };
  const planted = zabBugs.find((each) => each.bug.name === bug);
  const options = { leases: config.leaseReads, keepEntries: settings["keepEntries"]! };
  return {
    nodes,
    tolerates: tolerance((nodes.length - 1) >> 1, config),
    releases: 1,
    patienceMs: patienceMs(config),
    create: () => planted?.make(config) ?? new Zab(config),
    witness: (world) => new ZabWitness(world, nodes, options),
  };
}
