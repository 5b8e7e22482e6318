/** A replicated state machine as the lab examines it: the production replica on Raft, with snapshots and sessions. */

import {
  lan,
  Raft,
  type RaftConfig,
  raftStandIn,
  Replica,
  REPLICA_DEFAULTS,
  type ReplicaConfig,
} from "@quorate/consensus";
import {
  type Cluster,
  type Parameters,
  plainText,
  type Settings,
  type Subject,
} from "@quorate/lab";

import { substitution } from "../log/substitute.ts";
import { raftWords } from "../raft/words.ts";
import { replicaBugs } from "./bugs.ts";
import { Tape } from "./tape.ts";
import { CLAIMS, MARKS, ReplicaWitness, type TapeReplica, type Words } from "./witness.ts";

const substitute = substitution(raftStandIn);

const parameters: Parameters = {
  nodes: { summary: "how many nodes, all voters", fallback: 3, min: 1, max: 9, swarm: [3, 3, 5] },
  checkpointBytes: {
    summary: "log bytes after which the state is checkpointed",
    fallback: 500,
    min: 1,
    max: 1 << 30,
    swarm: [200, 1_000, 1 << 20],
  },
  keepBytes: {
    summary: "log bytes kept behind a checkpoint",
    fallback: 500,
    min: 1,
    max: 1 << 30,
    swarm: [1, 500],
  },
  batchBytes: {
    summary: "most bytes in one batch",
    fallback: 1 << 18,
    min: 1,
    max: 1 << 30,
    swarm: [40, 1 << 18],
  },
  sessions: {
    summary: "how many client sessions are remembered",
    fallback: 10_000,
    min: 1,
    max: 1 << 20,
    swarm: [2, 10_000],
  },
  leaseReads: {
    summary: "1: a leader serves reads under a lease",
    fallback: 0,
    min: 0,
    max: 1,
    swarm: [0, 1],
  },
  releases: {
    summary:
      "2: nodes begin with an earlier release, small batches and no leases, and are upgraded",
    fallback: 1,
    min: 1,
    max: 2,
  },
};

/** Most bytes in one batch of the earlier release. */
const OLD_BATCH_BYTES = 40;

export const replica: Subject<Words, TapeReplica> = {
  name: "replica",
  version: 1,
  summary: "a replicated state machine on Raft: batches, sessions, reads, snapshots",
  parameters,
  claims: CLAIMS,
  marks: MARKS,
  bugs: replicaBugs.map(({ bug }) => bug),
  words: {
    message: (m) => (m.type === "log" ? raftWords.message(m.message) : plainText(m)),
    record: (r) => (r.type === "log" ? raftWords.record(r.record) : plainText(r)),
    request: plainText,
    response: plainText,
    output: plainText,
    note: plainText,
    state({ log, applied, machine }) {
      const { role, term, commitIndex, lastIndex } = log;
      const executed = (machine as Tape).length;
      return `${role} t${term}, log to ${lastIndex}, ${commitIndex} committed, ${applied} applied, ${executed} commands executed`;
    },
  },
  standIn(record) {
    const inner = record.type === "log" ? substitute(record.record) : undefined;
    return inner && { ...inner, record: { type: "log", record: inner.record } };
  },
  open,
};

function open(settings: Settings, bug: string | undefined): Cluster<Words, TapeReplica> {
  const nodes = Array.from({ length: settings["nodes"]! }, (_, i) => `n${i + 1}`);
  const leases = settings["leaseReads"] === 1;
  const initial = { voters: nodes, outgoing: [], learners: [] };
  const raft: RaftConfig = { ...lan(initial), leaseReads: leases };
  const config: ReplicaConfig = {
    ...REPLICA_DEFAULTS,
    checkpointBytes: settings["checkpointBytes"]!,
    keepBytes: settings["keepBytes"]!,
    batchBytes: settings["batchBytes"]!,
    sessions: settings["sessions"]!,
  };
  const releases = settings["releases"]!;
  const planted = replicaBugs.find((each) => each.bug.name === bug);
  return {
    nodes,
    tolerates: {
      lost: (nodes.length - 1) >> 1,
      driftPermille: raft.clockDriftPermille,
      clockSteps: !leases,
      wipe: false,
    },
    releases,
    patienceMs: 60 * raft.electionMs,
    create(_node, release) {
      // A cluster of one release has the last one from the beginning.
      const old = release + 1 < releases;
      const log = new Raft(old ? { ...raft, leaseReads: false } : raft);
      const own = old ? { ...config, batchBytes: OLD_BATCH_BYTES } : config;
      return planted?.make(log, own, release) ?? new Replica(log, new Tape(), own);
    },
    witness: (world) => new ReplicaWitness(world, leases),
  };
}
