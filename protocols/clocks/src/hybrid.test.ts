import assert from "node:assert/strict";
import { test } from "node:test";

import fc from "fast-check";

import { decode, encode } from "@quorate/kernel";

import {
  ceilingCodec,
  type CeilingRecord,
  compareHybrid,
  COUNTS,
  HybridClock,
  hybridCodec,
  type HybridStamp,
  noDisk,
} from "./hybrid.ts";

const OPTIONS = { maxAheadMs: 100, reserveMs: 50 };

/** A disk that remembers. */
class Memory {
  readonly records: CeilingRecord[] = [];

  persist(record: CeilingRecord): void {
    this.records.push(record);
  }
}

test("stamps follow the wall clock, and count while it stands still or goes back", () => {
  const clock = new HybridClock("a", OPTIONS);
  const stamps = [10, 10, 7, 11].map((ms) => clock.tick(ms, noDisk));
  assert.deepEqual(
    stamps.map(({ ms, count }) => [ms, count]),
    [
      [10, 0],
      [10, 1],
      [10, 2],
      [11, 0],
    ],
  );
});

test("a clock set back over a restart makes no stamp again (C06)", () => {
  fc.assert(
    fc.property(fc.array(fc.array(fc.nat(300), { maxLength: 20 }), { maxLength: 5 }), (lives) => {
      const disk = new Memory();
      let last: HybridStamp = { ms: -1, count: 0, actor: "a" };
      for (const life of lives) {
        const clock = new HybridClock("a", OPTIONS);
        for (const record of disk.records) clock.recover(record);
        for (const wallMs of life) {
          const stamp = clock.tick(wallMs, disk);
          assert.ok(compareHybrid(last, stamp) < 0);
          assert.ok(stamp.ms < disk.records.at(-1)!.ms, "covered by a record made before");
          last = stamp;
        }
      }
    }),
  );
});

test("a record is made once in a reserve, not for each stamp", () => {
  const disk = new Memory();
  const clock = new HybridClock("a", OPTIONS);
  for (let ms = 0; ms < 200; ms++) clock.tick(ms, disk);
  assert.equal(disk.records.length, 4);
});

test("a stamp too far ahead is refused and changes nothing (C07)", () => {
  const clock = new HybridClock("a", OPTIONS);
  clock.tick(1_000, noDisk);
  const poison = { ms: 1_101, count: 0, actor: "b" };
  assert.throws(() => clock.receive(poison, 1_000, noDisk), { code: "ahead" });
  assert.deepEqual([clock.ms, clock.count], [1_000, 0]);
  assert.equal(clock.receive({ ...poison, ms: 1_100 }, 1_000, noDisk).ms, 1_100);
});

test("a count that would overflow moves the time instead (C08)", () => {
  const clock = new HybridClock("a", OPTIONS);
  const full = { ms: 5, count: COUNTS - 1, actor: "b" };
  const stamp = clock.receive(full, 5, noDisk);
  assert.deepEqual(stamp, { ms: 6, count: 0, actor: "a" });
  assert.ok(compareHybrid(full, stamp) < 0);
});

test("the time stops at 2^53 - 1 and the clock is as it was", () => {
  const clock = new HybridClock("a", { maxAheadMs: Number.MAX_SAFE_INTEGER, reserveMs: 1 });
  const last = { ms: Number.MAX_SAFE_INTEGER, count: 0, actor: "b" };
  assert.throws(() => clock.receive(last, 0, noDisk), { code: "overflow" });
  assert.equal(clock.ms, 0);
});

test("binary forms give stamps and records back", () => {
  const stamp = { ms: 1_764_000_000_000, count: 7, actor: "a" };
  assert.deepEqual(decode(hybridCodec, encode(hybridCodec, stamp)), stamp);
  const record: CeilingRecord = { type: "ceiling", ms: 12 };
  assert.deepEqual(decode(ceilingCodec, encode(ceilingCodec, record)), record);
  assert.throws(() => decode(hybridCodec, encode(hybridCodec, { ...stamp, count: COUNTS })));
});
