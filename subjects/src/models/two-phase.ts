/** Two-phase commit to be checked: the promises AC1–AC3 while nodes crash and nothing is on time. */

import { TWO_PHASE_DEFAULTS, TwoPhaseCommit } from "@quorate/commit";
import type { Model } from "@quorate/lab/checker";

import { type Done, Site, type SiteWords } from "./site.ts";

export interface TwoPhaseParameters {
  readonly participants: number;
  readonly crashes: number;
  /** How many transactions; all are coordinated by one node. */
  readonly transactions: number;
}

/** By transaction: whether anybody was told, or did, this or that. */
type Outcomes = Readonly<
  Record<string, { readonly committed: boolean; readonly aborted: boolean }>
>;

const COORDINATOR = "c";

/** @param create - Makes the protocol of a node, for variants that are wrong on purpose. */
export function twoPhaseModel(
  { participants, crashes, transactions }: TwoPhaseParameters,
  create: () => TwoPhaseCommit = () => new TwoPhaseCommit(TWO_PHASE_DEFAULTS),
): Model<SiteWords, Site, Outcomes> {
  const ids = Array.from({ length: participants }, (_, i) => `p${i + 1}`);
  return {
    nodes: [COORDINATOR, ...ids],
    create: () => new Site(create()),
    network: "merging",
    asks: Array.from({ length: transactions }, () => ({
      node: COORDINATOR,
      request: Object.freeze(ids),
    })),
    budgets: { crashes },
    history: {
      initial: {},
      after(outcomes, _node, happening) {
        if (happening.type === "reply") return noted(outcomes, happening.response);
        return happening.type === "output" ? noted(outcomes, happening.value) : outcomes;
      },
      broken(outcomes) {
        const split = Object.entries(outcomes).find(([, { committed, aborted }]) => {
          return committed && aborted;
        });
        return split === undefined
          ? undefined
          : `AC1: ${split[0]} committed here and aborted there`;
      },
    },
    sometimes: {
      "somebody commits": ({ history }) => Object.values(history).some((tx) => tx.committed),
      "somebody aborts": ({ history }) => Object.values(history).some((tx) => tx.aborted),
      "in doubt": ({ nodes }) => nodes.some(({ process }) => (process?.part.inDoubt.size ?? 0) > 0),
    },
    markOf: (note) => note.type,
    marks: ["decided", "ended", "inDoubt"],
    symmetry: { nodes: ids, alike: ["request"] },
  };
}

function noted(outcomes: Outcomes, { tx, outcome }: Done): Outcomes {
  const { committed, aborted } = outcomes[tx] ?? { committed: false, aborted: false };
  const after =
    outcome === "committed" ? { committed: true, aborted } : { committed, aborted: true };
  return { ...outcomes, [tx]: after };
}
