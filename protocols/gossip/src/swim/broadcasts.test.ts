import assert from "node:assert/strict";
import { test } from "node:test";

import fc from "fast-check";

import type { Part } from "../messages.ts";
import { BroadcastQueue, PART_OVERHEAD } from "./broadcasts.ts";

function suspect(node: string): Part {
  return { type: "suspect", node, incarnation: 1, from: "a" };
}

function names(parts: readonly Part[]): readonly string[] {
  return parts.map((part) => (part.type === "suspect" ? part.node : "?"));
}

function taken(queue: BroadcastQueue, budget: number, limit: number): readonly string[] {
  const parts: Part[] = [];
  queue.take(parts, budget, limit, 127);
  return names(parts);
}

test("what was transmitted least goes first, then the longest, then the newest", () => {
  const queue = new BroadcastQueue();
  queue.put("old", suspect("old"), 50);
  queue.put("long", suspect("long"), 60);
  queue.put("new", suspect("new"), 50);
  assert.deepEqual(taken(queue, 62, 9), ["long"]);
  assert.deepEqual(taken(queue, 52, 9), ["new"]);
  assert.deepEqual(taken(queue, 500, 9), ["old", "long", "new"]);
});

test("a shorter part takes the room that a longer one does not fit", () => {
  const queue = new BroadcastQueue();
  queue.put("long", suspect("long"), 100);
  queue.put("short", suspect("short"), 20);
  assert.deepEqual(taken(queue, 50, 9), ["short"]);
  assert.deepEqual(taken(queue, 200, 9), ["long", "short"]);
});

test("each part is in as many packets as the limit says", () => {
  const queue = new BroadcastQueue();
  queue.put("x", suspect("x"), 20);
  for (let i = 0; i < 3; i++) assert.deepEqual(taken(queue, 100, 3), ["x"]);
  assert.deepEqual(taken(queue, 100, 3), []);
  assert.equal(queue.size, 0);
});

test("a new rumour about a member replaces the queued one, and begins anew", () => {
  const queue = new BroadcastQueue();
  queue.put("x", suspect("first"), 20);
  assert.deepEqual(taken(queue, 100, 2), ["first"]);
  queue.put("x", suspect("second"), 20);
  assert.equal(queue.size, 1);
  assert.deepEqual(taken(queue, 100, 2), ["second"]);
  assert.deepEqual(taken(queue, 100, 2), ["second"]);
  assert.deepEqual(taken(queue, 100, 2), []);
});

test("pruning drops what was transmitted most", () => {
  const queue = new BroadcastQueue();
  queue.put("old", suspect("old"), 20);
  taken(queue, 100, 9);
  queue.put("new", suspect("new"), 20);
  assert.equal(queue.prune(1), 1);
  assert.ok(queue.has("new") && !queue.has("old"));
});

test("a packet holds no more parts than it may", () => {
  const queue = new BroadcastQueue();
  for (let i = 0; i < 9; i++) queue.put(`${i}`, suspect(`${i}`), 20);
  const parts: Part[] = [];
  queue.take(parts, 10_000, 9, 4);
  assert.equal(parts.length, 4);
});

test("whatever is queued: budgets hold, and each part leaves exactly as often as it may", () => {
  const step = fc.oneof(
    fc.record({ key: fc.integer({ min: 0, max: 9 }), bytes: fc.integer({ min: 12, max: 300 }) }),
    fc.integer({ min: 0, max: 700 }),
  );
  fc.assert(
    fc.property(fc.array(step, { maxLength: 80 }), (steps) => {
      const limit = 3;
      const queue = new BroadcastQueue();
      // The obvious reference: how often each may still be sent, and its size.
      const left = new Map<string, { bytes: number; times: number }>();
      for (const what of steps) {
        if (typeof what !== "number") {
          queue.put(`${what.key}`, suspect(`${what.key}`), what.bytes);
          left.set(`${what.key}`, { bytes: what.bytes, times: limit });
          continue;
        }
        const parts: Part[] = [];
        const rest = queue.take(parts, what, limit, 127);
        let used = 0;
        for (const name of names(parts)) {
          const entry = left.get(name);
          assert.ok(entry !== undefined && entry.times > 0);
          used += entry.bytes + PART_OVERHEAD;
          entry.times--;
          if (entry.times === 0) left.delete(name);
        }
        assert.equal(new Set(names(parts)).size, parts.length, "none is twice in a packet");
        assert.equal(rest, what - used);
        assert.ok(rest >= 0);
        for (const [name, { bytes }] of left) {
          assert.ok(queue.has(name));
          if (!names(parts).includes(name))
            assert.ok(bytes + PART_OVERHEAD > rest, "nothing that fits stays");
        }
      }
      assert.equal(queue.size, left.size);
      let total = 0;
      for (const { bytes } of left.values()) total += bytes + PART_OVERHEAD;
      assert.equal(queue.bytes, total);
    }),
  );
});
