/** Zab before the suite that every ordered log must pass. */

import {
  compareAll,
  contestantOf,
  paxosEngine,
  playSuite,
  raftEngine,
  zabEngine,
} from "../conformance/engines.test.ts";

const narrow = { inflightMessages: 1, appendBytes: 64 };

playSuite("Zab", (seed) =>
  seed % 3 === 0 ? zabEngine("narrow", narrow) : zabEngine("wide", { leaseReads: true }),
);

compareAll("Zab, wide and narrow, Raft and Multi-Paxos", [
  contestantOf(zabEngine("Zab")),
  contestantOf(zabEngine("narrow Zab", narrow)),
  contestantOf(raftEngine("Raft")),
  contestantOf(paxosEngine("Multi-Paxos")),
]);
