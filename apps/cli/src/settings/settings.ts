/**
 * Settings from their sources: flags before variables before the file before
 * defaults. Whatever is wrong is refused with the setting's name as its author
 * wrote it, where it came from, and what is allowed.
 */

import fs from "node:fs";

import * as v from "valibot";

import { CliError, reasonOf } from "../errors.ts";
import { didYouMean } from "../terminal/suggest.ts";
import { schemas } from "./schemas.ts";
import { kebab, type NodeSettings, type SettingName, settingTable, variableOf } from "./table.ts";

/** Where raw values come from. */
export interface Sources {
  /** By the setting's name, as the command line's parser gives them. */
  readonly flags: object;
  readonly environment: Readonly<Partial<Record<string, string>>>;
  /** Path of the configuration file. */
  readonly file: string | undefined;
}

export interface Resolved<K extends SettingName> {
  readonly values: Pick<NodeSettings, K>;
  /** For messages: `--name`, `QUORATE_NAME`, `"name" in quorate.json` or `name`. */
  readonly sourceOf: (name: K) => string;
  /** Whether somebody said it. */
  readonly given: (name: K) => boolean;
}

/**
 * Finds and checks the settings called `names`; `fallbacks` go before the usual ones.
 * @throws CliError for the first that is wrong or missing.
 */
export function resolveSettings<K extends SettingName>(
  names: readonly K[],
  { flags, environment, file }: Sources,
  fallbacks: Readonly<Partial<NodeSettings>> = {},
): Resolved<K> {
  const path = file ?? environment["QUORATE_CONFIG"];
  const inFile = path === undefined || path === "" ? {} : readConfig(path);
  const sources = new Map<K, string>();
  const values: Partial<Record<K, unknown>> = {};
  for (const name of names) {
    const found = find(name, flags, environment, inFile, path);
    if (found === undefined) values[name] = fallbacks[name] ?? defaultOf(name);
    else {
      sources.set(name, found.source);
      values[name] = check(name, found);
    }
  }
  return {
    // Each value came out of its own schema, or is its default.
    values: values as Pick<NodeSettings, K>,
    sourceOf: (name) => sources.get(name) ?? `--${kebab(name)} (by default)`,
    given: (name) => sources.has(name),
  };
}

interface Found {
  readonly source: string;
  readonly value: unknown;
}

function find(
  name: SettingName,
  flags: Sources["flags"],
  environment: Sources["environment"],
  inFile: Readonly<Record<string, unknown>>,
  path: string | undefined,
): Found | undefined {
  const flag = (flags as Readonly<Partial<Record<string, unknown>>>)[name];
  if (flag !== undefined) return { source: `--${kebab(name)}`, value: flag };
  const variable = variableOf(name);
  const spoken = environment[variable];
  // An empty variable is how shells and unit files unset one.
  if (spoken !== undefined && spoken !== "") return { source: variable, value: spoken };
  if (Object.hasOwn(inFile, name)) {
    return { source: `"${name}" in ${path ?? ""}`, value: inFile[name] };
  }
  return undefined;
}

function check(name: SettingName, { source, value }: Found): unknown {
  const { allowed } = settingTable[name];
  const result = v.safeParse(schemas[name], value);
  if (result.success) return result.output;
  const { message } = result.issues[0];
  // A message that is not valibot's own says more than the rule alone.
  const detail = message.startsWith("Invalid ") ? "" : `; ${message}`;
  throw new CliError({ code: "setting", source, value, allowed: allowed + detail });
}

function defaultOf(name: SettingName): unknown {
  const { fallback, allowed } = settingTable[name];
  if (fallback !== undefined) return fallback;
  const places = `--${kebab(name)}, ${variableOf(name)} or "${name}" in the configuration file`;
  throw new CliError({ code: "settings", reason: `${places} is missing: ${allowed}` });
}

function readConfig(path: string): Readonly<Record<string, unknown>> {
  const text = readText(path, "the configuration file");
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch (error) {
    throw new CliError({ code: "settings", reason: `${path} is not JSON: ${reasonOf(error)}` });
  }
  if (typeof value !== "object" || value === null || Array.isArray(value)) {
    const reason = `${path} must hold a JSON object of settings, {"portBase": 7000, …}`;
    throw new CliError({ code: "settings", reason });
  }
  for (const key of Object.keys(value)) {
    if (Object.hasOwn(settingTable, key)) continue;
    const hint = didYouMean(key, Object.keys(settingTable));
    throw new CliError({ code: "settings", reason: `"${key}" in ${path} is no setting${hint}` });
  }
  // Checked above: an object, with keys that are settings.
  return value as Readonly<Record<string, unknown>>;
}

/** @throws CliError that names `what` and the path. */
export function readText(path: string, what: string): string {
  try {
    return fs.readFileSync(path, "utf8");
  } catch (error) {
    throw new CliError({ code: "settings", reason: `cannot read ${what}: ${reasonOf(error)}` });
  }
}
