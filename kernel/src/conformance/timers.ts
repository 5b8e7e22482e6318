/** Cases of timers (K6). */

import { cancelTimer, outputEagerly, setTimer } from "./script.ts";
import type { Scene, Stage } from "./stage.ts";

/** Whether a timer of `delayMs` armed at `armed` may fire at `now`: not early, to the millisecond. */
function isDue(now: number, armed: number, delayMs: number): boolean {
  return now > armed + delayMs - 1;
}

/** Waits until a marker set after everything else has fired. */
async function marker(stage: Stage): Promise<void> {
  await stage.while("a");
}

export const timerScenes: readonly Scene[] = [
  {
    duty: "K6",
    title: "a timer fires once, in a step of its own, and never early",
    async play(stage) {
      const delays = [0, 1, 2, 3, 5, 10, 25, 40];
      stage.ask("a", ...delays.map((delayMs) => setTimer(`t${delayMs}`, delayMs)));
      await stage.until("all fire", () =>
        delays.every((delayMs) => stage.timersFired("a", `t${delayMs}`).length > 0),
      );
      await marker(stage);
      const armed = stage.sights("a", "armed");
      for (const delayMs of delays) {
        const fired = stage.timersFired("a", `t${delayMs}`);
        const { now, step } = armed.find(({ name }) => name === `t${delayMs}`)!;
        stage.check(fired.length === 1, "a timer fires once");
        stage.check(isDue(fired[0]!.now, now, delayMs), "a timer fires no earlier than asked");
        stage.check(fired[0]!.step > step, "a timer does not fire in the step that arms it");
      }
    },
  },
  {
    duty: "K6",
    title: "jitter only ever delays",
    async play(stage) {
      const names = Array.from({ length: 30 }, (_, i) => `j${i}`);
      stage.ask("a", ...names.map((name) => setTimer(name, 5, [], 1, 20)));
      await stage.until("all fire", () =>
        names.every((name) => stage.timersFired("a", name).length > 0),
      );
      const armedAt = stage.sights("a", "armed")[0]!.now;
      for (const name of names) {
        const fired = stage.timersFired("a", name);
        stage.check(fired.length === 1, "a timer fires once");
        stage.check(isDue(fired[0]!.now, armedAt, 5), "jitter is added to the delay");
      }
    },
  },
  {
    duty: "K6",
    title: "a timer set again in the same step fires once, as set last",
    async play(stage) {
      stage.ask("a", setTimer("t", 1), setTimer("t", 45), setTimer("t", 30));
      stage.ask("a", setTimer("u", 50), setTimer("u", 2));
      await stage.until("both fire", () =>
        ["t", "u"].every((name) => stage.timersFired("a", name).length > 0),
      );
      await marker(stage);
      const fired = stage.timersFired("a", "t");
      stage.check(fired.length === 1, "setting a timer again replaces it");
      const { now } = stage.sights("a", "armed")[0]!;
      stage.check(isDue(fired[0]!.now, now, 30), "the last setting holds");
      stage.check(stage.timersFired("a", "u").length === 1, "also when it shortens the delay");
    },
  },
  {
    duty: "K6",
    title: "a timer set again in a later step is re-armed",
    async play(stage) {
      stage.ask("a", setTimer("t", 40), setTimer("again", 10, [setTimer("t", 60)]));
      await stage.until("it fires", () => stage.timersFired("a", "t").length > 0);
      await marker(stage);
      const again = stage.timersFired("a", "again")[0]!;
      const fired = stage.timersFired("a", "t");
      stage.check(fired.length === 1, "a re-armed timer fires once");
      stage.check(isDue(fired[0]!.now, again.now, 60), "it counts from the last setting");
    },
  },
  {
    duty: "K6",
    title: "a cancelled timer does not fire, and may be set again",
    async play(stage) {
      stage.ask("a", setTimer("same", 1), cancelTimer("same"), cancelTimer("never set"));
      stage.ask("a", setTimer("later", 30), setTimer("back", 20));
      stage.ask("a", cancelTimer("later"), cancelTimer("back"), setTimer("back", 5));
      await stage.until(
        "what was set again fires",
        () => stage.timersFired("a", "back").length > 0,
      );
      await marker(stage);
      stage.check(stage.timersFired("a", "same").length === 0, "cancelled at once: never fires");
      stage.check(stage.timersFired("a", "later").length === 0, "cancelled later: never fires");
      stage.check(stage.timersFired("a", "back").length === 1, "set again: fires once");
    },
  },
  {
    duty: "K6",
    title: "a timer re-armed from its own handler goes on",
    async play(stage) {
      stage.ask("a", setTimer("t", 4, [], 6));
      await stage.until("it fires six times", () => stage.timersFired("a", "t").length >= 6);
      await marker(stage);
      const fired = stage.timersFired("a", "t");
      stage.check(fired.length === 6, "it fires as often as it was armed");
      stage.check(
        fired.every(({ now }, i) => i === 0 || isDue(now, fired[i - 1]!.now, 4)),
        "every time it counts anew",
      );
    },
  },
  {
    duty: "K6",
    title: "of two timers due together, the first to fire can cancel the other",
    async play(stage) {
      for (let i = 0; i < 5; i++) {
        const [x, y] = [`x${i}`, `y${i}`];
        stage.ask("a", setTimer(x, 5, [cancelTimer(y)]), setTimer(y, 5, [cancelTimer(x)]));
        await marker(stage);
        const fired = stage.timersFired("a", x).length + stage.timersFired("a", y).length;
        stage.check(fired === 1, "a timer that is due but has not fired can be cancelled");
      }
    },
  },
  {
    duty: "K6",
    title: "of two timers due together, the first to fire can re-arm the other",
    async play(stage) {
      stage.ask("a", setTimer("x", 5, [setTimer("y", 30)]), setTimer("y", 5, [setTimer("x", 30)]));
      const fired = () => [...stage.timersFired("a", "x"), ...stage.timersFired("a", "y")];
      await stage.until("both fire", () => fired().length >= 2);
      await marker(stage);
      const times = fired().map(({ now }) => now);
      stage.check(times.length === 2, "a timer that is due but has not fired can be re-armed");
      stage.check(
        isDue(Math.max(...times), Math.min(...times), 30),
        "it counts from the last setting",
      );
    },
  },
  {
    duty: "K6",
    title: "any text names a timer, and many run at once",
    async play(stage) {
      const names = ["", " ", "__proto__", "constructor", "toString", "é:世界", "x".repeat(500)];
      for (let i = 0; i < 300; i++) names.push(`n${i}`);
      stage.ask("a", ...names.map((name, i) => setTimer(name, 1 + (i % 17))));
      await stage.until("all fire", () => stage.sights("a", "timer").length >= names.length);
      await marker(stage);
      for (const name of names) {
        stage.check(stage.timersFired("a", name).length === 1, `timer ${name} fires once`);
      }
    },
  },
  {
    duty: "K6",
    title: "timers die in a crash",
    async play(stage) {
      stage.ask("a", setTimer("t", 40, [], 3), outputEagerly("armed"));
      await stage.until("it is armed", () => stage.outputs("a").includes("armed"));
      await stage.restart("a");
      await marker(stage);
      stage.check(
        stage.lately("a", "timer").every(({ name }) => name !== "t"),
        "none fires",
      );
    },
  },
];
