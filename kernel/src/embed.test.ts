import assert from "node:assert/strict";
import { test } from "node:test";

import { Embedded, type Embedding } from "./embed.ts";
import type { Context, Position, RequestId, Speaks } from "./process.ts";

type Part = Speaks<{
  Message: string;
  Timer: "tick";
  Record: string;
  Request: string;
  Response: string;
  Output: string;
  Note: string;
}>;

type Whole = Speaks<{
  Message: { readonly part: string };
  Timer: "part:tick";
  Record: { readonly part: string };
  Request: string;
  Response: string;
  Output: string;
  Note: { readonly part: string };
}>;

/** A context that writes down what it is told. */
class Recorder implements Context<Whole> {
  readonly self = "a";
  now = 7;
  readonly calls: unknown[][] = [];
  private position: Position = 0;

  send(...args: unknown[]): void {
    this.calls.push(["send", ...args]);
  }
  sendEagerly(...args: unknown[]): void {
    this.calls.push(["sendEagerly", ...args]);
  }
  persist(record: Whole["Record"]): Position {
    this.calls.push(["persist", record]);
    return ++this.position;
  }
  checkpoint(records: Iterable<Whole["Record"]>): void {
    this.calls.push(["checkpoint", [...records]]);
  }
  setTimer(...args: unknown[]): void {
    this.calls.push(["setTimer", ...args]);
  }
  cancelTimer(...args: unknown[]): void {
    this.calls.push(["cancelTimer", ...args]);
  }
  reply(...args: unknown[]): void {
    this.calls.push(["reply", ...args]);
  }
  replyEagerly(...args: unknown[]): void {
    this.calls.push(["replyEagerly", ...args]);
  }
  output(...args: unknown[]): void {
    this.calls.push(["output", ...args]);
  }
  outputEagerly(...args: unknown[]): void {
    this.calls.push(["outputEagerly", ...args]);
  }
  note(...args: unknown[]): void {
    this.calls.push(["note", ...args]);
  }
  choose(count: number): number {
    this.calls.push(["choose", count]);
    return count - 1;
  }
}

/** Hears its part, and says nothing of it to the world. */
class Listener implements Embedding<Whole, Part> {
  readonly heard: unknown[][] = [];

  message(part: string): Whole["Message"] {
    return { part };
  }
  timer(): "part:tick" {
    return "part:tick";
  }
  record(part: string): Whole["Record"] {
    return { part };
  }
  note(part: string): Whole["Note"] {
    return { part };
  }
  output(_ctx: Context<Whole>, value: string): void {
    this.heard.push(["output", value]);
  }
  reply(_ctx: Context<Whole>, id: RequestId, response: string): void {
    this.heard.push(["reply", id, response]);
  }
  checkpoint(ctx: Context<Whole>, records: Iterable<string>): void {
    ctx.checkpoint([{ part: "whole" }, ...[...records].map((part) => ({ part }))]);
  }
}

function embedded(): [Embedded<Whole, Part>, Recorder, Listener] {
  const [recorder, listener] = [new Recorder(), new Listener()];
  return [new Embedded<Whole, Part>(recorder, listener), recorder, listener];
}

test("a part's messages, timers, records and notes are wrapped in the whole's", () => {
  const [ctx, recorder] = embedded();
  ctx.send("b", "m");
  ctx.sendEagerly("b", "e");
  ctx.setTimer("tick", 5, 3);
  ctx.setTimer("tick", 5);
  ctx.cancelTimer("tick");
  ctx.note("n");
  assert.deepEqual(recorder.calls, [
    ["send", "b", { part: "m" }],
    ["sendEagerly", "b", { part: "e" }],
    ["setTimer", "part:tick", 5, 3],
    ["setTimer", "part:tick", 5, undefined],
    ["cancelTimer", "part:tick"],
    ["note", { part: "n" }],
  ]);
});

test("a part's answers and outputs reach the whole at once, however they are said (K8)", () => {
  const [ctx, recorder, listener] = embedded();
  ctx.persist("r");
  ctx.output("1");
  ctx.outputEagerly("2");
  ctx.reply(3, "3");
  ctx.replyEagerly(4, "4");
  assert.deepEqual(listener.heard, [
    ["output", "1"],
    ["output", "2"],
    ["reply", 3, "3"],
    ["reply", 4, "4"],
  ]);
  assert.deepEqual(recorder.calls, [["persist", { part: "r" }]], "the world hears none of it");
});

test("a part shares the whole's positions, time, name and dice", () => {
  const [ctx, recorder] = embedded();
  recorder.persist({ part: "of another part" });
  assert.equal(ctx.persist("r"), 2);
  assert.equal(ctx.self, "a");
  assert.equal(ctx.now, 7);
  recorder.now = 8;
  assert.equal(ctx.now, 8, "the context's time, not that of its making");
  assert.equal(ctx.choose(10), 9);
});

test("the whole completes a part's checkpoint", () => {
  const [ctx, recorder] = embedded();
  ctx.checkpoint(["r"]);
  assert.deepEqual(recorder.calls, [["checkpoint", [{ part: "whole" }, { part: "r" }]]]);
});

test("parts can be nested: each layer wraps once", () => {
  const [ctx, recorder] = embedded();
  class Inner extends Listener {
    override message(): never {
      throw new Error("not spoken here");
    }
  }
  const inner = new Embedded<Part, Part>(ctx, {
    message: (m) => `${m}!`,
    timer: (t) => t,
    record: (r) => `${r}!`,
    note: (n) => `${n}!`,
    output: (c, value) => c.output(`${value}!`),
    reply: (c, id, response) => c.reply(id, `${response}!`),
    checkpoint: (c, records) => c.checkpoint(records),
  });
  inner.send("b", "m");
  inner.persist("r");
  assert.deepEqual(recorder.calls, [
    ["send", "b", { part: "m!" }],
    ["persist", { part: "r!" }],
  ]);
  assert.throws(
    () => new Embedded<Whole, Part>(recorder, new Inner()).send("b", "m"),
    /not spoken/,
  );
});
