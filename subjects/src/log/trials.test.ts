/** What every log must stand: seeds, its exam, and runs that go as they went. */

import assert from "node:assert/strict";
import { readFileSync, writeFileSync } from "node:fs";
import { test } from "node:test";

import type { LogOutput } from "@quorate/consensus";
import {
  decodeRun,
  encodeRun,
  examine,
  play,
  RunDigest,
  runOfSeed,
  type Subject,
  Tally,
} from "@quorate/lab";

const SEEDS = Number(process.env["QUORATE_SEEDS"] ?? 60);

export interface Trials {
  /** As in {@link passesItsExam}. */
  readonly examSeeds?: { readonly [bug: string]: number };
  /** As in {@link becomesLegible}. */
  readonly longSeeds?: { readonly [bug: string]: number };
}

/** @param folder - Of the subject, below `src`. */
export function standsTrial(
  name: string,
  subject: Subject,
  folder: string,
  { examSeeds = {}, longSeeds = {} }: Trials = {},
): void {
  keepsItsClaims(name, subject);
  mendsItsDisks(name, subject);
  keepsItsClaimsOnSnapshots(name, subject);
  passesItsExam(subject, examSeeds);
  becomesLegible(subject, longSeeds);
  goesAsItWent(name, subject, folder);
}

function keepsItsClaims(name: string, subject: Subject): void {
  test(`${name} keeps its claims in ${SEEDS} runs (QUORATE_SEEDS=${SEEDS})`, () => {
    const tally = new Tally();
    for (let seed = 1; seed <= SEEDS; seed++) {
      const run = runOfSeed(subject, seed, { given: {} });
      const outcome = play(subject, run, { freeze: seed % 4 === 0 });
      tally.add(outcome);
      assert.equal(outcome.finding, undefined, `quorate replay ${encodeRun(run, subject)}`);
    }
    if (SEEDS >= 60) assert.deepEqual(tally.unreached(subject), [], "every mark is reached");
  });
}

/** Of a log that says what is left of damaged records. */
function mendsItsDisks(name: string, subject: Subject): void {
  test(`after sectors are lost, whatever happened besides, all nodes of ${name} know their logs again`, () => {
    const tally = new Tally();
    for (let seed = 1; seed <= SEEDS; seed++) {
      const run = runOfSeed(subject, seed, { given: {}, scenario: "lost-sectors" });
      const outcome = play(subject, run);
      tally.add(outcome);
      assert.equal(outcome.finding, undefined, `quorate replay ${encodeRun(run, subject)}`);
    }
    assert.ok(tally.marks.get("mended")! > SEEDS, "nodes were mended");
  });
}

/**
 * @param firstSeeds - Seeds that found what takes long to find from seed 1 on. When
 *   the protocol changes they may find nothing any more; the search then goes on
 *   from there, and they want to be renewed (`quorate exam NAME --no-shrink` prints them).
 */
function passesItsExam(subject: Subject, firstSeeds: { readonly [bug: string]: number }): void {
  for (const bug of subject.bugs) {
    test(`exam: ${bug.name} (${bug.sentence})`, () => {
      const { found, events } = examine(subject, bug, { firstSeed: firstSeeds[bug.name] ?? 1 });
      assert.ok(found !== undefined, `not found in ${events} events`);
      assert.ok(found.expected, `found as ${found.finding.claim}: ${found.finding.text}`);
    });
  }
}

function keepsItsClaimsOnSnapshots(name: string, subject: Subject): void {
  test(`${name} keeps its claims where logs are compacted all the time, and laggards get snapshots`, () => {
    let installed = 0;
    const said = (_node: string, output: unknown): void => {
      if ((output as LogOutput).type === "installed") installed++; // Every log says these.
    };
    for (let seed = 1; seed <= SEEDS / 2; seed++) {
      const run = runOfSeed(subject, seed, { given: { keepEntries: 5 } });
      const { finding } = play(subject, run, { spectator: { said } });
      assert.equal(finding, undefined, `quorate replay ${encodeRun(run, subject)}`);
    }
    assert.ok(installed >= SEEDS / 4, `${installed} snapshots in ${SEEDS / 2} runs`);
  });
}

/** What a reader can follow. */
const LEGIBLE = 30;
/** A tenth of what `quorate exam` may take. */
const SHRINK_BUDGET = 1_000_000;

/**
 * @param firstSeeds - Of bugs whose runs are long, since they wait for a coincidence: seeds that
 *   find them soon.
 */
function becomesLegible(subject: Subject, firstSeeds: { readonly [bug: string]: number }): void {
  for (const [name, firstSeed] of Object.entries(firstSeeds)) {
    test(`a run of thousands of decisions that shows ${name} becomes one that can be read`, () => {
      const bug = subject.bugs.find((each) => each.name === name);
      assert.ok(bug !== undefined);
      const { found } = examine(subject, bug, { firstSeed, shrinkBudget: SHRINK_BUDGET });
      assert.ok(found?.shrunk !== undefined);
      const { from, to, run, finding } = found.shrunk;
      assert.ok(from > 1_000, `${from} decisions`);
      assert.ok(to <= LEGIBLE, `still ${to} decisions`);
      const replayed = decodeRun(encodeRun(run, subject), subject);
      assert.deepEqual(play(subject, replayed).finding, finding);
      const { finding: other } = play(subject, { ...replayed, bug: undefined });
      assert.equal(other, undefined, "the bug is needed");
    });
  }
}

/** @param folder - Of the subject, below `src`. */
function goesAsItWent(name: string, subject: Subject, folder: string): void {
  const golden = new URL(`../../src/${folder}/golden.txt`, import.meta.url);
  test(`runs of ${name} go as they went when their digests were written down (QUORATE_GOLDEN=write to renew)`, () => {
    const lines = [1, 2, 3, 4].map((seed) => {
      const run = runOfSeed(subject, seed, { given: {} });
      const spectator = new RunDigest();
      play(subject, run, { spectator });
      return `${spectator.text} ${encodeRun(run, subject)}\n`;
    });
    if (process.env["QUORATE_GOLDEN"] === "write") writeFileSync(golden, lines.join(""));
    assert.equal(lines.join(""), readFileSync(golden, "utf8"));
  });
}
