import assert from "node:assert/strict";
import fs from "node:fs";
import os from "node:os";
import path from "node:path";
import { type TestContext, test } from "node:test";

import { pino } from "pino";

import { Keyring } from "../wire/keyring.ts";
import {
  AgentError,
  encodeBase64,
  parseKey,
  readKeyring,
  readTags,
  writeKeyring,
  writeTags,
} from "./files.ts";
import { performKeyRequest } from "./keys.ts";

function place(t: TestContext, name: string): string {
  const directory = fs.mkdtempSync(path.join(os.tmpdir(), "quorate-files-"));
  t.after(() => fs.rmSync(directory, { recursive: true }));
  return path.join(directory, name);
}

const key = (byte: number): Uint8Array => new Uint8Array(16).fill(byte);
const logger = pino({ level: "silent" });

test("keys are base64 of 16, 24 or 32 bytes", () => {
  assert.deepEqual(parseKey(encodeBase64(key(1))), key(1));
  for (const wrong of [
    "",
    "AAAA",
    "not base64!",
    "AAAAAAAAAAAAAAAAAAAAAA",
    encodeBase64(new Uint8Array(33)),
  ]) {
    assert.throws(() => parseKey(wrong), AgentError, wrong);
  }
});

test("a keyring file is a JSON array with the primary key first, for nobody else to read", (t) => {
  const file = place(t, "keyring");
  writeKeyring(file, new Keyring([key(1), key(2)]));
  assert.deepEqual(JSON.parse(fs.readFileSync(file, "utf8")), [
    encodeBase64(key(1)),
    encodeBase64(key(2)),
  ]);
  assert.equal(fs.statSync(file).mode & 0o777, 0o600);
  assert.deepEqual(readKeyring(file).list(), [key(1), key(2)]);
  for (const wrong of ["{}", "[1]", "[]", '["AAAA"]', "["]) {
    fs.writeFileSync(file, wrong);
    assert.throws(() => readKeyring(file), AgentError, wrong);
  }
});

test("a tags file is a JSON object of texts; without one there are none yet", (t) => {
  const file = place(t, "tags");
  assert.equal(readTags(file), undefined);
  writeTags(file, { role: "web" });
  assert.deepEqual(readTags(file), { role: "web" });
  fs.writeFileSync(file, '{"a": 1}');
  assert.throws(() => readTags(file), AgentError);
});

test("a key operation changes the ring and its file, and answers in Serf's words", (t) => {
  const keyringFile = place(t, "keyring");
  const keyring = new Keyring([key(1)]);
  const perform = (operation: "install" | "use" | "remove" | "list", of: Uint8Array = key(2)) =>
    performKeyRequest(operation, of, { keyring, keyringFile }, logger);
  assert.equal(perform("install").result, true);
  assert.equal(perform("use").result, true);
  assert.deepEqual(readKeyring(keyringFile).list(), [key(2), key(1)]);
  assert.deepEqual(perform("list"), {
    result: true,
    message: "",
    keys: [encodeBase64(key(2)), encodeBase64(key(1))],
    primaryKey: encodeBase64(key(2)),
  });
  assert.match(perform("remove").message, /Removing the primary key is not allowed/);
  assert.match(perform("use", key(9)).message, /not in the keyring/);
  for (let byte = 10; byte < 40; byte++) keyring.install(key(byte));
  const listed = perform("list");
  assert.equal(listed.keys.length, 16);
  assert.match(listed.message, /showing first 16 of 32 keys/);
  const plain = { keyring: undefined, keyringFile: undefined };
  assert.match(performKeyRequest("list", key(1), plain, logger).message, /encryption not enabled/);
});
