import assert from "node:assert/strict";
import { test } from "node:test";

import fc from "fast-check";

import { SimulatedDisk } from "./simulated-disk.ts";
import { crashAt, dice, Model, open, play, type Step } from "./wal-harness.test.ts";

const group = fc.integer({ min: 0, max: 3 });
const step: fc.Arbitrary<Step> = fc.oneof(
  {
    weight: 8,
    arbitrary: fc
      .tuple(group, fc.oneof(fc.integer({ min: 4, max: 90 }), fc.integer({ min: 90, max: 1500 })))
      .map(([group, bytes]): Step => ({ type: "append", group, bytes })),
  },
  { weight: 4, arbitrary: fc.constant<Step>({ type: "flush" }) },
  {
    weight: 4,
    arbitrary: fc.integer({ min: 1, max: 15 }).map((count): Step => ({ type: "turns", count })),
  },
  {
    weight: 2,
    arbitrary: fc
      .tuple(group, fc.boolean())
      .map(([group, compact]): Step => ({ type: "checkpoint", group, compact })),
  },
  { weight: 1, arbitrary: fc.constant<Step>({ type: "idle" }) },
);

async function session(disk: SimulatedDisk, model: Model, steps: readonly Step[]): Promise<void> {
  const opened = await open(disk, model);
  model.accept(opened.recovered);
  assert.deepEqual(model.lost, [], "what a crash tears is cut, not taken for damage");
  await play(opened, model, steps, disk);
  await opened.wal.close();
  assert.deepEqual(opened.failures, []);
}

/** Crashes once at operation `at`, perhaps again while recovering, and then lives on. */
async function crashAndRecover(steps: readonly Step[], at: number, seed: number): Promise<void> {
  const random = dice(seed + at);
  const model = new Model(true);
  let disk = new SimulatedDisk(random);
  if ((await crashAt(disk, at, () => session(disk, model, steps))) === "done") return;
  disk = disk.restart(random() < 0.7);
  const again = disk;
  if (random() < 0.5) {
    const later = steps.slice(0, Math.floor(random() * steps.length));
    const second = Math.floor(random() * 40);
    await crashAt(again, second, () => session(again, model, later));
    disk = again.restart(random() < 0.7);
  }
  await session(disk, model, steps.slice(0, 12));
  disk = disk.restart(true);
  const { wal, recovered } = await open(disk, model);
  model.accept(recovered, true);
  assert.deepEqual(model.lost, []);
  await wal.close();
}

test("a crash at any operation leaves a prefix with all that was durable, and the log goes on from there", async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.array(step, { minLength: 5, maxLength: 40 }),
      fc.integer(),
      async (steps, seed) => {
        const disk = new SimulatedDisk(dice(seed));
        await session(disk, new Model(true), steps);
        const crashes = Array.from({ length: disk.operations }, (_, at) => at);
        for (const at of crashes) await crashAndRecover(steps, at, seed);
      },
    ),
    { numRuns: 20, includeErrorInReport: true },
  );
});

test("a crash at any operation of rolling, checkpointing and deleting loses nothing", async () => {
  const steps: Step[] = [];
  for (let round = 0; round < 24; round++) {
    const group = round % 8 === 0 ? 1 : 0;
    steps.push({ type: "append", group, bytes: 300 + ((round * 97) % 400) }, { type: "flush" });
    steps.push({ type: "turns", count: 3 });
    if (round === 11) steps.push({ type: "checkpoint", group: 0, compact: true });
    if (round === 17) steps.push({ type: "checkpoint", group: 1, compact: false });
  }
  steps.push({ type: "checkpoint", group: 0, compact: false }, { type: "turns", count: 60 });
  for (let seed = 0; seed < 4; seed++) {
    const disk = new SimulatedDisk(dice(seed));
    await session(disk, new Model(true), steps);
    for (let at = 0; at < disk.operations; at++) await crashAndRecover(steps, at, seed);
  }
});
