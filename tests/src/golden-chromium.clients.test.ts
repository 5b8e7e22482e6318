/**
 * A seed means the same run on every engine: Chromium plays the golden runs of
 * Raft out of the very files that Node runs.
 */

import assert from "node:assert/strict";
import fs from "node:fs";
import { test } from "node:test";

import { evaluate } from "./browser.ts";
import { installed } from "./programs.ts";

const BROWSER = "chromium-headless-shell";
const missing = installed(BROWSER, "--version") ? false : `${BROWSER} is not installed here`;

/** A digest and a run on each line. */
const GOLDEN = fs.readFileSync(
  new URL("src/raft/golden.txt", import.meta.resolve("@quorate/subjects/package.json")),
  "utf8",
);

function replaying(golden: string): string {
  return `
import { decodeRun, encodeRun, play, RunDigest } from "@quorate/lab";
import { raft } from "@quorate/subjects";

export function answer() {
  const lines = ${JSON.stringify(golden.trimEnd().split("\n"))};
  return lines.map((line) => {
    const run = decodeRun(line.slice(line.indexOf(" ") + 1), raft);
    const spectator = new RunDigest();
    play(raft, run, { spectator });
    return spectator.text + " " + encodeRun(run, raft) + "\\n";
  }).join("");
}
`;
}

test("the golden runs of Raft go in Chromium as they go in Node", { skip: missing }, async () => {
  assert.ok(GOLDEN.trimEnd().split("\n").length >= 4);
  assert.equal(await evaluate(BROWSER, replaying(GOLDEN), ["@quorate/subjects"]), GOLDEN);
});

test("a script that fails in the browser fails the test", { skip: missing }, async () => {
  const script = `export function answer() { throw new Error("as it should"); }`;
  await assert.rejects(evaluate(BROWSER, script, []), /as it should/);
});
