/** The rule of every setting: makes a value of what a source holds, text or any JSON from the file. */

import type { EngineName } from "@quorate/host";
import * as v from "valibot";

import { isBlock, type Member, NODE_NAME, parseCluster } from "../cluster/members.ts";
import { LAST_PORT_BASE, parseHostPort, PEER_OFFSET } from "../cluster/ports.ts";
import { parseEngines, serviceNames } from "../node/catalogue.ts";
import { LOG_LEVELS, type NodeSettings, type SettingName } from "./table.ts";

type Schema<T> = v.GenericSchema<unknown, T>;

export const schemas: { readonly [K in SettingName]: Schema<NodeSettings[K]> } = {
  name: v.pipe(v.string(), v.regex(NODE_NAME)),
  dataDir: path(),
  host: v.pipe(v.string(), v.regex(/^[A-Za-z0-9.:_%-]+$/), hostOnly()),
  portBase: wholeNumber(1, LAST_PORT_BASE),
  cluster: clusterSchema(),
  join: v.pipe(
    v.string(),
    v.transform((text) => text.split(",").map((each) => each.trim())),
    v.everyItem((item) => isBlock((parseHostPort(item)?.port ?? 0) - PEER_OFFSET)),
  ),
  clusterToken: v.pipe(v.string(), v.minLength(1), v.maxLength(128)),
  services: listOf(serviceNames()),
  consensus: enginesSchema(),
  certFile: path(),
  keyFile: path(),
  trustedCaFile: path(),
  clientCertAuth: flag(),
  peerCertFile: path(),
  peerKeyFile: path(),
  peerTrustedCaFile: path(),
  gossipKey: v.pipe(
    v.string(),
    v.check((key) => [16, 24, 32].includes(Buffer.from(key, "base64").length)),
  ),
  insecure: flag(),
  electionMs: wholeNumber(50, 60_000),
  heartbeatMs: wholeNumber(5, 20_000),
  checkpointBytes: wholeNumber(65_536, 68_719_476_736),
  quotaBytes: wholeNumber(1_048_576, 68_719_476_736),
  logLevel: v.picklist(LOG_LEVELS),
};

/** A whole number, as text or as JSON. */
export function wholeNumber(least: number, most: number): Schema<number> {
  return v.pipe(
    v.union([v.pipe(v.string(), v.regex(/^\d{1,15}$/), v.transform(Number)), v.number()]),
    v.integer(),
    v.minValue(least),
    v.maxValue(most),
  );
}

function path(): Schema<string> {
  return v.pipe(v.string(), v.minLength(1));
}

/** A switch: flags and JSON say true or false, variables say it in words. */
function flag(): Schema<boolean> {
  const spoken = v.pipe(
    v.picklist(["true", "false", "1", "0", "yes", "no"]),
    v.transform((word) => ["true", "1", "yes"].includes(word)),
  );
  return v.union([v.boolean(), spoken]);
}

/** Texts with commas, or arrays in the file. */
function listOf(names: readonly string[]): Schema<readonly string[]> {
  const split = v.pipe(
    v.string(),
    v.transform((text) => text.split(",").map((each) => each.trim())),
  );
  return v.pipe(
    v.union([split, v.array(v.string())]),
    v.minLength(1),
    v.everyItem((item) => names.includes(item)),
    v.check((items) => new Set(items).size === items.length),
  );
}

function clusterSchema(): Schema<readonly Member[]> {
  return v.pipe(
    v.string(),
    v.rawTransform(({ dataset, NEVER, addIssue }) => {
      const parsed = parseCluster(dataset.value);
      if (parsed.type === "members") return parsed.members;
      addIssue({ message: parsed.reason });
      return NEVER;
    }),
  );
}

function enginesSchema(): Schema<ReadonlyMap<string, EngineName>> {
  return v.pipe(
    v.string(),
    v.rawTransform(({ dataset, NEVER, addIssue }) => {
      const engines = parseEngines(dataset.value);
      if (engines !== undefined) return engines;
      addIssue();
      return NEVER;
    }),
  );
}

/** One colon is a port that does not belong here; more are an IPv6 address. */
function hostOnly(): v.CheckAction<string, undefined> {
  return v.check((host: string) => host.split(":").length !== 2);
}
