import assert from "node:assert/strict";
import { test } from "node:test";

import { Timers } from "./timers.ts";

/** Resolves with the names that fired by the time `last` did. */
function fired(last: string, arm: (timers: Timers<string>) => void): Promise<readonly string[]> {
  return new Promise((resolve) => {
    const names: string[] = [];
    const timers = new Timers<string>((name) => {
      names.push(name);
      if (name !== last) return;
      timers.clear();
      resolve(names);
    });
    arm(timers);
  });
}

test("timers fire in the order of their deadlines, each once", async () => {
  const names = await fired("c", (timers) => {
    timers.set("c", 40);
    timers.set("a", 1);
    timers.set("b", 20);
  });
  assert.deepEqual(names, ["a", "b", "c"]);
});

test("a later deadline replaces an earlier one, and the other way round", async () => {
  const names = await fired("end", (timers) => {
    timers.set("late", 1);
    timers.set("late", 10_000);
    timers.set("soon", 10_000);
    timers.set("soon", 1);
    timers.set("end", 60);
  });
  assert.deepEqual(names, ["soon", "end"]);
});

test("a cancelled timer does not fire, and may be armed again", async () => {
  const names = await fired("end", (timers) => {
    timers.set("never", 1);
    timers.cancel("never");
    timers.set("again", 1);
    timers.cancel("again");
    timers.set("again", 5);
    timers.set("end", 40);
  });
  assert.deepEqual(names, ["again", "end"]);
});

test("a timer that is moved ever further fires once it is left alone", async () => {
  const names = await fired("end", (timers) => {
    let moves = 0;
    const moving = setInterval(() => {
      timers.set("election", 20);
      if (++moves === 10) clearInterval(moving);
    }, 5);
    timers.set("election", 20);
    timers.set("end", 200);
  });
  assert.deepEqual(names, ["election", "end"]);
});
