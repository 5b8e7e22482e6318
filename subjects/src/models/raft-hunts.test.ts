import assert from "node:assert/strict";
import { test } from "node:test";

import { actionText, Path } from "@quorate/lab/checker";

import { raftBugs } from "../raft/bugs.ts";
import { RAFT_HUNTS, searchHunt } from "./raft-hunts.ts";
import type { CreateRaft } from "./raft.ts";

/** A planted bug of the exam. */
function planted(name: string): CreateRaft {
  const found = raftBugs.find(({ bug }) => bug.name === name);
  assert.ok(found, `the exam has no ${name}`);
  return (config) => found.make(config);
}

for (const hunt of RAFT_HUNTS) {
  test(`${hunt.name}: the mistake is found, and its run replays`, () => {
    const create = planted(hunt.bug);
    const { states, violation } = searchHunt(hunt, { maxStates: 1_000_000 }, create);
    assert.ok(violation, `not found in ${states} states`);
    assert.match(violation.promise, /^(I8: n2 leads term \d without|R16:) "command 1 of term 1"/);
    const path = Path.along(hunt.model(create), violation.trace);
    assert.equal(path.broken, violation.promise);
    if (process.env["QUORATE_TRACES"] === undefined) return;
    console.log([violation.promise, ...violation.trace.map(actionText)].join("\n  "));
  });

  test(`${hunt.name}: the shipped class does not make it`, () => {
    const { violation, states, coverage } = searchHunt(hunt, { maxStates: 50_000 });
    assert.equal(violation, undefined);
    assert.ok(states > 10_000 || coverage !== "stopped");
  });
}
