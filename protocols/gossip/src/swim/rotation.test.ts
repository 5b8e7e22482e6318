import assert from "node:assert/strict";
import { test } from "node:test";

import { Random } from "@quorate/kernel";

import { Rig } from "../rig.test.ts";
import { lan } from "../config.ts";
import { plainWire } from "../plain-wire.ts";
import { Rotation } from "./rotation.ts";
import { Swim } from "./swim.ts";

/** A context whose dice come from a seed. */
function dice(seed: number): Rig {
  const random = new Random(seed);
  const rig = new Rig(new Swim(lan({ name: "a", wire: plainWire })));
  rig.choose = (count) => random.below(count);
  return rig;
}

test("every number comes once, in random order", () => {
  const rotation = new Rotation();
  const ctx = dice(1);
  const drawn = Array.from({ length: 50 }, () => rotation.draw(ctx, 50)!);
  assert.equal(new Set(drawn).size, 50);
  assert.notDeepEqual(
    drawn,
    drawn.toSorted((a, b) => a - b),
  );
  assert.equal(rotation.draw(ctx, 50), undefined);
});

test("a number that is added mid-way comes in the same round", () => {
  const rotation = new Rotation();
  const ctx = dice(2);
  const drawn = [
    rotation.draw(ctx, 3),
    rotation.draw(ctx, 3),
    rotation.draw(ctx, 4),
    rotation.draw(ctx, 4),
  ];
  assert.deepEqual(new Set(drawn), new Set([0, 1, 2, 3]));
});

test("all orders are about equally likely", () => {
  const ctx = dice(3);
  const counts = new Map<string, number>();
  for (let i = 0; i < 6000; i++) {
    const rotation = new Rotation();
    const order = [0, 1, 2].map(() => rotation.draw(ctx, 3)).join("");
    counts.set(order, (counts.get(order) ?? 0) + 1);
  }
  assert.equal(counts.size, 6);
  for (const count of counts.values()) assert.ok(count > 880 && count < 1120, `${count} of 1000`);
});
