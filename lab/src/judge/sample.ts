/**
 * Random histories for tests and demonstrations: made by letting each operation
 * happen at a moment of its own, so that they are linearizable, and spoilt
 * afterwards, so that perhaps they are not.
 */

import type { Random } from "@quorate/kernel";

import type { Operation } from "./history.ts";
import type { Value } from "./models/key-value.ts";

/** What a random history is made of. */
export interface Mix {
  readonly operations: number;
  readonly clients: number;
  readonly keys: number;
  /** How many of a hundred outcomes are unknown. */
  readonly unknown: number;
  /** How many values there are to write; 0: every write has its own. */
  readonly values: number;
  /** Weights of get, put, del, append and cas. */
  readonly weights: readonly [number, number, number, number, number];
}

interface Draft {
  readonly operation: Operation;
  /** When it happens; infinite for never. */
  readonly at: number;
}

/** A history of a store that is linearizable, each operation happening somewhere between its ends. */
export function legalHistory(random: Random, mix: Mix): Operation[] {
  const drafts: Draft[] = [];
  const free = Array.from({ length: mix.clients }, () => 0);
  for (let i = 0; i < mix.operations; i++) {
    const client = random.below(mix.clients);
    const call = free[client]! + random.below(4);
    const at = call + random.below(8);
    const ret = at + random.below(8);
    free[client] = ret;
    const key = String(random.below(mix.keys));
    const asked = { client, key, call, ...requestOf(random, mix, i) } as Operation;
    if (random.below(100) >= mix.unknown) {
      drafts.push({ operation: { ...asked, ret }, at });
      continue;
    }
    const late = random.chance(1, 2) ? Infinity : at + random.below(mix.operations);
    drafts.push({ operation: { ...asked, status: "info" }, at: late });
  }
  const store = new Map<string, Value>();
  const answers = new Map<Draft, Operation>();
  for (const draft of drafts.toSorted((a, b) => a.at - b.at)) {
    const { operation } = draft;
    if (draft.at === Infinity) continue;
    const before = store.get(operation.key) ?? null;
    store.set(operation.key, after(before, operation));
    answers.set(draft, answer(operation, before));
  }
  return drafts.map((draft) => answers.get(draft) ?? draft.operation);
}

function requestOf(random: Random, { values, weights }: Mix, index: number): object {
  const total = weights.reduce((sum, weight) => sum + weight);
  let pick = random.below(total);
  const type = (["get", "put", "del", "append", "cas"] as const).find(
    (_, i) => (pick -= weights[i]!) < 0,
  );
  const value = values === 0 ? `${index}.` : String(random.below(values));
  // Unique values are compared with one written of late, or cas would never swap.
  const from = values === 0 ? `${index - random.below(10)}.` : String(random.below(values));
  if (type === "cas") return { type, from, to: value };
  return type === "get" || type === "del" ? { type } : { type, value };
}

/** What an operation makes of a value, if it may: the store in its plainest form. */
export function after(before: Value, operation: Operation): Value {
  switch (operation.type) {
    case "get":
      return before;
    case "put":
      return operation.value;
    case "del":
      return null;
    case "append":
      return `${before ?? ""}${operation.value}`;
    default:
      return before === operation.from ? operation.to : before;
  }
}

function answer(operation: Operation, before: Value): Operation {
  if (operation.ret === undefined) return operation;
  if (operation.type === "get") return { ...operation, value: before };
  if (operation.type === "cas") return { ...operation, result: before === operation.from };
  return operation;
}

/** One answer or one interval changed, which may or may not make the history illegal. */
export function mutated(random: Random, history: readonly Operation[], mix: Mix): Operation[] {
  const changed = [...history];
  const at = random.below(history.length);
  const operation = history[at]!;
  const { ret } = operation;
  if (ret === undefined || ret === null) {
    changed[at] = { ...operation, call: operation.call + random.below(20) };
  } else if (operation.type === "get" && random.chance(2, 3)) {
    const values = history.flatMap((other) => (other.type === "put" ? [other.value] : []));
    const value = values[random.below(values.length + 1)] ?? null;
    changed[at] = { ...operation, value: random.chance(1, 8) ? `${mix.values}?` : value };
  } else if (operation.type === "cas" && random.chance(1, 2)) {
    changed[at] = { ...operation, result: !operation.result! };
  } else {
    const shift = random.below(24) - 12;
    changed[at] = { ...operation, call: operation.call + shift, ret: ret + shift };
  }
  return changed;
}
