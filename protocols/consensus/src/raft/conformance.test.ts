/** Raft before the suite that every ordered log must pass. */

import { compareAll, contestantOf, playSuite, raftEngine } from "../conformance/engines.test.ts";

const narrow = { inflightMessages: 1, appendBytes: 64 };

playSuite("Raft", (seed) =>
  seed % 3 === 0 ? raftEngine("narrow Raft", narrow) : raftEngine("Raft", { leaseReads: true }),
);

compareAll("a wide and a narrow Raft", [
  contestantOf(raftEngine("Raft")),
  contestantOf(raftEngine("narrow Raft", narrow)),
]);
