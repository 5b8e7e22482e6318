/** What settings of an agent mean: everything the service is made from, checked against each other. */

import fs from "node:fs";
import os from "node:os";

import type { Address, LogLevel } from "@quorate/host";
import {
  AgentError,
  type AgentConfig,
  DEFAULT_PORT,
  DEFAULT_RPC_PORT,
  type EventHandler,
  Keyring,
  parseAddress,
  parseHandler,
  parseKey,
  PROFILE_NAMES,
  type Profile,
  readKeyring,
  readTags,
} from "@quorate/serf";

import { CliError } from "../errors.ts";
import { type AgentSettings, agentTable, WITHOUT_EFFECT } from "./table.ts";

export interface AgentPlan {
  readonly config: AgentConfig;
  readonly rpc: Address;
  readonly rpcAuthKey: string | undefined;
  readonly handlers: readonly EventHandler[];
  readonly logLevel: LogLevel;
  readonly metrics: Address | undefined;
  /** What an operator should know of the settings. */
  readonly warnings: readonly string[];
}

const LEVELS: Readonly<Record<string, LogLevel>> = {
  trace: "trace",
  debug: "debug",
  info: "info",
  warn: "warn",
  err: "error",
};

/** Events beyond this do not fit into a packet, whatever the setting. */
const EVENT_BYTES = 9 * 1024;
const NAME = /^[A-Za-z0-9.-]{1,128}$/;
const METRICS_PORT = 9464;
const LEAST_WAIT_MS = 1000;

/** @throws CliError that names what is wrong. */
export function agentPlan(settings: AgentSettings): AgentPlan {
  try {
    return plan(settings);
  } catch (error) {
    if (error instanceof AgentError)
      throw new CliError({ code: "settings", reason: error.message });
    throw error;
  }
}

function plan(settings: AgentSettings): AgentPlan {
  const warnings = [...withoutEffect(settings), ...withoutDiscovery(settings)];
  if (settings.rejoin_after_leave && settings.snapshot_path === "") {
    warnings.push("-rejoin does nothing without -snapshot");
  }
  const logLevel =
    LEVELS[settings.log_level.toLowerCase()] ??
    unknown("-log-level", settings.log_level, Object.keys(LEVELS));
  const { profile } = settings;
  if (!isProfile(profile)) unknown("-profile", profile, PROFILE_NAMES);
  const name = settings.node_name === "" ? os.hostname() : settings.node_name;
  if (settings.validate_node_names && !NAME.test(name)) {
    refuse(
      `the name ${JSON.stringify(name)} must have letters, digits, dashes and dots only, at most 128`,
    );
  }
  return {
    config: {
      name,
      bind: bindAddress(settings),
      advertise: settings.advertise === "" ? undefined : parseAddress(settings.advertise, 0),
      profile,
      ...tagsOf(settings),
      ...keysOf(settings),
      snapshotPath: orUndefined(settings.snapshot_path),
      compress: settings.enable_compression,
      protocol: protocolOf(settings),
    },
    rpc: parseAddress(settings.rpc_addr, DEFAULT_RPC_PORT),
    rpcAuthKey: orUndefined(settings.rpc_auth),
    handlers: settings.event_handlers.map(
      (text) =>
        parseHandler(text) ??
        refuse(`${JSON.stringify(text)} is no event handler: its filter is no event`),
    ),
    logLevel,
    metrics:
      settings.metrics_addr === "" ? undefined : parseAddress(settings.metrics_addr, METRICS_PORT),
    warnings,
  };
}

/** A line for each group of settings that change nothing. */
function withoutEffect(settings: AgentSettings): readonly string[] {
  return WITHOUT_EFFECT.flatMap(({ settings: names, instead }) => {
    const given = names.filter((name) => settings[name] !== agentTable[name].fallback);
    if (given.length === 0) return [];
    return `${given.join(", ")} ${given.length === 1 ? "has" : "have"} no effect: ${instead}`;
  });
}

/**
 * Who has no other way to find anybody would be alone and not know it. A snapshot
 * is no such way: it is empty at first.
 */
function withoutDiscovery(settings: AgentSettings): readonly string[] {
  const { discover, start_join: join, retry_join: retryJoin } = settings;
  if (discover === "") return [];
  if (join.length + retryJoin.length > 0)
    return ["discover has no effect: only agents named with -join or -retry-join are joined"];
  return refuse(
    "-discover is not supported (multicast DNS): name agents with -join or -retry-join",
  );
}

function bindAddress(settings: AgentSettings): Address {
  const bind = parseAddress(settings.bind, DEFAULT_PORT);
  const host = bind.host === "" ? "0.0.0.0" : bind.host;
  if (settings.interface === "") return { host, port: bind.port };
  const found = (os.networkInterfaces()[settings.interface] ?? []).filter(
    ({ address, family }) => family === "IPv4" && !address.startsWith("169.254."),
  );
  const chosen = host === "0.0.0.0" ? found[0] : found.find(({ address }) => address === host);
  if (chosen === undefined) {
    const what = host === "0.0.0.0" ? "no usable address" : `no address ${host}`;
    return refuse(`-iface: the interface ${settings.interface} has ${what}`);
  }
  return { host: chosen.address, port: bind.port };
}

function tagsOf(settings: AgentSettings): Pick<AgentConfig, "tags" | "tagsFile"> {
  const { tags_file: tagsFile, role } = settings;
  const tags = role === "" ? settings.tags : { ...settings.tags, role };
  if (tagsFile === "") return { tags, tagsFile: undefined };
  if (Object.keys(tags).length > 0) refuse("tags cannot be given together with -tags-file");
  return { tags: readTags(tagsFile) ?? {}, tagsFile };
}

function keysOf(settings: AgentSettings): Pick<AgentConfig, "keyring" | "keyringFile"> {
  const { encrypt_key: key, keyring_file: keyringFile } = settings;
  if (keyringFile === "") {
    const keyring = key === "" ? undefined : new Keyring([parseKey(key)]);
    return { keyring, keyringFile: undefined };
  }
  if (key !== "") refuse("-encrypt cannot be given together with -keyring-file");
  if (!fs.existsSync(keyringFile)) refuse(`-keyring-file: there is no file ${keyringFile}`);
  return { keyring: readKeyring(keyringFile), keyringFile };
}

function protocolOf(settings: AgentSettings): AgentConfig["protocol"] {
  const { protocol, required_tags: tags } = settings;
  if (protocol < 2 || protocol > 5) refuse("-protocol must be from 2 to 5");
  return {
    versions: [1, 5, 2, 2, 5, protocol],
    admission: Object.keys(tags).length === 0 ? { type: "anyone" } : { type: "tagged", tags },
    rejoinAfterLeave: settings.rejoin_after_leave,
    reconnectMs: settings.reconnect_interval,
    reconnectTimeoutMs: settings.reconnect_timeout,
    tombstoneMs: settings.tombstone_timeout,
    leaveBroadcastMs: Math.max(LEAST_WAIT_MS, settings.broadcast_timeout),
    resolveConflicts: !settings.disable_name_resolution,
    coordinates: !settings.disable_coordinates,
    queryBytes: settings.query_size_limit,
    responseBytes: settings.query_response_size_limit,
    eventBytes: Math.min(EVENT_BYTES, settings.user_event_size_limit),
  };
}

function isProfile(name: string): name is Profile {
  return PROFILE_NAMES.some((each) => each === name);
}

function orUndefined(text: string): string | undefined {
  return text === "" ? undefined : text;
}

function unknown(flag: string, value: string, allowed: readonly string[]): never {
  throw new CliError({
    code: "setting",
    source: flag,
    value,
    allowed: `one of ${allowed.join(", ")}`,
  });
}

function refuse(reason: string): never {
  throw new CliError({ code: "settings", reason });
}
