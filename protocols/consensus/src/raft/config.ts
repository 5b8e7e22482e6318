/** Raft's settings: those of every log with a leader, and no more. */

import { checkSettings, farApart, type LeaderSettings, nearby } from "../leader-settings.ts";
import type { Founding } from "../membership.ts";

export type RaftConfig = LeaderSettings;

/** For nodes near each other: a local network, one machine, one region. */
export function lan(initial: Founding): RaftConfig {
  return nearby(initial);
}

/** For nodes far apart: round trips of up to some hundred milliseconds. */
export function wan(initial: Founding): RaftConfig {
  return farApart(initial);
}

/** @throws RangeError that names the setting which makes no sense, and why. */
export function checkConfig(config: RaftConfig): void {
  checkSettings(config, "raft");
}
