/**
 * Sequential consistency (Lamport 1979): whether there is one order of all
 * operations, of all keys, in which each client's stand in the order it made them
 * and every answer is right. Real time does not matter.
 *
 * Unlike linearizability it does not compose, so keys are judged together: a
 * depth-first search over how far each client has come, which remembers where it
 * has been. An operation that only reads and fits is taken at once, since taking it
 * changes nothing for the others.
 */

import { type Limits, LIMITS, type Operation, readHistory } from "./history.ts";
import type { Value } from "./models/key-value.ts";

export type SequentialVerdict =
  | { readonly verdict: "sequential"; readonly order: readonly number[] }
  /** `unknown`: the budget was spent. */
  | {
      readonly verdict: "illegal" | "unknown";
      /** The longest order found, by indices of the history. */
      readonly order: readonly number[];
      /** What could not be placed after it: the next operation of each client. */
      readonly stuck: readonly number[];
    };

export interface SequentialOptions {
  /** The most states to visit. */
  readonly budget?: number;
  readonly limits?: Limits;
}

const BUDGET = 2_000_000;

interface Step {
  readonly index: number;
  readonly operation: Operation;
  /** It may have happened or not. */
  readonly optional: boolean;
}

/** How far a search has come. */
interface Place {
  readonly at: readonly number[];
  readonly store: ReadonlyMap<string, Value>;
  readonly order: Chain | undefined;
}

interface Chain {
  readonly index: number;
  readonly before: Chain | undefined;
  readonly length: number;
}

/**
 * Judges a history of a key-value store, given as text or as parsed values.
 *
 * @throws HistoryError if it cannot be read.
 */
export function judgeSequential(
  history: string | readonly Operation[],
  { budget = BUDGET, limits = LIMITS }: SequentialOptions = {},
): SequentialVerdict {
  const clients = clientsOf(readHistory(history, limits));
  const visited = new Set<string>();
  const stack: Place[] = [{ at: clients.map(() => 0), store: new Map(), order: undefined }];
  let best: Place = stack[0]!;
  for (let place = stack.pop(); place !== undefined; place = stack.pop()) {
    const settled = takeReads(clients, place);
    if ((settled.order?.length ?? 0) > (best.order?.length ?? 0)) best = settled;
    if (isOver(clients, settled)) return { verdict: "sequential", order: orderOf(settled) };
    const key = keyOf(settled);
    if (visited.has(key)) continue;
    visited.add(key);
    if (visited.size > budget) return stuckAt("unknown", clients, best);
    stack.push(...moves(clients, settled));
  }
  return stuckAt("illegal", clients, best);
}

function clientsOf(operations: readonly Operation[]): readonly (readonly Step[])[] {
  const clients = new Map<string, Step[]>();
  for (const [index, operation] of operations.entries()) {
    if (operation.status === "fail") continue;
    const optional = operation.status === "info" || (operation.ret ?? undefined) === undefined;
    if (optional && operation.type === "get") continue;
    const client = JSON.stringify(operation.client ?? null);
    const steps = clients.get(client);
    if (steps === undefined) clients.set(client, [{ index, operation, optional }]);
    else steps.push({ index, operation, optional });
  }
  for (const steps of clients.values()) steps.sort((a, b) => a.operation.call - b.operation.call);
  return [...clients.values()];
}

/** Places every operation that changes nothing and was answered as it must be. */
function takeReads(clients: readonly (readonly Step[])[], from: Place): Place {
  let place = from;
  for (let moved = true; moved;) {
    moved = false;
    for (const [client, steps] of clients.entries()) {
      const step = steps[place.at[client]!];
      if (step === undefined || step.optional) continue;
      const before = place.store.get(step.operation.key) ?? null;
      if (!isRead(step.operation) || outcome(before, step.operation) === undefined) continue;
      place = { ...placed(place, client, step), store: place.store };
      moved = true;
    }
  }
  return place;
}

function isRead(operation: Operation): boolean {
  return operation.type === "get" || (operation.type === "cas" && operation.result === false);
}

function moves(clients: readonly (readonly Step[])[], place: Place): readonly Place[] {
  const next: Place[] = [];
  for (const [client, steps] of clients.entries()) {
    const step = steps[place.at[client]!];
    if (step === undefined) continue;
    const { operation, optional } = step;
    if (optional) next.push({ ...place, at: advanced(place.at, client) });
    if (isRead(operation)) continue;
    const after = outcome(place.store.get(operation.key) ?? null, operation);
    if (after === undefined) continue;
    const store = new Map(place.store);
    store.set(operation.key, after.value);
    next.push({ ...placed(place, client, step), store });
  }
  return next;
}

/** The value after an operation; undefined where it cannot have been answered as it was. */
function outcome(before: Value, operation: Operation): { readonly value: Value } | undefined {
  switch (operation.type) {
    case "get":
      return before === (operation.value ?? null) ? { value: before } : undefined;
    case "put":
      return { value: operation.value };
    case "del":
      return { value: null };
    case "append":
      return { value: `${before ?? ""}${operation.value}` };
    default: {
      const fits = before === operation.from;
      if (operation.result !== undefined && operation.result !== fits) return undefined;
      return { value: fits ? operation.to : before };
    }
  }
}

function placed(place: Place, client: number, { index }: Step): Place {
  const { order } = place;
  const longer = { index, before: order, length: (order?.length ?? 0) + 1 };
  return { at: advanced(place.at, client), store: place.store, order: longer };
}

function advanced(at: readonly number[], client: number): readonly number[] {
  return at.with(client, at[client]! + 1);
}

/** Whether all that is left may as well not have happened. */
function isOver(clients: readonly (readonly Step[])[], { at }: Place): boolean {
  return clients.every((steps, client) =>
    steps.slice(at[client]).every(({ optional }) => optional),
  );
}

function keyOf({ at, store }: Place): string {
  const entries = [...store].toSorted(([a], [b]) => (a < b ? -1 : 1));
  return `${at.join(" ")} ${JSON.stringify(entries)}`;
}

function orderOf({ order }: Place): readonly number[] {
  const indices: number[] = [];
  for (let at = order; at !== undefined; at = at.before) indices.push(at.index);
  return indices.toReversed();
}

function stuckAt(
  verdict: "illegal" | "unknown",
  clients: readonly (readonly Step[])[],
  place: Place,
): SequentialVerdict {
  const stuck = clients.flatMap((steps, client) => steps[place.at[client]!]?.index ?? []);
  return { verdict, order: orderOf(place), stuck };
}
