/**
 * How a state of the whole lies in memory: a list of integers. First the states
 * of the nodes by number, then the history, then what is left of each budget,
 * then the numbers of the messages on their way, sorted.
 */

import type { Process, Vocabulary } from "@quorate/kernel";

import type { Model } from "./model.ts";

/** A timer with a budget of its own. */
interface TimerBudget {
  readonly timer: string;
  readonly place: number;
}

/** Places of the header; -1 for what a model does not limit or never does. */
export interface Layout {
  readonly nodes: number;
  readonly history: number;
  readonly crashes: number;
  readonly drops: number;
  readonly duplicates: number;
  readonly timeouts: number;
  readonly timeoutsOf: readonly TimerBudget[];
  readonly hints: number;
  /** Ticks so far. The others count down. */
  readonly ticks: number;
  readonly maxTicks: number;
  /** By node: how many of its asks were made. Only for nodes with asks. */
  readonly asked: readonly number[];
  /** Messages begin here. */
  readonly length: number;
  /** What the places from `history` on hold at the beginning. */
  readonly initial: readonly number[];
}

export function layoutOf<V extends Vocabulary, P extends Process<V>, H>(
  model: Model<V, P, H>,
): Layout {
  const { nodes, budgets = {}, asks = [] } = model;
  const initial: number[] = [0];
  const place = (value: number): number => nodes.length + initial.push(value) - 1;
  const limited = (budget: number | undefined): number =>
    budget === undefined || budget === 0 ? -1 : place(budget);
  const { timeouts, timeoutsOf = {}, ticks = 0 } = budgets;
  return {
    nodes: nodes.length,
    history: nodes.length,
    crashes: limited(budgets.crashes),
    drops: limited(budgets.drops),
    duplicates: limited(budgets.duplicates),
    // A budget of no timers at all is a limit too.
    timeouts: timeouts === undefined ? -1 : place(timeouts),
    timeoutsOf: Object.entries(timeoutsOf).map(([timer, budget]) => ({
      timer,
      place: place(budget),
    })),
    hints: limited(budgets.hints),
    ticks: ticks === 0 ? -1 : place(0),
    maxTicks: ticks,
    asked: nodes.map((id) => (asks.some(({ node }) => node === id) ? place(0) : -1)),
    length: nodes.length + initial.length,
    initial,
  };
}
