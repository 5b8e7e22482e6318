import assert from "node:assert/strict";
import { test } from "node:test";

import { maximum } from "../example/maximum-subject.ts";
import { play } from "../run/play.ts";
import { decodeRun } from "../run/run.ts";
import type { Subject } from "../subject.ts";
import { plainText } from "../words.ts";
import { traceText } from "./text.ts";
import { Tracer } from "./trace.ts";

const subject: Subject = maximum;

function traced(run: string): Tracer {
  const tracer = new Tracer(subject.words);
  play(subject, decodeRun(run, subject), { spectator: tracer });
  return tracer;
}

// n1 is asked to raise a number, answers too early, and crashes before its disk has it.
const RUN =
  "maximum@1,nodes=2,bug=answers-before-durable,until=70," +
  "do=10.ask.n1.3~12.crash.n1~20.start.n1~write.n1.0.5~30.partition.out.n2~message.n1.n2.0.lost";

test("a trace reads like a story", () => {
  assert.equal(
    traceText(traced(RUN).finish(), ["n1", "n2"]),
    `       0  *   n1 starts
                = knows 0
       0  |*  n2 starts
                = knows 0
      10  *|  n1 is asked: raise value=3
                disk: value=3
                notes raised value=3
                answers: 3
                = knows 3
      12  !|  -- crash n1
      12  x|  n1 is down
      20  !|  -- start n1
      20  *|  n1 starts
                = knows 0
`,
  );
});

test("every step names the step that led to it", () => {
  const tracer = traced("maximum@1,nodes=2,seed=3,scenario=calm,until=300");
  const events = tracer.finish();
  const byStep = new Map(events.map((event) => [event.step, event]));
  const messages = events.filter(({ kind }) => kind === "message");
  assert.ok(messages.length > 3);
  for (const { node, from, text, cause } of messages) {
    const sender = byStep.get(cause!)!;
    assert.equal(sender.node, from);
    const sent = sender.effects.some(
      (effect) => effect.type === "send" && effect.to === node && effect.text === text,
    );
    assert.ok(sent, `step ${cause} sent ${text} to ${node}`);
  }
});

test("the same words to several receivers are one line, and what is lost says so", () => {
  const effects = [
    { type: "send", to: "b", text: "hello", eager: true, delays: [1] },
    { type: "send", to: "c", text: "hello", eager: true, delays: [] },
    { type: "send", to: "d", text: "hello", eager: true, delays: [1, 5] },
    { type: "send", to: "d", text: "hello", eager: false, delays: [1] },
  ] as const;
  const event = { step: 1, atMs: 7, node: "a", kind: "timer", text: "tick", effects } as const;
  assert.equal(
    traceText([event], ["a"]),
    "       7  *  a: tick timer\n               ~> b c(lost) d(twice): hello\n               -> d: hello\n",
  );
});

test("plain data reads as words", () => {
  const data = new TextEncoder().encode("x=1");
  assert.equal(plainText({ type: "put", data, note: undefined }), "put data=x=1");
  assert.equal(plainText({ type: "set", of: new Map([["a", [1, 2]]]) }), "set of={a:[1 2]}");
  assert.equal(plainText(Array.from({ length: 10 }, (_, i) => i)), "[0 1 2 3 4 5 6 7 and 2 more]");
  assert.equal(plainText({ bytes: new Uint8Array([1, 2]) }), "bytes=2 bytes");
});

test("a trace that would not fit into memory is an error that says where to end the run", () => {
  const run = decodeRun("maximum@1,nodes=2,seed=3,scenario=calm", subject);
  const tracer = new Tracer(subject.words, 100);
  assert.throws(
    () => play(subject, run, { spectator: tracer }),
    /a trace of more than 100 events, at \d+ ms; end the run before, with until=\d+/,
  );
});
