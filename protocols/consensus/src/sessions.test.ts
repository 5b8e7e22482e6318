import assert from "node:assert/strict";
import { test } from "node:test";

import fc from "fast-check";

import { MalformedInput, Reader, uint, Writer } from "@quorate/kernel";

import { Sessions } from "./sessions.ts";

function copyOf(sessions: Sessions<number>, capacity: number): Sessions<number> {
  const writer = new Writer();
  sessions.write(writer, uint);
  const copy = new Sessions<number>(capacity);
  copy.read(new Reader(writer.finish()), uint);
  return copy;
}

test("batches of a session are executed in order, each once", () => {
  const sessions = new Sessions<number>(10);
  sessions.open("s", 3);
  assert.deepEqual(sessions.admit("s", 3, 2), { type: "early" });
  assert.deepEqual(sessions.admit("s", 3, 1), { type: "next" });
  sessions.record("s", 1, 0, [7]);
  assert.deepEqual(sessions.admit("s", 3, 1), { type: "repeated", results: [7] });
  assert.deepEqual(sessions.admit("s", 3, 2), { type: "next" });
});

test("another life of a client, or one that was forgotten, is outlived", () => {
  const sessions = new Sessions<number>(10);
  sessions.open("s", 3);
  for (const epoch of [2, 4]) assert.equal(sessions.admit("s", epoch, 1).type, "outlived");
  assert.equal(sessions.admit("t", 3, 1).type, "outlived");
  assert.deepEqual([sessions.epochOf("s"), sessions.epochOf("t")], [3, -1]);
});

test("a result is kept until its client has acknowledged it", () => {
  const sessions = new Sessions<number>(10);
  sessions.open("s", 0);
  for (const sequence of [1, 2, 3]) sessions.record("s", sequence, sequence - 2, [sequence]);
  assert.deepEqual(sessions.admit("s", 0, 1), { type: "repeated", results: undefined });
  assert.deepEqual(sessions.admit("s", 0, 2), { type: "repeated", results: [2] });
  sessions.record("s", 4, 99, [4]);
  assert.deepEqual(sessions.admit("s", 0, 4), { type: "repeated", results: undefined });
});

interface Slow {
  name: string;
  epoch: number;
  done: { readonly sequence: number; readonly result: number; acknowledged: boolean }[];
}

/** The same, without caring for speed: a list of sessions, the least recently used first. */
class SlowSessions {
  list: Slow[] = [];
  readonly capacity: number;

  constructor(capacity: number) {
    this.capacity = capacity;
  }

  open(name: string, epoch: number): void {
    this.list = this.list.filter((one) => one.name !== name);
    this.list.push({ name, epoch, done: [] });
    this.list = this.list.slice(-this.capacity);
  }

  admit(name: string, epoch: number, sequence: number): unknown {
    const session = this.list.find((one) => one.name === name && one.epoch === epoch);
    if (session === undefined) return { type: "outlived" };
    const found = session.done.find((one) => one.sequence === sequence);
    if (found !== undefined) {
      return { type: "repeated", results: found.acknowledged ? undefined : [found.result] };
    }
    return { type: session.done.length + 1 === sequence ? "next" : "early" };
  }

  record(name: string, sequence: number, acknowledged: number, result: number): void {
    const session = this.list.find((one) => one.name === name)!;
    session.done.push({ sequence, result, acknowledged: false });
    for (const one of session.done) if (one.sequence <= acknowledged) one.acknowledged = true;
    this.list = [...this.list.filter((one) => one !== session), session];
  }
}

test("whatever comes in whatever order, sessions are what a slow list of them would be", () => {
  const name = fc.constantFrom("p", "q", "r", "s");
  const step = fc.tuple(fc.nat(3), name, fc.nat(2), fc.integer({ min: 1, max: 6 }), fc.nat(7));
  fc.assert(
    fc.property(fc.array(step, { maxLength: 60 }), fc.nat(2), (steps, more) => {
      const slow = new SlowSessions(more + 1);
      let sessions = new Sessions<number>(more + 1);
      let results = 0;
      for (const [kind, who, epoch, sequence, acknowledged] of steps) {
        if (kind === 0) {
          sessions.open(who, epoch);
          slow.open(who, epoch);
        } else if (kind === 3) {
          sessions = copyOf(sessions, more + 1);
        } else {
          const admission = sessions.admit(who, epoch, sequence);
          assert.deepEqual(admission, slow.admit(who, epoch, sequence));
          if (admission.type !== "next") continue;
          sessions.record(who, sequence, acknowledged, [++results]);
          slow.record(who, sequence, acknowledged, results);
        }
        assert.equal(sessions.size, slow.list.length);
        for (const one of slow.list) assert.equal(sessions.epochOf(one.name), one.epoch);
      }
    }),
    { numRuns: 300 },
  );
});

test("two replicas that read the same image forget the same sessions afterwards", () => {
  const sessions = new Sessions<number>(2);
  sessions.open("p", 0);
  sessions.open("q", 0);
  sessions.record("p", 1, 0, [1]);
  const copy = copyOf(sessions, 2);
  for (const one of [sessions, copy]) one.open("r", 0);
  assert.deepEqual([sessions.has("p"), sessions.has("q")], [true, false]);
  assert.deepEqual([copy.has("p"), copy.has("q")], [true, false]);
});

test("an image with more sessions than are remembered is refused", () => {
  const sessions = new Sessions<number>(3);
  for (const name of ["p", "q", "r"]) sessions.open(name, 0);
  assert.throws(() => copyOf(sessions, 2), MalformedInput);
});

test("an image that was cut changes nothing", () => {
  const sessions = new Sessions<number>(3);
  sessions.open("p", 5);
  sessions.record("p", 1, 0, [1, 2]);
  const writer = new Writer();
  sessions.write(writer, uint);
  const image = writer.finish();
  const target = new Sessions<number>(3);
  target.open("q", 1);
  for (let length = 0; length < image.length; length++) {
    assert.throws(() => target.read(new Reader(image.slice(0, length)), uint), MalformedInput);
  }
  assert.deepEqual([target.size, target.epochOf("q")], [1, 1]);
});
