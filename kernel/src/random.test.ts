import assert from "node:assert/strict";
import { test } from "node:test";

import { Random } from "./random.ts";

/** How often each of `count` numbers is drawn in `draws`. */
function histogram(random: Random, count: number, draws: number): readonly number[] {
  const counts = Array.from({ length: count }, () => 0);
  for (let i = 0; i < draws; i++) counts[random.below(count)]!++;
  return counts;
}

/** Pearson's statistic against the uniform distribution. */
function chiSquared(counts: readonly number[]): number {
  const expected = counts.reduce((sum, n) => sum + n, 0) / counts.length;
  return counts.reduce((sum, n) => sum + (n - expected) ** 2 / expected, 0);
}

/** The first draws of some seeds, which every engine must reproduce: recorded runs depend on them. */
const GOLDEN: readonly (readonly [seed: number, draws: readonly number[]])[] = [
  [0, [1363572419, 145230303, 808754475, 4216505632]],
  [1, [441792574, 614447336, 1644328534, 3387734806]],
  [42, [3648644458, 4206697674, 2509843200, 3011021589]],
  [2 ** 32, [2012149540, 1872316204, 1707632675, 1779833415]],
  [2 ** 53 - 1, [1744020312, 3062531838, 170727212, 2850818593]],
];

test("recorded seeds give the recorded draws", () => {
  for (const [seed, draws] of GOLDEN) {
    const random = new Random(seed);
    assert.deepEqual(
      draws.map(() => random.next()),
      draws,
    );
  }
  assert.equal(new Random(7).fork(1).next(), 1175166067);
  assert.equal(new Random(7).fork(2).next(), 520509045);
});

test("the same seed gives the same draws, another seed others", () => {
  const draw = (seed: number) => {
    const random = new Random(seed);
    return Array.from({ length: 20 }, () => random.next());
  };
  assert.deepEqual(draw(5), draw(5));
  const firsts = new Set(Array.from({ length: 10_000 }, (_, seed) => draw(seed)[0]));
  assert.ok(firsts.size > 9_990, "neighbouring seeds start apart");
});

test("draws are spread evenly", () => {
  // For 9 degrees of freedom the statistic exceeds 27.9 once in a thousand seeds, for 2 13.8.
  for (const seed of [1, 2, 3]) {
    assert.ok(chiSquared(histogram(new Random(seed), 10, 100_000)) < 27.9);
    assert.ok(chiSquared(histogram(new Random(seed), 3, 100_000)) < 13.8);
  }
});

test("every bit is set half of the time", () => {
  const random = new Random(11);
  const set = Array.from({ length: 32 }, () => 0);
  for (let i = 0; i < 20_000; i++) {
    const word = random.next();
    for (let bit = 0; bit < 32; bit++) set[bit]! += (word >>> bit) & 1;
  }
  for (const count of set) assert.ok(Math.abs(count - 10_000) < 400, `${count} of 20000`);
});

test("a number is below its bound, for every bound", () => {
  const random = new Random(3);
  for (const bound of [1, 2, 3, 1000, 2 ** 31, 2 ** 32]) {
    for (let i = 0; i < 1000; i++) {
      const value = random.below(bound);
      assert.ok(Number.isInteger(value) && value >= 0 && value < bound);
    }
  }
  assert.equal(random.below(1), 0);
});

test("a chance comes true as often as it says, and never or always at the ends", () => {
  const random = new Random(4);
  let hits = 0;
  for (let i = 0; i < 100_000; i++) if (random.chance(3, 10)) hits++;
  assert.ok(Math.abs(hits - 30_000) < 600, `${hits} of 100000`);
  for (let i = 0; i < 1000; i++) {
    assert.equal(random.chance(0, 10), false);
    assert.equal(random.chance(10, 10), true);
  }
});

test("forks draw apart from their origin and from each other", () => {
  const origin = new Random(9);
  const forks = [origin.fork(1), origin.fork(1), origin.fork(2), origin];
  const draws = forks.map((random) => Array.from({ length: 100 }, () => random.next()));
  assert.equal(new Set(draws.flat()).size, 400);
});

test("a draw added to one fork leaves another's run alone", () => {
  const run = (extra: number) => {
    const origin = new Random(9);
    const [one, other] = [origin.fork(1), origin.fork(2)];
    for (let i = 0; i < extra; i++) one.next();
    return Array.from({ length: 10 }, () => other.next());
  };
  assert.deepEqual(run(0), run(5));
});
