import assert from "node:assert/strict";
import fs from "node:fs";
import os from "node:os";
import path from "node:path";
import { type TestContext, test } from "node:test";

import type { GossipWords } from "@quorate/gossip";
import { encode, MalformedInput } from "@quorate/kernel";
import { pino } from "pino";

import { eventually, run } from "../service-harness.test.ts";
import { SnapshotFile } from "./snapshot.ts";
import { lineCodec, lineOf, parseLine } from "./snapshot-lines.ts";

type Line = GossipWords["Record"];

const RECORDS: readonly Line[] = [
  { type: "alive", name: "a name with spaces", address: "10.0.0.1:7946" },
  { type: "alive", name: "six", address: "[fe80::1]:7946" },
  { type: "notAlive", name: "a name with spaces" },
  { type: "clock", ltime: 12 },
  { type: "eventClock", ltime: 0 },
  { type: "queryClock", ltime: 2 ** 40 },
  { type: "leave" },
];

const silent = pino({ level: "silent" });

function place(t: TestContext): string {
  const directory = fs.mkdtempSync(path.join(os.tmpdir(), "quorate-snapshot-"));
  t.after(() => fs.rmSync(directory, { recursive: true }));
  return path.join(directory, "serf.snapshot");
}

function open(t: TestContext, file: string): SnapshotFile {
  const snapshot = new SnapshotFile(file, silent, () => {});
  t.after(() => snapshot.close());
  return snapshot;
}

test("records are lines in Serf's words, and back", () => {
  assert.deepEqual(RECORDS.map(lineOf), [
    "alive: a name with spaces 10.0.0.1:7946\n",
    "alive: six [fe80::1]:7946\n",
    "not-alive: a name with spaces\n",
    "clock: 12\n",
    "event-clock: 0\n",
    "query-clock: 1099511627776\n",
    "leave\n",
  ]);
  for (const record of RECORDS) assert.deepEqual(parseLine(lineOf(record).trimEnd()), record);
});

test("comments and old coordinates say nothing; other lines are malformed", () => {
  assert.equal(parseLine("# a comment"), undefined);
  assert.equal(parseLine("coordinate: {}"), undefined);
  for (const wrong of [
    "alive: n",
    "alive: n 10.0.0.1",
    "clock: x",
    "clock: -1",
    "hello",
    "leaves",
  ]) {
    assert.throws(() => parseLine(wrong), MalformedInput, wrong);
  }
});

test("what was appended is there when the file is opened again", (t) => {
  const file = place(t);
  const first = open(t, file);
  for (const record of RECORDS) first.append(0, encode(lineCodec, record));
  first.close();
  assert.deepEqual(open(t, file).recovered, RECORDS);
});

test("a line that was cut off is gone, and what comes next stands on its own", (t) => {
  const file = place(t);
  fs.writeFileSync(file, "alive: a 10.0.0.1:7946\nalive: b 10.0.0.2:79");
  const snapshot = open(t, file);
  assert.deepEqual(snapshot.recovered, [{ type: "alive", name: "a", address: "10.0.0.1:7946" }]);
  snapshot.append(0, encode(lineCodec, { type: "clock", ltime: 3 }));
  snapshot.close();
  assert.equal(fs.readFileSync(file, "utf8"), "alive: a 10.0.0.1:7946\nclock: 3\n");
});

test("damaged lines are skipped, the others count", (t) => {
  const file = place(t);
  fs.writeFileSync(file, "nonsense\nclock: 4\n\u0000\u0001\nleave\n");
  assert.deepEqual(open(t, file).recovered, [{ type: "clock", ltime: 4 }, { type: "leave" }]);
});

test("a checkpoint takes the place of everything before it, appended or not", (t) => {
  const file = place(t);
  const snapshot = open(t, file);
  for (const record of RECORDS) snapshot.append(0, encode(lineCodec, record));
  snapshot.checkpoint(0, [encode(lineCodec, { type: "clock", ltime: 20 })]);
  snapshot.append(0, encode(lineCodec, { type: "clock", ltime: 21 }));
  snapshot.flush();
  assert.equal(fs.readFileSync(file, "utf8"), "clock: 20\nclock: 21\n");
});

test("an agent comes back to those it knew", async (t) => {
  const a = await run(t, "a");
  const snapshotPath = place(t);
  const b = await run(t, "b", { snapshotPath });
  await b.service.agent.join([a.address], false);
  await eventually("it is written down", () =>
    fs.readFileSync(snapshotPath, "utf8").includes("alive: a "),
  );
  b.service.stop();
  const again = await run(t, "b", {
    snapshotPath,
    bind: { host: "127.0.0.1", port: b.addresses.gossip.port },
  });
  await eventually("b knows a", () => again.service.agent.members().length === 2);
});
