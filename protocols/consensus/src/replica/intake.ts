/**
 * What a leader has proposed of each node's batches. Nodes send again whatever
 * may be lost; a batch that is in the log, or was executed, need not be in it
 * twice, or repetitions would fill a slow log faster than it commits.
 */

import type { NodeId } from "@quorate/kernel";

interface Proposed {
  readonly epoch: number;
  readonly sequence: number;
}

export class Intake {
  private readonly proposed: Map<NodeId, Proposed> = new Map();

  /**
   * Whether a batch is to be proposed.
   * @param executed - The last batch of that life of its node that was executed.
   */
  admits(client: NodeId, { epoch, sequence }: Proposed, executed: number): boolean {
    const known = this.proposed.get(client);
    const last = Math.max(executed, known?.epoch === epoch ? known.sequence : 0);
    if (sequence <= last) return false;
    // One that comes before its turn has no effect; that it does tells its node of the gap (S3).
    if (sequence === last + 1) this.proposed.set(client, { epoch, sequence });
    return true;
  }

  /** Leadership is another, or the log has refused something: nothing is known to be in it. */
  clear(): void {
    this.proposed.clear();
  }
}
