/**
 * Replays the scripts of this package. `QUORATE_TRANSCRIPTS=write` rewrites
 * their traces instead; read the difference before committing it.
 */

import assert from "node:assert/strict";
import { readdirSync, readFileSync, writeFileSync } from "node:fs";
import { test } from "node:test";

import { replay } from "@quorate/lab";

import { gossipLanguage } from "./language.test.ts";

const WRITE = process.env["QUORATE_TRANSCRIPTS"] === "write";
const directory = new URL("../src/scripts/", import.meta.url);
const files = readdirSync(directory).filter((name) => name.endsWith(".script.txt"));
assert.ok(files.length > 0);

for (const file of files) {
  test(`${file.replace(".script.txt", "")} goes as written`, () => {
    const path = new URL(file, directory);
    const before = readFileSync(path, "utf8");
    const { text, alarms } = replay(before, gossipLanguage());
    if (WRITE) writeFileSync(path, text);
    assert.deepEqual(alarms, [], "no promise is broken and no node stops unasked");
    if (!WRITE) assert.equal(before, text, "regenerate with QUORATE_TRANSCRIPTS=write");
  });
}
