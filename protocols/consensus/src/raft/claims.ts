/**
 * Raft's promises, checked on a whole cluster from outside (invariants I2–I8 of
 * PROTOCOL.md). A simulator asks after every step, so each check is
 * proportional to what changed, not to the log.
 */

import type { NodeId } from "@quorate/kernel";

import type { Index, Term } from "../entry.ts";
import type { Raft } from "./raft.ts";

export class RaftClaims {
  private readonly leaders: Map<Term, NodeId> = new Map();
  /** What was committed first at each index, for ever (I4, I8). */
  private readonly committed: Map<Index, string> = new Map();
  private readonly checked: Map<Raft, Index> = new Map();
  /** Within one life: what a crash takes back was never told to anyone. */
  private readonly terms: Map<Raft, Term> = new Map();

  /** Returns the first broken promise, or `undefined`. */
  check(nodes: readonly (readonly [NodeId, Raft])[]): string | undefined {
    for (const [id, raft] of nodes) {
      const broken =
        this.electionSafety(id, raft) ?? this.commitment(id, raft) ?? this.shape(id, raft);
      if (broken !== undefined) return broken;
    }
    return undefined;
  }

  private electionSafety(id: NodeId, raft: Raft): string | undefined {
    const before = this.terms.get(raft) ?? 0;
    if (raft.term < before) return `I2: ${id} went back from term ${before} to ${raft.term}`;
    this.terms.set(raft, raft.term);
    if (raft.role !== "leader") return undefined;
    const leader = this.leaders.get(raft.term) ?? id;
    this.leaders.set(raft.term, leader);
    return leader === id ? undefined : `I3: ${leader} and ${id} both lead term ${raft.term}`;
  }

  private commitment(id: NodeId, raft: Raft): string | undefined {
    const from = this.checked.get(raft) ?? raft.log.base.index;
    for (let index = Math.max(from, raft.log.base.index) + 1; index <= raft.commitIndex; index++) {
      const entry = raft.log.at(index);
      const identity = `${entry.term} ${entry.kind} ${entry.data.join(",")}`;
      const first = this.committed.get(index) ?? identity;
      this.committed.set(index, first);
      if (first !== identity) return `I8: ${id} committed ${identity} at ${index}, not ${first}`;
    }
    this.checked.set(raft, raft.commitIndex);
    return undefined;
  }

  private shape(id: NodeId, raft: Raft): string | undefined {
    const { base } = raft.log;
    if (base.index > raft.commitIndex) return `I7: ${id} compacted what is not committed`;
    if (raft.commitIndex > raft.log.lastIndex) return `I4: ${id} committed beyond its log`;
    return undefined;
  }

  /** Everything committed, in order, as far as it is known without a gap. */
  get committedCount(): number {
    return this.committed.size;
  }
}
