import assert from "node:assert/strict";
import { test } from "node:test";

import { check } from "../checker/index.ts";
import { PUBLICATIONS } from "./publications.ts";
import { paxos } from "./paxos.ts";
import { twoPhaseCommit } from "./two-phase-commit.ts";

for (const publication of PUBLICATIONS) {
  const { model, parameters, published } = publication;
  test(`${model} has as many states as published: ${JSON.stringify(parameters)}`, () => {
    const { states, coverage, violation, unreached } = publication.count();
    assert.equal(states, published);
    assert.deepEqual([coverage, violation, unreached], ["exhaustive", undefined, []]);
  });
}

test("what is generated and how deep it lies is as published too", () => {
  const one = check(paxos(1));
  const two = check(paxos(2));
  // Published with the initial state counted, as a step and as a depth.
  assert.deepEqual([one.transitions + 1, one.depth + 1], [482, 14]);
  assert.deepEqual([two.transitions + 1, two.depth + 1], [32_971, 21]);
  assert.equal(check(twoPhaseCommit(5)).depth + 1, 17);
});

test("orbits of few like nodes stand for exactly the states of the full search", () => {
  for (const resourceManagers of [2, 3, 4]) {
    const model = twoPhaseCommit(resourceManagers);
    const [reduced, full] = [check(model), check(model, { reduce: false })];
    assert.equal(reduced.represented, full.states);
    assert.ok(reduced.states < full.states);
  }
});

test("a wrong transaction manager is found with and without symmetry, in as many steps", () => {
  for (const reduce of [true, false]) {
    const model = twoPhaseCommit(3);
    const hasty = {
      ...model,
      always: ({ nodes }: Parameters<NonNullable<typeof model.always>>[0]) => {
        const states = new Set(nodes.map(({ process }) => process?.state));
        return states.has("committed") && states.has("prepared") ? "early" : undefined;
      },
    };
    const { violation } = check(hasty, { reduce });
    assert.equal(violation?.trace.length, 7);
  }
});
