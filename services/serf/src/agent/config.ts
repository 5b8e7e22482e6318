/** How an agent is set up, and what the process is told of it. */

import {
  lan,
  local,
  type SerfConfig,
  serfDefaults,
  type Tags,
  wan,
  type Wire,
} from "@quorate/gossip";
import type { Address } from "@quorate/host";

import type { Keyring } from "../wire/keyring.ts";

export type Profile = "lan" | "wan" | "local";
const PROFILES = { lan, wan, local } as const;
export const PROFILE_NAMES: readonly Profile[] = ["lan", "wan", "local"];

/** Serf's port for gossip. */
export const DEFAULT_PORT = 7946;
/** And for clients. */
export const DEFAULT_RPC_PORT = 7373;

export interface AgentConfig {
  /** This node's name: its identity in the cluster. */
  readonly name: string;
  /** Where to listen, UDP and TCP: an IP address; port 0 for a free one. */
  readonly bind: Address;
  /** What others are told, if it is not where this node listens. Port 0: the same. */
  readonly advertise: Address | undefined;
  /** Timing: for one site, for many, for one machine. */
  readonly profile: Profile;
  readonly tags: Tags;
  /** Tags are written there when they change. */
  readonly tagsFile: string | undefined;
  /** Seals what is sent; what is received must be sealed. */
  readonly keyring: Keyring | undefined;
  /** Keys are written there when they change. */
  readonly keyringFile: string | undefined;
  /** Where members and clocks are kept, to join again after a restart. */
  readonly snapshotPath: string | undefined;
  /** Send compressed what is shorter so. */
  readonly compress: boolean;
  /** Settings of the protocol that are not the profile's. */
  readonly protocol: Partial<SerfConfig>;
}

/** A configuration with Serf's defaults where `changes` says nothing. */
export function agentConfig(
  name: string,
  changes: Partial<Omit<AgentConfig, "name">> = {},
): AgentConfig {
  return {
    name,
    bind: { host: "0.0.0.0", port: DEFAULT_PORT },
    advertise: undefined,
    profile: "lan",
    tags: {},
    tagsFile: undefined,
    keyring: undefined,
    keyringFile: undefined,
    snapshotPath: undefined,
    compress: true,
    protocol: {},
    ...changes,
  };
}

/** As Serf's agent sets it: bursts of changes reach handlers together. */
const COALESCE_MS = 3000;
const QUIET_MS = 1000;

/** The process's settings. `wrapBytes` is what the transport wraps around a packet. */
export function protocolConfig(config: AgentConfig, wire: Wire, wrapBytes: number): SerfConfig {
  const profile = PROFILES[config.profile]({ name: config.name, wire });
  const packetBytes = profile.packetBytes - wrapBytes;
  return serfDefaults(
    { ...profile, packetBytes },
    {
      coalesceMs: COALESCE_MS,
      quietMs: QUIET_MS,
      userCoalesceMs: COALESCE_MS,
      userQuietMs: QUIET_MS,
      tags: config.tags,
      snapshot: config.snapshotPath !== undefined,
      ...config.protocol,
    },
  );
}
