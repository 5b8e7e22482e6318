/** Damage in the middle of a log whose records have stand-ins: nothing else is lost, and nothing is forgotten. */

import assert from "node:assert/strict";
import { test } from "node:test";

import { type Disk } from "./disk.ts";
import { StorageError } from "./errors.ts";
import { FrameCursor, RECORD, WHOLE } from "./frame.ts";
import { HEADER_BYTES } from "./layout.ts";
import { SimulatedDisk } from "./simulated-disk.ts";
import { dice, DIRECTORY, fault, Model, open, settle, turns } from "./wal-harness.test.ts";

const SECTOR_BYTES = 512;

/** A log of one group whose records have stand-ins, closed. */
async function written(
  records: number,
  segmentBytes: number,
): Promise<{ disk: SimulatedDisk; model: Model }> {
  const disk = new SimulatedDisk(dice(4));
  const model = new Model(true);
  const { wal } = await open(disk, model, { segmentBytes });
  for (let i = 0; i < records; i++) {
    model.append(wal, 0, 40 + ((i * 53) % 200));
    if (i % 3 === 0) await settle(wal);
  }
  await wal.close();
  return { disk: disk.restart(true), model };
}

function segments(disk: SimulatedDisk): string[] {
  const names = disk.names(DIRECTORY).filter((name) => name.endsWith(".wal"));
  return names.map((name) => `${DIRECTORY}/${name}`);
}

/** Where the records of a segment lie: their frames and payloads. */
function frames(bytes: Uint8Array): { offset: number; payload: number; end: number }[] {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const cursor = new FrameCursor();
  const found = [];
  for (let offset = HEADER_BYTES; ; offset += cursor.size) {
    const seed = view.getUint32(8, true);
    const status = cursor.read(bytes, view, offset, bytes.length - offset, seed);
    if (status !== WHOLE) return found;
    const { payloadStart, payloadEnd, kind } = cursor;
    if (kind === RECORD) found.push({ offset, payload: payloadStart, end: payloadEnd });
  }
}

test("a record whose payload is damaged is known by its header, and those around it come back", async () => {
  const { disk, model } = await written(40, 4096);
  const all = [...model.all];
  for (const path of segments(disk)) {
    const whole = disk.peek(path)?.slice() ?? new Uint8Array(0);
    for (const { payload, end } of frames(whole)) {
      const flipped = whole.slice();
      for (let at = payload; at < end; at++) flipped[at] = (flipped[at] ?? 0) ^ 0x55;
      const damaged = disk.restart(false);
      damaged.overwrite(path, flipped);
      const { wal, recovered } = await open(damaged);
      model.all = [...all];
      model.accept(recovered, true);
      assert.equal(model.lost.length, 1);
      assert.equal(wal.statistics.recordsLost, 1);
      await wal.close();
    }
  }
});

test("records of a lost sector are told of by an inventory that was written later", async () => {
  const { disk, model } = await written(150, 1 << 16);
  const all = [...model.all];
  const [path = ""] = segments(disk);
  const whole = disk.peek(path)?.slice() ?? new Uint8Array(0);
  const { offset: end = 0 } = frames(whole).at(-1) ?? {};
  let refused = 0;
  let bridged = 0;
  // The last sectors hold the last marks: without those the end is taken for torn.
  for (let sector = SECTOR_BYTES; sector + SECTOR_BYTES < end; sector += SECTOR_BYTES) {
    const zeroed = whole.slice();
    zeroed.fill(sector % (2 * SECTOR_BYTES) === 0 ? 0 : 0xee, sector, sector + SECTOR_BYTES);
    const damaged = disk.restart(false);
    damaged.overwrite(path, zeroed);
    try {
      const { wal, recovered } = await open(damaged);
      model.all = [...all];
      model.accept(recovered, true);
      assert.ok(model.lost.length > 0);
      bridged++;
      await wal.close();
    } catch (error) {
      if (!(error instanceof StorageError)) throw error;
      assert.equal(error.code, "corruptRecord");
      // Only of the last pages nothing was told yet.
      assert.ok(end - sector < 3 * 4096, `${sector} of ${end}`);
      refused++;
    }
  }
  assert.ok(bridged > 10, `${bridged} bridged`);
  assert.ok(refused < 24, `${refused} refused`);
});

test("damage across segments, in their first records and in their seals, is bridged", async () => {
  const { disk, model } = await written(200, 8192);
  const all = [...model.all];
  const paths = segments(disk);
  assert.ok(paths.length >= 4);
  const damaged = disk.restart(false);
  for (const path of paths.slice(0, 2)) {
    const bytes = damaged.peek(path)?.slice() ?? new Uint8Array(0);
    bytes.fill(0xaa, HEADER_BYTES, HEADER_BYTES + 700);
    bytes.fill(0, bytes.length - 1500);
    damaged.overwrite(path, bytes);
  }
  const { wal, recovered } = await open(damaged, model);
  model.all = [...all];
  model.accept(recovered, true);
  assert.ok(model.lost.length > 4);
  const before = model.lost;
  // What was bridged stays so, and the log goes on behind it.
  model.append(wal, 0, 50);
  await settle(wal);
  await wal.close();
  const again = await open(damaged.restart(true), model);
  model.accept(again.recovered, true);
  assert.deepEqual(model.lost, before);
  await again.wal.close();
});

test("after a restart the log still tells of what it had not told of before", async () => {
  const disk = new SimulatedDisk(dice(2));
  const model = new Model(true);
  const first = await open(disk, model, { segmentBytes: 1 << 16 });
  for (let i = 0; i < 20; i++) model.append(first.wal, 0, 100);
  await first.wal.close();
  const second = await open(disk, model, { segmentBytes: 1 << 16 });
  model.accept(second.recovered, true);
  for (let i = 0; i < 150; i++) {
    model.append(second.wal, 0, 100);
    await settle(second.wal);
  }
  await second.wal.close();
  const [path = ""] = segments(disk);
  const bytes = disk.peek(path)?.slice() ?? new Uint8Array(0);
  bytes.fill(0, HEADER_BYTES, HEADER_BYTES + 2048);
  disk.overwrite(path, bytes);
  const { wal, recovered } = await open(disk);
  model.accept(recovered, true);
  assert.ok(model.lost.length >= 10, `${model.lost.length} lost`);
  await wal.close();
});

test("after a restart the log does not tell again of what it has told of", async () => {
  const disk = new SimulatedDisk(dice(2));
  const model = new Model(true);
  const first = await open(disk, model, { segmentBytes: 1 << 18 });
  for (let i = 0; i < 800; i++) {
    model.append(first.wal, 0, 100);
    if (i % 8 === 0) await settle(first.wal);
  }
  await first.wal.close();
  const { wal, recovered } = await open(disk, model);
  model.accept(recovered, true);
  for (let i = 0; i < 40; i++) {
    model.append(wal, 0, 100);
    await settle(wal);
  }
  await wal.close();
  const { bytes } = wal.statistics;
  assert.ok(bytes < 12_000, `${bytes} bytes for 40 records`);
});

test("damage to a record without a stand-in is an error, unless a checkpoint has replaced it", async () => {
  const disk = new SimulatedDisk(dice(6));
  const model = new Model();
  const { wal } = await open(disk, model, { segmentBytes: 1 << 16 });
  model.append(wal, 0, 100);
  await settle(wal);
  model.append(wal, 1, 100);
  await settle(wal);
  wal.checkpoint(0, [...model.checkpoint(0, false)]);
  await turns(60);
  await wal.close();
  const [path = ""] = segments(disk);
  const whole = disk.peek(path)?.slice() ?? new Uint8Array(0);
  const [first, second] = frames(whole);
  const damage = (at: number): SimulatedDisk => {
    const damaged = disk.restart(false);
    const bytes = whole.slice();
    bytes[at] = (bytes[at] ?? 0) ^ 1;
    damaged.overwrite(path, bytes);
    return damaged;
  };
  const replaced = await open(damage((first?.payload ?? 0) + 8));
  model.accept(replaced.recovered, true);
  assert.equal(replaced.wal.statistics.recordsLost, 0);
  await replaced.wal.close();
  const error = await fault(() => open(damage((second?.payload ?? 0) + 8)));
  assert.equal(error.code, "corruptRecord");
  assert.match(error.message, /record 2.*cannot be done without.*nothing was modified/);
});

/** The same disk, but for a file of which some bytes cannot be read. */
function unreadable(disk: SimulatedDisk, path: string, from: number, to: number): Disk {
  return {
    open: (name, mode, done) =>
      disk.open(name, mode, (error, file) => {
        if (file !== undefined && name === path) {
          const read = file.read.bind(file);
          file.read = (into, length, position, got) => {
            if (position >= to || position + length <= from) read(into, length, position, got);
            else got(Object.assign(new Error("bad sector"), { code: "EIO" }), undefined);
          };
        }
        done(error, file);
      }),
    rename: (...told) => disk.rename(...told),
    unlink: (...told) => disk.unlink(...told),
    makeDirectory: (...told) => disk.makeDirectory(...told),
    list: (...told) => disk.list(...told),
    syncDirectory: (...told) => disk.syncDirectory(...told),
  };
}

test("a sector that cannot be read is bridged as one that reads wrong, but never taken for a torn end", async () => {
  const { disk, model } = await written(200, 1 << 16);
  const [path = ""] = segments(disk);
  const whole = disk.peek(path)?.slice() ?? new Uint8Array(0);
  const { offset: end = 0 } = frames(whole).at(-1) ?? {};
  const { wal, recovered } = await open(disk, new Model(), {
    disk: unreadable(disk, path, 8192, 8192 + 512),
  });
  model.accept(recovered, true);
  assert.ok(model.lost.length > 4);
  await wal.close();
  const last = unreadable(disk, path, end, end + 512);
  const error = await fault(() => open(disk, new Model(), { disk: last }));
  assert.equal(error.code, "io");
  assert.match(error.message, /cannot read .*bad sector/);
});
