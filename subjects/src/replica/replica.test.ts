import assert from "node:assert/strict";
import { test } from "node:test";

import {
  type Action,
  decodeRun,
  encodeRun,
  examine,
  play,
  runOfSeed,
  type Subject,
  Tally,
} from "@quorate/lab";

import { replica } from "./subject.ts";

const subject: Subject = replica;
const SEEDS = Number(process.env["QUORATE_SEEDS"] ?? 40);

test(`replicas keep their claims in ${SEEDS} runs (QUORATE_SEEDS=${SEEDS})`, () => {
  const tally = new Tally();
  for (let seed = 1; seed <= SEEDS; seed++) {
    const run = runOfSeed(subject, seed, { given: {} });
    const outcome = play(subject, run, { freeze: seed % 4 === 0 });
    tally.add(outcome);
    assert.equal(outcome.finding, undefined, `quorate replay ${encodeRun(run, subject)}`);
  }
  if (SEEDS >= 40) assert.deepEqual(tally.unreached(subject), [], "every mark is reached");
});

/**
 * Found by seeds that no test plays. A checkpoint, asked for by a client, dropped the snapshot on
 * its way; and, in the last, each lost piece of a snapshot stopped its window until the retry timer turned.
 */
const ONCE_STUCK = [
  "replica@1,nodes=5,checkpointBytes=200,batchBytes=40,sessions=2,leaseReads=1,seed=186,scenario=swarm",
  "replica@1,nodes=5,checkpointBytes=200,keepBytes=1,batchBytes=40,sessions=2,seed=213,scenario=swarm",
  "replica@1,nodes=5,checkpointBytes=1048576,batchBytes=40,leaseReads=1,releases=2,seed=59,scenario=swarm",
  "replica@1,nodes=5,checkpointBytes=200,keepBytes=1,batchBytes=40,seed=11,scenario=swarm",
];

for (const run of ONCE_STUCK) {
  test(`a replica that lags is brought on in ${run}`, () => {
    assert.equal(play(subject, decodeRun(run, subject)).finding, undefined);
  });
}

test("replicas whose disks lose sectors keep their claims, and are whole in the end", () => {
  for (let seed = 1; seed <= SEEDS; seed++) {
    const run = runOfSeed(subject, seed, { given: {}, scenario: "lost-sectors" });
    const { finding } = play(subject, run);
    assert.equal(finding, undefined, `quorate replay ${encodeRun(run, subject)}`);
  }
});

test("replicas keep their claims while they are upgraded one by one", () => {
  let upgrades = 0;
  for (let seed = 1; seed <= SEEDS; seed++) {
    const run = runOfSeed(subject, seed, { given: { releases: 2 }, scenario: "swarm" });
    const spectator = {
      acted: ({ type }: Action): void => {
        if (type === "upgrade") upgrades++;
      },
    };
    const outcome = play(subject, run, { spectator });
    assert.equal(outcome.finding, undefined, `quorate replay ${encodeRun(run, subject)}`);
  }
  assert.ok(upgrades > 0, "some are upgraded");
});

test("without an upgrade nobody would see that it loses the log", () => {
  const bug = "upgrade-loses-the-log";
  for (let seed = 1; seed <= 10; seed++) {
    const run = runOfSeed(subject, seed, { given: { releases: 1 }, scenario: "swarm", bug });
    assert.equal(play(subject, run).finding, undefined);
  }
});

/** Seeds that found what takes long to find from seed 1 on. */
const FIRST_SEEDS: { readonly [bug: string]: number } = { "R2-answers-of-an-earlier-life": 21 };

for (const bug of subject.bugs) {
  test(`exam: ${bug.name} (${bug.sentence})`, () => {
    const { found, events } = examine(subject, bug, { firstSeed: FIRST_SEEDS[bug.name] ?? 1 });
    assert.ok(found !== undefined, `not found in ${events} events`);
    assert.ok(found.expected, `found as ${found.finding.claim}: ${found.finding.text}`);
  });
}
