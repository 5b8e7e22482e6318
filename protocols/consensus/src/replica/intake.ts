/**
 * What a leader has proposed of each node's batches. Nodes send again whatever
 * may be lost; a batch that is in the log, or was executed, need not be in it
 * twice, or repetitions would fill a slow log faster than it commits.
 */

import type { NodeId } from "@quorate/kernel";

interface Batch {
  readonly epoch: number;
  readonly sequence: number;
}

interface Proposed {
  readonly epoch: number;
  /** The last batch that was proposed in its turn. */
  last: number;
  /** The highest that was proposed before its turn. */
  ahead: number;
  /** What came last in turn when the latest was proposed before its turn: the gap has been told. */
  toldAt: number;
}

export class Intake {
  private readonly proposed: Map<NodeId, Proposed> = new Map();

  /**
   * Whether a batch is to be proposed.
   *
   * One that comes before its turn has no effect; that it is executed tells its node of the gap
   * (S3). One after each gap is enough: a node that sends a long queue again for every batch that
   * a lossy link takes from it would fill the log with the rest of the queue each time.
   *
   * @param executed - The last batch of that life of its node that was executed.
   */
  admits(client: NodeId, { epoch, sequence }: Batch, executed: number): boolean {
    const known = this.known(client, epoch);
    const last = Math.max(executed, known.last);
    if (sequence <= last) return false;
    if (sequence === last + 1) {
      known.last = sequence;
      return true;
    }
    // What is executed may lag: those that are early here may be in turn where they are executed.
    if (sequence <= known.ahead && known.toldAt === last) return false;
    known.ahead = Math.max(known.ahead, sequence);
    known.toldAt = last;
    return true;
  }

  /** Leadership is another, or the log has refused something: nothing is known to be in it. */
  clear(): void {
    this.proposed.clear();
  }

  private known(client: NodeId, epoch: number): Proposed {
    const known = this.proposed.get(client);
    if (known?.epoch === epoch) return known;
    const fresh = { epoch, last: 0, ahead: 0, toldAt: -1 };
    this.proposed.set(client, fresh);
    return fresh;
  }
}
