import assert from "node:assert/strict";
import { test } from "node:test";

import { check } from "../checker/index.ts";
import { Maximum, type MaximumWords } from "./maximum.ts";

test("the example of the README holds", () => {
  // region: check
  const nodes = ["a", "b"];
  const verdict = check<MaximumWords, Maximum>({
    nodes,
    create: (node) => new Maximum(nodes.filter((other) => other !== node)),
    network: "merging",
    asks: [{ node: "a", request: { type: "raise", value: 7 } }],
    budgets: { crashes: 1 },
    always: ({ nodes }) =>
      nodes.every(({ process }) => [0, 7].includes(process!.value))
        ? undefined
        : "M2: nobody knows a number that nobody asked for",
    sometimes: {
      "everybody knows": ({ nodes }) => nodes.every(({ process }) => process!.value === 7),
    },
  });
  assert.deepEqual(
    [verdict.violation, verdict.coverage, verdict.unreached],
    [undefined, "exhaustive", []],
  );
  // endregion
});
