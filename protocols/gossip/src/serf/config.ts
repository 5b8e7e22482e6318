/** Settings of Serf's layer, on top of those of the membership below it. */

import type { SwimConfig } from "../config.ts";
import type { Name } from "../member.ts";
import type { Tags } from "./messages.ts";

/** Who may become a member: checked for every member of a push/pull, and for each that gossip tells of. */
export type Admission =
  | { readonly type: "anyone" }
  /** Members carry these tags: keeps two clusters apart whose addresses overlap. */
  | { readonly type: "tagged"; readonly tags: Tags }
  | { readonly type: "named"; readonly names: readonly Name[] };

export interface SerfConfig extends SwimConfig {
  readonly tags: Tags;

  readonly admission: Admission;

  /**
   * Member changes within this window are put out together once it is over, or
   * once `quietMs` brought nothing new. 0 puts out each at once.
   */
  readonly coalesceMs: number;
  readonly quietMs: number;

  /** The same for user events that ask for it: of one name, only the latest remains. */
  readonly userCoalesceMs: number;
  readonly userQuietMs: number;

  /**
   * Queries and events are in so many packets more than rumours about members,
   * which probes repair. Without more, one in 130 deliveries fails among nine
   * members, with no packet lost.
   */
  readonly retransmitExtra: number;

  /**
   * How many Lamport times back events and queries are told from repetitions.
   * Older ones are dropped.
   */
  readonly eventBuffer: number;
  readonly queryBuffer: number;

  /** The most bytes of name and payload of a user event. */
  readonly eventBytes: number;
  readonly queryBytes: number;
  readonly responseBytes: number;

  /**
   * A query waits for gossipIntervalMs * queryTimeoutMult * ceil(log10(n + 1)) by
   * default.
   */
  readonly queryTimeoutMult: number;

  /** How many queries of this node may be open at once. */
  readonly queriesMax: number;

  /** How often members are looked over for those to forget. */
  readonly reapMs: number;
  /** A failed member is forgotten, and no longer reconnected to, after this. */
  readonly reconnectTimeoutMs: number;
  /** A member that left is forgotten after this. */
  readonly tombstoneMs: number;
  /** How often a reconnection to a failed member is considered, with probability failed/alive. */
  readonly reconnectMs: number;
  /** For how long an intent is kept about a member that is not known yet. */
  readonly intentMs: number;
  /** How many such intents are kept. */
  readonly intentsMax: number;

  /** The longest that leaving waits for its intent to spread. */
  readonly leaveBroadcastMs: number;

  /** Whether a majority against this node's name stops it. */
  readonly resolveConflicts: boolean;

  /** Keep Vivaldi coordinates. */
  readonly coordinates: boolean;

  /** Write down members and clocks, and join again through them after a restart. */
  readonly snapshot: boolean;
  /** Join again even after a farewell. */
  readonly rejoinAfterLeave: boolean;
}

const HOUR_MS = 3_600_000;

/** Serf's defaults over a profile of the layer below. */
export function serfDefaults(swim: SwimConfig, changed: Partial<SerfConfig> = {}): SerfConfig {
  return {
    ...swim,
    tags: {},
    admission: { type: "anyone" },
    coalesceMs: 0,
    quietMs: 0,
    userCoalesceMs: 0,
    userQuietMs: 0,
    retransmitExtra: 4,
    eventBuffer: 512,
    queryBuffer: 512,
    eventBytes: 512,
    queryBytes: 1024,
    responseBytes: 1024,
    queryTimeoutMult: 16,
    queriesMax: 1024,
    reapMs: 15_000,
    reconnectTimeoutMs: 24 * HOUR_MS,
    tombstoneMs: 24 * HOUR_MS,
    reconnectMs: 30_000,
    intentMs: 5 * 60_000,
    intentsMax: 4096,
    leaveBroadcastMs: 5000,
    resolveConflicts: true,
    coordinates: true,
    snapshot: false,
    rejoinAfterLeave: false,
    ...changed,
  };
}
