/**
 * Settings of the membership layer: what each is, the formula it enters, and
 * what moving it costs. Profiles and names follow memberlist, whose defaults
 * these are. `n` is the number of members known, those dead and not yet
 * forgotten included.
 */

import { META_BYTES, type Name, VERSIONS, type Versions } from "./member.ts";
import type { Roster } from "./swim/members.ts";
import type { Wire } from "./wire.ts";

export interface SwimConfig {
  /** This node's name. Two nodes with one name are a conflict. */
  readonly name: Name;

  /** What is said about this node: at most 512 bytes. */
  readonly meta: Uint8Array;

  readonly versions: Versions;

  /**
   * Every so often one member is pinged. The mean time until a crashed member
   * is first probed is 1.58 intervals, the longest 2n - 1. Lower finds crashes
   * sooner and costs two packets per interval and member, whatever n is.
   */
  readonly probeIntervalMs: number;

  /**
   * For how long a ping waits before others are asked to ping. Above the 99th
   * percentile of round trips; must be below the interval, which bounds the whole
   * probe. Health does not scale it, only the interval.
   */
  readonly probeTimeoutMs: number;

  /**
   * How many others ping on one's behalf (SWIM's k). A live member is suspected
   * with a probability that falls like (1 - p^4)^k for a share p of packets that
   * arrive. Each costs four packets, only when a ping failed.
   */
  readonly indirectChecks: number;

  /** Ping over a stream too when packets fail: keeps a broken UDP path from looking like a crash. */
  readonly streamPings: boolean;

  /** How many members each gossip goes to. More spreads faster and costs as much more. */
  readonly gossipNodes: number;

  /**
   * A message reaches all in about log(n)/log(1 + gossipNodes) intervals.
   * Load of a node with something to say: gossipNodes packets per interval.
   */
  readonly gossipIntervalMs: number;

  /** For how long a dead member still gets gossip, so that it can refute. */
  readonly gossipToTheDeadMs: number;

  /**
   * For how long the dead are remembered at least. Whoever forgets them sooner than
   * the last to hear of their death takes them for alive again on hearsay, and two
   * such nodes keep a dead member going for ever. Memberlist forgets after
   * `gossipToTheDeadMs`.
   */
  readonly deadMemoryMs: number;

  /**
   * A broadcast is put into retransmitMult * ceil(log10(n + 1)) packets. It misses
   * a given member with a probability of about e to the minus that; push/pull
   * repairs what is missed.
   */
  readonly retransmitMult: number;

  /** How many broadcasts may wait; the most often transmitted are dropped beyond. */
  readonly broadcastsMax: number;

  /**
   * A suspect has suspicionMult * max(1, log10 n) * probeIntervalMs to refute once
   * enough others confirmed the suspicion (suspicionMult - 2 of them). The price of
   * a lower value is false deaths, of a higher one slow detection.
   */
  readonly suspicionMult: number;

  /**
   * And this many times as long while nobody confirmed: a node that hears from
   * nobody is more likely ill itself. 1 turns Lifeguard's suspicion off.
   */
  readonly suspicionMaxMult: number;

  /**
   * Health scores go from 0 (well) to one less than this; the probe interval is
   * multiplied by the score plus one. 1 turns Lifeguard's local health off.
   */
  readonly awarenessMax: number;

  /** Tell a suspect of its suspicion with the very ping (Lifeguard's buddy system). */
  readonly buddySystem: boolean;

  /**
   * Every so often the whole state is exchanged with one member, over a stream:
   * times ceil(log2 n - 5) + 1 above 32 members. Repairs what gossip lost; costs
   * the whole table each time. 0 turns it off.
   */
  readonly pushPullMs: number;

  /**
   * Exchange states with a member that pings and is not known, and tell one that
   * pings and is taken for dead: bounds by a round of probes what a lost rumour
   * costs. Memberlist waits for the next push/pull.
   */
  readonly repairByPing: boolean;

  /**
   * Timers that come more than a probe interval late say that this node slept, or
   * was too busy to listen: what it did not hear meanwhile is no evidence against
   * others. Memberlist takes it for such.
   */
  readonly noticesSleep: boolean;

  /** For how long an exchange over a stream may take. */
  readonly streamTimeoutMs: number;

  /**
   * After being dead for so long, a name may come back at another address. 0:
   * only after a farewell.
   */
  readonly deadNodeReclaimMs: number;

  /** For how long a leaving node goes on gossiping its farewell before it says that it has left. */
  readonly leavePropagationMs: number;

  /** How many members are believed in: a stranger must not fill the memory with names. */
  readonly membersMax: number;

  /** What fits into a datagram: less what the driver wraps around it (checksum, encryption). */
  readonly packetBytes: number;

  /** Members known from the start, shared between tables: for simulations of many nodes. */
  readonly roster: Roster | undefined;

  readonly wire: Wire;
}

/** What every profile leaves to whoever runs the node. */
export type SwimIdentity = Pick<SwimConfig, "name" | "wire"> & Partial<SwimConfig>;

/** Members near each other: one site. A crash is found in 6 to 9 s. */
export function lan(identity: SwimIdentity): SwimConfig {
  return {
    meta: new Uint8Array(0),
    versions: VERSIONS,
    probeIntervalMs: 1000,
    probeTimeoutMs: 500,
    indirectChecks: 3,
    streamPings: true,
    gossipNodes: 3,
    gossipIntervalMs: 200,
    gossipToTheDeadMs: 30_000,
    deadMemoryMs: 300_000,
    retransmitMult: 4,
    broadcastsMax: 16_384,
    suspicionMult: 4,
    suspicionMaxMult: 6,
    awarenessMax: 8,
    buddySystem: true,
    pushPullMs: 30_000,
    repairByPing: true,
    noticesSleep: true,
    streamTimeoutMs: 10_000,
    deadNodeReclaimMs: 0,
    leavePropagationMs: 1000,
    membersMax: 65_536,
    packetBytes: 1400,
    roster: undefined,
    ...identity,
  };
}

/** Members far apart: round trips of some hundred milliseconds. */
export function wan(identity: SwimIdentity): SwimConfig {
  return {
    ...lan(identity),
    probeIntervalMs: 5000,
    probeTimeoutMs: 3000,
    gossipNodes: 4,
    gossipIntervalMs: 500,
    gossipToTheDeadMs: 60_000,
    suspicionMult: 6,
    pushPullMs: 60_000,
    streamTimeoutMs: 30_000,
    ...identity,
  };
}

/** Members on one machine. */
export function local(identity: SwimIdentity): SwimConfig {
  return {
    ...lan(identity),
    probeTimeoutMs: 200,
    indirectChecks: 1,
    gossipIntervalMs: 100,
    gossipToTheDeadMs: 15_000,
    retransmitMult: 2,
    suspicionMult: 3,
    pushPullMs: 15_000,
    streamTimeoutMs: 1000,
    ...identity,
  };
}

/** @throws RangeError that names the setting which makes no sense, and why. */
export function checkConfig(config: SwimConfig): void {
  const wrong = (field: keyof SwimConfig, must: string): never => {
    throw new RangeError(`gossip.${field} is ${JSON.stringify(config[field])} but must ${must}`);
  };
  const positive = [
    "probeIntervalMs",
    "probeTimeoutMs",
    "gossipNodes",
    "gossipIntervalMs",
    "retransmitMult",
    "broadcastsMax",
    "suspicionMult",
    "suspicionMaxMult",
    "awarenessMax",
    "streamTimeoutMs",
    "membersMax",
  ] as const;
  for (const field of positive) {
    if (!(Number.isSafeInteger(config[field]) && config[field] > 0)) {
      wrong(field, "be a positive integer");
    }
  }
  const counted = [
    "indirectChecks",
    "pushPullMs",
    "deadNodeReclaimMs",
    "gossipToTheDeadMs",
    "deadMemoryMs",
  ] as const;
  for (const field of counted) if (!(config[field] >= 0)) wrong(field, "not be negative");
  if (config.name === "") wrong("name", "not be empty");
  if (config.meta.length > META_BYTES) wrong("meta", `have at most ${META_BYTES} bytes`);
  if (config.probeTimeoutMs >= config.probeIntervalMs) {
    wrong("probeTimeoutMs", `be less than the probe interval (${config.probeIntervalMs})`);
  }
  const [pmin, pmax, protocol] = config.versions;
  if (!(pmin > 0 && pmin <= protocol && protocol <= pmax)) {
    wrong("versions", "speak a protocol between their least and their greatest");
  }
  if (!(config.packetBytes >= 1024)) wrong("packetBytes", "be at least 1024");
}
