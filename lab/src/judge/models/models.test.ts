/** Every model against a judge that tries all orders, on small random histories. */

import assert from "node:assert/strict";
import { test } from "node:test";

import { Random } from "@quorate/kernel";

import { judgeCalls } from "../judge.ts";
import type { Call, Model } from "../model.ts";
import { counter, type CounterOp } from "./counter.ts";
import { lock, type LockOp } from "./lock.ts";
import { queue, type QueueOp } from "./queue.ts";
import { register, type RegisterOp } from "./register.ts";

/** Whether some order explains the answers, those that never returned being free to be left out. */
function explainable<State, Op>(
  model: Model<State, Op>,
  state: State,
  left: readonly Call<Op>[],
): boolean {
  const deadline = Math.min(Infinity, ...left.map(({ ret = Infinity }) => ret));
  if (deadline === Infinity) return true;
  return left.some((call) => {
    if (call.call > deadline) return false;
    const after = model.apply(state, call.op);
    if (after === undefined) return false;
    return explainable(
      model,
      after,
      left.filter((other) => other !== call),
    );
  });
}

function agrees<State, Op>(
  model: Model<State, Op>,
  draw: (random: Random) => Op,
  drawUnknown: (random: Random) => Op,
): void {
  const random = new Random(11);
  const seen = { linearizable: 0, illegal: 0, unknown: 0 };
  for (let round = 0; round < 400; round++) {
    const calls = Array.from({ length: 2 + random.below(5) }, (): Call<Op> => {
      const call = random.below(12);
      if (random.chance(1, 6)) return { op: drawUnknown(random), call };
      return { op: draw(random), call, ret: call + random.below(6) };
    });
    const { verdict } = judgeCalls(model, calls);
    seen[verdict]++;
    const expected = explainable(model, model.initial, calls) ? "linearizable" : "illegal";
    assert.equal(verdict, expected, `${model.name}: ${JSON.stringify(calls)}`);
  }
  assert.ok(seen.linearizable > 20 && seen.illegal > 20, JSON.stringify(seen));
}

function pick<T>(random: Random, ...values: readonly T[]): T {
  return values[random.below(values.length)]!;
}

test("a register answers with what was written last", () => {
  const write = (random: Random): RegisterOp => ({ type: "write", value: pick(random, "a", "b") });
  agrees<string | null, RegisterOp>(
    register,
    (random) =>
      random.chance(1, 2) ? write(random) : { type: "read", value: pick(random, "a", "b", null) },
    write,
  );
});

test("a queue gives back first what came first", () => {
  const enqueue = (random: Random): QueueOp => ({ type: "enqueue", value: pick(random, "a", "b") });
  agrees<readonly string[], QueueOp>(
    queue,
    (random) =>
      random.chance(1, 2)
        ? enqueue(random)
        : { type: "dequeue", value: pick(random, "a", "b", null) },
    (random) => (random.chance(1, 2) ? enqueue(random) : { type: "dequeue", value: undefined }),
  );
});

test("a lock has one holder", () => {
  const draw = (random: Random, granted: boolean | undefined): LockOp => ({
    type: pick(random, "acquire", "release"),
    owner: pick(random, "a", "b"),
    granted,
  });
  agrees<string | null, LockOp>(
    lock,
    (random) => draw(random, random.chance(3, 4)),
    (random) => draw(random, undefined),
  );
});

test("a counter tells the sum", () => {
  const add = (random: Random): CounterOp => ({ type: "add", amount: pick(random, 1, 2, -1) });
  agrees<number, CounterOp>(
    counter,
    (random) => (random.chance(1, 2) ? add(random) : { type: "read", total: random.below(4) }),
    add,
  );
});
