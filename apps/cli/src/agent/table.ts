/**
 * Every setting of `quorate agent`: its name as a flag of `serf agent`, its key
 * in Serf's configuration files, its kind. One table, from which flags, files,
 * help and completion follow. Serf's meanings and defaults unless said otherwise.
 * What is in a block of a file has the block's name before a dot.
 */

export interface AgentSettings {
  readonly node_name: string;
  readonly role: string;
  readonly tags: Readonly<Record<string, string>>;
  readonly tags_file: string;
  readonly bind: string;
  readonly interface: string;
  readonly advertise: string;
  readonly encrypt_key: string;
  readonly keyring_file: string;
  readonly log_level: string;
  readonly rpc_addr: string;
  readonly rpc_auth: string;
  readonly protocol: number;
  readonly profile: string;
  readonly start_join: readonly string[];
  readonly replay_on_join: boolean;
  readonly retry_join: readonly string[];
  readonly retry_interval: number;
  readonly retry_max_attempts: number;
  readonly event_handlers: readonly string[];
  readonly snapshot_path: string;
  readonly rejoin_after_leave: boolean;
  readonly leave_on_terminate: boolean;
  readonly skip_leave_on_interrupt: boolean;
  readonly reconnect_interval: number;
  readonly reconnect_timeout: number;
  readonly tombstone_timeout: number;
  readonly broadcast_timeout: number;
  readonly disable_name_resolution: boolean;
  readonly disable_coordinates: boolean;
  readonly enable_compression: boolean;
  readonly query_size_limit: number;
  readonly query_response_size_limit: number;
  readonly user_event_size_limit: number;
  readonly validate_node_names: boolean;
  readonly discover: string;
  readonly "mdns.interface": string;
  readonly "mdns.disable_ipv4": boolean;
  readonly "mdns.disable_ipv6": boolean;
  readonly enable_syslog: boolean;
  readonly syslog_facility: string;
  readonly statsite_addr: string;
  readonly statsd_addr: string;
  readonly metrics_addr: string;
  readonly required_tags: Readonly<Record<string, string>>;
}

export type AgentSetting = keyof AgentSettings;

/** Durations are milliseconds here, and `1m30s` where they are written. */
export type Kind = "text" | "list" | "switch" | "number" | "duration" | "tags";

export interface AgentRow<K extends AgentSetting = AgentSetting> {
  readonly kind: Kind;
  /** Without one it is set in files only. */
  readonly flag?: string;
  readonly argument?: string;
  readonly description: string;
  readonly fallback: AgentSettings[K];
}

export const agentTable: { readonly [K in AgentSetting]: AgentRow<K> } = {
  node_name: text("node", "<name>", "name of this node (default: the host's)"),
  role: text("role", "<role>", "old way to say -tag role=…"),
  tags: {
    kind: "tags",
    flag: "tag",
    argument: "<key=value>",
    description: "tag of this node; again for more",
    fallback: {},
  },
  tags_file: text("tags-file", "<file>", "where tags are kept; not together with -tag"),
  bind: text(
    "bind",
    "<address>",
    "address to listen on, UDP and TCP (default: 0.0.0.0:7946)",
    "0.0.0.0",
  ),
  interface: text("iface", "<name>", "network interface to listen on"),
  advertise: text("advertise", "<address>", "address that others are told"),
  encrypt_key: text("encrypt", "<key>", "key that seals all traffic, 16, 24 or 32 bytes in base64"),
  keyring_file: text("keyring-file", "<file>", "where keys are kept; not together with -encrypt"),
  log_level: text(
    "log-level",
    "<level>",
    "trace, debug, info, warn or err (default: info)",
    "info",
  ),
  rpc_addr: text(
    "rpc-addr",
    "<address>",
    "address for clients such as serf members (default: 127.0.0.1:7373)",
    "127.0.0.1:7373",
  ),
  rpc_auth: text("rpc-auth", "<key>", "what those clients must know"),
  protocol: {
    kind: "number",
    flag: "protocol",
    argument: "<version>",
    description: "Serf protocol to speak, 2 to 5 (default: 5)",
    fallback: 5,
  },
  profile: text("profile", "<name>", "timing: lan, wan or local (default: lan)", "lan"),
  start_join: list("join", "<address>", "agent to join at start, or exit; again for more"),
  replay_on_join: toggle("replay", "have past events delivered when joining"),
  retry_join: list("retry-join", "<address>", "agent to join, until it works; again for more"),
  retry_interval: duration("retry-interval", "how often -retry-join tries (default: 30s)", 30_000),
  retry_max_attempts: {
    kind: "number",
    flag: "retry-max",
    argument: "<count>",
    description: "how often at most (default: 0, no limit)",
    fallback: 0,
  },
  event_handlers: list(
    "event-handler",
    "<handler>",
    "command or webhook for events; again for more",
  ),
  snapshot_path: text(
    "snapshot",
    "<file>",
    "where members are kept, to join again after a restart",
  ),
  rejoin_after_leave: toggle("rejoin", "join again even after a leave"),
  leave_on_terminate: toggle("leave-on-terminate", "leave on SIGTERM too"),
  skip_leave_on_interrupt: toggle("skip-leave-on-interrupt", "do not leave on SIGINT"),
  reconnect_interval: duration(undefined, "how often failed members are tried", 30_000),
  reconnect_timeout: duration(undefined, "when failed members are forgotten", 86_400_000),
  tombstone_timeout: duration(undefined, "when members that left are forgotten", 86_400_000),
  broadcast_timeout: duration(
    "broadcast-timeout",
    "the longest that a leave waits to be told (default: 5s)",
    5000,
  ),
  disable_name_resolution: toggle(undefined, "go on under a name that another has"),
  disable_coordinates: toggle(undefined, "keep no network coordinates"),
  enable_compression: { ...toggle(undefined, "send compressed"), fallback: true },
  query_size_limit: bytes("of a query", 1024),
  query_response_size_limit: bytes("of a response", 1024),
  user_event_size_limit: bytes("of a user event", 512),
  validate_node_names: toggle(
    undefined,
    "refuse names of other than letters, digits, dashes and dots",
  ),
  discover: text("discover", "<cluster>", "not supported (multicast DNS): say whom to join"),
  "mdns.interface": text("mdns-iface", "<name>", "no effect: there is no multicast DNS"),
  "mdns.disable_ipv4": toggle("mdns-disable-ipv4", "no effect: there is no multicast DNS"),
  "mdns.disable_ipv6": toggle("mdns-disable-ipv6", "no effect: there is no multicast DNS"),
  enable_syslog: toggle("syslog", "no effect: logs go to standard error"),
  syslog_facility: inFiles("no effect: logs go to standard error"),
  statsite_addr: inFiles("no effect: see -metrics-addr"),
  statsd_addr: inFiles("no effect: see -metrics-addr"),
  required_tags: {
    kind: "tags",
    flag: "require-tag",
    argument: "<key=value>",
    description: "tag without which nobody is let in; again for more",
    fallback: {},
  },
  metrics_addr: text("metrics-addr", "<address>", "address for Prometheus, at /metrics"),
};

/** Settings of Serf's that are taken and change nothing, and what does their work here. */
export const WITHOUT_EFFECT: readonly {
  readonly settings: readonly AgentSetting[];
  readonly instead: string;
}[] = [
  {
    settings: ["mdns.interface", "mdns.disable_ipv4", "mdns.disable_ipv6"],
    instead: "there is no multicast DNS: name agents with -join or -retry-join",
  },
  {
    settings: ["enable_syslog", "syslog_facility"],
    instead: "logs go to standard error, from where systemd or logger(1) may take them",
  },
  {
    settings: ["statsd_addr", "statsite_addr"],
    instead: "let Prometheus read the metrics at -metrics-addr",
  },
];

/** Flags that are no settings of their own. */
export const CONFIG_FLAGS = ["config-file", "config-dir"] as const;
export const DISABLE_COMPRESSION = "disable-compression";

function text(
  flag: string,
  argument: string,
  description: string,
  fallback = "",
): AgentRow & { readonly fallback: string } {
  return { kind: "text", flag, argument, description, fallback };
}

function inFiles(description: string): AgentRow & { readonly fallback: string } {
  return { kind: "text", description, fallback: "" };
}

function list(
  flag: string,
  argument: string,
  description: string,
): AgentRow & { readonly fallback: readonly string[] } {
  return { kind: "list", flag, argument, description, fallback: [] };
}

function toggle(
  flag: string | undefined,
  description: string,
): AgentRow & { readonly fallback: boolean } {
  return { kind: "switch", ...(flag === undefined ? {} : { flag }), description, fallback: false };
}

function duration(
  flag: string | undefined,
  description: string,
  fallback: number,
): AgentRow & { readonly fallback: number } {
  const named = flag === undefined ? {} : { flag, argument: "<duration>" };
  return { kind: "duration", ...named, description, fallback };
}

function bytes(what: string, fallback: number): AgentRow & { readonly fallback: number } {
  return { kind: "number", description: `the most bytes ${what}`, fallback };
}
