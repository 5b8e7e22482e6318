import assert from "node:assert/strict";
import { test } from "node:test";

import { HealthWatch } from "./health.ts";

class Clock {
  now = 0;

  watch(): HealthWatch {
    return new HealthWatch(250, () => this.now);
  }

  /** Lets seconds pass, each judged after `each` has happened. Returns the verdicts that were news. */
  seconds(watch: HealthWatch, count: number, each: () => void): readonly boolean[] {
    const verdicts: boolean[] = [];
    for (let i = 0; i < count; i++) {
      this.now += 1000;
      each();
      const verdict = watch.judge();
      if (verdict !== undefined) verdicts.push(verdict);
    }
    return verdicts;
  }
}

test("three bad seconds in a row are slow, ten good ones well again", () => {
  const clock = new Clock();
  const watch = clock.watch();
  const bad = () => watch.observe(300);
  const good = () => watch.observe(10);
  assert.deepEqual(clock.seconds(watch, 2, bad), []);
  assert.deepEqual(clock.seconds(watch, 1, good), []);
  assert.deepEqual(clock.seconds(watch, 3, bad), [true]);
  assert.deepEqual(clock.seconds(watch, 9, good), []);
  assert.deepEqual(clock.seconds(watch, 1, good), [false]);
});

test("a disk that hangs is slow though it reports nothing", () => {
  const clock = new Clock();
  const watch = clock.watch();
  watch.written(1);
  assert.deepEqual(
    clock.seconds(watch, 4, () => {}),
    [true],
  );
  watch.durable(1);
  assert.deepEqual(
    clock.seconds(watch, 11, () => {}),
    [false],
  );
});

test("a disk that keeps up is well, however much is written", () => {
  const clock = new Clock();
  const watch = clock.watch();
  let place = 0;
  const busy = () => {
    for (let i = 0; i < 10; i++) {
      watch.written(++place);
      clock.now += 10;
      watch.durable(place - 1);
    }
    watch.durable(place);
  };
  assert.deepEqual(clock.seconds(watch, 20, busy), []);
});
