/**
 * Multi-Paxos to be checked. The promises are J1 (one value is decided for a slot,
 * for ever), J9 (once it is, every higher ballot proposes that value there) and J10
 * (it is on the disks of a quorum).
 * That nodes are compared by their names where rounds are equal makes each of them
 * one of its own.
 */

import {
  MultiPaxos,
  type MultiPaxosConfig,
  multiPaxosDefaults,
  type MultiPaxosWords,
} from "@quorate/consensus";

import { type LogEngine, type LogModel, logModel, type LogParameters } from "./log.ts";

/** Makes the process of a node. Variants that are wrong on purpose come in here. */
export type CreateMultiPaxos = (config: MultiPaxosConfig) => MultiPaxos;

const PAXOS: LogEngine<MultiPaxosWords, MultiPaxos, MultiPaxosConfig> = {
  promises: { agreement: "J1", completeness: "J9", durability: "J10" },
  settings(initial, appendBytes) {
    const config = multiPaxosDefaults(initial);
    return { ...config, appendBytes: appendBytes ?? config.appendBytes };
  },
  make: (config) => new MultiPaxos(config),
  reign: ({ promised: { round, node } }) => ({ term: round, node }),
  claim({ slots }, index) {
    const ballot = slots.ballotAt(index);
    if (ballot === undefined) return undefined;
    return { reign: { term: ballot.round, node: ballot.node }, entry: slots.at(index) };
  },
  entryAt: ({ slots }, index) => slots.entryAt(index),
  leaders: ["accept", "decide", "heartbeat"],
  markOf: ({ type }) => type,
  marks: ["polling", "preparing", "elected"],
  isSymmetric: false,
};

export function paxosModel(
  parameters: LogParameters,
  create?: CreateMultiPaxos,
): LogModel<MultiPaxosWords, MultiPaxos> {
  return logModel(PAXOS, parameters, create);
}
