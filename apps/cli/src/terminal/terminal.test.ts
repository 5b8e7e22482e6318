import assert from "node:assert/strict";
import { test } from "node:test";

import { didYouMean, suggestion } from "./suggest.ts";
import { table } from "./table.ts";
import { painter, wantsColour } from "./terminal.ts";
import { counted, duration } from "./units.ts";

test("columns are as wide as they must be, numbers stand to the right", () => {
  const text = table(
    [{ title: "NODE" }, { title: "TERM", align: "right" }, { title: "ROLE" }],
    [
      ["n1", "7", { text: "leader", colour: "cyan" }],
      ["node-2", "12345"],
    ],
    painter(false),
  );
  assert.equal(text, "NODE     TERM  ROLE\nn1          7  leader\nnode-2  12345\n");
});

test("colour does not change the width of a column", () => {
  const cells = [[{ text: "ok", colour: "green" } as const, "x"]];
  const text = table([{ title: "A" }, { title: "B" }], cells, painter(true));
  assert.ok(text.includes("\u001B[32mok\u001B[39m  x"));
});

test("colour is for terminals that want it", () => {
  assert.ok(wantsColour(true, {}));
  assert.ok(wantsColour(true, { NO_COLOR: "" }));
  assert.ok(!wantsColour(true, { NO_COLOR: "1" }));
  assert.ok(!wantsColour(true, { TERM: "dumb" }));
  assert.ok(!wantsColour(false, {}));
});

test("a slip of the hand is recognised, another word is not", () => {
  const words = ["status", "members", "serve", "up"];
  assert.equal(suggestion("statsu", words), "status");
  assert.equal(suggestion("servr", words), "serve");
  assert.equal(suggestion("backup", words), undefined);
  assert.equal(didYouMean("memebrs", words), " (did you mean members?)");
  assert.equal(didYouMean("xyzzy", words), "");
});

test("durations and counts are worded", () => {
  assert.deepEqual(
    [850, 12_000, 184_000, 7_500_000, 273_600_000].map((ms) => duration(ms)),
    ["850 ms", "12 s", "3 min 4 s", "2 h 5 min", "3 d 4 h"],
  );
  assert.equal(counted(1, "node"), "1 node");
  assert.equal(counted(0, "key"), "0 keys");
});
