/**
 * Majorities, simple and joint (Raft §6). Every decision of a consensus
 * protocol asks one of the two questions below; under a joint configuration
 * the answer needs both majorities.
 */

import { invariant, type NodeId } from "@quorate/kernel";

import type { Configuration, Index } from "./entry.ts";

/** The part of a configuration that decisions ask for. */
type Voting = Pick<Configuration, "voters" | "outgoing">;

/** Everyone who votes under `configuration`, once. */
export function voters(configuration: Voting): readonly NodeId[] {
  if (configuration.outgoing.length === 0) return configuration.voters;
  return [...new Set([...configuration.voters, ...configuration.outgoing])].toSorted();
}

/** Everyone who receives the log, learners included, once. */
export function members(
  configuration: Voting & Pick<Configuration, "learners">,
): readonly NodeId[] {
  const voting = voters(configuration);
  // A voter that is being demoted is among the learners already.
  return [...voting, ...configuration.learners.filter((node) => !voting.includes(node))];
}

/** Whether decisions need `node`'s voice. */
export function votes(configuration: Voting, node: NodeId): boolean {
  return configuration.voters.includes(node) || configuration.outgoing.includes(node);
}

/** Whether the nodes for which `holds` is true are a quorum. */
export function isQuorum(configuration: Voting, holds: (node: NodeId) => boolean): boolean {
  return (
    isMajority(configuration.voters, holds) &&
    (configuration.outgoing.length === 0 || isMajority(configuration.outgoing, holds))
  );
}

/** The highest value that a quorum has reached, given each node's own. */
export function reachedByQuorum(configuration: Voting, reached: (node: NodeId) => Index): Index {
  const incoming = reachedByMajority(configuration.voters, reached);
  if (configuration.outgoing.length === 0) return incoming;
  return Math.min(incoming, reachedByMajority(configuration.outgoing, reached));
}

function isMajority(nodes: readonly NodeId[], holds: (node: NodeId) => boolean): boolean {
  let count = 0;
  for (const node of nodes) if (holds(node)) count++;
  return count > nodes.length >> 1;
}

function reachedByMajority(nodes: readonly NodeId[], reached: (node: NodeId) => Index): Index {
  invariant(nodes.length > 0, "a configuration has voters");
  const values = nodes.map(reached).toSorted((a, b) => b - a);
  return values[nodes.length >> 1]!;
}
