/**
 * What a failure detector is to whoever uses one (Chandra and Toueg 1996): an
 * opinion about others, revised at any time, complete in the end and accurate
 * for most of it. SWIM and the accrual detector are two.
 */

import type { NodeId } from "@quorate/kernel";

export interface FailureDetector {
  /** Whether `node` is taken for gone at this moment. Of a stranger nothing is known. */
  opinionOf(node: NodeId): "present" | "gone" | "unknown";
}
