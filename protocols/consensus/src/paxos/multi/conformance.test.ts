/** Multi-Paxos before the suite that every ordered log must pass. */

import {
  compareAll,
  contestantOf,
  paxosEngine,
  playSuite,
  raftEngine,
} from "../../conformance/engines.test.ts";

const narrow = { inflightMessages: 1, appendBytes: 64, window: 2 };

playSuite("Multi-Paxos", (seed) =>
  seed % 3 === 0 ? paxosEngine("narrow", narrow) : paxosEngine("wide", { leaseReads: true }),
);

compareAll("Multi-Paxos, wide and narrow, and Raft", [
  contestantOf(paxosEngine("Multi-Paxos")),
  contestantOf(paxosEngine("narrow Multi-Paxos", narrow)),
  contestantOf(raftEngine("Raft")),
]);
