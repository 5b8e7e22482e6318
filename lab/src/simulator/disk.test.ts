import assert from "node:assert/strict";
import { test } from "node:test";

import { Disk } from "./disk.ts";

/** A record tells of the places from one number to before another; 0 to 0 cannot be done without. */
type Told = readonly [from: number, to: number, lost?: true];

function disk(...records: readonly Told[]): Disk<Told> {
  const made = new Disk<Told>(([from, to, lost]) =>
    to === 0 || lost ? undefined : { record: [from, to, true], from, to },
  );
  for (const record of records) made.append(record);
  return made;
}

test("a region that is lost takes the records that lie in it wholly, and no others", () => {
  const made = disk([0, 0], [1, 8], [6, 10], [8, 9], [9, 16]);
  made.durable = made.persisted;
  assert.deepEqual(made.regions, [0, 1]);
  made.corrupt(1);
  const left = [
    [0, 0],
    [1, 8],
    [6, 10],
    [8, 9, true],
    [9, 16, true],
  ];
  assert.deepEqual([...made.recovery()], left);
  assert.deepEqual(made.regions, [0]);
});

test("what is on its way to the disk is not lost with what is there", () => {
  const made = disk([1, 2], [2, 3]);
  made.durable = 1;
  made.corrupt(0);
  assert.deepEqual(made.records, [
    [1, 2, true],
    [2, 3],
  ]);
});

test("checkpoints lose records as logs do", () => {
  const made = disk([1, 2], [2, 3], [3, 4]);
  made.durable = made.persisted;
  made.replace([[1, 4]], 2);
  made.corrupt(0);
  assert.deepEqual(
    [...made.recovery()],
    [
      [1, 4, true],
      [3, 4, true],
    ],
  );
});
