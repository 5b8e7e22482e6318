/** The judge against a slow, obvious one on small random histories, and alone on large ones. */

import assert from "node:assert/strict";
import { test } from "node:test";

import { Random } from "@quorate/kernel";

import type { Operation } from "./history.ts";
import { judge, type Verdict } from "./judge.ts";
import type { Value } from "./models/key-value.ts";
import { after, legalHistory, type Mix, mutated } from "./sample.ts";

/** Whether a value gives an operation the answer that it got. */
function agrees(before: Value, operation: Operation): boolean {
  if (operation.ret === undefined) return true;
  if (operation.type === "get") return before === operation.value;
  if (operation.type === "cas") return (before === operation.from) === operation.result;
  return true;
}

/** Tries every order of those given, in which those that need not happen may be left out. */
function explainable(
  before: Value,
  left: readonly Operation[],
  isRequired: (operation: Operation) => boolean,
): boolean {
  const required = left.filter(isRequired);
  if (required.length === 0) return true;
  const deadline = Math.min(...required.map(({ ret }) => ret!));
  return left.some(
    (operation) =>
      operation.call <= deadline &&
      agrees(before, operation) &&
      explainable(
        after(before, operation),
        left.filter((other) => other !== operation),
        isRequired,
      ),
  );
}

/** The index of the first operation of a key, by return, up to which nothing explains the answers. */
function firstInexplicable(history: readonly Operation[], key: string): number {
  const mine = history.filter((operation) => operation.key === key);
  const returned = mine
    .filter(({ ret }) => ret !== undefined)
    .toSorted((a, b) => a.ret! - b.ret! || history.indexOf(a) - history.indexOf(b));
  for (const [i, last] of returned.entries()) {
    const required = new Set(returned.slice(0, i + 1));
    const called = mine.filter(({ call }) => call <= last.ret!);
    if (!explainable(null, called, (operation) => required.has(operation))) {
      return history.indexOf(last);
    }
  }
  return -1;
}

/** Holds an order against the history: no time runs backwards, every answer is the store's. */
function assertExplains(
  history: readonly Operation[],
  order: readonly number[],
  required: (operation: Operation, index: number) => boolean,
): void {
  assert.equal(new Set(order).size, order.length, "nothing happens twice");
  let value: Value = null;
  let latest = -Infinity;
  for (const index of order) {
    const operation = history[index]!;
    assert.ok((operation.ret ?? Infinity) >= latest, "what returned before a call comes before it");
    latest = Math.max(latest, operation.call);
    assert.ok(agrees(value, operation), `operation ${index} was answered like that`);
    value = after(value, operation);
  }
  const placed = new Set(order);
  for (const [index, operation] of history.entries()) {
    if (required(operation, index))
      assert.ok(placed.has(index), `operation ${index} has its place`);
  }
}

function assertVerdictStands(history: readonly Operation[], verdict: Verdict): void {
  assert.notEqual(verdict.verdict, "unknown");
  if (verdict.verdict === "linearizable") {
    for (const [key, order] of verdict.orders) {
      assertExplains(history, order, (operation) => {
        return operation.key === key && operation.ret !== undefined;
      });
    }
    return;
  }
  const { key, op } = verdict;
  const end = history[op]!.ret!;
  assert.equal(history[op]!.key, key);
  assert.equal(verdict.exact, true);
  assertExplains(history, verdict.order, (operation, index) => {
    const { ret } = operation;
    if (operation.key !== key || ret === undefined || ret === null) return false;
    return ret < end || (ret === end && index < op);
  });
}

const SMALL: readonly Mix[] = [
  { operations: 9, clients: 4, keys: 1, unknown: 20, values: 2, weights: [4, 3, 1, 0, 3] },
  { operations: 8, clients: 4, keys: 1, unknown: 25, values: 0, weights: [4, 3, 1, 0, 2] },
  { operations: 9, clients: 4, keys: 1, unknown: 30, values: 0, weights: [5, 4, 0, 0, 0] },
  { operations: 8, clients: 3, keys: 1, unknown: 20, values: 2, weights: [5, 1, 1, 4, 1] },
  { operations: 8, clients: 4, keys: 1, unknown: 20, values: 0, weights: [4, 0, 0, 4, 0] },
  { operations: 10, clients: 3, keys: 2, unknown: 20, values: 2, weights: [4, 2, 1, 1, 3] },
];

for (const [i, mix] of SMALL.entries()) {
  test(`the judge agrees with one that tries every order (mix ${i})`, () => {
    const random = new Random(i + 1);
    const rounds = Number(process.env["JUDGE_ROUNDS"] ?? 400);
    const seen = { linearizable: 0, illegal: 0, unknown: 0 };
    for (let round = 0; round < rounds; round++) {
      const legal = legalHistory(random, mix);
      assert.equal(judge(legal).verdict, "linearizable", JSON.stringify(legal));
      const history = mutated(random, mutated(random, legal, mix), mix);
      const verdict = judge(history);
      seen[verdict.verdict]++;
      const text = JSON.stringify(history);
      const culprits = new Map<string, number>();
      for (let key = 0; key < mix.keys; key++) {
        const culprit = firstInexplicable(history, String(key));
        if (culprit >= 0) culprits.set(String(key), culprit);
      }
      assert.equal(verdict.verdict, culprits.size === 0 ? "linearizable" : "illegal", text);
      if (verdict.verdict === "illegal") assert.equal(verdict.op, culprits.get(verdict.key), text);
      assertVerdictStands(history, verdict);
    }
    assert.ok(seen.linearizable > rounds / 20, "some mutants are legal");
    assert.ok(seen.illegal > rounds / 20, "some mutants are not");
  });
}

const LARGE: readonly (Mix & { readonly name: string })[] = [
  {
    name: "gets and puts, every value its own",
    operations: 5000,
    clients: 20,
    keys: 1,
    unknown: 10,
    values: 0,
    weights: [5, 5, 0, 0, 0],
  },
  {
    name: "gets, puts and cas of five values",
    operations: 5000,
    clients: 20,
    keys: 1,
    unknown: 10,
    values: 5,
    weights: [1, 1, 0, 0, 1],
  },
  {
    name: "gets, puts, deletes and cas, every value its own",
    operations: 5000,
    clients: 20,
    keys: 1,
    unknown: 10,
    values: 0,
    weights: [5, 4, 1, 0, 3],
  },
  {
    name: "appends",
    operations: 5000,
    clients: 20,
    keys: 1,
    unknown: 10,
    values: 0,
    weights: [5, 0, 0, 5, 0],
  },
];

for (const { name, ...mix } of LARGE) {
  test(`a large history is judged within the budget: ${name}`, () => {
    const random = new Random(7);
    const legal = legalHistory(random, mix);
    const t = performance.now();
    const verdict = judge(legal);
    if (process.env["JUDGE_TIMES"])
      console.log(name, "legal", verdict.verdict, performance.now() - t);
    assert.equal(verdict.verdict, "linearizable");
    assertVerdictStands(legal, verdict);
  });
}
