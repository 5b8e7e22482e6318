/** Cases of messages and of hints about peers (K3), and of handlers left out (K17). */

import type { Context, NodeId, Process } from "../process.ts";
import { note, outputEagerly, persist, send, sendEagerly, setTimer } from "./script.ts";
import type { Letter, ScriptWords } from "./script.ts";
import type { Scene } from "./stage.ts";

/** A process with only the handlers that every process has. It sends every letter back. */
class Echo implements Process<ScriptWords> {
  onStart(_ctx: Context<ScriptWords>): void {
    // Nothing to begin with.
  }

  onMessage(ctx: Context<ScriptWords>, from: NodeId, letter: Letter): void {
    ctx.send(from, letter);
  }
}

export const networkScenes: readonly Scene[] = [
  {
    duty: "K3",
    title: "a message to oneself arrives, in a step of its own",
    async play(stage) {
      stage.ask("a", setTimer("t", 15, [send("a", "me"), sendEagerly("a", "eager me")], 100));
      await stage.until("both arrive", () =>
        ["me", "eager me"].every((text) => stage.letters("a").includes(text)),
      );
      stage.ask("a", { type: "cancelTimer", name: "t" });
      const sent = new Set(stage.timersFired("a", "t").map(({ step }) => step));
      for (const { step, from } of stage.sights("a", "message")) {
        stage.check(from === "a", "it is from oneself");
        stage.check(!sent.has(step), "it does not arrive in the step that sends it");
      }
    },
  },
  {
    duty: "K3",
    title: "a message to a node that nobody knows is lost, and harms nothing",
    async play(stage) {
      for (const nobody of ["nobody", "", "__proto__"]) {
        stage.ask("a", send(nobody, "hello"), sendEagerly(nobody, "hello"), note("went on"));
      }
      await stage.until("the step goes on", () => stage.sights("a", "said").length === 3);
      await stage.connect("a", "b");
      await stage.settle("a");
    },
  },
  {
    duty: "K3",
    title: "messages come whole, from whom they say, in both directions",
    async play(stage) {
      const texts = ["", "plain", "é 世界 \u{1F600}", "x".repeat(5000)];
      await stage.connect("a", "b");
      await stage.connect("b", "a");
      for (const [from, to] of [
        ["a", "b"],
        ["b", "a"],
      ] as const) {
        const acts = texts.map((text, i) => send(to, `${i}${text}`, [], i * 100_000));
        stage.ask(from, setTimer("t", 15, acts, 50));
        await stage.until("all arrive", () =>
          texts.every((text, i) => stage.letters(to).includes(`${i}${text}`)),
        );
        stage.ask(from, { type: "cancelTimer", name: "t" });
        const senders = stage.sights(to, "message").map((sight) => sight.from);
        stage.check(
          senders.every((sender) => sender === from),
          "the sender is named rightly",
        );
      }
    },
  },
  {
    duty: "K3",
    title: "a peer may go and come back; hints about it may come or not",
    async play(stage) {
      await stage.connect("a", "b");
      await stage.world.crash("b");
      stage.ask("a", setTimer("t", 10, [sendEagerly("b", "there?"), persist("r")], 8));
      await stage.until(
        "sending to nobody at home goes on",
        () => stage.timersFired("a", "t").length === 8,
      );
      await stage.world.start("b");
      await stage.connect("a", "b");
      await stage.connect("b", "a");
      for (const node of ["a", "b"] as const) {
        const hints = stage.sights(node, "unreachable").map(({ peer }) => peer);
        stage.check(!hints.includes(node), "no node is told that it is unreachable itself");
        stage.check(
          hints.every((peer) => peer === "a" || peer === "b"),
          "hints are about peers",
        );
      }
    },
  },
  {
    duty: "K17",
    title: "a process without optional handlers runs",
    guest: { node: "b", create: () => new Echo() },
    async play(stage) {
      stage.world.request("b", []);
      const there = async (text: string) => {
        stage.ask("a", setTimer("t", 15, [send("b", text)], 200));
        await stage.until("an echo comes back", () => stage.letters("a").includes(text));
        stage.ask("a", { type: "cancelTimer", name: "t" });
      };
      await there("one");
      await stage.restart("a");
      await there("two");
      await stage.restart("b");
      await there("three");
      stage.ask("a", outputEagerly("done"));
      await stage.until("it goes on", () => stage.outputs("a").includes("done"));
    },
  },
];
