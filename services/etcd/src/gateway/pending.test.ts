import assert from "node:assert/strict";
import { test } from "node:test";

import { FakeClock } from "./fake-clock.test.ts";
import { PendingCalls, type WaitingCall } from "./pending.ts";

class FakeCall implements WaitingCall {
  ending: string | undefined;

  get done(): boolean {
    return this.ending !== undefined;
  }

  finish(code: number, message = ""): void {
    this.ending ??= `${code} ${message}`;
  }
}

const TIMED_OUT = "14 etcdserver: request timed out";

test("a call waits at least the timeout and at most a third longer", () => {
  for (let offset = 0; offset < 400; offset += 7) {
    const clock = new FakeClock();
    const pending = new PendingCalls(900, clock);
    const call = new FakeCall();
    clock.pass(offset);
    pending.add(call);
    clock.pass(899);
    assert.equal(call.ending, undefined);
    clock.pass(302);
    assert.equal(call.ending, TIMED_OUT);
    assert.equal(pending.size, 0);
  }
});

test("a call that was answered is not given up", () => {
  const clock = new FakeClock();
  const pending = new PendingCalls(900, clock);
  const call = new FakeCall();
  pending.add(call);
  clock.pass(700);
  assert.equal(pending.settle(call), true);
  assert.equal(pending.size, 0);
  clock.pass(5000);
  assert.equal(call.ending, undefined);
});

test("an answer that comes too late, or to a call that has ended, is not wanted", () => {
  const clock = new FakeClock();
  const pending = new PendingCalls(900, clock);
  const late = new FakeCall();
  const cancelled = new FakeCall();
  pending.add(late);
  pending.add(cancelled);
  cancelled.finish(1, "");
  assert.equal(pending.settle(cancelled), false);
  clock.pass(1200);
  assert.equal(pending.settle(late), false);
});

test("closing ends all that waits and stops the clock", () => {
  const clock = new FakeClock();
  const pending = new PendingCalls(900, clock);
  const calls = [new FakeCall(), new FakeCall(), new FakeCall()];
  for (const call of calls) {
    pending.add(call);
    clock.pass(300);
  }
  pending.close("etcdserver: server stopped");
  for (const call of calls) assert.equal(call.ending, "14 etcdserver: server stopped");
  assert.equal(pending.size, 0);
  assert.equal(clock.running, 0);
});
