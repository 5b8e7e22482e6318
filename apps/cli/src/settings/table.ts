/**
 * Every setting of a node: its name in each source, what is allowed, and what
 * it is when nobody says. One table, from which flags, `QUORATE_*` variables,
 * the configuration file and messages follow. `schemas.ts` holds the rules;
 * here is what help shows, which must not cost time.
 */

import type { EngineName } from "@quorate/host";

import type { Member } from "../cluster/members.ts";
import { LAST_PORT_BASE } from "../cluster/ports.ts";
import { engineChoices, serviceChoices, serviceNames } from "../node/catalogue.ts";

/** A node's settings, checked one by one. */
export interface NodeSettings {
  readonly name: string;
  readonly dataDir: string;
  readonly host: string;
  readonly portBase: number;
  readonly cluster: readonly Member[];
  readonly join: readonly string[];
  readonly clusterToken: string;
  readonly services: readonly string[];
  readonly consensus: ReadonlyMap<string, EngineName>;
  readonly certFile: string;
  readonly keyFile: string;
  readonly trustedCaFile: string;
  readonly clientCertAuth: boolean;
  readonly peerCertFile: string;
  readonly peerKeyFile: string;
  readonly peerTrustedCaFile: string;
  readonly gossipKey: string;
  readonly insecure: boolean;
  readonly electionMs: number;
  readonly heartbeatMs: number;
  readonly checkpointBytes: number;
  readonly quotaBytes: number;
  readonly logLevel: (typeof LOG_LEVELS)[number];
}

export type SettingName = keyof NodeSettings;

export interface SettingRow<T> {
  /** What the flag's argument stands for; a switch has none. */
  readonly argument?: string;
  readonly description: string;
  /** Ends the sentence "X must be …". */
  readonly allowed: string;
  /** Without one the setting must be given. */
  readonly fallback?: T;
}

export const LOG_LEVELS = ["trace", "debug", "info", "warn", "error", "fatal", "silent"] as const;

export const settingTable: { readonly [K in SettingName]: SettingRow<NodeSettings[K]> } = {
  name: {
    argument: "<name>",
    description: "name of this node, one of those in --cluster, or a new one with --join",
    allowed: "a name of letters, digits, dots, dashes and underscores, at most 63",
  },
  dataDir: {
    argument: "<dir>",
    description: "where the data is kept; made if missing, never deleted",
    allowed: "the path of a directory",
  },
  host: {
    argument: "<host>",
    description: "address to listen on",
    allowed: "a host name or an IP address, without a port",
    fallback: "127.0.0.1",
  },
  portBase: {
    argument: "<port>",
    description: "first port of the node: +0 http, +1 peers, +2 etcd, +5 serf, +6 serf RPC",
    allowed: `a port number from 1 to ${LAST_PORT_BASE}`,
    fallback: 7000,
  },
  cluster: {
    argument: "<members>",
    description: "the cluster's founders and their peer addresses: n1=HOST:PEERPORT,n2=…",
    allowed: "a list of NAME=HOST:PEERPORT with commas, each once",
    // A node alone, see `completeSettings`.
    fallback: [],
  },
  join: {
    argument: "<members>",
    description: "for a node that is no founder: peer addresses of members, HOST:PEERPORT,…",
    allowed: "a list of HOST:PEERPORT with commas",
    fallback: [],
  },
  clusterToken: {
    argument: "<text>",
    description: "tells clusters with members of the same names apart",
    allowed: "a text of 1 to 128 characters",
    fallback: "quorate",
  },
  services: {
    argument: "<list>",
    description: `services to run: ${serviceChoices()}`,
    allowed: `a list with commas of ${serviceChoices()}, each once`,
    fallback: serviceNames(),
  },
  consensus: {
    argument: "<list>",
    description: "which engine replicates a service when it is founded: etcd=raft",
    allowed: `a list of SERVICE=ENGINE with commas: ${engineChoices()}`,
    fallback: new Map(),
  },
  certFile: file("certificate that clients are shown (PEM); turns TLS on"),
  keyFile: file("private key of --cert-file (PEM)"),
  trustedCaFile: file("authorities that sign clients' certificates (PEM)"),
  clientCertAuth: flag("refuse clients without a certificate signed by --trusted-ca-file"),
  peerCertFile: file("certificate that the other nodes are shown (PEM)"),
  peerKeyFile: file("private key of --peer-cert-file (PEM)"),
  peerTrustedCaFile: file("authorities that sign the nodes' certificates (PEM)"),
  gossipKey: {
    argument: "<key>",
    description: "key that seals gossip between nodes, in base64",
    allowed: "16, 24 or 32 bytes in base64",
    fallback: "",
  },
  insecure: flag("listen beyond this machine without TLS"),
  electionMs: {
    argument: "<ms>",
    description: "how long a silent leader is waited for, at least 3 heartbeats",
    allowed: "a whole number of milliseconds from 50 to 60000",
    fallback: 500,
  },
  heartbeatMs: {
    argument: "<ms>",
    description: "how often an idle leader speaks",
    allowed: "a whole number of milliseconds from 5 to 20000",
    fallback: 100,
  },
  checkpointBytes: {
    argument: "<bytes>",
    description: "log written between two checkpoints of the state",
    allowed: "a whole number of bytes from 65536 to 68719476736",
    fallback: 64 << 20,
  },
  quotaBytes: {
    argument: "<bytes>",
    description: "state of a service, history included, beyond which writes are refused",
    allowed: "a whole number of bytes from 1048576 to 68719476736",
    fallback: 2 ** 31,
  },
  logLevel: {
    argument: "<level>",
    description: "least level that is logged, as JSON lines on standard error",
    allowed: `one of ${LOG_LEVELS.join(", ")}`,
    fallback: "info",
  },
};

function flag(description: string): SettingRow<boolean> {
  return { description, allowed: "true or false", fallback: false };
}

/** An optional file; "" is none. */
function file(description: string): SettingRow<string> {
  return { argument: "<file>", description, allowed: "the path of a file", fallback: "" };
}

/** `electionMs` → `election-ms`. */
export function kebab(name: string): string {
  return name.replaceAll(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`);
}

/** `electionMs` → `QUORATE_ELECTION_MS`. */
export function variableOf(name: string): string {
  return `QUORATE_${kebab(name).replaceAll("-", "_").toUpperCase()}`;
}
