/** Zab's settings: those of every log with a leader, and no more. */

import { checkSettings, type LeaderSettings, nearby } from "../leader-settings.ts";
import type { Founding } from "../membership.ts";

export type ZabConfig = LeaderSettings;

/** For nodes near each other: a local network, one machine, one region. */
export function zabDefaults(initial: Founding): ZabConfig {
  return nearby(initial);
}

/** @throws RangeError that names the setting which makes no sense, and why. */
export function checkConfig(config: ZabConfig): void {
  checkSettings(config, "zab");
}
