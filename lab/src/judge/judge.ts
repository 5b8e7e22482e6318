/**
 * Tells whether a history is linearizable: whether every operation can be
 * thought to have happened at one moment between its call and its return, such
 * that one copy of the data, asked in that order, would have answered the same.
 *
 * Keys are judged one by one, since linearizability composes (Herlihy and Wing,
 * 1990). All keys share one budget of work and take turns of growing length, so
 * that a plain violation in one is found before the hard search of another.
 */

import { invariant } from "@quorate/kernel";

import { type Limits, LIMITS, type Operation, readHistory } from "./history.ts";
import type { Call, Model } from "./model.ts";
import { contentOf, keyValue, type KeyValueOp } from "./models/key-value.ts";
import { pinpoint } from "./pinpoint.ts";
import { Search } from "./search.ts";

/** Operations are named by their index in the history, counted from 0. */
export type Verdict =
  | {
      readonly verdict: "linearizable";
      /** By key: an order that explains every answer. Unknown operations in it happened. */
      readonly orders: ReadonlyMap<string, readonly number[]>;
    }
  | ({ readonly verdict: "illegal" | "unknown" } & Finding);

/** Where the trouble is. */
export interface Finding {
  readonly key: string;
  /**
   * The operation whose answer no order explains: up to its return there is none, up to any return
   * before it there is. If the verdict is `unknown`, the one at which the search stood.
   */
  readonly op: number;
  /** The longest order found for the key: it explains every answer given before that return. */
  readonly order: readonly number[];
  /** False if the budget did not suffice to find the first such operation; `op` returned later. */
  readonly exact: boolean;
}

export interface JudgeOptions {
  /**
   * How much work before the verdict is `unknown`, in units of about one operation tried: some
   * million a second, some 20 bytes each.
   */
  readonly budget?: number;
  readonly limits?: Limits;
}

const BUDGET = 30_000_000;
/** The length of the first turn; each round doubles it. */
const TURN = 20_000;

/**
 * Judges a history of a key-value store, given as text or as parsed values.
 *
 * @throws HistoryError if it cannot be read.
 */
export function judge(
  history: string | readonly Operation[],
  { budget = BUDGET, limits = LIMITS }: JudgeOptions = {},
): Verdict {
  const keys = new Map<string, Part<KeyValueOp>>();
  for (const [index, operation] of readHistory(history, limits).entries()) {
    if (operation.status === "fail") continue;
    const call = callOf(operation);
    if (call === undefined) continue;
    let part = keys.get(operation.key);
    if (part === undefined) keys.set(operation.key, (part = { calls: [], indices: [] }));
    part.calls.push(call);
    part.indices.push(index);
  }
  return judgeParts(keyValue, keys, budget);
}

/**
 * Judges calls to one object by any {@link Model}. The key of the verdict is "".
 *
 * @param calls - Without those that certainly did not happen.
 */
export function judgeCalls<State, Op>(
  model: Model<State, Op>,
  calls: readonly Call<Op>[],
  { budget = BUDGET }: Pick<JudgeOptions, "budget"> = {},
): Verdict {
  const part = { calls: [...calls], indices: calls.map((_, index) => index) };
  return judgeParts(model, new Map([["", part]]), budget);
}

/** The calls of one key and where they stand in the history. */
interface Part<Op> {
  readonly calls: Call<Op>[];
  readonly indices: number[];
}

function judgeParts<State, Op>(
  model: Model<State, Op>,
  parts: ReadonlyMap<string, Part<Op>>,
  budget: number,
): Verdict {
  const orders = new Map<string, readonly number[]>();
  let open = [...parts].map(([key, part]) => ({
    key,
    part,
    search: undefined as Search<State, Op> | undefined,
  }));
  let left = budget;
  for (let turn = TURN; open.length > 0 && left > 0; turn *= 2) {
    const still: typeof open = [];
    for (const entry of open) {
      const { key, part } = entry;
      // A search is made when its turn comes, so that many keys do not fill the memory at once.
      const search = (entry.search ??= new Search(model, part.calls));
      const before = search.work;
      const outcome = search.run(Math.min(turn, left));
      left -= search.work - before;
      if (outcome === "illegal") {
        return {
          verdict: "illegal",
          ...findingOf(key, part, pinpoint(model, part.calls, search, budget)),
        };
      }
      if (outcome === "spent") still.push(entry);
      else orders.set(key, named(part, search.order));
    }
    open = still;
  }
  const [first] = open;
  if (first === undefined) return { verdict: "linearizable", orders };
  const search = (first.search ??= new Search(model, first.part.calls));
  const op = search.stuckAt;
  invariant(op !== undefined, "a search that is not over stands at a return");
  return {
    verdict: "unknown",
    ...findingOf(first.key, first.part, { op, order: search.order, exact: false }),
  };
}

function findingOf<Op>(key: string, part: Part<Op>, found: Omit<Finding, "key">): Finding {
  return { key, op: part.indices[found.op]!, order: named(part, found.order), exact: found.exact };
}

function named<Op>(part: Part<Op>, order: readonly number[]): readonly number[] {
  return order.map((index) => part.indices[index]!);
}

/** An operation as the model knows it; undefined for an unknown read, from which nothing follows. */
function callOf(operation: Operation): Call<KeyValueOp> | undefined {
  const { call } = operation;
  const ret = operation.status === "info" ? undefined : (operation.ret ?? undefined);
  switch (operation.type) {
    case "get":
      if (ret === undefined || operation.value === undefined) return undefined;
      return { op: { type: "get", value: contentOf(operation.value) }, call, ret };
    case "put":
      return { op: { type: "put", value: contentOf(operation.value) }, call, ret };
    case "del":
      return { op: { type: "put", value: contentOf(null) }, call, ret };
    case "append":
      return { op: { type: "append", text: operation.value }, call, ret };
    default: {
      const [from, to] = [contentOf(operation.from), contentOf(operation.to)];
      const swapped = ret === undefined ? undefined : operation.result;
      return { op: { type: "cas", from, to, swapped }, call, ret };
    }
  }
}
