/**
 * Zab's promises, checked on a whole cluster from outside (invariants H1–H8 of
 * PROTOCOL.md). A simulator asks after every step, so each check is proportional
 * to what changed, not to the log.
 */

import type { NodeId } from "@quorate/kernel";

import type { Entry, Index, Term } from "../entry.ts";
import type { Zab } from "./zab.ts";
import { compareZxids, zxidIn } from "./zxid.ts";

/** What was seen of one life. */
interface Seen {
  accepted: Term;
  current: Term;
  commit: Index;
}

export class ZabClaims {
  private readonly leaders: Map<Term, NodeId> = new Map();
  /** What was committed first at each index, for ever (H1). */
  private readonly committed: Map<Index, string> = new Map();
  /** The highest index that was committed anywhere. */
  private upTo: Index = 0;
  /** Within one life: what a crash takes back was never told to anyone. */
  private readonly seen: Map<Zab, Seen> = new Map();

  /** Returns the first broken promise, or `undefined`. */
  check(nodes: readonly (readonly [NodeId, Zab])[]): string | undefined {
    for (const [id, zab] of nodes) {
      const seen = this.seen.get(zab) ?? { accepted: 0, current: 0, commit: zab.log.base.index };
      const broken =
        this.epochs(id, zab, seen) ?? this.history(id, zab, seen) ?? this.leadership(id, zab);
      if (broken !== undefined) return broken;
      this.seen.set(zab, seen);
    }
    return undefined;
  }

  private epochs(id: NodeId, zab: Zab, seen: Seen): string | undefined {
    const { acceptedEpoch: accepted, currentEpoch: current } = zab;
    if (accepted < seen.accepted) return `H2: ${id} accepted ${accepted} after ${seen.accepted}`;
    if (current < seen.current) return `H3: ${id} went back from epoch ${seen.current}`;
    if (current > accepted) return `H3: ${id} is in epoch ${current}, having accepted ${accepted}`;
    seen.accepted = accepted;
    seen.current = current;
    return undefined;
  }

  private history(id: NodeId, zab: Zab, seen: Seen): string | undefined {
    const { log, commitIndex } = zab;
    if (log.base.index > commitIndex) return `H6: ${id} compacted what is not committed`;
    if (commitIndex > log.lastIndex) return `H4: ${id} committed beyond its history`;
    for (let index = Math.max(seen.commit, log.base.index) + 1; index <= commitIndex; index++) {
      const identity = identityOf(log.at(index));
      const first = this.committed.get(index) ?? identity;
      this.committed.set(index, first);
      if (first !== identity) return `H1: ${id} committed ${identity} at ${index}, not ${first}`;
      if (compareZxids(zxidIn(log, index - 1), zxidIn(log, index)) >= 0) {
        return `H7: zxids of ${id} do not grow at ${index}`;
      }
    }
    seen.commit = commitIndex;
    this.upTo = Math.max(this.upTo, commitIndex);
    return undefined;
  }

  private leadership(id: NodeId, { role, currentEpoch, log }: Zab): string | undefined {
    if (role !== "leader") return undefined;
    const leader = this.leaders.get(currentEpoch);
    if (leader === id) return undefined;
    if (leader !== undefined) return `H10: ${leader} and ${id} both lead epoch ${currentEpoch}`;
    this.leaders.set(currentEpoch, id);
    // Newly established: all that was committed before is in its history (H8).
    for (let index = log.base.index + 1; index <= log.lastIndex; index++) {
      const first = this.committed.get(index);
      if (first !== undefined && first !== identityOf(log.at(index))) {
        return `H8: ${id} leads without what was committed at ${index}`;
      }
    }
    if (log.lastIndex < this.upTo) return `H8: ${id} leads with less than was committed`;
    return undefined;
  }

  /** How many entries are known to be committed. */
  get committedCount(): number {
    return this.committed.size;
  }
}

function identityOf({ term, kind, data }: Entry): string {
  return `${term} ${kind} ${data.join(",")}`;
}
