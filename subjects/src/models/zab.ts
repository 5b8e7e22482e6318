/**
 * Zab to be checked. The promises are H10 (an epoch has one established leader), H1
 * (one entry is committed at an index, for ever), H8 (an established leader has
 * what earlier epochs committed) and H5 (what is committed is never dropped: a
 * quorum's disks have it). H2, H3 and H7 the class claims of itself as it runs.
 * That votes compare nodes by their names where histories are equal makes each of
 * them one of its own.
 */

import { type Entry, Zab, type ZabConfig, zabDefaults, type ZabWords } from "@quorate/consensus";
import type { NodeId } from "@quorate/kernel";
import { type Action, Path } from "@quorate/lab/checker";

import { type LogEngine, type LogModel, logModel, type LogParameters } from "./log.ts";
import { forget, isBetween, type LogRun, propose } from "./steering.ts";

type ZabModel = LogModel<ZabWords, Zab>;

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
  reached: { name: "accepted epoch", of: ({ acceptedEpoch }) => acceptedEpoch },
  // Synchronisation is on the way to an established leader.
  leaders: ["propose", "inform", "commit", "upToDate", "ping"],
  markOf: ({ type }) => type,
  marks: ["looking", "elected"],
  isSymmetric: false,
};

export function zabModel(parameters: LogParameters, create?: CreateZab): ZabModel {
  return logModel(ZAB, parameters, create);
}

/** The steps by which all nodes come to follow one. They are told of each other as they start: no timer is needed. */
export function establishedLeader(model: ZabModel): readonly Action<ZabWords>[] {
  const path = new Path(model);
  path.startAll();
  path.settle();
  return path.actions;
}

/**
 * The same, and beside that leader another node is elected, which does not lead yet:
 * the two phases are ahead of it. It alone has written an entry of the leader before,
 * whose own disk takes its time.
 *
 * @throws RangeError of fewer than three nodes, or without a command to be proposed.
 */
export function electedRival(model: ZabModel): readonly Action<ZabWords>[] {
  const path = Path.along(model, establishedLeader(model));
  const leader = model.nodes.find((node) => path.process(node)?.role === "leader");
  const [friend, rival] = model.nodes.filter((node) => node !== leader);
  if (leader === undefined || friend === undefined || rival === undefined) {
    throw new RangeError("a leader, a rival and who elects it are three nodes");
  }
  if (model.asks?.some(({ request }) => request.type === "propose") !== true) {
    throw new RangeError("a rival has an entry before others, so a command must be proposed");
  }
  propose(path, leader);
  path.deliver(({ to }) => to === rival);
  path.sync(rival);
  forget(path);
  elect(path, rival, friend);
  forget(path, ({ from, to }) => from === leader || to === leader);
  return path.actions;
}

/** Two nodes give up their leader, and one of them is elected by the other. */
function elect(path: LogRun<ZabWords, Zab>, candidate: NodeId, voter: NodeId): void {
  path.timeout(voter, "election");
  path.timeout(candidate, "election");
  while (path.process(candidate)?.phase === "election") {
    if (path.messages.some((envelope) => isBetween(envelope, candidate, voter))) {
      path.deliver((envelope) => isBetween(envelope, candidate, voter));
    } else path.timeout(candidate, "finalize");
    path.sync(candidate);
    path.sync(voter);
  }
}

function entryAt({ log }: Zab, index: number): Entry | undefined {
  return index <= log.lastIndex ? log.at(index) : undefined;
}
