import assert from "node:assert/strict";
import { test } from "node:test";

import fc from "fast-check";

import { decode } from "@quorate/kernel";

import { Outbox } from "./outbox.ts";
import { batchCodec, type OwnBatch } from "./words.ts";

const BIG = 1 << 30;

function add(outbox: Outbox, id: number, size: number = 1, batchBytes: number = BIG): boolean {
  const item = { session: "", sequence: 0, command: new Uint8Array(size).fill(id) };
  return outbox.add(id, item, 100 + id, batchBytes);
}

/** An outbox with `count` batches of one command each. */
function filled(count: number): Outbox {
  const outbox = new Outbox();
  outbox.epoch = 3;
  for (let id = 1; id <= count; id++) {
    add(outbox, id);
    outbox.close("a");
  }
  return outbox;
}

function drain(outbox: Outbox, windowBytes: number = BIG): readonly number[] {
  const sent: number[] = [];
  for (;;) {
    const batch = outbox.nextToSend(windowBytes);
    if (batch === undefined) return sent;
    sent.push(batch.sequence);
  }
}

test("the commands of a turn are one batch, with the latest of their times", () => {
  const outbox = new Outbox();
  outbox.epoch = 3;
  add(outbox, 1);
  add(outbox, 2);
  outbox.close("a");
  const batch = outbox.nextToSend(BIG)!;
  assert.deepEqual(batch.ids, [1, 2]);
  const { client, epoch, sequence, acknowledged, timeMs, items } = decode(batchCodec, batch.data);
  assert.deepEqual([client, epoch, sequence, acknowledged, timeMs], ["a", 3, 1, 0, 102]);
  assert.equal(items.length, 2);
  outbox.close("a");
  assert.equal(outbox.nextToSend(BIG), undefined, "a turn without commands is no batch");
});

test("a batch that is large enough says so", () => {
  const outbox = new Outbox();
  assert.equal(add(outbox, 1, 10, 40), false);
  assert.equal(add(outbox, 2, 20, 40), true);
});

test("batches are sent in order, as far as the window goes, and one at least", () => {
  const outbox = filled(4);
  const { length } = outbox.unsettled()[0]!.data;
  assert.deepEqual(drain(outbox, 1), [1]);
  assert.deepEqual(drain(outbox, 2 * length), [2]);
  outbox.settle(1);
  assert.deepEqual(drain(outbox, 2 * length), [3]);
  outbox.settle(2);
  outbox.settle(3);
  assert.deepEqual(drain(outbox, 2 * length), [4]);
});

test("a new leader is sent everything that was not applied, from the oldest on", () => {
  const outbox = filled(4);
  drain(outbox);
  outbox.settle(1);
  outbox.rewind();
  assert.deepEqual(drain(outbox), [2, 3, 4]);
});

test("a gap is answered once, however many batches behind it report it", () => {
  const outbox = filled(4);
  drain(outbox);
  outbox.reportGap();
  assert.deepEqual(drain(outbox), [1, 2, 3, 4]);
  outbox.reportGap();
  outbox.reportGap();
  assert.deepEqual(drain(outbox), []);
  outbox.settle(1);
  outbox.reportGap();
  assert.deepEqual(drain(outbox), [2, 3, 4], "another gap is another matter");
});

test("what is stuck is sent again, but not what has just moved", () => {
  const outbox = filled(2);
  drain(outbox);
  outbox.repeatIfStuck();
  assert.deepEqual(drain(outbox), [1, 2]);
  outbox.settle(1);
  outbox.repeatIfStuck();
  assert.deepEqual(drain(outbox), []);
  outbox.repeatIfStuck();
  assert.deepEqual(drain(outbox), [2]);
});

test("a batch is settled once, with those who asked", () => {
  const outbox = filled(2);
  assert.deepEqual(outbox.settle(1)?.ids, [1]);
  assert.equal(outbox.settle(1), undefined);
  assert.deepEqual(
    outbox.unsettled().map(({ sequence }) => sequence),
    [2],
  );
});

test("a batch that was applied without having been sent here is not sent", () => {
  const outbox = filled(3);
  outbox.settle(1);
  outbox.settle(2);
  assert.deepEqual(drain(outbox), [3]);
});

test("acknowledges what was applied when a batch was closed", () => {
  const outbox = filled(1);
  outbox.settle(1);
  add(outbox, 2);
  outbox.close("a");
  assert.equal(decode(batchCodec, outbox.nextToSend(BIG)!.data).acknowledged, 1);
});

test("whatever happens, batches go out in order, the window holds, and bytes add up", () => {
  const step = fc.tuple(fc.nat(5), fc.nat(40));
  fc.assert(
    fc.property(fc.array(step, { maxLength: 60 }), fc.integer({ min: 1, max: 300 }), (steps, w) => {
      const outbox = new Outbox();
      let ids = 0;
      let applied = 0;
      let inflight: OwnBatch[] = [];
      for (const [kind, size] of steps) {
        if (kind <= 1) {
          add(outbox, ++ids % 256, size);
          outbox.close("a");
        } else if (kind === 2) {
          const batch = outbox.nextToSend(w);
          if (batch === undefined) continue;
          assert.equal(batch.sequence, (inflight.at(-1)?.sequence ?? applied) + 1, "in order");
          inflight.push(batch);
          const bytes = inflight.reduce((sum, { data }) => sum + data.length, 0);
          assert.ok(bytes <= w || inflight.length === 1, "within the window");
        } else if (kind === 3) {
          const first = outbox.unsettled()[0];
          if (first === undefined) continue;
          outbox.settle(first.sequence);
          inflight = inflight.filter(({ sequence }) => sequence !== first.sequence);
          applied = first.sequence;
        } else {
          outbox.rewind();
          inflight = [];
        }
        const bytes = outbox.unsettled().reduce((sum, { data }) => sum + data.length, 0);
        assert.equal(outbox.bytes, bytes);
        assert.equal(outbox.isEmpty, bytes === 0);
      }
    }),
    { numRuns: 300 },
  );
});
