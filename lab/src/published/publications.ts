/**
 * Models whose states others have counted. A checker that counts the same visits
 * neither too few states nor one of them twice.
 *
 * Two-phase commit: TLC and Spin agree on the numbers of states; the numbers with
 * symmetry are those of orbits, which TLC gives for five and seven resource
 * managers. (A sort by nodes' own states alone, as in an example that is often
 * cited, gives 665 for five and depends on the order of the search.) Paxos: the
 * test of Stateright's example has the number for two clients.
 */

import type { Vocabulary } from "@quorate/kernel";

import { check, type CheckOptions, type Verdict } from "../checker/index.ts";
import { paxos } from "./paxos.ts";
import { twoPhaseCommit } from "./two-phase-commit.ts";

export interface Publication {
  readonly model: string;
  readonly parameters: Readonly<Record<string, number | boolean>>;
  /** How many states it has. */
  readonly published: number;
  /** Counts them now. */
  count(options?: Pick<CheckOptions<Vocabulary>, "onProgress">): Verdict<Vocabulary>;
}

export const PUBLICATIONS: readonly Publication[] = [
  ...[
    [3, 288, 80],
    [5, 8_832, 314],
    [7, 296_448, 920],
  ].flatMap(([resourceManagers, states, orbits]) => [
    twoPhase(resourceManagers!, false, states!),
    twoPhase(resourceManagers!, true, orbits!),
  ]),
  synod(1, 265),
  synod(2, 16_668),
];

function twoPhase(resourceManagers: number, symmetry: boolean, published: number): Publication {
  return {
    model: "two-phase-commit",
    parameters: { resourceManagers, symmetry },
    published,
    count: (options) => check(twoPhaseCommit(resourceManagers), { ...options, reduce: symmetry }),
  };
}

function synod(clients: number, published: number): Publication {
  return {
    model: "single-decree-paxos",
    parameters: { servers: 3, clients },
    published,
    count: (options) => check(paxos(clients), options),
  };
}
