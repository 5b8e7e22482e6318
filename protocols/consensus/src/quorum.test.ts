import assert from "node:assert/strict";
import { test } from "node:test";

import fc from "fast-check";

import { isQuorum, members, reachedByQuorum, voters } from "./quorum.ts";

type Voting = Parameters<typeof isQuorum>[0];

const NODES = ["a", "b", "c", "d", "e", "f", "g"];

const configuration = fc.record({
  voters: fc.subarray(NODES, { minLength: 1 }),
  outgoing: fc.oneof(fc.constant<string[]>([]), fc.subarray(NODES, { minLength: 1 })),
  learners: fc.constant<string[]>([]),
});

/** By definition: more than half of each configuration. */
function isQuorumSlowly({ voters: incoming, outgoing }: Voting, yes: readonly string[]) {
  return [incoming, outgoing].every(
    (nodes) =>
      nodes.length === 0 || nodes.filter((id) => yes.includes(id)).length * 2 > nodes.length,
  );
}

test("a quorum is more than half of the voters, and of those that go", () => {
  fc.assert(
    fc.property(configuration, fc.subarray(NODES), (config, yes) => {
      assert.equal(
        isQuorum(config, (node) => yes.includes(node)),
        isQuorumSlowly(config, yes),
      );
    }),
    { numRuns: 500 },
  );
});

test("a quorum has reached a value if the nodes that have are one", () => {
  const reached = fc.array(fc.nat(5), { minLength: NODES.length, maxLength: NODES.length });
  fc.assert(
    fc.property(configuration, reached, (config, values) => {
      const at = (node: string) => values[NODES.indexOf(node)]!;
      let expected = 0;
      for (let value = 0; value <= 5; value++) {
        const yes = NODES.filter((node) => at(node) >= value);
        if (isQuorumSlowly(config, yes)) expected = value;
      }
      assert.equal(reachedByQuorum(config, at), expected);
    }),
    { numRuns: 500 },
  );
});

test("any two quorums of a configuration share a node", () => {
  fc.assert(
    fc.property(configuration, fc.subarray(NODES), fc.subarray(NODES), (config, one, other) => {
      fc.pre(isQuorum(config, (node) => one.includes(node)));
      fc.pre(isQuorum(config, (node) => other.includes(node)));
      assert.ok(one.some((node) => other.includes(node)));
    }),
  );
});

test("a joint quorum is a quorum before and after the change", () => {
  fc.assert(
    fc.property(configuration, fc.subarray(NODES), (config, yes) => {
      const holds = (node: string) => yes.includes(node);
      fc.pre(config.outgoing.length > 0 && isQuorum(config, holds));
      assert.ok(isQuorum({ ...config, outgoing: [] }, holds));
      assert.ok(isQuorum({ ...config, voters: config.outgoing, outgoing: [] }, holds));
    }),
  );
});

for (const [size, needed] of [
  [1, 1],
  [2, 2],
  [3, 2],
  [4, 3],
  [5, 3],
  [6, 4],
  [7, 4],
] as const) {
  test(`of ${size} voters ${needed} are a quorum and ${needed - 1} are not`, () => {
    const config = { voters: NODES.slice(0, size), outgoing: [], learners: [] };
    assert.equal(
      isQuorum(config, (node) => NODES.indexOf(node) < needed),
      true,
    );
    assert.equal(
      isQuorum(config, (node) => NODES.indexOf(node) < needed - 1),
      false,
    );
    assert.equal(
      reachedByQuorum(config, (node) => NODES.indexOf(node)),
      size - needed,
    );
  });
}

test("learners receive the log and do not vote", () => {
  const config = { voters: ["a", "b"], outgoing: ["b", "c"], learners: ["d"] };
  assert.deepEqual(voters(config), ["a", "b", "c"]);
  assert.deepEqual(members(config), ["a", "b", "c", "d"]);
  assert.equal(
    isQuorum(config, (node) => node !== "b" && node !== "c"),
    false,
  );
});

test("a configuration without voters is a mistake", () => {
  const config = { voters: [], outgoing: [], learners: [] };
  assert.throws(() => reachedByQuorum(config, () => 1), /voters/);
});
