import assert from "node:assert/strict";
import { test } from "node:test";

import fc from "fast-check";

import { Progress } from "./progress.ts";
import { ReadQueue } from "./read-queue.ts";

function replicating(match: number): Progress {
  const progress = new Progress(match + 1, 0);
  progress.agreed(match, 0);
  return progress;
}

test("a member is probed until it agrees with something", () => {
  const progress = new Progress(10, 0);
  assert.equal(progress.state, "probe");
  progress.sent(12, 30);
  assert.equal(progress.hasRoom(9, 9), false, "with one message at a time");
  assert.equal(progress.next, 10, "from the same place");
  assert.equal(progress.agreed(12, 0), true);
  assert.equal(progress.state, "replicate");
  assert.deepEqual([progress.match, progress.next], [12, 13]);
  assert.equal(progress.hasRoom(9, 9), true);
});

test("a refused probe goes back to the hint, and never to what is known to agree", () => {
  const progress = new Progress(10, 0);
  assert.equal(progress.refused(9, 4), true);
  assert.equal(progress.next, 5);
  assert.equal(progress.refused(9, 2), false, "an answer to an earlier probe is stale");
  const later = replicating(6);
  later.probeFrom(9);
  assert.equal(later.refused(8, 2), true);
  assert.equal(later.next, 7);
});

test("a refusal while replicating is stale if it is about what agrees", () => {
  const progress = replicating(6);
  progress.sent(8, 1);
  assert.equal(progress.refused(6, 3), false);
  assert.equal(progress.state, "replicate");
  assert.equal(progress.refused(8, 6), true);
  assert.equal(progress.state, "probe");
  assert.equal(progress.next, 7);
  assert.equal(progress.hasRoom(1, 1), true, "and the window begins anew");
});

test("a window closes by messages or bytes, and opens with answers, which are cumulative", () => {
  const progress = replicating(0);
  progress.sent(1, 10);
  progress.sent(2, 10);
  progress.sent(3, 10);
  assert.equal(progress.hasRoom(3, 1000), false);
  assert.equal(progress.hasRoom(4, 30), false);
  assert.equal(progress.hasRoom(4, 31), true);
  progress.agreed(2, 0);
  assert.equal(progress.hasRoom(2, 11), true);
  progress.agreed(2, 0);
  assert.equal(progress.hasRoom(1, 1000), false, "an answer twice frees nothing twice");
  progress.agreed(3, 0);
  assert.equal(progress.waiting, false);
});

test("whoever needs a snapshot waits for it: no refusal and no old answer ends that", () => {
  const progress = replicating(3);
  progress.awaitSnapshot();
  assert.equal(progress.refused(5, 3), false);
  progress.agreed(4, 10);
  assert.equal(progress.state, "snapshot");
  progress.agreed(10, 10);
  assert.deepEqual([progress.state, progress.match, progress.next], ["replicate", 10, 11]);
});

test("whatever is heard, match only grows and next stays above it", () => {
  const step = fc.tuple(fc.nat(4), fc.nat(20), fc.nat(20));
  fc.assert(
    fc.property(fc.array(step, { maxLength: 40 }), (steps) => {
      const progress = new Progress(5, 0);
      let match = 0;
      let last = 5;
      for (const [kind, a, b] of steps) {
        if (kind === 0 && progress.hasRoom(4, 100)) progress.sent((last = progress.next + a), b);
        else if (kind === 1) progress.agreed(Math.min(a, last), 0);
        else if (kind === 2) progress.refused(a, b);
        else if (kind === 3) progress.awaitSnapshot();
        else progress.probeFrom(progress.match + 1 + a);
        assert.ok(progress.match >= match);
        assert.ok(progress.next > progress.match);
        ({ match } = progress);
      }
    }),
  );
});

test("reads wait for a round that begins after they were asked", () => {
  const queue = new ReadQueue();
  assert.equal(queue.wantsRound, false);
  queue.ask(1);
  queue.ask(2);
  assert.equal(queue.wantsRound, true);
  queue.begin(5, 40);
  queue.ask(3);
  assert.equal(queue.wantsRound, false, "one round at a time");
  assert.equal(queue.confirm(4), undefined);
  assert.deepEqual(queue.confirm(5), { round: 5, index: 40, ids: [1, 2] });
  assert.equal(queue.confirm(6), undefined, "once");
  assert.equal(queue.wantsRound, true);
});

test("a later round confirms an earlier one", () => {
  const queue = new ReadQueue();
  queue.ask(1);
  queue.begin(5, 40);
  assert.deepEqual(queue.confirm(9)?.ids, [1]);
});

test("abandoned reads are everyone who waits, and then nobody", () => {
  const queue = new ReadQueue();
  queue.ask(1);
  queue.begin(5, 40);
  queue.ask(2);
  assert.deepEqual(queue.abandon(), [1, 2]);
  assert.deepEqual(queue.abandon(), []);
  assert.equal(queue.confirm(9), undefined);
});

test("§4.2.1: a learner has caught up when its last round was short", () => {
  const learner = new Progress(101, 0);
  learner.agreed(50, 0);
  learner.measure(150, 1000);
  assert.ok(!learner.isCaughtUp(1000, 500), "the first round is not over");
  learner.agreed(100, 0);
  learner.measure(160, 3000);
  assert.ok(!learner.isCaughtUp(3000, 500), "it took too long");
  learner.agreed(160, 0);
  learner.measure(170, 3300);
  assert.ok(learner.isCaughtUp(3300, 500), "the second took 300 ms");
  assert.ok(!learner.isCaughtUp(3900, 500), "the third takes too long");
  learner.agreed(170, 0);
  learner.measure(170, 9000);
  assert.ok(learner.isCaughtUp(9000, 500), "with everything there is it has caught up");
  learner.beginPeriod();
  learner.beginPeriod();
  assert.ok(!learner.isCaughtUp(9000, 500), "but not if it does not answer");
});

test("R36: what a member has lost it does not have", () => {
  const member = replicating(10);
  member.lost(7);
  assert.deepEqual([member.match, member.next, member.state], [6, 7, "probe"]);
  member.lost(20);
  assert.equal(member.match, 6, "an old word takes nothing");
});
