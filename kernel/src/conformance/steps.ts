/** Cases of steps (K1), choices (K9), idleness (K10), immutability (K12) and notes (K15). */

import {
  choose,
  inspect,
  note,
  output,
  outputEagerly,
  persist,
  reply,
  replyEagerly,
  send,
  setTimer,
  whenDurable,
  whenIdle,
} from "./script.ts";
import { inOrderOnce, isPrefix, type Scene } from "./stage.ts";

export const stepScenes: readonly Scene[] = [
  {
    duty: "K1",
    title: "steps do not overlap, and time stands still within one",
    async play(stage) {
      const busy = [note("in"), send("a", "self", [note("echo")]), persist("r"), output("o")];
      for (let i = 0; i < 10; i++) {
        stage.ask(
          "a",
          ...busy,
          reply("r"),
          setTimer(`t${i}`, i, [...busy, note("out")]),
          note("out"),
        );
      }
      await stage.while("a");
      await stage.settle("a");
      let [step, now] = [0, 0];
      for (const sight of stage.life("a")) {
        if (sight.step === 0) continue; // Reported by the whole, which counts no steps.
        stage.check(sight.step >= step, "a step ends before the next begins");
        if (sight.step === step) stage.check(sight.now === now, "time stands still in a step");
        else stage.check(sight.now >= now, "time does not go back");
        ({ step, now } = sight);
      }
    },
  },
  {
    duty: "K1",
    title: "who asks again from within an answer is heard after the step, and after what waited",
    async play(stage) {
      const again = [note("again"), output("late")];
      const ask = () => void stage.ask("a", ...again);
      stage.world.request("a", [replyEagerly("now"), note("end"), note("end")], ask);
      await stage.until("the second request is heard", () => stage.outputs("a").includes("late"));
      const said = stage.sights("a", "said").map(({ text }) => text);
      stage.check(isPrefix(["end", "end", "again"], said), "a step ends before the next begins");
      const held = [persist("r"), reply("then"), output("held 1"), output("held 2")];
      stage.world.request("a", held, () => void stage.ask("a", output("later")));
      await stage.until("it is heard again", () => stage.outputs("a").includes("later"));
      const order = ["held 1", "held 2", "later"];
      stage.check(inOrderOnce(order, stage.outputs("a")), "what waited longer leaves first");
    },
  },
  {
    duty: "K9",
    title: "a choice is an integer in its range",
    async play(stage) {
      const counts = [1, 1, 2, 2, 2, 3, 7, 10, 1000, 2 ** 31, 2 ** 32];
      for (let i = 0; i < 20; i++) stage.ask("a", ...counts.map(choose));
      await stage.answered("a");
      const chosen = stage.sights("a", "chose");
      stage.check(chosen.length === 20 * counts.length, "every choice is made");
      for (const { count, value } of chosen) {
        const sound = Number.isInteger(value) && value >= 0 && value < count;
        stage.check(sound, `${value} is one of ${count}`);
      }
    },
  },
  {
    duty: "K10",
    title: "the driver says that it is idle before it waits, whatever came in",
    async play(stage) {
      const idle = async (what: string) =>
        stage.until(`the node is idle after ${what}`, () => stage.outputs("a").includes(what));
      await stage.until(
        "a node is idle after its start",
        () => stage.sights("a", "idle").length > 0,
      );
      stage.ask("a", whenIdle(outputEagerly("a request")));
      await idle("a request");
      stage.ask("a", setTimer("t", 5, [whenIdle(outputEagerly("a timer"))]));
      await idle("a timer");
      stage.ask("a", persist("r"), whenDurable(whenIdle(outputEagerly("a write"))));
      await idle("a write");
      await stage.connect("b", "a");
      const next = [whenIdle(outputEagerly("a message"))];
      stage.ask("b", setTimer("m", 15, [send("a", "m", next)], 20));
      await idle("a message");
    },
  },
  {
    duty: "K10",
    title: "idleness comes after the input that was there",
    async play(stage) {
      for (let round = 0; round < 5; round++) {
        const done = stage.token("round");
        for (let i = 0; i < 10; i++) stage.ask("a", note(`${done} ${i}`));
        stage.ask("a", whenIdle(persist("r"), outputEagerly(done)));
        await stage.until("it is idle", () => stage.outputs("a").includes(done));
        const said = stage.sights("a", "said").filter(({ text }) => text.startsWith(`${done} `));
        stage.check(said.length === 10, "requests asked before are handed over before");
      }
    },
  },
  {
    duty: "K10",
    title: "what is persisted in idleness is written and reported",
    async play(stage) {
      stage.ask("a", whenIdle(persist("r"), output("held"), whenDurable(output("heard"))));
      await stage.until("it is durable", () => stage.outputs("a").includes("heard"));
      stage.check(inOrderOnce(["held", "heard"], stage.outputs("a")), "held effects leave as well");
    },
  },
  {
    duty: "K12",
    title: "what was received stays as it was",
    async play(stage) {
      await stage.connect("a", "b");
      const texts = Array.from({ length: 150 }, (_, i) => `letter ${i}`);
      for (const [i, text] of texts.entries()) {
        stage.ask("a", setTimer(text, 5, [send("b", text, [], (i * 97) % 3000)], 3));
      }
      await stage.until("all arrive", () => {
        const letters = new Set(stage.letters("b"));
        return texts.every((text) => letters.has(text));
      });
      stage.ask("b", inspect, outputEagerly("inspected"));
      await stage.until("it looks again", () => stage.outputs("b").includes("inspected"));
      const { count, spoilt } = stage.sights("b", "inspected")[0]!;
      stage.check(count >= texts.length, "it kept every letter");
      stage.check(spoilt.length === 0, "every letter still holds the bytes that were sent");
    },
  },
  {
    duty: "K15",
    title: "notes pass in order and do not wait for the disk",
    needs: "heldDisk",
    async play(stage) {
      await stage.settle("a");
      stage.world.holdDisk("a");
      stage.ask("a", note("1"), persist("r"), note("2"), output("o"), note("3"));
      stage.ask("a", note("4"));
      await stage.until("all are noted", () => stage.sights("a", "said").length >= 4);
      const said = stage.sights("a", "said").map(({ text }) => text);
      stage.check(inOrderOnce(["1", "2", "3", "4"], said), "notes keep their order");
      stage.world.releaseDisk("a");
    },
  },
];
