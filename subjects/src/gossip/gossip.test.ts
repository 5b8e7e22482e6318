import assert from "node:assert/strict";
import { test } from "node:test";

import { encodeRun, play, runOfSeed } from "@quorate/lab";

import { gossip } from "./subject.ts";

const SEEDS = Number(process.env["QUORATE_SEEDS"] ?? 4);

for (let seed = 1; seed <= SEEDS; seed++) {
  test(`every claim about gossip holds (QUORATE_SEEDS=${seed}, seed ${seed})`, () => {
    const run = runOfSeed(gossip, seed, { given: {} });
    const { finding, served } = play(gossip, run);
    assert.equal(finding, undefined, `quorate replay ${encodeRun(run, gossip)}`);
    assert.ok(served > 0);
  });
}

for (const { name, breaks, scenarios } of gossip.bugs) {
  test(`the lab finds ${name}`, () => {
    for (let seed = 1; seed <= 20; seed++) {
      const scenario = scenarios[0]!;
      const run = runOfSeed(gossip, seed, { given: {}, scenario, bug: name });
      const { finding } = play(gossip, run);
      if (finding === undefined) continue;
      assert.ok(breaks.includes(finding.claim), `${finding.claim}: ${finding.text}`);
      return;
    }
    assert.fail("not within 20 seeds");
  });
}
