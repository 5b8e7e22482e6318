import assert from "node:assert/strict";
import { test } from "node:test";

import fc from "fast-check";

import { EventQueue, type Queued } from "./queue.ts";

interface Item extends Queued {
  readonly name: number;
}

type Operation =
  | { readonly type: "push"; readonly time: number }
  | { readonly type: "pop" }
  | { readonly type: "remove"; readonly pick: number };

const operations: fc.Arbitrary<readonly Operation[]> = fc.array(
  fc.oneof(
    { weight: 3, arbitrary: fc.record({ type: fc.constant("push" as const), time: fc.nat(20) }) },
    { weight: 1, arbitrary: fc.record({ type: fc.constant("pop" as const) }) },
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
  return { time, order, at: -1, name: order };
}

test("a queue gives what a sorted array gives, whatever is removed on the way", () => {
  fc.assert(
    fc.property(operations, (steps) => {
      const queue = new EventQueue<Item>();
      const model = new SortedArray();
      for (const [order, step] of steps.entries()) {
        if (step.type === "push") {
          const pushed = item(step.time, order);
          queue.push(pushed);
          model.push(pushed);
        } else if (step.type === "pop") {
          assert.equal(queue.pop(), model.items.shift());
        } else if (model.items.length > 0) {
          const [removed] = model.items.splice(step.pick % model.items.length, 1);
          queue.remove(removed!);
          assert.equal(removed!.at, -1, "what is removed knows it");
        }
        assert.equal(queue.size, model.items.length);
        assert.equal(queue.peek(), model.items[0]);
        assert.equal(new Set(model.items.map(({ at }) => at)).size, model.items.length);
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
  assert.equal(one.at, -1);
  queue.push(one);
  queue.push(item(1, 1));
  queue.remove(one);
  assert.equal(queue.size, 1);
});
