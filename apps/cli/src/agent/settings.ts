/**
 * Settings of `quorate agent`: from flags and Serf's configuration files, merged
 * as Serf merges them. Later sources win; lists grow; tags are united.
 */

import fs from "node:fs";
import path from "node:path";

import * as v from "valibot";

import { CliError, reasonOf } from "../errors.ts";
import { parseDuration } from "./duration.ts";
import { type AgentSetting, type AgentSettings, agentTable, type Kind } from "./table.ts";

/** What one source says. */
type Said = { -readonly [K in AgentSetting]?: AgentSettings[K] };

/** Flags by their camelCase names, as the parser gives them. */
export type AgentFlags = Readonly<Record<string, unknown>>;

const duration = v.pipe(
  v.string(),
  v.rawTransform(({ dataset, NEVER, addIssue }) => {
    const ms = parseDuration(dataset.value);
    if (ms !== undefined) return ms;
    addIssue();
    return NEVER;
  }),
);

const wholeNumber = v.pipe(
  v.union([v.number(), v.pipe(v.string(), v.regex(/^\d{1,9}$/), v.transform(Number))]),
  v.integer(),
  v.minValue(0),
);

const tagPair = v.pipe(
  v.string(),
  v.regex(/^[^=]+=/),
  v.transform((pair) => [pair.slice(0, pair.indexOf("=")), pair.slice(pair.indexOf("=") + 1)]),
);

const schemas: { readonly [K in Kind]: v.GenericSchema<unknown, unknown> } = {
  text: v.string(),
  list: v.array(v.string()),
  switch: v.boolean(),
  number: wholeNumber,
  duration,
  tags: v.union([
    v.pipe(
      v.array(tagPair),
      v.transform((pairs) => Object.fromEntries(pairs) as unknown),
    ),
    // An array would do for a record.
    v.pipe(
      v.unknown(),
      v.check((value) => !Array.isArray(value)),
      v.record(v.string(), v.string()),
    ),
  ]),
};

const ALLOWED: { readonly [K in Kind]: string } = {
  text: "a text",
  list: "a list of texts",
  switch: "true or false",
  number: "a whole number",
  duration: "a duration such as 30s, 1m30s or 500ms",
  tags: "key=value",
};

const SETTINGS = Object.keys(agentTable) as readonly AgentSetting[];

/** Merges flags with the files they name. @throws CliError that names what is wrong. */
export function agentSettings(flags: AgentFlags): AgentSettings {
  const files = flags["configFile"] ?? [];
  // The parser gathers the values of a flag that may be repeated.
  const paths = files as readonly string[];
  const said = [...paths.flatMap(filesOf).map(readFile), fromFlags(flags)];
  return said.reduce<AgentSettings>(merge, defaults());
}

function defaults(): AgentSettings {
  // Every row has a fallback of its setting's type.
  return Object.fromEntries(
    SETTINGS.map((name) => [name, agentTable[name].fallback]),
  ) as unknown as AgentSettings;
}

/** A file, or every `.json` in a directory, in the order of names. */
function filesOf(place: string): readonly string[] {
  try {
    if (!fs.statSync(place).isDirectory()) return [place];
    return fs
      .readdirSync(place)
      .filter((name) => name.endsWith(".json"))
      .toSorted()
      .map((name) => path.join(place, name))
      .filter((file) => !fs.statSync(file).isDirectory());
  } catch (error) {
    throw new CliError({ code: "settings", reason: `cannot read ${place}: ${reasonOf(error)}` });
  }
}

function readFile(file: string): Said {
  let content: unknown;
  try {
    content = JSON.parse(fs.readFileSync(file, "utf8"));
  } catch (error) {
    throw new CliError({ code: "settings", reason: `cannot read ${file}: ${reasonOf(error)}` });
  }
  if (typeof content !== "object" || content === null || Array.isArray(content)) {
    throw new CliError({ code: "settings", reason: `${file} is not a JSON object` });
  }
  const said: Said = {};
  for (const [written, value] of entriesOf(content)) {
    // Serf does not look at the case of a key.
    const key = written.toLowerCase();
    if (!isSetting(key)) {
      throw new CliError({ code: "settings", reason: `${file}: no setting is called ${written}` });
    }
    // An empty text or nothing at all says as much as no line, as Serf has it.
    if (value !== "" && value !== null) set(said, key, value, `${written} in ${file}`);
  }
  return said;
}

/** Keys and values of a file, those of the block for multicast DNS with its name before them. */
function entriesOf(content: object): readonly (readonly [string, unknown])[] {
  return Object.entries(content).flatMap(([key, value]: readonly [string, unknown]) => {
    if (key.toLowerCase() !== "mdns" || typeof value !== "object" || value === null)
      return [[key, value] as const];
    return Object.entries(value).map(([inner, each]) => [`${key}.${inner}`, each] as const);
  });
}

function isSetting(key: string): key is AgentSetting {
  return Object.hasOwn(agentTable, key);
}

function fromFlags(flags: AgentFlags): Said {
  const said: Said = {};
  for (const name of SETTINGS) {
    const { flag } = agentTable[name];
    if (flag === undefined) continue;
    const value = flags[camel(flag)];
    if (value !== undefined) set(said, name, value, `-${flag}`);
  }
  if (flags["disableCompression"] === true) said.enable_compression = false;
  return said;
}

/** `retry-join` → `retryJoin`. */
function camel(flag: string): string {
  return flag.replaceAll(/-([a-z])/g, (_, letter: string) => letter.toUpperCase());
}

function set(said: Said, name: AgentSetting, value: unknown, source: string): void {
  const { kind } = agentTable[name];
  const parsed = v.safeParse(schemas[kind], value);
  if (!parsed.success) {
    throw new CliError({ code: "setting", source, value, allowed: ALLOWED[kind] });
  }
  // The schema of its kind checked what the setting's type demands.
  Object.assign(said, { [name]: parsed.output });
}

function merge(base: AgentSettings, said: Said): AgentSettings {
  const lists = ["start_join", "retry_join", "event_handlers"] as const;
  const grown = lists.map((name) => [name, [...base[name], ...(said[name] ?? [])]] as const);
  return {
    ...base,
    ...said,
    ...Object.fromEntries(grown),
    tags: { ...base.tags, ...said.tags },
    required_tags: { ...base.required_tags, ...said.required_tags },
  };
}
