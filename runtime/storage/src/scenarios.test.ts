/** The named scenarios of disks and of what is applied: each happened to another system. */

import assert from "node:assert/strict";
import { test } from "node:test";

import { type Fate, SimulatedDisk } from "./simulated-disk.ts";
import { crashAt, dice, DIRECTORY, fault, Model, open, settle, turns } from "./wal-harness.test.ts";

function files(disk: SimulatedDisk, end: string): string[] {
  return disk.names(DIRECTORY).filter((name) => name.endsWith(end));
}

test("D1 applied ahead of log: a checkpoint counts only once the log that it replaces is durable", async () => {
  for (let seed = 0; seed < 20; seed++) {
    const disk = new SimulatedDisk(dice(seed));
    const model = new Model();
    const { wal } = await open(disk, model);
    model.append(wal, 0, 50);
    await settle(wal);
    // From here on the log reaches the disk no more; all else does.
    disk.fate = ({ type }): Fate => (type === "writeDurably" ? "EIO" : undefined);
    model.append(wal, 0, 50);
    wal.checkpoint(0, [...model.checkpoint(0, true)]);
    await turns(60);
    assert.deepEqual(files(disk, ".ckpt"), [], "the state is not ahead of the log");
    await wal.close();
    const again = await open(disk.restart(true), model);
    model.accept(again.recovered);
    await again.wal.close();
  }
});

test("D2 atomic apply: after a crash the state is that before a checkpoint or the same from it, never a mixture", async () => {
  const work = async (disk: SimulatedDisk, model: Model): Promise<void> => {
    const { wal } = await open(disk, model);
    for (let count = 0; count < 6; count++) model.append(wal, count % 2, 300);
    await settle(wal);
    wal.checkpoint(0, [...model.checkpoint(0, false)]);
    await turns(60);
    await wal.close();
  };
  const whole = new SimulatedDisk(dice(1));
  await work(whole, new Model());
  let checkpoints = 0;
  for (let at = 0; at < whole.operations; at++) {
    const disk = new SimulatedDisk(dice(at));
    const model = new Model();
    await crashAt(disk, at, () => work(disk, model));
    const { wal, recovered } = await open(disk.restart(true), model);
    // Records of the log and of the checkpoint at once would be one too many.
    model.accept(recovered);
    checkpoints += files(disk, ".ckpt").length;
    await wal.close();
  }
  assert.ok(checkpoints > 0 && checkpoints < whole.operations, `${checkpoints} checkpoints`);
});

test("D3 fsync error sticky: after one failed sync nothing is acknowledged, though later ones would succeed", async () => {
  for (const type of ["writeDurably", "sync"] as const) {
    const disk = new SimulatedDisk(dice(3));
    const model = new Model();
    const { wal, failures } = await open(disk, model);
    model.append(wal, 0, 50);
    await settle(wal);
    const { durable } = model;
    let failed = 0;
    disk.fate = (operation): Fate =>
      operation.type === type && failed++ === 0 ? "EIO" : undefined;
    if (type === "sync") wal.checkpoint(0, [...model.checkpoint(0, false)]);
    else model.append(wal, 0, 50);
    wal.flush();
    await turns(60);
    assert.equal(failed, 1, "there was no second try");
    assert.equal(failures.length, 1);
    assert.throws(() => wal.append(0, new Uint8Array(4)), { code: "io" });
    assert.equal(model.durable, durable);
    await wal.close();
  }
});

test("D4 torn tail vs corrupt middle: what nobody was told of is cut, all else is known or refused", async () => {
  for (const standIns of [true, false]) {
    const disk = new SimulatedDisk(dice(8));
    const model = new Model(standIns);
    const { wal } = await open(disk, model, { segmentBytes: 1 << 16 });
    for (let count = 0; count < 5; count++) {
      model.append(wal, 0, 100);
      await settle(wal);
    }
    const path = `${DIRECTORY}/segment-0000000000000001.wal`;
    const whole = disk.peek(path)?.slice() ?? new Uint8Array(0);
    const end = whole.findLastIndex((byte) => byte !== 0);
    const flipped = (at: number): SimulatedDisk => {
      const damaged = disk.restart(true);
      const bytes = whole.slice();
      bytes[at] = (bytes[at] ?? 0) ^ 0x10;
      damaged.overwrite(path, bytes);
      return damaged;
    };
    const all = [...model.all];
    // The last batch: nothing says that anybody was told of it.
    model.durable = all.at(-2)?.position ?? 0;
    const torn = await open(flipped(end - 20), model);
    model.accept(torn.recovered);
    assert.equal(model.all.length, 4);
    await torn.wal.close();
    // The middle of the first record.
    model.all = [...all];
    if (standIns) {
      const bridged = await open(flipped(150));
      model.accept(bridged.recovered, true);
      assert.equal(model.lost.length, 1);
      await bridged.wal.close();
    } else {
      const error = await fault(() => open(flipped(150)));
      assert.equal(error.code, "corruptRecord");
    }
    await wal.close();
  }
});

test("D5 WAL file deleted: a gap is refused, also where all that lay in it could be told of", async () => {
  const disk = new SimulatedDisk(dice(5));
  const model = new Model(true);
  const { wal } = await open(disk, model, { segmentBytes: 8192 });
  for (let count = 0; count < 200; count++) {
    model.append(wal, 0, 100);
    if (count % 4 === 0) await settle(wal);
  }
  await wal.close();
  const segments = files(disk, ".wal");
  assert.ok(segments.length >= 4);
  for (const name of segments) {
    const damaged = disk.restart(true);
    damaged.remove(`${DIRECTORY}/${name}`);
    const error = await fault(() => open(damaged));
    assert.equal(error.code, "missingSegment", name);
    assert.match(error.message, new RegExp(name));
  }
});

test("D6 disk full: the node stops with what to do, and after room was made nothing acknowledged is missing", async () => {
  for (const type of ["write", "writeDurably", "open", "sync"] as const) {
    const disk = new SimulatedDisk(dice(7));
    const model = new Model();
    const { wal, failures } = await open(disk, model);
    for (let count = 0; count < 4; count++) model.append(wal, 0, 150);
    await settle(wal);
    disk.fate = (operation): Fate => (operation.type === type ? "ENOSPC" : undefined);
    for (let count = 0; count < 20 && failures.length === 0; count++) {
      model.append(wal, 0, 150);
      wal.flush();
      await turns(12);
    }
    assert.equal(failures.length, 1, type);
    assert.match(failures[0]?.message ?? "", /^no space left to .*: free some and restart/);
    await wal.close();
    const again = await open(disk.restart(true), model);
    model.accept(again.recovered);
    model.append(again.wal, 0, 150);
    await settle(again.wal);
    await again.wal.close();
  }
});
