import assert from "node:assert/strict";
import { test } from "node:test";

import { Reads } from "./reads.ts";
import type { PlainMessage } from "./words.ts";

type ReadAt = Extract<PlainMessage, { type: "readAt" }>;

class Answers {
  readonly sent: (readonly [to: string, message: ReadAt])[] = [];

  sendEagerly(to: string, message: ReadAt): void {
    this.sent.push([to, message]);
  }
}

test("a leader's reads of one level are one question to its log", () => {
  const reads = new Reads();
  reads.ask(1, "linearizable");
  reads.ask(2, "lease");
  reads.ask(3, "linearizable");
  assert.equal(reads.wantsRound(true), true);
  assert.deepEqual([reads.hasAsked("lease"), reads.hasAsked("linearizable")], [true, true]);
  reads.begin(10, "lease");
  reads.begin(11, "linearizable");
  assert.equal(reads.wantsRound(true), false);
  reads.readable(new Answers(), 11, 5);
  assert.deepEqual(reads.takeReadable(5), [1, 3]);
  assert.equal(reads.size, 1);
});

test("a read is released when the machine has seen its index, and not before", () => {
  const reads = new Reads();
  reads.ask(1, "linearizable");
  reads.begin(10, "linearizable");
  reads.readable(new Answers(), 10, 5);
  assert.deepEqual(reads.takeReadable(4), []);
  assert.deepEqual(reads.takeReadable(6), [1]);
  assert.deepEqual(reads.takeReadable(7), [], "once");
  assert.equal(reads.size, 0);
});

test("other replicas' questions join the leader's round and are answered by their own numbers", () => {
  const reads = new Reads();
  reads.askFor({ peer: "b", epoch: 2, round: 7 });
  reads.askFor({ peer: "c", epoch: 1, round: 9 });
  assert.equal(reads.isFull, false);
  assert.equal(reads.wantsRound(false), false, "a follower has no round for them");
  assert.equal(reads.wantsRound(true), true);
  reads.begin(10, "linearizable");
  const answers = new Answers();
  reads.readable(answers, 10, 5);
  reads.readable(answers, 10, 5);
  assert.deepEqual(answers.sent, [
    ["b", { type: "readAt", epoch: 2, round: 7, index: 5 }],
    ["c", { type: "readAt", epoch: 1, round: 9, index: 5 }],
  ]);
});

test("a lease read waits for nobody's question: other replicas join linearizable rounds only", () => {
  const reads = new Reads();
  reads.ask(1, "lease");
  reads.askFor({ peer: "b", epoch: 1, round: 1 });
  reads.begin(10, "lease");
  const answers = new Answers();
  reads.readable(answers, 10, 5);
  assert.deepEqual(answers.sent, []);
});

test("a follower's reads of a turn are one question to the leader, whatever their level", () => {
  const reads = new Reads();
  reads.ask(1, "linearizable");
  reads.ask(2, "lease");
  assert.equal(reads.beginRound(), 1);
  assert.equal(reads.wantsRound(false), false);
  reads.answered(1, 5);
  reads.answered(1, 9);
  assert.deepEqual(reads.takeReadable(5), [2, 1]);
});

test("scenario R2: an answer confirms its own round and no other", () => {
  const reads = new Reads();
  reads.ask(1, "linearizable");
  reads.beginRound();
  reads.repeat();
  assert.equal(reads.beginRound(), 2);
  reads.answered(1, 5);
  assert.deepEqual(
    reads.takeReadable(100),
    [],
    "the first question may have been answered long ago",
  );
  reads.answered(2, 5);
  assert.deepEqual(reads.takeReadable(5), [1]);
});

test("what the log refuses is asked again, as linearizable", () => {
  const reads = new Reads();
  reads.ask(1, "lease");
  reads.begin(10, "lease");
  reads.refused(10);
  reads.refused(10);
  assert.equal(reads.hasAsked("lease"), false);
  assert.equal(reads.hasAsked("linearizable"), true);
  assert.equal(reads.size, 1);
});

test("questions that may be lost are asked again, but not those of a moment ago", () => {
  const reads = new Reads();
  reads.ask(1, "linearizable");
  reads.beginRound();
  reads.repeatIfStuck();
  assert.equal(reads.wantsRound(false), false);
  reads.ask(2, "linearizable");
  reads.beginRound();
  reads.repeatIfStuck();
  assert.equal(reads.wantsRound(false), true);
  assert.equal(reads.beginRound(), 3);
  reads.answered(3, 1);
  assert.deepEqual(reads.takeReadable(1), [1]);
});
