/**
 * Raft's promises, checked on a whole cluster from outside (invariants I2–I11 of
 * PROTOCOL.md). A simulator asks after every step, so each check is
 * proportional to what changed, not to the log.
 */

import { decode, type NodeId } from "@quorate/kernel";

import { type Configuration, configurationCodec, type Index, type Term } from "../entry.ts";
import { isQuorum, voters } from "../quorum.ts";
import type { Raft } from "./raft.ts";

export class RaftClaims {
  private readonly leaders: Map<Term, NodeId> = new Map();
  /** What was committed first at each index, for ever (I4, I8). */
  private readonly committed: Map<Index, string> = new Map();
  /** The last one that was committed anywhere, unless it was missed. */
  private configuration: Configuration | undefined;
  /** The highest index that was committed anywhere. */
  private upTo: Index = 0;
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
      const isNews = index > this.upTo;
      if (isNews) {
        // A node may commit and compact in one step: what lies between was not seen.
        if (index !== this.upTo + 1) this.configuration = undefined;
        this.upTo = index;
      }
      const first = this.committed.get(index) ?? identity;
      this.committed.set(index, first);
      if (isNews && entry.kind === "configuration") {
        const broken = this.neighbours(id, index, decode(configurationCodec, entry.data));
        if (broken !== undefined) return broken;
      }
      if (first !== identity) return `I8: ${id} committed ${identity} at ${index}, not ${first}`;
    }
    this.checked.set(raft, raft.commitIndex);
    return undefined;
  }

  /** Configurations come in the order of the log. */
  private neighbours(id: NodeId, index: Index, next: Configuration): string | undefined {
    const before = this.configuration;
    this.configuration = next;
    if (before === undefined || !haveDisjointQuorums(before, next)) return undefined;
    return `I10: at ${index} ${id} goes from ${before.voters.join()} to ${next.voters.join()}`;
  }

  private shape(id: NodeId, raft: Raft): string | undefined {
    const { base } = raft.log;
    // The oldest configuration there is: what the founders were told, or the log began with.
    if (this.upTo === 0 && raft.configuration.voters.length > 0) {
      this.configuration ??= raft.configurations.at(base.index).configuration;
    }
    if (raft.role === "leader" && raft.configurationIndex > raft.commitIndex) {
      const changes = raft.log
        .range(raft.commitIndex + 1, raft.log.lastIndex)
        .filter(({ kind, term }) => kind === "configuration" && term === raft.term);
      if (changes.length > 1) return `I11: ${id} has begun ${changes.length} changes at once`;
    }
    if (base.index > raft.commitIndex) return `I7: ${id} compacted what is not committed`;
    if (raft.commitIndex > raft.log.lastIndex) return `I4: ${id} committed beyond its log`;
    return undefined;
  }

  /** Everything committed, in order, as far as it is known without a gap. */
  get committedCount(): number {
    return this.committed.size;
  }
}

/** Whether two sets of nodes without a common member could decide, one under each. Tries them all. */
function haveDisjointQuorums(a: Configuration, b: Configuration): boolean {
  const nodes = [...new Set([...voters(a), ...voters(b)])];
  for (let bits = 0; bits < 1 << nodes.length; bits++) {
    const inside = (node: NodeId) => ((bits >> nodes.indexOf(node)) & 1) === 1;
    const outside = (node: NodeId) => nodes.includes(node) && !inside(node);
    if (isQuorum(a, inside) && isQuorum(b, outside)) return true;
  }
  return false;
}
