/**
 * Finds the operation to blame. A search that looks ahead gives up long before
 * the operation that cannot be explained returns, so the shortest history that
 * is illegal is found by bisection over returns.
 */

import type { Call, Model } from "./model.ts";
import { Search } from "./search.ts";

export interface Culprit {
  /** The index among the calls. */
  readonly op: number;
  /** An order that explains every answer given before its return. */
  readonly order: readonly number[];
  /** False if the budget did not suffice to be sure that it is the first. */
  readonly exact: boolean;
}

/**
 * The first return up to which nothing explains the calls.
 *
 * @param search - One that found the calls illegal.
 * @param budget - Work for each of the about log2(n) searches.
 */
export function pinpoint<State, Op>(
  model: Model<State, Op>,
  calls: readonly Call<Op>[],
  search: Search<State, Op>,
  budget: number,
): Culprit {
  const returns = calls
    .flatMap(({ ret }, index) => (ret === undefined ? [] : [{ ret, index }]))
    .toSorted((a, b) => a.ret - b.ret || a.index - b.index);
  let { order } = search;
  let exact = true;
  // What stands before `low` is legal, what ends with `high` is not.
  let low = Math.max(
    0,
    returns.findIndex(({ index }) => index === search.stuckAt),
  );
  let high = returns.length - 1;
  while (low < high) {
    const middle = (low + high) >> 1;
    const attempt = new Search(model, calls, returns[middle]);
    const outcome = attempt.run(budget);
    if (outcome === "illegal") {
      high = middle;
    } else {
      low = middle + 1;
      if (outcome === "spent") exact = false;
      else ({ order } = attempt);
    }
  }
  return { op: returns[high]!.index, order, exact };
}
