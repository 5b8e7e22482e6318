/** Files that Serf's users keep beside an agent: its keys and its tags. In Serf's formats. */

import fs from "node:fs";

import type { Tags } from "@quorate/gossip";

import { Keyring, KeyringError } from "../wire/keyring.ts";

/** A file or a setting that cannot be used, and why. */
export class AgentError extends Error {
  override readonly name = "AgentError";
}

const SECRET_MODE = 0o600;

/** Reads a key in base64. @throws AgentError if it is not of 16, 24 or 32 bytes. */
export function parseKey(text: string): Uint8Array {
  const key = decodeBase64(text);
  if (key === undefined) throw new AgentError("the key is not base64");
  if (![16, 24, 32].includes(key.length)) {
    throw new AgentError(`the key has ${key.length} bytes; it must have 16, 24 or 32`);
  }
  return key;
}

/** Undefined for what is not base64, of which Node would skip what it does not know. */
export function decodeBase64(text: string): Uint8Array | undefined {
  const bytes = new Uint8Array(Buffer.from(text, "base64"));
  return Buffer.from(bytes).toString("base64") === text ? bytes : undefined;
}

export function encodeBase64(bytes: Uint8Array): string {
  return Buffer.from(bytes).toString("base64");
}

/** Reads a keyring: a JSON array of keys in base64, the primary first. @throws AgentError */
export function readKeyring(path: string): Keyring {
  const keys = readJson(path);
  if (!Array.isArray(keys) || !keys.every((key) => typeof key === "string")) {
    throw new AgentError(`${path} is not a JSON array of keys`);
  }
  try {
    return new Keyring(keys.map(parseKey));
  } catch (error) {
    if (error instanceof AgentError || error instanceof KeyringError) {
      throw new AgentError(`${path}: ${error.message}`);
    }
    throw error;
  }
}

/** @throws what the system says. */
export function writeKeyring(path: string, keyring: Keyring): void {
  replace(path, JSON.stringify(keyring.list().map(encodeBase64), undefined, 2));
}

/** Reads tags: a JSON object of strings; none if there is no file. @throws AgentError */
export function readTags(path: string): Tags | undefined {
  if (!fs.existsSync(path)) return undefined;
  const tags = readJson(path);
  const fine =
    typeof tags === "object" &&
    tags !== null &&
    Object.values(tags).every((value) => typeof value === "string");
  if (!fine) throw new AgentError(`${path} is not a JSON object of strings`);
  // Checked above.
  return tags as Tags;
}

/** @throws what the system says. */
export function writeTags(path: string, tags: Tags): void {
  replace(path, JSON.stringify(tags, undefined, 2));
}

function readJson(path: string): unknown {
  try {
    return JSON.parse(fs.readFileSync(path, "utf8"));
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error);
    throw new AgentError(`cannot read ${path}: ${reason}`);
  }
}

/** Aside and renamed: a crash leaves the old file or the new one. */
function replace(path: string, text: string): void {
  const aside = `${path}.new`;
  fs.writeFileSync(aside, text, { mode: SECRET_MODE, flush: true });
  fs.renameSync(aside, path);
}
