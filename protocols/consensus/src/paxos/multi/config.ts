/** Multi-Paxos's settings, their units, and what moving them up or down does. */

import { checkSettings, type LeaderSettings, nearby } from "../../leader-settings.ts";
import type { Founding } from "../../membership.ts";
import type { QuorumSizes } from "./quorums.ts";

export interface MultiPaxosConfig extends LeaderSettings {
  /**
   * α (Lamport 2001, §3): slot n is proposed only once slot n − α is decided.
   * Bounds what a new leader may have to finish; too low and the pipeline
   * between nodes runs dry.
   */
  readonly window: number;

  /**
   * How many voters suffice to prepare a ballot and to accept in one; majorities
   * if left out. Smaller accept quorums make writes faster and survive fewer
   * failures of voters before nobody can be elected: each `accept` less costs one
   * `prepare` more. The same on every node, for ever: nodes with other sizes
   * refuse to elect each other. Where voters come and go `prepare` grows as
   * needed for the two to meet.
   */
  readonly quorums: QuorumSizes | undefined;
}

/** For nodes near each other: a local network, one machine, one region. */
export function multiPaxosDefaults(initial: Founding): MultiPaxosConfig {
  return { ...nearby(initial), window: 4096, quorums: undefined };
}

/** @throws RangeError that names the setting which makes no sense, and why. */
export function checkConfig(config: MultiPaxosConfig): void {
  checkSettings(config, "paxos");
  const { window, quorums, initial } = config;
  if (!(Number.isSafeInteger(window) && window > 0)) {
    throw new RangeError(`paxos.window is ${window} but must be a positive integer`);
  }
  if (quorums === undefined) return;
  const { prepare, accept } = quorums;
  const count = initial.voters.length;
  for (const [field, size] of Object.entries({ prepare, accept })) {
    if (Number.isSafeInteger(size) && size > 0 && (count === 0 || size <= count)) continue;
    throw new RangeError(`paxos.quorums.${field} is ${size} but must be between 1 and ${count}`);
  }
  if (count > 0 && prepare + accept <= count) {
    const sum = `${prepare} + ${accept}`;
    throw new RangeError(
      `paxos.quorums: ${sum} must exceed the ${count} voters, or two may not meet`,
    );
  }
}
