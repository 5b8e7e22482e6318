import assert from "node:assert/strict";
import { test } from "node:test";

import { Random } from "@quorate/kernel";

import { Intake } from "./intake.ts";

test("a batch that is in the log is not proposed again", () => {
  const intake = new Intake();
  assert.ok(intake.admits("a", { epoch: 1, sequence: 1 }, 0));
  assert.ok(!intake.admits("a", { epoch: 1, sequence: 1 }, 0));
  assert.ok(intake.admits("b", { epoch: 1, sequence: 1 }, 0), "every node counts for itself");
  assert.ok(!intake.admits("a", { epoch: 1, sequence: 5 }, 5), "nor one that was executed");
  assert.ok(intake.admits("a", { epoch: 2, sequence: 1 }, 0), "another life begins anew");
});

test("one that comes early is let through, and again when its turn has come", () => {
  const intake = new Intake();
  assert.ok(intake.admits("a", { epoch: 1, sequence: 2 }, 0));
  assert.ok(intake.admits("a", { epoch: 1, sequence: 1 }, 0));
  assert.ok(intake.admits("a", { epoch: 1, sequence: 2 }, 0));
  assert.ok(!intake.admits("a", { epoch: 1, sequence: 2 }, 0));
});

test("a queue that is sent again after every gap does not fill the log", () => {
  const QUEUE = 1000;
  const intake = new Intake();
  let proposed = 0;
  let executed = 0;
  const random = new Random(1);
  // One in seven is lost; its node begins again with the first that was not executed.
  while (executed < QUEUE) {
    const before = executed;
    for (let sequence = before + 1; sequence <= QUEUE; sequence++) {
      if (random.below(7) === 0 || !intake.admits("a", { epoch: 1, sequence }, before)) continue;
      proposed++;
      if (sequence === executed + 1) executed = sequence;
    }
  }
  assert.ok(proposed < 3 * QUEUE, `${proposed} proposals`);
});

test("after a refusal or a change of leader everything is let through", () => {
  const intake = new Intake();
  assert.ok(intake.admits("a", { epoch: 1, sequence: 1 }, 0));
  intake.clear();
  assert.ok(intake.admits("a", { epoch: 1, sequence: 1 }, 0));
});
