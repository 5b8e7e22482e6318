import assert from "node:assert/strict";
import { test } from "node:test";

import { LamportClock } from "./lamport.ts";
import { Recent } from "./recent.ts";

const same = (a: string, b: string) => a === b;

test("a flood of one time pushes out the past, which does not come back as news", () => {
  const clock = new LamportClock();
  const recent = new Recent<string>(4);
  clock.witness(7);
  assert.ok(recent.note(clock, 5, "old", same));
  for (let i = 0; i < 200; i++) recent.note(clock, 7, `flood ${i}`, same);
  const kept = recent.all().reduce((sum, { items }) => sum + items.length, 0);
  assert.ok(kept <= 32, `${kept} are kept`);
  assert.ok(!recent.note(clock, 5, "old", same));
  assert.ok(!recent.note(clock, 7, "flood 0", same));
});

test("a slot belongs to the latest of its times", () => {
  const clock = new LamportClock();
  const recent = new Recent<string>(4);
  clock.witness(6);
  assert.ok(recent.note(clock, 6, "x", same));
  assert.ok(!recent.note(clock, 2, "y", same), "older by a whole turn");
  assert.ok(recent.note(clock, 3, "y", same));
});
