import assert from "node:assert/strict";
import { test } from "node:test";

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

test("after a refusal or a change of leader everything is let through", () => {
  const intake = new Intake();
  assert.ok(intake.admits("a", { epoch: 1, sequence: 1 }, 0));
  intake.clear();
  assert.ok(intake.admits("a", { epoch: 1, sequence: 1 }, 0));
});
