import assert from "node:assert/strict";
import { test } from "node:test";

import fc from "fast-check";

import type { Configuration } from "./entry.ts";
import {
  changed,
  type ChangeProblem,
  founded,
  isSingleStep,
  joint,
  type MembershipChange,
  promoted,
  settled,
  traitsOf,
} from "./membership.ts";
import { isQuorum, members, votes } from "./quorum.ts";

const three = founded({ voters: ["a", "b", "c"] });
const withLearner = founded({ voters: ["a", "b", "c"], learners: ["d"] });

function after(now: Configuration, ...changes: readonly MembershipChange[]): Configuration {
  const next = changed(now, changes, () => true);
  assert.ok(!("problem" in next), "the change is not refused");
  return next;
}

function problem(
  now: Configuration,
  changes: readonly MembershipChange[],
  isCaughtUp = true,
): ChangeProblem | undefined {
  const next = changed(now, changes, () => isCaughtUp);
  return "problem" in next ? next.problem : undefined;
}

test("a new voter begins as a learner that is to be promoted", () => {
  const next = after(three, { type: "add", node: "d", as: "voter", address: "d:1" });
  assert.deepEqual(next.voters, ["a", "b", "c"]);
  assert.deepEqual([next.learners, next.promotable], [["d"], ["d"]]);
  assert.equal(traitsOf(next, "d").address, "d:1");
  const done = promoted(next, "d");
  assert.deepEqual([done.voters, done.learners, done.promotable], [["a", "b", "c", "d"], [], []]);
});

test("what makes no sense is refused, with its reason", () => {
  const cases: readonly (readonly [Configuration, readonly MembershipChange[], ChangeProblem])[] = [
    [three, [{ type: "add", node: "a", as: "learner" }], "alreadyMember"],
    [three, [{ type: "promote", node: "d" }], "unknownMember"],
    [three, [{ type: "promote", node: "a" }], "wrongRole"],
    [withLearner, [{ type: "demote", node: "d" }], "wrongRole"],
    [three, [{ type: "replace", voters: [] }], "noVoters"],
    [three, [{ type: "replace", voters: ["a", "b", "c"] }], "alreadyMember"],
    [three, [{ type: "replace", voters: ["a", "x"] }], "unknownMember"],
    [three, [], "alreadyMember"],
    [
      after(three, { type: "remove", node: "c" }),
      [{ type: "add", node: "c", as: "voter" }],
      "usedName",
    ],
  ];
  for (const [now, changes, expected] of cases) assert.equal(problem(now, changes), expected);
  assert.equal(problem(withLearner, [{ type: "promote", node: "d" }], false), "lagging");
});

test("one voter more or less is a single step, a replacement is not", () => {
  assert.ok(isSingleStep(withLearner, after(withLearner, { type: "promote", node: "d" })));
  assert.ok(isSingleStep(three, after(three, { type: "demote", node: "a" })));
  const moved = after(withLearner, { type: "promote", node: "d" }, { type: "remove", node: "a" });
  assert.ok(!isSingleStep(withLearner, moved));
  const both = joint(withLearner, moved);
  assert.deepEqual(
    [both.voters, both.outgoing],
    [
      ["b", "c", "d"],
      ["a", "b", "c"],
    ],
  );
  assert.deepEqual(settled(both), moved);
});

test("a voter that is demoted jointly votes until the change is over", () => {
  const next = after(three, { type: "demote", node: "a" }, { type: "demote", node: "b" });
  const both = joint(three, next);
  assert.ok(votes(both, "a"));
  assert.deepEqual(members(both), ["a", "b", "c"]);
  assert.deepEqual(members(settled(both)), ["c", "a", "b"]);
});

test("traits are told of who has them, and go with their member", () => {
  const raised = after(three, { type: "describe", node: "a", priority: 5 });
  assert.equal(traitsOf(raised, "a").priority, 5);
  assert.equal(traitsOf(raised, "b").priority, 1);
  assert.deepEqual(after(raised, { type: "describe", node: "a", priority: 1 }), three);
  assert.deepEqual(after(raised, { type: "remove", node: "a" }).traits, []);
});

const NODES = ["a", "b", "c", "d", "e", "f"];
const node = fc.constantFrom(...NODES);
const change: fc.Arbitrary<MembershipChange> = fc.oneof(
  fc.record({
    type: fc.constant("add" as const),
    node,
    as: fc.constantFrom("learner" as const, "voter" as const),
  }),
  fc.record({ type: fc.constantFrom("promote", "demote", "remove"), node }),
  fc.record({ type: fc.constant("replace" as const), voters: fc.subarray(NODES) }),
  fc.record({ type: fc.constant("describe" as const), node, priority: fc.nat(3) }),
);

test("any majorities of neighbouring configurations meet", () => {
  const subset = fc.subarray(NODES);
  fc.assert(
    fc.property(fc.array(fc.array(change)), subset, subset, (requests, one, other) => {
      let now = founded({ voters: ["a", "b", "c"] });
      for (const changes of requests) {
        const next = changed(now, changes, () => true);
        if ("problem" in next) continue;
        const path = isSingleStep(now, next) ? [now, next] : [now, joint(now, next), next];
        for (const [i, step] of path.slice(1).entries()) {
          const before = path[i]!;
          const decides = isQuorum(before, (id) => one.includes(id));
          const alsoDecides = isQuorum(step, (id) => other.includes(id));
          if (decides && alsoDecides) assert.ok(one.some((id) => other.includes(id)));
        }
        now = next;
      }
    }),
  );
});

test("members have one part each, whatever is asked", () => {
  fc.assert(
    fc.property(fc.array(fc.array(change)), (requests) => {
      let now = founded({ voters: ["a", "b", "c"] });
      for (const changes of requests) {
        const next = changed(now, changes, () => true);
        if (!("problem" in next)) now = next;
        const everyone = [...now.voters, ...now.learners, ...now.removed];
        assert.equal(new Set(everyone).size, everyone.length);
        assert.ok(now.promotable.every((id) => now.learners.includes(id)));
        assert.ok(now.traits.every((one) => members(now).includes(one.node)));
        assert.ok(now.voters.length > 0);
      }
    }),
  );
});
