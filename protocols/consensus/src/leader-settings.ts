/** The settings of a log with a leader, their units, and what moving them up or down does. */

import type { Founding } from "./membership.ts";

export interface LeaderSettings {
  /**
   * The members of a cluster whose log has not said otherwise yet. A node that is
   * to be added to a running cluster starts without any: `{ voters: [] }`.
   */
  readonly initial: Founding;

  /**
   * The shortest time without a leader's word after which a follower campaigns;
   * each draws its own between this and twice this. Lower means faster
   * fail-over; too low and a slow disk, a long garbage collection or a busy
   * machine looks like a dead leader. At least three heartbeats.
   */
  readonly electionMs: number;

  /** How often an idle leader speaks. Costs two small messages per follower. */
  readonly heartbeatMs: number;

  /** The most entry bytes in one message. */
  readonly appendBytes: number;

  /** The most messages with entries on their way to one follower, unanswered. */
  readonly inflightMessages: number;

  /** The most entry bytes on their way to one follower, unanswered. */
  readonly inflightBytes: number;

  /** Proposals are refused as `overloaded` while this many bytes wait to be committed. */
  readonly uncommittedBytes: number;

  /**
   * Allows `lease` reads, which trust clocks: a leader confirmed by a quorum
   * serves alone for `electionMs / (1 + drift)` afterwards. Without it they cost
   * a round like linearizable ones.
   */
  readonly leaseReads: boolean;

  /** How much faster one node's clock may run than another's, in parts per thousand. */
  readonly clockDriftPermille: number;
}

/** For nodes near each other: a local network, one machine, one region. */
export function nearby(initial: Founding): LeaderSettings {
  return {
    initial,
    electionMs: 500,
    heartbeatMs: 100,
    appendBytes: 1 << 20,
    inflightMessages: 256,
    inflightBytes: 16 << 20,
    uncommittedBytes: 64 << 20,
    leaseReads: false,
    clockDriftPermille: 100,
  };
}

/** For nodes far apart: round trips of up to some hundred milliseconds. */
export function farApart(initial: Founding): LeaderSettings {
  return { ...nearby(initial), electionMs: 3000, heartbeatMs: 500 };
}

/**
 * @param engine - Whose settings they are, for the message.
 * @throws RangeError that names the setting which makes no sense, and why.
 */
export function checkSettings(config: LeaderSettings, engine: string): void {
  const wrong = (field: keyof LeaderSettings, must: string): never => {
    throw new RangeError(`${engine}.${field} is ${JSON.stringify(config[field])} but must ${must}`);
  };
  const positive = ["heartbeatMs", "appendBytes", "inflightMessages", "inflightBytes"] as const;
  for (const field of [...positive, "uncommittedBytes"] as const) {
    if (!(Number.isSafeInteger(config[field]) && config[field] > 0)) {
      wrong(field, "be a positive integer");
    }
  }
  if (!(config.electionMs >= 3 * config.heartbeatMs)) {
    wrong("electionMs", `be at least three heartbeats (${3 * config.heartbeatMs})`);
  }
  if (!(config.clockDriftPermille >= 0)) wrong("clockDriftPermille", "not be negative");
  const { voters, learners = [] } = config.initial;
  if (new Set([...voters, ...learners]).size !== voters.length + learners.length) {
    wrong("initial", "name every member once");
  }
}

/** How long a leader that a quorum has answered may count on its patience, from when it asked (R33). */
export function leaseMs({ electionMs, clockDriftPermille }: LeaderSettings): number {
  return Math.floor((electionMs * 1000) / (1000 + clockDriftPermille));
}
