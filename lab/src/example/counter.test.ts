import assert from "node:assert/strict";
import { test } from "node:test";

import { Simulation } from "@quorate/lab";

import { Counter, type CounterWords } from "./counter.ts";

test("the READMEs' counter forgets nothing that it answered", () => {
  // region: simulation
  const world = new Simulation<CounterWords, Counter>({
    seed: 1,
    nodes: ["a"],
    create: () => new Counter(),
    syncMs: [1, 10],
  });
  let answered = 0;
  world.request("a", 5, (total) => (answered = total));
  world.runFor(100);
  world.request("a", 7, (total) => (answered = total));
  world.crash("a"); // Before the second request could be written.
  world.start("a");
  assert.equal(world.process("a")?.total, answered);
  // endregion
  assert.equal(answered, 5);
});
