/**
 * What a node that joined remembers of its cluster, in its data directory, so
 * that it starts again by itself: who founded it, whom it can ask, and what
 * must be the same on every node. Founders need no book: they are told on every
 * start. Who the members are is in the log, once it has come.
 */

import fs from "node:fs";
import path from "node:path";

import type { EngineName } from "@quorate/host";
import * as v from "valibot";

import { parseJson } from "../cluster/ask.ts";
import { formatCluster, type Member, parseCluster } from "../cluster/members.ts";
import { CliError } from "../errors.ts";
import { parseEngines } from "../node/catalogue.ts";
import { readText } from "../settings/settings.ts";

export interface Book {
  readonly clusterToken: string;
  readonly founders: readonly Member[];
  /** When the node joined; itself among them. */
  readonly members: readonly Member[];
  readonly services: readonly string[];
  readonly consensus: ReadonlyMap<string, EngineName>;
}

const FILE = "cluster.json";

const listed = v.pipe(
  v.string(),
  v.rawTransform(({ dataset, NEVER, addIssue }) => {
    const parsed = parseCluster(dataset.value);
    if (parsed.type === "members") return parsed.members;
    addIssue({ message: parsed.reason });
    return NEVER;
  }),
);

const bookSchema = v.object({
  clusterToken: v.string(),
  founders: listed,
  members: listed,
  services: v.array(v.string()),
  consensus: v.pipe(
    v.string(),
    v.transform((text) => (text === "" ? new Map<string, EngineName>() : parseEngines(text))),
    v.check((engines) => engines !== undefined, "names an engine that is not here"),
    v.transform((engines) => engines ?? new Map<string, EngineName>()),
  ),
});

/** Reads the book of an earlier start; undefined if there is none. @throws CliError if it is damaged. */
export function readBook(dataDir: string): Book | undefined {
  const file = path.join(dataDir, FILE);
  if (!fs.existsSync(file)) return undefined;
  const result = v.safeParse(bookSchema, parseJson(readText(file, "what is known of the cluster")));
  if (result.success) return result.output;
  const reason = `${file} is damaged (${result.issues[0].message}): remove it and start the node with --join`;
  throw new CliError({ code: "settings", reason });
}

/** Writes it down for ever. The directory must be there. */
export function writeBook(dataDir: string, book: Book): void {
  const { clusterToken, founders, members, services, consensus } = book;
  const told = {
    clusterToken,
    founders: formatCluster(founders),
    members: formatCluster(members),
    services,
    consensus: [...consensus].map((pair) => pair.join("=")).join(","),
  };
  const aside = path.join(dataDir, `${FILE}.tmp`);
  fs.writeFileSync(aside, `${JSON.stringify(told, undefined, 2)}\n`, { flush: true });
  fs.renameSync(aside, path.join(dataDir, FILE));
}
