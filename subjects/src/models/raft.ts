/**
 * Raft to be checked. The promises are I3 (a term has one leader), I8 (what is
 * committed at an index stays, and a later leader has it) and R16 (a quorum's disks
 * have it).
 */

import { type Entry, lan, Raft, type RaftConfig, type RaftWords } from "@quorate/consensus";

import { type LogEngine, type LogModel, logModel, type LogParameters } from "./log.ts";

/** Makes the process of a node. Variants that are wrong on purpose come in here. */
export type CreateRaft = (config: RaftConfig) => Raft;

const RAFT: LogEngine<RaftWords, Raft, RaftConfig> = {
  promises: { leader: "I3", agreement: "I8", completeness: "I8", durability: "R16" },
  settings(initial, appendBytes) {
    const config = lan(initial);
    return { ...config, appendBytes: appendBytes ?? config.appendBytes };
  },
  make: (config) => new Raft(config),
  reign: ({ term }) => ({ term, node: "" }),
  claim(raft, index) {
    if (raft.role !== "leader") return undefined;
    return { reign: { term: raft.term, node: "" }, entry: entryAt(raft, index) };
  },
  entryAt,
  leaders: ["append", "heartbeat"],
  markOf: (note) => (note.type === "campaigning" && note.pre ? "askingAround" : note.type),
  marks: ["askingAround", "campaigning", "elected"],
  isSymmetric: true,
};

export function raftModel(
  parameters: LogParameters,
  create?: CreateRaft,
): LogModel<RaftWords, Raft> {
  return logModel(RAFT, parameters, create);
}

function entryAt({ log }: Raft, index: number): Entry | undefined {
  return index <= log.lastIndex ? log.at(index) : undefined;
}
