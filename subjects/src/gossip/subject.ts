/** Gossip as the lab examines it: Serf's class, whole, each node with a snapshot that names the others. */

import {
  type GossipWords,
  lan,
  messageText,
  noteText,
  outputText,
  plainWire,
  recordText,
  responseText,
  Serf,
  type SerfConfig,
  serfDefaults,
  stateText,
} from "@quorate/gossip";
import { type Cluster, plainText, type Settings, type Subject, type Words } from "@quorate/lab";

import { gossipBugs } from "./bugs.ts";
import { CLAIMS, GossipWitness, MARKS } from "./witness.ts";

const words: Words<GossipWords, Serf> = {
  message: messageText,
  record: recordText,
  request: plainText,
  response: responseText,
  output: outputText,
  note: noteText,
  state: stateText,
};

export const gossip: Subject<GossipWords, Serf> = {
  name: "gossip",
  version: 1,
  summary: "SWIM with Lifeguard, and Serf's events and intents on it",
  parameters: {
    nodes: { summary: "how many nodes", fallback: 5, min: 2, max: 50, swarm: [3, 5, 7] },
    suspicionMult: {
      summary: "patience with suspects",
      fallback: 4,
      min: 2,
      max: 10,
      swarm: [2, 4],
    },
    gossipToTheDeadMs: {
      summary: "how long the dead still get gossip",
      fallback: 30_000,
      min: 0,
      max: 3_600_000,
      swarm: [1000, 30_000],
    },
    indirectChecks: {
      summary: "helpers asked to ping",
      fallback: 3,
      min: 0,
      max: 10,
      swarm: [0, 3],
    },
  },
  claims: CLAIMS,
  marks: MARKS,
  bugs: gossipBugs.map(({ bug }) => bug),
  words,
  open,
};

function open(settings: Settings, bug: string | undefined): Cluster<GossipWords, Serf> {
  const nodes = Array.from({ length: settings["nodes"]! }, (_, i) => `n${i + 1}`);
  const planted = gossipBugs.find((each) => each.bug.name === bug);
  const make = (config: SerfConfig) => planted?.make(config) ?? new Serf(config);
  return {
    nodes,
    // Membership has no quorum: any one node serves. Time is for patience alone.
    tolerates: { lost: nodes.length - 1, driftPermille: 100, clockSteps: true, wipe: true },
    releases: 1,
    patienceMs: 300_000,
    create(name) {
      const swim = lan({
        name,
        wire: plainWire,
        suspicionMult: settings["suspicionMult"]!,
        indirectChecks: settings["indirectChecks"]!,
        gossipToTheDeadMs: settings["gossipToTheDeadMs"]!,
      });
      const serf = make(serfDefaults(swim, { snapshot: true, reconnectMs: 5000 }));
      for (const peer of nodes) serf.recover({ type: "alive", name: peer, address: peer });
      return serf;
    },
    witness: (world) => new GossipWitness(world, nodes),
  };
}
