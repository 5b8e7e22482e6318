import assert from "node:assert/strict";
import { test } from "node:test";

import fc from "fast-check";

import { EventQueue, OUT, type Queued } from "./queue.ts";

interface Item extends Queued<Item> {
  readonly name: number;
}

type Operation =
  | { readonly type: "push"; readonly after: number }
  /** An item of an earlier order comes back, as what waited for a paused node does. */
  | { readonly type: "return"; readonly after: number }
  | { readonly type: "pop" }
  | { readonly type: "remove"; readonly pick: number };

/** Soon, so that many are due together; or on either side of where lists end. */
const after = fc.oneof(
  { weight: 3, arbitrary: fc.nat(20) },
  { weight: 1, arbitrary: fc.integer({ min: 2030, max: 2070 }) },
  { weight: 1, arbitrary: fc.nat(10_000) },
);

const operations: fc.Arbitrary<readonly Operation[]> = fc.array(
  fc.oneof(
    { weight: 3, arbitrary: fc.record({ type: fc.constant("push" as const), after }) },
    { weight: 1, arbitrary: fc.record({ type: fc.constant("return" as const), after }) },
    { weight: 2, arbitrary: fc.record({ type: fc.constant("pop" as const) }) },
    { weight: 2, arbitrary: fc.record({ type: fc.constant("remove" as const), pick: fc.nat() }) },
  ),
  { maxLength: 200 },
);

/** The obvious queue: an array sorted after every push. */
class SortedArray {
  readonly items: Item[] = [];

  push(item: Item): void {
    this.items.push(item);
    this.items.sort((a, b) => a.time - b.time || a.order - b.order);
  }
}

function item(time: number, order: number): Item {
  return { time, order, at: OUT, previous: undefined, next: undefined, name: order };
}

test("a queue gives what a sorted array gives, whatever is removed on the way", () => {
  fc.assert(
    fc.property(operations, (steps) => {
      const queue = new EventQueue<Item>();
      const model = new SortedArray();
      let now = 0;
      for (const [at, step] of steps.entries()) {
        if (step.type === "push" || step.type === "return") {
          const pushed = item(now + step.after, step.type === "push" ? at : at - steps.length);
          queue.push(pushed);
          model.push(pushed);
        } else if (step.type === "pop") {
          now = model.items[0]?.time ?? now;
          assert.equal(queue.pop(), model.items.shift());
        } else if (model.items.length > 0) {
          const [removed] = model.items.splice(step.pick % model.items.length, 1);
          queue.remove(removed!);
          assert.equal(removed!.at, OUT, "what is removed knows it");
        }
        assert.equal(queue.size, model.items.length);
        assert.equal(queue.peek(), model.items[0]);
      }
      while (model.items.length > 0) assert.equal(queue.pop(), model.items.shift());
      assert.equal(queue.pop(), undefined);
    }),
    { numRuns: 300 },
  );
});

test("what is due together comes in the order of scheduling", () => {
  const queue = new EventQueue<Item>();
  for (let order = 0; order < 100; order++) queue.push(item(order % 3, order));
  const names = Array.from({ length: 100 }, () => queue.pop()!.name);
  const expected = names.toSorted((a, b) => (a % 3) - (b % 3) || a - b);
  assert.deepEqual(names, expected);
});

test("an item can be pushed again after it came out", () => {
  const queue = new EventQueue<Item>();
  const one = item(5, 0);
  queue.push(one);
  assert.equal(queue.pop(), one);
  assert.equal(one.at, OUT);
  queue.push(one);
  queue.push(item(6, 1));
  queue.remove(one);
  assert.equal(queue.size, 1);
});

test("nothing is scheduled before what came out last", () => {
  const queue = new EventQueue<Item>();
  queue.push(item(5, 0));
  queue.pop();
  assert.throws(() => queue.push(item(4, 1)), /in the past/);
});
