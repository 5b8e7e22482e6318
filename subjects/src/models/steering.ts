/** Words to direct a run with, until it is where a search shall begin. */

import type { LogWords, OrderedLog } from "@quorate/consensus";
import type { NodeId } from "@quorate/kernel";
import type { Envelope, Path } from "@quorate/lab/checker";

import type { LogHistory } from "./log.ts";

export type LogRun<L extends LogWords, P extends OrderedLog<L>> = Path<L, P, LogHistory>;

/** A node is asked for the first command that it may be. */
export function propose<L extends LogWords, P extends OrderedLog<L>>(
  path: LogRun<L, P>,
  node: NodeId,
): void {
  path.perform({ type: "ask", node, ask: 0, request: { type: "propose", data: Uint8Array.of(1) } });
}

/** Everything on its way that matches is lost. */
export function forget<L extends LogWords, P extends OrderedLog<L>>(
  path: LogRun<L, P>,
  matches: (envelope: Envelope<L>) => boolean = () => true,
): void {
  for (const envelope of path.messages.filter(matches)) path.perform({ type: "drop", ...envelope });
}

/** Whether a message goes from one of two nodes to the other. */
export function isBetween(
  { from, to }: { readonly from: NodeId; readonly to: NodeId },
  one: NodeId,
  other: NodeId,
): boolean {
  return (from === one && to === other) || (from === other && to === one);
}
