/**
 * Replays the scripts of this package. `QUORATE_TRANSCRIPTS=write` rewrites
 * their traces instead; read the difference before committing it.
 */

import assert from "node:assert/strict";
import { readdirSync, readFileSync, writeFileSync } from "node:fs";
import { test } from "node:test";
import { fileURLToPath } from "node:url";

import type { Process, Vocabulary } from "@quorate/kernel";
import { type Language, replay } from "@quorate/lab";

import { paxosLanguage } from "./paxos/multi/language.test.ts";
import { raftLanguage } from "./raft/language.test.ts";
import { replicaLanguage } from "./replica/language.test.ts";
import { zabLanguage } from "./zab/language.test.ts";

const WRITE = process.env["QUORATE_TRANSCRIPTS"] === "write";

function replayAll<V extends Vocabulary, P extends Process<V>>(
  folder: string,
  language: () => Language<V, P>,
): void {
  const directory = new URL(`../src/${folder}/scripts/`, import.meta.url);
  const files = readdirSync(directory).filter((name) => name.endsWith(".script.txt"));
  assert.ok(files.length > 0, `there are scripts in ${fileURLToPath(directory)}`);
  for (const file of files) {
    test(`${folder} ${file.replace(".script.txt", "")} goes as written`, () => {
      const path = new URL(file, directory);
      const before = readFileSync(path, "utf8");
      const { text, alarms } = replay(before, language());
      if (WRITE) writeFileSync(path, text);
      assert.deepEqual(alarms, [], "no promise is broken and no node stops unasked");
      if (!WRITE) assert.equal(before, text, "regenerate with QUORATE_TRANSCRIPTS=write");
    });
  }
}

replayAll("paxos/multi", paxosLanguage);
replayAll("raft", raftLanguage);
replayAll("replica", replicaLanguage);
replayAll("zab", zabLanguage);
