import assert from "node:assert/strict";
import { test } from "node:test";

import { TwoPhaseCommit, type TwoPhaseWords } from "@quorate/commit";
import { Synod, type SynodConfig, type SynodWords } from "@quorate/consensus";
import type { Context, NodeId } from "@quorate/kernel";
import { check, Path } from "@quorate/lab/checker";

import { MODELS } from "./catalogue.ts";
import { firstLeader, type LogParameters } from "./log.ts";
import { raftModel } from "./raft.ts";
import { synodModel } from "./synod.ts";
import { twoPhaseModel } from "./two-phase.ts";

test("two-phase commit holds in every run of two participants and a crash of one of them", () => {
  const { coverage, violation, unreached } = check(
    twoPhaseModel({ participants: 1, crashes: 2, transactions: 1 }),
  );
  assert.deepEqual([coverage, violation, unreached], ["exhaustive", undefined, []]);
  const two = check(twoPhaseModel({ participants: 2, crashes: 0, transactions: 1 }));
  const full = check(twoPhaseModel({ participants: 2, crashes: 0, transactions: 1 }), {
    reduce: false,
  });
  assert.deepEqual([two.coverage, two.violation], ["exhaustive", undefined]);
  assert.equal(
    two.represented,
    full.states,
    "orbits stand for exactly the states of the full search",
  );
});

/** Decides alone while in doubt. */
class Impatient extends TwoPhaseCommit {
  override onTimer(ctx: Context<TwoPhaseWords>, timer: TwoPhaseWords["Timer"]): void {
    const tx = timer.slice(timer.indexOf(":") + 1);
    const coordinator = this.inDoubt.get(tx);
    if (!timer.startsWith("doubt:") || coordinator === undefined) return super.onTimer(ctx, timer);
    this.onMessage(ctx, coordinator, { type: "decide", tx, commit: false });
  }
}

/** Tells of a commit that its disk may yet forget. */
class Rash extends TwoPhaseCommit {
  protected override write(ctx: Context<TwoPhaseWords>, record: TwoPhaseWords["Record"]): void {
    if (record.type !== "committed") super.write(ctx, record);
  }
}

for (const [name, create] of [
  ["a participant that decides alone while in doubt", () => new Impatient()],
  ["a coordinator that does not write its commits down", () => new Rash()],
] as const) {
  test(`${name} is found, with a run that replays`, () => {
    const model = twoPhaseModel({ participants: 2, crashes: 1, transactions: 1 }, create);
    const { violation } = check(model);
    assert.match(violation?.promise ?? "nothing", /^AC1: c:1:1 committed here and aborted there/);
    assert.equal(Path.along(model, violation!.trace).broken, violation!.promise);
  });
}

const SMALL = { acceptors: 3, proposers: 2, attempts: 0, crashes: 0, inFlight: 3, slowDisk: false };

test("the synod chooses one value in every run of two rivals", () => {
  const { violation, unreached } = check(synodModel({ ...SMALL, attempts: 1 }));
  assert.equal(violation, undefined);
  assert.deepEqual(unreached, []);
  const crash = check(
    synodModel({ ...SMALL, proposers: 1, crashes: 1, slowDisk: true, inFlight: 0 }),
  );
  assert.deepEqual(
    [crash.coverage, crash.violation, crash.unreached],
    ["exhaustive", undefined, []],
  );
});

/** Proposes its own value whatever was accepted before (against P2c). */
class Selfish extends Synod {
  override onMessage(ctx: Context<SynodWords>, from: NodeId, message: SynodWords["Message"]): void {
    const deaf = message.type === "promise" ? { ...message, accepted: undefined } : message;
    super.onMessage(ctx, from, deaf);
  }
}

test("a proposer that ignores what was accepted before is found", () => {
  const config = (acceptors: readonly NodeId[]): SynodConfig => ({ acceptors, retryMs: 100 });
  const model = synodModel({ ...SMALL, attempts: 1 }, (ids) => new Selfish(config(ids)));
  const { violation } = check(model);
  assert.match(violation?.promise ?? "nothing", /B3/);
  assert.equal(Path.along(model, violation!.trace).broken, violation!.promise);
});

const RAFT: LogParameters = {
  nodes: 3,
  elections: 1,
  heartbeats: 0,
  quorumChecks: 0,
  proposals: 0,
  crashes: 0,
  terms: 2,
  inFlight: 0,
  electionsOnly: true,
  slowDisk: true,
};

test("symmetry counts of Raft what a full search counts", () => {
  const model = raftModel({ ...RAFT, elections: 2, slowDisk: false });
  const [reduced, full] = [check(model), check(model, { reduce: false })];
  assert.deepEqual([reduced.coverage, reduced.violation], ["exhaustive", undefined]);
  assert.equal(reduced.represented, full.states);
});

test("what a leader committed outlives a crash, in every run with a slow disk", () => {
  const model = raftModel({
    ...RAFT,
    elections: 0,
    proposals: 1,
    crashes: 1,
    electionsOnly: false,
  });
  const { coverage, violation } = check(model, { from: firstLeader(model) });
  assert.deepEqual([coverage, violation], ["exhaustive", undefined]);
});

test("models have names of their own, and settings that they run with", () => {
  const names = MODELS.map(({ protocol, model }) => `${protocol} ${model}`);
  assert.equal(new Set(names).size, names.length);
  for (const model of MODELS) {
    const { states } = model.run(model.settings, { maxStates: 100 });
    assert.ok(states >= 100);
  }
});
