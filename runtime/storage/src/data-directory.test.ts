import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { once } from "node:events";
import fs from "node:fs";
import os from "node:os";
import { join } from "node:path";
import { test, type TestContext } from "node:test";

import { DataDirectory } from "./data-directory.ts";
import { machineProcesses, type ProcessIdentity, type Processes } from "./lock.ts";
import { SimulatedDisk } from "./simulated-disk.ts";
import { crashAt, dice, fault } from "./wal-harness.test.ts";

const OWNER = { clusterId: "c1", nodeId: "n1" };

function temporary(context: TestContext): string {
  const root = fs.mkdtempSync(join(os.tmpdir(), "quorate-storage-"));
  context.after(() => fs.rmSync(root, { recursive: true }));
  return join(root, "some", "data");
}

/** Processes of which those in `living` live; `pid` is the one that asks. */
function processes(pid: number, living: ReadonlySet<string>): Processes {
  const nameOf = (identity: ProcessIdentity): string => `${identity.pid}@${identity.started}`;
  return {
    self: () => ({ pid, started: "100", boot: "0" }),
    alive: (identity) => living.has(nameOf(identity)),
  };
}

test("a new directory is made with its parents, belongs to its owner and opens again", async (context) => {
  const path = temporary(context);
  const first = await DataDirectory.open({ path, ...OWNER });
  const { identity } = first;
  assert.equal(identity.clusterId, "c1");
  assert.equal(identity.formatVersion, 2);
  await first.close();
  const second = await DataDirectory.open({ path, ...OWNER });
  assert.deepEqual(second.identity, identity);
  await second.close();
  assert.deepEqual(fs.readdirSync(path).toSorted(), ["FORMAT", "identity.json"]);
});

test("a directory of another cluster or node is refused with both names, and released", async (context) => {
  const path = temporary(context);
  await (await DataDirectory.open({ path, ...OWNER })).close();
  for (const other of [
    { clusterId: "c2", nodeId: "n1" },
    { clusterId: "c1", nodeId: "n2" },
  ]) {
    const error = await fault(() => DataDirectory.open({ path, ...other }));
    assert.equal(error.code, "identityMismatch");
    for (const name of [...Object.values(OWNER), ...Object.values(other)]) {
      assert.ok(error.message.includes(`"${name}"`), error.message);
    }
  }
  await (await DataDirectory.open({ path, ...OWNER })).close();
});

test("a directory with somebody else's files is refused and left as it was", async (context) => {
  const path = temporary(context);
  fs.mkdirSync(path, { recursive: true });
  fs.writeFileSync(join(path, "thesis.tex"), "precious");
  const error = await fault(() => DataDirectory.open({ path, ...OWNER }));
  assert.deepEqual(error.fault, { code: "notADataDirectory", path, found: "thesis.tex" });
  assert.deepEqual(fs.readdirSync(path), ["thesis.tex"]);
});

test("another format, a bad identity and a lost one are told apart", async (context) => {
  const path = temporary(context);
  await (await DataDirectory.open({ path, ...OWNER })).close();
  const format = join(path, "FORMAT");
  const identity = join(path, "identity.json");
  fs.writeFileSync(format, "quorate data 9\n");
  const later = await fault(() => DataDirectory.open({ path, ...OWNER }));
  assert.deepEqual(later.fault, {
    code: "unsupportedFormat",
    path: format,
    found: 9,
    supported: 2,
  });
  fs.writeFileSync(format, "quorate data 1\n");
  const earlier = await fault(() => DataDirectory.open({ path, ...OWNER }));
  assert.match(earlier.message, /has format 1, this version reads format 2: run the version that/);
  fs.writeFileSync(format, "?");
  assert.equal((await fault(() => DataDirectory.open({ path, ...OWNER }))).code, "corruptIdentity");
  fs.writeFileSync(format, "quorate data 2\n");
  for (const text of ["", "{", "null", "[]", '{"clusterId":1}']) {
    fs.writeFileSync(identity, text);
    const error = await fault(() => DataDirectory.open({ path, ...OWNER }));
    assert.equal(error.code, "corruptIdentity");
  }
  fs.unlinkSync(identity);
  fs.mkdirSync(join(path, "wal"));
  assert.equal((await fault(() => DataDirectory.open({ path, ...OWNER }))).code, "corruptIdentity");
});

test("a directory in use is refused with the pid, in this process too", async (context) => {
  const path = temporary(context);
  const held = await DataDirectory.open({ path, ...OWNER });
  const error = await fault(() => DataDirectory.open({ path, ...OWNER }));
  assert.equal(error.code, "locked");
  assert.ok(error.message.includes(String(process.pid)));
  await held.close();
  await (await DataDirectory.open({ path, ...OWNER })).close();
});

test("a living process locks a directory, and a killed one does not", async (context) => {
  const path = temporary(context);
  const source = `
    import { DataDirectory } from ${JSON.stringify(new URL("index.js", import.meta.url).href)};
    await DataDirectory.open(${JSON.stringify({ path, ...OWNER })});
    process.stdout.write("open");
    setInterval(() => undefined, 1000);`;
  const child = spawn(process.execPath, ["--input-type=module", "-e", source], {
    stdio: ["ignore", "pipe", "inherit"],
  });
  await once(child.stdout, "data");
  const error = await fault(() => DataDirectory.open({ path, ...OWNER }));
  assert.deepEqual(error.fault, { code: "locked", path, pid: child.pid });
  child.kill("SIGKILL");
  await once(child, "exit");
  const opened = await DataDirectory.open({ path, ...OWNER });
  await opened.close();
  assert.ok(!fs.readdirSync(path).some((name) => name.startsWith("lock.")));
});

test("the lock of a dead process does not block, even if its pid was given to another", async () => {
  const disk = new SimulatedDisk();
  const path = "/data";
  await DataDirectory.open({ path, ...OWNER, disk, processes: processes(7, new Set()) });
  const locked = { path, ...OWNER, disk, processes: processes(8, new Set(["7@100"])) };
  assert.equal((await fault(() => DataDirectory.open(locked))).code, "locked");
  const reused = { ...locked, processes: processes(8, new Set(["7@200"])) };
  const opened = await DataDirectory.open(reused);
  assert.deepEqual(
    disk.names(path).filter((name) => name.startsWith("lock.")),
    ["lock.8.100.0"],
  );
  await opened.close();
});

test("a process is told from another with its pid, and from one before the last boot", (context) => {
  const self = machineProcesses.self();
  if (self.started === "0") return context.skip("this system tells no start times");
  assert.ok(machineProcesses.alive(self));
  assert.ok(!machineProcesses.alive({ ...self, started: `${self.started}0` }));
  assert.ok(!machineProcesses.alive({ ...self, boot: "00000000" }));
});

test("of processes that start together never two hold the lock", async () => {
  const disk = new SimulatedDisk();
  const path = "/data";
  const living = new Set(["1@100", "2@100", "3@100"]);
  await (
    await DataDirectory.open({ path, ...OWNER, disk, processes: processes(1, living) })
  ).close();
  for (let delay = 0; delay < 12; delay++) {
    let holding = 0;
    const start = async (pid: number): Promise<void> => {
      for (let turn = 0; turn < delay * (pid - 1); turn++) {
        await new Promise((resolve) => {
          setImmediate(resolve);
        });
      }
      const options = { path, ...OWNER, disk, processes: processes(pid, living) };
      const opened = await DataDirectory.open(options).catch(() => undefined);
      if (opened === undefined) return;
      assert.equal(++holding, 1);
      await new Promise((resolve) => {
        setImmediate(resolve);
      });
      holding--;
      await opened.close();
    };
    await Promise.all([1, 2, 3].map((pid) => start(pid)));
  }
});

test("a crash at any operation of the making leaves a directory that opens", async () => {
  for (let at = 0; at < 60; at++) {
    const random = dice(at);
    const disk = new SimulatedDisk(random);
    const settings = { path: "/data", ...OWNER, processes: processes(at + 1, new Set()) };
    const wal = { onDurable: () => undefined, onFailure: assert.fail, segmentBytes: 1024 };
    await crashAt(disk, at, async () => {
      const opened = await DataDirectory.open({ ...settings, disk });
      await (await opened.openWal(wal, () => undefined)).close();
      await opened.close();
    });
    const after = disk.restart(random() < 0.6);
    const again = { ...settings, disk: after, processes: processes(1000, new Set()) };
    const opened = await DataDirectory.open(again);
    await opened.openWal(wal, () => undefined);
    await opened.close();
    assert.deepEqual(after.names("/data"), ["FORMAT", "identity.json"]);
  }
});

test("on the real disk records and checkpoints come back, and a log that was there is missed", async (context) => {
  const path = temporary(context);
  const directory = await DataDirectory.open({ path, ...OWNER });
  const records = Array.from({ length: 500 }, (_, index) => Buffer.alloc(200, index));
  let tell = (): void => undefined;
  let last = Number.MAX_SAFE_INTEGER;
  const durable = new Promise<void>((resolve) => {
    tell = resolve;
  });
  const settings = {
    segmentBytes: 64 * 1024,
    onFailure: assert.fail,
    onDurable: (position: number) => position >= last && tell(),
  };
  const wal = await directory.openWal(settings, () => assert.fail("nothing yet"));
  for (const record of records) wal.append(5, record);
  wal.checkpoint(5, records);
  last = wal.append(5, Buffer.from("after"));
  wal.flush();
  await durable;
  await directory.close();

  const again = await DataDirectory.open({ path, ...OWNER });
  assert.equal(again.identity.hasLog, true);
  const found: Uint8Array[] = [];
  await again.openWal(settings, (group, record) => {
    assert.equal(group, 5);
    found.push(record);
  });
  assert.deepEqual(
    found.map((record) => Buffer.from(record)),
    [...records, Buffer.from("after")],
  );
  await again.close();

  fs.rmSync(join(path, "wal"), { recursive: true });
  const robbed = await DataDirectory.open({ path, ...OWNER });
  const error = await fault(() => robbed.openWal(settings, () => undefined));
  assert.equal(error.code, "missingSegment");
  await robbed.close();
});
