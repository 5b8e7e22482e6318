import assert from "node:assert/strict";
import { test } from "node:test";

import type { Answer, Entry } from "./chronicle.ts";
import { lanesOf, TimedAnswers } from "./timed-answers.ts";

const NODES = ["n1", "n2"];
/** The number of the link from n1 to n2. */
const LINK = 1;

function delayed(at: number, value: number): Answer {
  return { type: "answer", at, kind: "message", on: "n1.n2", value, dull: value === 1 };
}

/** What comes of messages sent from n1 to n2 at these times. */
function asked(
  times: readonly number[],
  entries: readonly Entry[],
  leewayMs: number,
  gone: readonly Entry[] = [],
): readonly (number | undefined)[] {
  const clock = { now: 0 };
  const past = { lanes: lanesOf(NODES, entries), gone: new Set(gone), leewayMs };
  const answers = new TimedAnswers(past, clock);
  return times.map((now) => {
    clock.now = now;
    return answers.next("message", LINK);
  });
}

test("one question more or less, and those after it are answered as they were", () => {
  const past = [delayed(10, 7), delayed(20, 1), delayed(30, 9)];
  assert.deepEqual(asked([10, 15, 20, 30], past, 3), [7, undefined, undefined, 9]);
  assert.deepEqual(asked([10, 30], past, 3), [7, 9]);
});

test("a question may be asked a little sooner or later", () => {
  const past = [delayed(10, 7), delayed(30, 9)];
  assert.deepEqual(asked([13, 27], past, 3), [7, 9]);
  assert.deepEqual(asked([14, 26], past, 3), [undefined, undefined]);
});

test("questions of one moment are answered in turn", () => {
  assert.deepEqual(asked([10, 10, 10], [delayed(10, 7), delayed(10, 8)], 0), [7, 8, undefined]);
});

test("what is gone comes out the dull way, and its place is kept", () => {
  const past = [delayed(10, 7), delayed(10, 8)];
  assert.deepEqual(asked([10, 10], past, 3, past.slice(0, 1)), [undefined, 8]);
});

test("what was asked about another link or timer answers nothing", () => {
  const election: Answer = { ...delayed(10, 7), kind: "timer", on: "n1.election" };
  const backwards = { ...delayed(10, 7), on: "n2.n1" };
  assert.deepEqual(asked([10], [election, backwards], 3), [undefined]);
  const clock = { now: 10 };
  const past = { lanes: lanesOf(NODES, [election]), gone: new Set<Entry>(), leewayMs: 3 };
  assert.equal(new TimedAnswers(past, clock).next("timer", "0 election"), 7);
});
