import assert from "node:assert/strict";
import { test } from "node:test";

import { type Cost, costOf, everyLoad } from "./engine-costs.ts";
import { theoryOf } from "./engine-theory.ts";

for (const load of everyLoad()) {
  const { engine, nodes, outstanding, pace } = load;
  test(`${engine} needs what theory says for ${outstanding} commands, ${pace}, ${nodes} nodes`, () => {
    const { bytes, ...counts } = costOf(load);
    const { bytes: most, ...expected } = theoryOf(load);
    // Fewer would be as wrong: a follower, a disk or an answer would be missing.
    assert.deepEqual(counts, expected);
    assert.ok(bytes <= most, `${bytes} bytes, at most ${most}`);
  });
}

test("a run costs the same when it is repeated", () => {
  const load = { engine: "raft", nodes: 5, outstanding: 64, pace: "pipelined" } as const;
  assert.deepEqual<Cost>(costOf(load), costOf(load));
});
