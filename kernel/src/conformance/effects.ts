/** Cases of the write-ahead rule and its exceptions (K4, K5), and of requests (K16). */

import {
  output,
  outputEagerly,
  persist,
  reply,
  replyEagerly,
  send,
  sendEagerly,
  setTimer,
  whenDurable,
} from "./script.ts";
import { inOrderOnce, type Scene, type Stage } from "./stage.ts";

/** Connects a to b, waits until a's disk is idle, and holds it. */
async function holdConnected(stage: Stage): Promise<void> {
  await stage.connect("a", "b");
  await stage.settle("a");
  stage.world.holdDisk("a");
}

/** Waits until an eager message of a has overtaken whatever waits. */
async function overtake(stage: Stage): Promise<void> {
  stage.ask("a", setTimer("overtake", 15, [sendEagerly("b", "eager")], 200));
  await stage.until("an eager message does not wait for the disk", () =>
    stage.letters("b").includes("eager"),
  );
  stage.ask("a", { type: "cancelTimer", name: "overtake" });
}

export const effectScenes: readonly Scene[] = [
  {
    duty: "K4",
    title: "what follows a record waits until the record is durable",
    needs: "heldDisk",
    async play(stage) {
      await holdConnected(stage);
      stage.ask("a", persist("r"), output("held"), reply("held"), send("b", "held"));
      await overtake(stage);
      await stage.while("a");
      const texts = () => [stage.outputs("a"), stage.replies("a"), stage.letters("b")];
      stage.check(!texts().flat().includes("held"), "nothing leaves before the record is durable");
      stage.world.releaseDisk("a");
      await stage.until("output, answer and message leave once the record is durable", () =>
        texts().every((some) => some.includes("held")),
      );
    },
  },
  {
    duty: "K4",
    title: "what comes before a record does not wait for it",
    needs: "heldDisk",
    async play(stage) {
      await stage.settle("a");
      stage.world.holdDisk("a");
      stage.ask("a", output("before"), reply("before"), persist("r"), output("after"));
      await stage.until("what precedes a record leaves without it", () =>
        [stage.outputs("a"), stage.replies("a")].every((some) => some.includes("before")),
      );
      await stage.while("a");
      stage.check(!stage.outputs("a").includes("after"), "what follows a record waits for it");
    },
  },
  {
    duty: "K4",
    title: "a step that persists nothing waits for the records of the steps before",
    needs: "heldDisk",
    async play(stage) {
      await stage.settle("a");
      stage.world.holdDisk("a");
      stage.ask("a", persist("r"));
      const later = stage.ask("a", output("later"), reply("later"));
      await stage.while("a");
      const left = stage.outputs("a").includes("later") || stage.repliesTo("a", later).length > 0;
      stage.check(!left, "a later step reveals nothing that rests on an undurable record");
      stage.world.releaseDisk("a");
      await stage.until("it leaves in the end", () => stage.repliesTo("a", later).length > 0);
    },
  },
  {
    duty: "K4",
    title: "held effects leave in the order in which they were made, each once",
    needs: "heldDisk",
    async play(stage) {
      await stage.settle("a");
      stage.world.holdDisk("a");
      const order = ["1", "2", "3", "4", "5", "6"];
      stage.ask("a", persist("r1"), output("1"), output("2"), persist("r2"), output("3"));
      stage.ask("a", output("4"));
      stage.ask("a", persist("r3"), output("5"), reply("6"));
      await stage.while("a");
      stage.world.releaseDisk("a");
      await stage.until("all leave", () => stage.replies("a").includes("6"));
      await stage.settle("a");
      const seen = stage.world.seen("a").flatMap((one) => {
        if (one.type === "output") return [one.output.text];
        return one.type === "reply" ? [one.response.text] : [];
      });
      stage.check(inOrderOnce(order, seen), "effects are first in, first out");
    },
  },
  {
    duty: "K4",
    title: "effects of many steps leave in order while the disk is busy",
    async play(stage) {
      const order = Array.from({ length: 60 }, (_, i) => `n${i}`);
      for (const text of order) stage.ask("a", persist(text), output(text));
      await stage.settle("a");
      stage.check(inOrderOnce(order, stage.outputs("a")), "every output left once, in order");
    },
  },
  {
    duty: "K4",
    title: "what is said when a record is durable follows what waited for it",
    async play(stage) {
      for (let i = 0; i < 10; i++) {
        const [waited, heard] = [`waited${i}`, `heard${i}`];
        stage.ask("a", persist(waited), output(waited), whenDurable(output(heard)));
        await stage.until("both leave", () => stage.outputs("a").includes(heard));
        stage.check(inOrderOnce([waited, heard], stage.outputs("a")), "first in is first out");
      }
    },
  },
  {
    duty: "K4",
    title: "a crash takes with it what was waiting for the disk",
    needs: "heldDisk",
    async play(stage) {
      await holdConnected(stage);
      stage.ask("a", persist("r"), output("lost"), reply("lost"), send("b", "lost"));
      await overtake(stage);
      await stage.world.crash("a");
      stage.world.releaseDisk("a");
      await stage.world.start("a");
      await stage.connect("a", "b");
      await stage.settle("a");
      await stage.while("b");
      const texts = [...stage.outputs("a"), ...stage.replies("a"), ...stage.letters("b")];
      stage.check(!texts.includes("lost"), "what waited is never seen after a crash");
    },
  },
  {
    duty: "K5",
    title: "eager effects overtake what waits, in their own order",
    needs: "heldDisk",
    async play(stage) {
      await stage.settle("a");
      stage.world.holdDisk("a");
      stage.ask("a", persist("r"), output("held"), outputEagerly("e1"), outputEagerly("e2"));
      const asked = stage.ask("a", reply("held"), outputEagerly("e3"));
      const eager = stage.ask("a", replyEagerly("e4"));
      await stage.until("an eager answer does not wait for the disk", () =>
        stage.repliesTo("a", eager).includes("e4"),
      );
      stage.check(inOrderOnce(["e1", "e2", "e3"], stage.outputs("a")), "eager outputs keep order");
      stage.check(!stage.outputs("a").includes("held"), "the held output still waits");
      stage.check(stage.repliesTo("a", asked).length === 0, "the held answer still waits");
      stage.world.releaseDisk("a");
      await stage.until("what waited leaves", () => stage.repliesTo("a", asked).length > 0);
    },
  },
  {
    duty: "K16",
    title: "every answer goes to its own request, once, in whatever order they come",
    async play(stage) {
      const asked = Array.from({ length: 20 }, (_, i) => {
        const text = `answer ${i}`;
        const acts =
          i % 3 === 0 ? [reply(text)] : [setTimer(text, 1 + ((i * 7) % 20), [reply(text)])];
        return [text, stage.ask("a", persist(text), ...acts)] as const;
      });
      await stage.until("all are answered", () =>
        asked.every(([, id]) => stage.repliesTo("a", id).length > 0),
      );
      await stage.settle("a");
      for (const [text, id] of asked) {
        const answers = stage.repliesTo("a", id);
        stage.check(answers.length === 1 && answers[0] === text, `a request has its one answer`);
      }
    },
  },
  {
    duty: "K16",
    title: "a request is handed over once, and not to a later life",
    needs: "heldDisk",
    async play(stage) {
      await stage.settle("a");
      stage.world.holdDisk("a");
      const asked = stage.ask("a", persist("r"), reply("lost"), outputEagerly("taken"));
      await stage.until("it is handed over", () => stage.outputs("a").includes("taken"));
      await stage.world.crash("a");
      stage.world.releaseDisk("a");
      await stage.world.start("a");
      await stage.settle("a");
      await stage.while("a");
      const taken = stage.outputs("a").filter((text) => text === "taken");
      stage.check(taken.length === 1, "a request is handed over once");
      stage.check(stage.repliesTo("a", asked).length === 0, "a later life does not answer it");
    },
  },
];
