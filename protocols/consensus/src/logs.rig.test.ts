/** The three engines as bare logs in virtual time. */

import assert from "node:assert/strict";

import type { NodeId } from "@quorate/kernel";
import type { Simulation } from "@quorate/lab";

import type { LogWords, OrderedLog } from "./ordered-log.ts";
import { multiPaxosDefaults } from "./paxos/multi/config.ts";
import { MultiPaxos } from "./paxos/multi/multi-paxos.ts";
import { lan } from "./raft/config.ts";
import { Raft } from "./raft/raft.ts";
import { zabDefaults } from "./zab/config.ts";
import { Zab } from "./zab/zab.ts";

export type Logs = Simulation<LogWords, OrderedLog<LogWords>>;

/** How a node of each engine is made. */
export const logs: Readonly<Record<string, (voters: readonly NodeId[]) => OrderedLog<LogWords>>> = {
  Raft: (voters) => new Raft(lan({ voters })),
  "Multi-Paxos": (voters) => new MultiPaxos(multiPaxosDefaults({ voters })),
  Zab: (voters) => new Zab(zabDefaults({ voters })),
};

/** Who leads among `nodes`. */
export function leaderOf(world: Logs, nodes: readonly NodeId[]): NodeId {
  const found = nodes.find((node) => world.process(node)?.role === "leader");
  assert.ok(found, "somebody leads");
  return found;
}
