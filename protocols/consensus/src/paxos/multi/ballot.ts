/**
 * Ballots: numbers of attempts to lead (Lamport 1998, §2.2; 2001, §2.2). Two
 * nodes never have one in common, and any two can be compared.
 */

import { type Codec, type NodeId, struct, text, uint } from "@quorate/kernel";

export interface Ballot {
  /** The contract's term. */
  readonly round: number;
  /** Whose attempt it is. */
  readonly node: NodeId;
}

/** Before every attempt. */
export const NO_BALLOT: Ballot = makeBallot(0, "");

/** Frozen, so that state may hold one in many places. */
export function makeBallot(round: number, node: NodeId): Ballot {
  return Object.freeze({ round, node });
}

export function isHigher(a: Ballot, b: Ballot): boolean {
  return a.round > b.round || (a.round === b.round && a.node > b.node);
}

export function isSame(a: Ballot, b: Ballot): boolean {
  return a === b || (a.round === b.round && a.node === b.node);
}

export const ballotCodec: Codec<Ballot> = struct<Ballot>({ round: uint, node: text });
