/** Who should lead next, as the present leader sees it: the same for every engine. */

import type { NodeId } from "@quorate/kernel";

import type { Configuration } from "./entry.ts";
import { traitsOf } from "./membership.ts";
import type { Progress } from "./progress.ts";

/** The member that is well, of the highest priority, and furthest along, in this order. */
export function bestSuccessor(
  progress: ReadonlyMap<NodeId, Progress>,
  configuration: Configuration,
  mayLead: (node: NodeId) => boolean,
): NodeId | undefined {
  let best: NodeId | undefined;
  let rank: readonly number[] = [];
  for (const [peer, { isRecent, slow, match }] of progress) {
    if (!isRecent || !mayLead(peer)) continue;
    const own = [slow ? 0 : 1, traitsOf(configuration, peer).priority, match];
    if (best !== undefined && !isHigher(own, rank)) continue;
    best = peer;
    rank = own;
  }
  return best;
}

/** Whether another voter should lead rather than `node`, being of a higher priority. */
export function outranked(configuration: Configuration, node: NodeId): boolean {
  if (configuration.traits.length === 0) return false;
  const { priority } = traitsOf(configuration, node);
  return configuration.voters.some((one) => traitsOf(configuration, one).priority > priority);
}

/** Compares in the order of the parts. */
function isHigher(a: readonly number[], b: readonly number[]): boolean {
  for (const [i, part] of a.entries()) if (part !== b[i]) return part > b[i]!;
  return false;
}
