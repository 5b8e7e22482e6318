/** Single-decree Paxos to be checked: one value is chosen, whoever proposes and crashes. */

import { Synod, type SynodWords } from "@quorate/consensus";
import type { Model } from "@quorate/lab/checker";

export interface SynodParameters {
  readonly acceptors: number;
  /** How many of them are asked to have a value of their own chosen. */
  readonly proposers: number;
  /** How many times a proposal may be made anew, all nodes together. */
  readonly attempts: number;
  readonly crashes: number;
  /** How many messages may be on their way at one time; 0: as many as like. */
  readonly inFlight: number;
  readonly slowDisk: boolean;
}

/** Values that somebody learnt, in the order in which they were. */
type Learnt = readonly string[];

/** @param create - Makes a node, for variants that are wrong on purpose. */
export function synodModel(
  { acceptors, proposers, attempts, crashes, inFlight, slowDisk }: SynodParameters,
  create: (acceptors: readonly string[]) => Synod = (ids) =>
    new Synod({ acceptors: ids, retryMs: 100 }),
): Model<SynodWords, Synod, Learnt> {
  const nodes = Object.freeze(Array.from({ length: acceptors }, (_, i) => `a${i + 1}`));
  return {
    nodes,
    create: () => create(nodes),
    network: "merging",
    disk: slowDisk ? "asynchronous" : "instant",
    asks: nodes.slice(0, proposers).map((node, i) => ({ node, request: Uint8Array.of(i + 1) })),
    budgets: { crashes, timeouts: attempts, ...(inFlight === 0 ? {} : { inFlight }) },
    history: {
      initial: [],
      after(learnt, _node, happening) {
        if (happening.type !== "output") return learnt;
        const value = happening.value.join(".");
        return learnt.includes(value) ? learnt : [...learnt, value];
      },
      broken: (learnt) =>
        learnt.length > 1 ? `B3: ${learnt.join(" and ")} are both chosen` : undefined,
    },
    markOf: (note) => note.type,
    marks: proposers > 1 ? ["proposing", "outbid", "adopted"] : ["proposing"],
    sometimes: { "a value is chosen": ({ history }) => history.length > 0 },
  };
}
