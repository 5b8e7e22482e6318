/**
 * Quorums of two kinds (Howard, Malkhi & Spiegelman 2016): only those that
 * prepare a ballot and those that accept in one need a node in common. Two
 * accept quorums need not meet.
 */

import { type Codec, invariant, type NodeId, struct, uint } from "@quorate/kernel";

import type { Configuration, Index } from "../../entry.ts";

/** How many voters suffice for each phase. */
export interface QuorumSizes {
  readonly prepare: number;
  readonly accept: number;
}

type Voting = Pick<Configuration, "voters" | "outgoing">;

export const quorumSizesCodec: Codec<QuorumSizes> = struct<QuorumSizes>({
  prepare: uint,
  accept: uint,
});

/** On the wire: majorities, however many vote. */
export const MAJORITIES: QuorumSizes = Object.freeze({ prepare: 0, accept: 0 });

/**
 * The sizes among `count` voters: as wanted if that can be, and always so that
 * any two quorums of different kinds meet, however many voters come or go.
 */
export function sizesAmong(count: number, wanted: QuorumSizes): QuorumSizes {
  if (wanted.accept === 0) {
    const majority = (count >> 1) + 1;
    return { prepare: majority, accept: majority };
  }
  const accept = Math.min(wanted.accept, count);
  const prepare = Math.min(Math.max(wanted.prepare, count - accept + 1), count);
  return { prepare, accept };
}

/** Whether the nodes for which `holds` is true suffice for a phase, among old voters too while any count. */
export function isQuorumFor(
  phase: keyof QuorumSizes,
  { voters, outgoing }: Voting,
  wanted: QuorumSizes,
  holds: (node: NodeId) => boolean,
): boolean {
  return [voters, outgoing].every((nodes) => {
    if (nodes.length === 0) return nodes === outgoing;
    let count = 0;
    for (const node of nodes) if (holds(node)) count++;
    return count >= sizesAmong(nodes.length, wanted)[phase];
  });
}

/** The highest value that an accept quorum has reached, given each node's own. */
export function reachedByAccepting(
  { voters, outgoing }: Voting,
  wanted: QuorumSizes,
  reached: (node: NodeId) => Index,
): Index {
  const incoming = reachedBy(voters, wanted, reached);
  return outgoing.length === 0
    ? incoming
    : Math.min(incoming, reachedBy(outgoing, wanted, reached));
}

function reachedBy(
  nodes: readonly NodeId[],
  wanted: QuorumSizes,
  reached: (node: NodeId) => Index,
): Index {
  invariant(nodes.length > 0, "a configuration has voters");
  const values = nodes.map(reached).toSorted((a, b) => b - a);
  return values[sizesAmong(nodes.length, wanted).accept - 1]!;
}
