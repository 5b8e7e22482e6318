/** Cases of processes inside processes (K8). Every other case is played by parts as well. */

import { TELL } from "./nested.ts";
import { checkpoint, output, outputEagerly, persist, setTimer } from "./script.ts";
import type { Scene } from "./stage.ts";

export const partScenes: readonly Scene[] = [
  {
    duty: "K8",
    title: "a whole hears its part at once; only the outermost edge waits for the disk",
    cast: "nested",
    needs: "heldDisk",
    async play(stage) {
      await stage.settle("a");
      stage.world.holdDisk("a");
      stage.ask("a", persist("r"), output("inside"));
      await stage.until("the whole hears its part while the disk is held", () =>
        stage.notes("a").some((seen) => seen.type === "heard" && seen.text === "inside"),
      );
      await stage.while("a");
      stage.check(!stage.outputs("a").includes("inside"), "the world hears nothing yet");
      stage.world.releaseDisk("a");
      await stage.until("the world hears it", () => stage.outputs("a").includes("inside"));
    },
  },
  {
    duty: "K8",
    title: "part and whole share a log and its checkpoints",
    cast: "nested",
    async play(stage) {
      for (let life = 0; life < 3; life++) {
        stage.ask("a", persist(`p${life}`), output(`${TELL}${life}`));
        stage.ask("a", checkpoint);
        stage.ask("a", persist(`q${life}`), output(`${TELL}${life}b`));
        await stage.settle("a");
        if (life > 0) await stage.while("a");
        await stage.restart("a");
        const whole = stage.sights("a", "whole").at(-1)!.texts;
        stage.check(whole.length === 2 * (life + 1), "the whole recovers what is its own");
        stage.check(stage.recovered("a").length === 2 * (life + 1), "and so does the part");
      }
    },
  },
  {
    duty: "K8",
    title: "a part's timers are its own",
    cast: "nested",
    async play(stage) {
      stage.ask("a", setTimer("t", 5, [outputEagerly("fired")], 2));
      await stage.until("it fires twice", () => stage.timersFired("a", "t").length === 2);
      await stage.while("a");
      stage.check(stage.timersFired("a", "t").length === 2, "and no more");
    },
  },
];
