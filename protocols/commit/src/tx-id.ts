/**
 * Names of transactions: who coordinates, in which of its lives, and which one.
 * A life that begins anew counts on from a new epoch, so no name is given twice.
 */

import type { NodeId } from "@quorate/kernel";

import type { TxId } from "./atomic-commit.ts";

export interface TxName {
  readonly coordinator: NodeId;
  readonly epoch: number;
  readonly sequence: number;
}

export function txId({ coordinator, epoch, sequence }: TxName): TxId {
  return `${coordinator}:${epoch}:${sequence}`;
}

/** The parts of a name; undefined if it is none. Node names may have colons. */
export function parseTxId(tx: TxId): TxName | undefined {
  const match = /^(.+):(\d{1,15}):(\d{1,15})$/s.exec(tx);
  if (match === null) return undefined;
  return { coordinator: match[1]!, epoch: Number(match[2]), sequence: Number(match[3]) };
}
