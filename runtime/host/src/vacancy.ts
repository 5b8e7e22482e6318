/**
 * Members that were added by their address alone, as etcd's clients do: the log
 * wants a name for everybody, and names are used once, so such a member is a
 * vacancy until the node that starts at the address takes its place under a
 * name of its own (the vacancy removed and the node added, in one change).
 */

import type { NodeId } from "@quorate/kernel";

/** No node's own name begins so. */
const MARK = "~";

/** The name of a vacancy; `number` tells it from all others, those of before too. */
export function vacancy(number: string): NodeId {
  return MARK + number;
}

export function isVacancy(node: NodeId): boolean {
  return node.startsWith(MARK);
}
