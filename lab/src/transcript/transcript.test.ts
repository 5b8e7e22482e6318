import assert from "node:assert/strict";
import { test } from "node:test";

import {
  type Context,
  invariant,
  type NodeId,
  type Process,
  type RequestId,
  type Speaks,
} from "@quorate/kernel";

import type { Language } from "./language.ts";
import { replay, ScriptError } from "./replay.ts";

type Words = Speaks<{
  Message: string;
  Timer: "tick";
  Record: string;
  Request: string;
  Response: string;
  Output: string;
  Note: string;
}>;

/** Says what it is asked to, in every form there is. */
class Parrot implements Process<Words> {
  heard: string[] = [];
  gathered: string[] = [];

  recover(record: string): void {
    this.heard.push(record);
  }

  onStart(ctx: Context<Words>): void {
    ctx.setTimer("tick", 100, 50);
  }

  onMessage(ctx: Context<Words>, from: NodeId, message: string): void {
    invariant(message !== "poison", "P1: nobody says poison");
    this.heard.push(message);
    ctx.note(`${from} said ${message}`);
  }

  onTimer(ctx: Context<Words>): void {
    ctx.output(`now ${ctx.now}, chose ${ctx.choose(3)}`);
  }

  onRequest(ctx: Context<Words>, id: RequestId, request: string): void {
    if (request === "compact") return ctx.checkpoint(["all"]);
    if (request === "gather") return void this.gathered.push(request);
    ctx.sendEagerly("b", `hint of ${request}`);
    ctx.persist(request);
    ctx.send("b", request);
    ctx.send("c", request);
    ctx.reply(id, "done");
    ctx.replyEagerly(id + 100, "soon");
  }

  onDurable(ctx: Context<Words>, position: number): void {
    ctx.note(`durable ${position}`);
  }

  onIdle(ctx: Context<Words>): void {
    if (this.gathered.length > 0) ctx.outputEagerly(`gathered ${this.gathered.length}`);
    this.gathered = [];
  }

  onUnreachable(ctx: Context<Words>, peer: NodeId): void {
    ctx.note(`${peer} is gone`);
  }
}

const itself = (text: string) => text;

const language: Language<Words, Parrot> = {
  create: () => new Parrot(),
  request: (words) => words.join(" "),
  kind: (message) => message.split(" ")[0]!,
  message: itself,
  record: itself,
  response: itself,
  output: itself,
  note: itself,
  state: ({ heard }) => `heard [${heard.join(", ")}]`,
  check: (nodes) =>
    nodes.some(([, { heard }]) => heard.includes("lie")) ? "P2: nobody hears lies" : undefined,
};

/** The trace of the script's last command. */
function last(...commands: readonly string[]): string {
  const script = ["cluster a b c", ...commands].join("\n");
  const { text } = replay(script, language);
  return text.slice(text.lastIndexOf(commands.at(-1)!) + commands.at(-1)!.length + 1);
}

test("a disk that keeps up releases what waited for it at the end of the step", () => {
  const trace = [
    "  a is asked 1: x",
    "    ~> b: hint of x",
    "    disk x",
    "    reply~ 101: soon",
    "    -> b c: x",
    "    reply 1: done",
    "    note durable 1",
  ];
  assert.equal(last("ask a x"), trace.join("\n"));
});

test("a disk that is held back shows what waits for it, and releases it when told", () => {
  assert.match(last("hold a", "ask a x"), /waits -> b c: x\n {4}waits reply 1: done/);
  assert.match(last("hold a", "ask a x", "sync a"), /a syncs\n {4}-> b c: x\n {4}reply 1: done/);
  assert.match(last("hold a", "ask a x", "release a"), /reply 1: done/);
  assert.match(last("hold a", "ask a x", "ask a y", "sync a 1"), /-> b c: x(?!.*: y)/s);
});

test("a crash takes back what the disk had not finished", () => {
  const trace = last("ask a x", "hold a", "ask a y", "crash a");
  assert.match(trace, /loses y\n {4}never says -> b: y\n {4}never says -> c: y/);
  assert.match(
    last("ask a x", "hold a", "ask a y", "restart a"),
    /a starts\n {4}reads x\n(?!.*y)/s,
  );
  assert.doesNotMatch(last("ask a x", "crash a", "wipe a", "start a"), /reads/);
});

test("a checkpoint takes the place of the records before it, unless it is lost", () => {
  assert.match(last("ask a x", "ask a compact", "restart a"), /reads all\n(?!.*reads)/s);
  assert.match(last("ask a x", "checkpoints a lost", "ask a compact", "restart a"), /reads x/);
});

test("messages are chosen by sender, receiver, kind and number", () => {
  const sent = ["ask a x", "ask a y"];
  assert.match(last(...sent, "deliver a>c", "show c"), /heard \[x, y\]/);
  assert.match(last(...sent, "deliver a>b hint last", "show b"), /heard \[hint of y\]/);
  assert.match(last(...sent, "deliver a>b 2", "show b"), /heard \[x\]/);
  assert.match(last(...sent, "drop a>b hint", "settle", "show b"), /heard \[x, y\]/);
  assert.match(last(...sent, "duplicate a>c x", "settle", "show c"), /heard \[x, y, x\]/);
  const late = ["delay a>c x", "settle", "deliver late a>c", "show c"];
  assert.match(last(...sent, ...late), /heard \[y, x\]/);
});

test("what is sent over a cut link is lost until the link is healed", () => {
  assert.match(last("cut a c", "ask a x"), /-> c: x \(lost\)/);
  assert.match(last("cut a c", "ask a x", "heal", "ask a y", "settle", "show c"), /heard \[y\]/);
  assert.match(last("ask a x", "crash c", "deliver a>c"), /c is down for a: x/);
});

test("a timer moves its node's clock on to when it is due, and not back", () => {
  assert.match(last("fire a tick"), /a at 100: tick timer\n {4}choose 0 of 3\n {4}out now 100/);
  assert.match(last("advance * 300", "choose a 2", "fire a tick"), /out now 300, chose 2/);
});

test("a busy node gathers inputs until it is idle", () => {
  const trace = last("busy a", "ask a gather", "ask a gather", "idle a");
  assert.equal(trace, "  a is idle\n    out~ gathered 2");
});

test("a node whose invariant breaks stops, and the script must have said so", () => {
  const poison = ["cluster a b c", "ask a poison"];
  const unasked = replay([...poison, "deliver a>b poison"].join("\n"), language);
  assert.deepEqual(unasked.alarms, ["b stops: P1: nobody says poison"]);
  const asked = replay([...poison, "fatally deliver a>b poison", "show b"].join("\n"), language);
  assert.deepEqual(asked.alarms, []);
  assert.match(asked.text, /b: down/);
  assert.throws(() => replay("cluster a\nfatally show a", language), /line 2: no node stopped/);
});

test("a broken promise shows even where nothing else is printed", () => {
  const lie = "cluster a b c\nask a lie\nquietly deliver a>c lie";
  const { text, alarms } = replay(lie, language);
  assert.deepEqual(alarms, ["P2: nobody hears lies"]);
  assert.match(text, /!! P2: nobody hears lies/);
});

test("replaying keeps prose and commands and writes the trace anew", () => {
  const script = "# Prose.\n\ncluster a\n  stale\n# More.\nquietly fire a tick\nunreachable a b\n";
  const { text } = replay(script, language);
  const trace = "  a starts\n    timer tick in 100..150";
  const told = "  a is told that b is unreachable\n    note b is gone";
  const rest = `# More.\nquietly fire a tick\nunreachable a b\n${told}\n`;
  assert.equal(text, `# Prose.\n\ncluster a\n${trace}\n${rest}`);
  assert.equal(replay(text, language).text, text);
});

test("a line that makes no sense is refused by its number", () => {
  const wrong = [
    ["dance a", /there is no command dance/],
    ["start a", /a is up already/],
    ["fire a tock", /a waits for tick, not for tock/],
    ["deliver a>b", /no message is a>b/],
    ["sync a", /nothing of a waits/],
    ["advance a soon", /soon is not a number/],
    ["show z", /there is no node z/],
  ] as const;
  for (const [line, why] of wrong) {
    assert.throws(
      () => replay(`cluster a b\n\n${line}`, language),
      (error) => error instanceof ScriptError && error.line === 3 && why.test(error.message),
    );
  }
});
