/**
 * Zab to be checked. The promises are H10 (an epoch has one established leader), H1
 * (one entry is committed at an index, for ever), H8 (an established leader has
 * what earlier epochs committed) and H5 (what is committed is never dropped: a
 * quorum's disks have it). H2, H3 and H7 the class claims of itself as it runs.
 * That votes compare nodes by their names where histories are equal makes each of
 * them one of its own.
 */

import { type Entry, Zab, type ZabConfig, zabDefaults, type ZabWords } from "@quorate/consensus";

import { type LogEngine, type LogModel, logModel, type LogParameters } from "./log.ts";

/** Makes the process of a node. Variants that are wrong on purpose come in here. */
export type CreateZab = (config: ZabConfig) => Zab;

const ZAB: LogEngine<ZabWords, Zab, ZabConfig> = {
  promises: { leader: "H10", agreement: "H1", completeness: "H8", durability: "H5" },
  settings(initial, appendBytes) {
    const config = zabDefaults(initial);
    return { ...config, appendBytes: appendBytes ?? config.appendBytes };
  },
  make: (config) => new Zab(config),
  reign: ({ term }) => ({ term, node: "" }),
  claim(zab, index) {
    if (zab.role !== "leader") return undefined;
    return { reign: { term: zab.term, node: "" }, entry: entryAt(zab, index) };
  },
  entryAt,
  leaders: ["sync", "propose", "inform", "commit", "newLeader", "upToDate", "ping"],
  markOf: ({ type }) => type,
  marks: ["looking", "discovering", "elected"],
  isSymmetric: false,
};

export function zabModel(parameters: LogParameters, create?: CreateZab): LogModel<ZabWords, Zab> {
  return logModel(ZAB, parameters, create);
}

function entryAt({ log }: Zab, index: number): Entry | undefined {
  return index <= log.lastIndex ? log.at(index) : undefined;
}
