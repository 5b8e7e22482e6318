import assert from "node:assert/strict";
import { test } from "node:test";

import fc from "fast-check";

import { CheckpointEncoder } from "./checkpoint-file.ts";
import { StorageError } from "./errors.ts";
import { CONTROL_GROUP, FrameCursor, frameBytes, MARK, RECORD, writeFrame } from "./frame.ts";
import { encodeHeader, HEADER_BYTES } from "./layout.ts";
import { SimulatedDisk } from "./simulated-disk.ts";
import { dice, DIRECTORY, fault, Model, open, settle, turns } from "./wal-harness.test.ts";

const SEGMENT_1 = `${DIRECTORY}/segment-0000000000000001.wal`;

/** A log of several segments and two checkpoints, closed. */
async function written(
  close: boolean,
  standIns = false,
): Promise<{ disk: SimulatedDisk; model: Model }> {
  const disk = new SimulatedDisk(dice(3));
  const model = new Model(standIns);
  const { wal } = await open(disk, model);
  for (let round = 0; round < 45; round++) {
    model.append(wal, round % 3, 20 + ((round * 53) % 180));
    await settle(wal);
    if (round === 20) wal.checkpoint(1, [...model.checkpoint(1, false)]);
    if (round === 30) wal.checkpoint(2, [...model.checkpoint(2, true)]);
  }
  await turns(60);
  if (close) await wal.close();
  return { disk: disk.restart(true), model };
}

function files(disk: SimulatedDisk): string[] {
  return disk.names(DIRECTORY).map((name) => `${DIRECTORY}/${name}`);
}

function snapshot(disk: SimulatedDisk): string {
  return JSON.stringify(
    files(disk).map((path) => [path, Buffer.from(disk.peek(path) ?? []).toString("base64")]),
  );
}

/** The disk after a restart with one bit flipped, here and there in every file, at most `stride` bytes apart. */
function* flips(
  disk: SimulatedDisk,
  random: () => number,
  stride: number,
): Generator<SimulatedDisk> {
  for (const path of files(disk)) {
    const whole = disk.peek(path)?.slice() ?? new Uint8Array(0);
    for (let at = 0; at < whole.length; at += 1 + Math.floor(random() * stride)) {
      const flipped = whole.slice();
      flipped[at] = (flipped[at] ?? 0) ^ (1 << Math.floor(random() * 8));
      const damaged = disk.restart(false);
      damaged.overwrite(path, flipped);
      yield damaged;
    }
  }
}

test("any flipped bit of acknowledged data is an error that changes nothing, or does no harm", async () => {
  const { disk, model } = await written(true);
  const all = [...model.all];
  const random = dice(9);
  let errors = 0;
  for (const damaged of flips(disk, random, 3)) {
    const before = snapshot(damaged);
    try {
      const { recovered, wal } = await open(damaged);
      model.accept(recovered, true);
      model.all = [...all];
      await wal.close();
    } catch (error) {
      if (!(error instanceof StorageError)) throw error;
      assert.match(error.code, /^(corrupt(Record|Checkpoint)|missing\w+|unsupportedFormat)$/);
      assert.equal(snapshot(damaged), before);
      errors++;
    }
  }
  assert.ok(errors > 1000, `${errors} errors`);
});

test("with stand-ins a flipped bit costs at most the record that it is in, or is an error that changes nothing", async () => {
  const { disk, model } = await written(true, true);
  const all = [...model.all];
  const random = dice(10);
  let [lost, errors] = [0, 0];
  for (const damaged of flips(disk, random, 7)) {
    const before = snapshot(damaged);
    try {
      const { recovered, wal } = await open(damaged);
      model.all = [...all];
      model.accept(recovered, true);
      assert.ok(model.lost.length <= 1);
      lost += model.lost.length;
      await wal.close();
    } catch (error) {
      if (!(error instanceof StorageError)) throw error;
      assert.equal(snapshot(damaged), before);
      errors++;
    }
  }
  assert.ok(lost > 200, `${lost} lost`);
  assert.ok(errors > 50, `${errors} errors: headers of files, checkpoints`);
});

test("a flipped bit in the last batch, which no mark vouches for, costs at most that batch", async () => {
  const { disk, model } = await written(false);
  const path = files(disk).at(-1) ?? "";
  const whole = disk.peek(path)?.slice() ?? new Uint8Array(0);
  const end = whole.findLastIndex((byte) => byte !== 0);
  const all = [...model.all];
  for (let at = end; at > end - 40; at--) {
    const damaged = disk.restart(false);
    const flipped = whole.slice();
    flipped[at] = (flipped[at] ?? 0) ^ 4;
    damaged.overwrite(path, flipped);
    model.all = [...all];
    model.durable = all.at(-2)?.position ?? 0;
    const { wal, recovered } = await open(damaged, model);
    model.accept(recovered);
    model.append(wal, 0, 60);
    await settle(wal);
    await wal.close();
    const again = await open(damaged.restart(true), model);
    model.accept(again.recovered, true);
    await again.wal.close();
  }
});

test("when the log was idle a mark vouches for the last batch, so its damage is seen", async () => {
  const disk = new SimulatedDisk();
  const model = new Model();
  const { wal, idle } = await open(disk, model);
  model.append(wal, 0, 50);
  await settle(wal);
  idle();
  await turns(4);
  const damaged = disk.restart(true);
  const bytes = damaged.peek(SEGMENT_1)?.slice() ?? new Uint8Array(0);
  bytes[HEADER_BYTES + 64] = 0;
  damaged.overwrite(SEGMENT_1, bytes);
  const error = await fault(() => open(damaged));
  assert.deepEqual(error.fault, {
    code: "corruptRecord",
    path: SEGMENT_1,
    offset: HEADER_BYTES + 32,
    sequence: 1,
  });
  await wal.close();
});

test("opening a log vouches for what it recovered, so damage of that is seen too", async () => {
  const disk = new SimulatedDisk();
  const model = new Model();
  const { wal } = await open(disk, model);
  model.append(wal, 0, 50);
  await settle(wal);
  const killed = disk.restart(false);
  const again = await open(killed, model);
  const damaged = killed.restart(true);
  const bytes = damaged.peek(SEGMENT_1)?.slice() ?? new Uint8Array(0);
  bytes[HEADER_BYTES + 64] = 0;
  damaged.overwrite(SEGMENT_1, bytes);
  assert.equal((await fault(() => open(damaged))).code, "corruptRecord");
  await again.wal.close();
  await wal.close();
});

test("a log that ends before a finished checkpoint began has lost acknowledged records", async () => {
  const disk = new SimulatedDisk();
  const model = new Model();
  const { wal } = await open(disk, model);
  for (let count = 0; count < 3; count++) model.append(wal, 0, 50);
  wal.checkpoint(0, [...model.checkpoint(0, false)]);
  await turns(60);
  await wal.close();
  const bytes = disk.peek(SEGMENT_1)?.slice() ?? new Uint8Array(0);
  disk.overwrite(SEGMENT_1, bytes.fill(0, HEADER_BYTES));
  assert.equal((await fault(() => open(disk))).code, "corruptRecord");
});

test("a whole record in place of another breaks the checkpoint's total", async () => {
  const slices = [1, 2].map((byte) => {
    const encoder = new CheckpointEncoder(5, 0, 1, 1024);
    for (let count = 0; count < 3; count++) encoder.add(new Uint8Array(16).fill(byte));
    encoder.end();
    return encoder.take();
  });
  const [one = new Uint8Array(0), two = new Uint8Array(0)] = slices;
  const disk = await diskWith(segment(1024, []).file);
  const path = `${DIRECTORY}/checkpoint-0-0000000000000001.ckpt`;
  disk.overwrite(path, one);
  await (await open(disk)).wal.close();
  const spliced = one.slice();
  const frame = frameBytes(16);
  const [from, to] = [HEADER_BYTES + frame, HEADER_BYTES + 2 * frame];
  spliced.set(two.subarray(from, to), from);
  disk.overwrite(path, spliced);
  assert.equal((await fault(() => open(disk))).code, "corruptCheckpoint");
});

test("a segment that is gone is missed, be it the first, one in the middle or the last", async () => {
  const { disk } = await written(true);
  const segments = files(disk).filter((path) => path.endsWith(".wal"));
  assert.ok(segments.length >= 3);
  for (const path of segments) {
    const damaged = disk.restart(true);
    damaged.remove(path);
    const error = await fault(() => open(damaged));
    assert.equal(error.code, "missingSegment", path);
  }
  const emptied = disk.restart(true);
  for (const path of segments) emptied.remove(path);
  assert.equal((await fault(() => open(emptied))).code, "missingSegment");
});

test("a checkpoint that is gone, cut short or renamed is missed", async () => {
  const { disk } = await written(true);
  const checkpoints = files(disk).filter((path) => path.endsWith(".ckpt"));
  assert.equal(checkpoints.length, 2);
  for (const path of checkpoints) {
    const content = disk.peek(path)?.slice() ?? new Uint8Array(0);
    const gone = disk.restart(true);
    gone.remove(path);
    assert.equal((await fault(() => open(gone))).code, "missingCheckpoint");
    const short = disk.restart(true);
    short.overwrite(path, content.subarray(0, -8));
    assert.equal((await fault(() => open(short))).code, "corruptCheckpoint");
    gone.overwrite(path.replace(/-\d{16}/, "-0000000000009999"), content);
    assert.equal((await fault(() => open(gone))).code, "corruptCheckpoint");
  }
});

test("a segment shorter than what was preallocated has lost something", async () => {
  const { disk } = await written(true);
  const path = files(disk).at(-1) ?? "";
  disk.overwrite(path, disk.peek(path)?.slice(0, 1000) ?? new Uint8Array(0));
  assert.equal((await fault(() => open(disk))).code, "corruptRecord");
});

test("a file of a later format is named as such", async () => {
  const { disk } = await written(true);
  const path = files(disk).find((name) => name.endsWith(".wal")) ?? "";
  const bytes = disk.peek(path)?.slice() ?? new Uint8Array(0);
  const header = encodeHeader({ type: "segment", seed: 1, group: 0, argument: 1 }, 3);
  bytes.set(header);
  disk.overwrite(path, bytes);
  const error = await fault(() => open(disk));
  assert.deepEqual(error.fault, { code: "unsupportedFormat", path, found: 3, supported: 2 });
});

/** A segment file made by hand. */
function segment(bytes: number, frames: readonly [number, number, number, Uint8Array][]) {
  const file = new Uint8Array(bytes);
  const view = new DataView(file.buffer);
  file.set(encodeHeader({ type: "segment", seed: 77, group: 0, argument: bytes }));
  let at = HEADER_BYTES;
  for (const [kind, group, sequence, payload] of frames) {
    at = writeFrame(file, view, at, 77, kind, group, sequence, payload);
  }
  return { file, end: at };
}

async function diskWith(file: Uint8Array): Promise<SimulatedDisk> {
  const disk = new SimulatedDisk();
  const { wal } = await open(disk);
  await wal.close();
  disk.overwrite(SEGMENT_1, file);
  return disk;
}

test("an old torn batch is overwritten before anything is appended, so it never comes back", async () => {
  const nothing = new Uint8Array(0);
  const record = new Uint8Array(40).fill(5);
  const { file } = segment(2048, [
    [MARK, 0, 1, nothing],
    [RECORD, 0, 1, record],
    [RECORD, 0, 2, record],
    [RECORD, 0, 3, record],
  ]);
  // The first record is torn; the other two are whole, and would be valid behind a new one of 40 bytes.
  file.fill(0, HEADER_BYTES + 32, HEADER_BYTES + 64);
  const disk = await diskWith(file);
  const { wal, recovered } = await open(disk);
  assert.equal(recovered.size, 0);
  wal.append(0, new Uint8Array(16).fill(6));
  await settle(wal);
  const again = await open(disk.restart(true));
  assert.deepEqual(again.recovered.get(0), [new Uint8Array(16).fill(6)]);
  await again.wal.close();
  await wal.close();
});

test("no length is trusted", async () => {
  const cursor = new FrameCursor();
  for (const length of [0xffff_ffff, 0x7fff_fff0, MAX + 1, MAX, 4097]) {
    const { file, end } = segment(4096, [[MARK, 0, 1, new Uint8Array(0)]]);
    const view = new DataView(file.buffer);
    view.setUint32(end + 4, length, true);
    view.setUint32(end + 8, 1, true);
    view.setUint32(end + 20, RECORD, true);
    assert.equal(cursor.read(file, view, end, file.length - end, 77), 2);
    const { wal, recovered } = await open(await diskWith(file));
    assert.equal(recovered.size, 0);
    await wal.close();
  }
});
const MAX = 64 * 1024 * 1024;

test("garbage as a segment or checkpoint is an error or is cut, never a crash", async () => {
  const bytes = fc.oneof(
    fc.uint8Array({ maxLength: 2000 }),
    fc.uint8Array({ maxLength: 2000, size: "max" }),
  );
  const frame = fc.tuple(
    fc.integer({ min: 0, max: 5 }),
    fc.oneof(fc.integer({ min: 0, max: 3 }), fc.constant(CONTROL_GROUP)),
    fc.oneof(fc.integer({ min: 0, max: 5 }), fc.nat()),
    fc.uint8Array({ maxLength: 40 }),
  );
  await fc.assert(
    fc.asyncProperty(
      fc.array(frame, { maxLength: 8 }),
      bytes,
      fc.boolean(),
      fc.constantFrom("segment-0000000000000001.wal", "checkpoint-1-0000000000000001.ckpt"),
      async (frames, garbage, framed, name) => {
        const used = frames.reduce((sum, each) => sum + frameBytes(each[3].length), HEADER_BYTES);
        const { file, end } = segment(used + garbage.length, frames);
        file.set(garbage, end);
        const disk = await diskWith(file);
        disk.overwrite(`${DIRECTORY}/${name}`, framed ? file : garbage);
        try {
          const { wal } = await open(disk);
          wal.append(0, garbage);
          await wal.close();
          const again = await open(disk);
          assert.deepEqual(again.recovered.get(0)?.at(-1), Uint8Array.from(garbage));
          await again.wal.close();
        } catch (error) {
          if (!(error instanceof StorageError)) throw error;
        }
      },
    ),
    { numRuns: 300 },
  );
});
