/**
 * Watches a cluster of Raft nodes, beyond what is watched of every log: terms,
 * the log that was committed first and in which term, and on whose disks it was.
 */

import { type Index, isQuorum, type Raft, type RaftNote, type RaftWords } from "@quorate/consensus";
import type { NodeId } from "@quorate/kernel";
import type { Broken, Claim, Mark, World } from "@quorate/lab";

import type { Tail } from "../tail.ts";
import {
  CLIENT_CLAIMS,
  CLIENT_MARKS,
  DAMAGE_MARKS,
  LogWitness,
  type LogWitnessOptions,
  sameEntry,
} from "../log/witness.ts";
import { DurableLog } from "./durable-log.ts";

/** Numbered as in protocols/consensus/PROTOCOL.md. */
export const CLAIMS: readonly Claim[] = [
  { id: "I1", text: "a node votes for one candidate in a term" },
  { id: "I2", text: "terms never fall" },
  { id: "I3", text: "a term has at most one leader" },
  { id: "I4", text: "what is committed is in the log, or in the snapshot before it" },
  { id: "I5", text: "committed entries are never replaced" },
  { id: "I6", text: "a follower agrees only with entries that the leader has" },
  { id: "I7", text: "only committed entries are compacted" },
  { id: "I8", text: "one entry is committed at an index, for ever, and later leaders have it" },
  { id: "I9", text: "only rounds of heartbeats that were sent are answered" },
  { id: "R16", text: "an entry is committed when the disks of a quorum hold it" },
  { id: "R36", text: "what a disk has lost is unknown: nobody leads or commits by it" },
  ...CLIENT_CLAIMS,
];

export const MARKS: readonly Mark[] = [
  { name: "elected", text: "a leader is elected" },
  { name: "re-elected", text: "a leader is elected in a later term" },
  { name: "quorum-lost", text: "a leader steps down because it reaches no quorum" },
  { name: "deposed", text: "a leader learns of a later term" },
  { name: "deposed-with-tail", text: "a leader steps down with entries that are not committed" },
  { name: "truncated", text: "a node replaces entries that were not committed" },
  { name: "inherited", text: "an entry of an earlier term is committed" },
  ...DAMAGE_MARKS,
  ...CLIENT_MARKS,
];

/** What was seen of a node in its present life. */
interface Seen {
  term: number;
  commit: number;
  leading: boolean;
}

export class RaftWitness extends LogWitness<RaftWords, Raft, DurableLog> {
  private readonly seen: Map<NodeId, Seen> = new Map();
  /** The term in which each entry was committed: its own or a later one. */
  private readonly committedIn: Tail<number>;

  constructor(world: World<RaftWords, Raft>, nodes: readonly NodeId[], options: LogWitnessOptions) {
    super(world, nodes, options);
    this.committedIn = this.committed.alike();
  }

  started(node: NodeId): void {
    this.seen.set(node, { term: 0, commit: 0, leading: false });
  }

  override noted(node: NodeId, note: RaftNote): void {
    switch (note.type) {
      case "steppedDown":
        this.world.mark(note.reason === "quorumLost" ? "quorum-lost" : "deposed");
        break;
      case "truncated":
        this.world.mark("truncated");
        break;
      default:
        super.noted(node, note);
    }
  }

  override stepped(node: NodeId, raft: Raft): Broken | undefined {
    const seen = this.seen.get(node)!;
    if (raft.term !== seen.term) {
      if (raft.term < seen.term) {
        return { claim: "I2", text: `${node} went back from term ${seen.term} to ${raft.term}` };
      }
      seen.term = raft.term;
    }
    const leads = raft.role === "leader";
    let broken = leads === seen.leading ? undefined : this.roleChanged(node, raft, seen, leads);
    if (raft.commitIndex > seen.commit) broken ??= this.advanced(node, raft, seen);
    return broken;
  }

  private roleChanged(node: NodeId, raft: Raft, seen: Seen, leads: boolean): Broken | undefined {
    seen.leading = leads;
    if (!leads && raft.lastIndex > raft.commitIndex) this.world.mark("deposed-with-tail");
    const broken = this.led(node, raft, "I3");
    if (!leads || broken !== undefined) return broken;
    const { term, damaged } = raft;
    if (damaged.size > 0) {
      const text = `${node} leads term ${term} and lacks entries ${[...damaged].join(" ")}`;
      return { claim: "R36", text };
    }
    return this.isComplete(node, raft);
  }

  /**
   * Leader completeness speaks of entries committed in earlier terms: a node may
   * learn late that it was elected, when a later leader has committed more.
   */
  private isComplete(node: NodeId, { term, log }: Raft): Broken | undefined {
    let { last } = this.committed;
    while ((this.committedIn.at(last) ?? 0) >= term) last--;
    const entry = this.committed.at(last);
    if (entry === undefined || last <= log.base.index || log.termAt(last) === entry.term) {
      return undefined;
    }
    const text = `${node} leads term ${term} without entry ${last} of term ${entry.term}, which is committed`;
    return { claim: "I8", text };
  }

  private advanced(node: NodeId, raft: Raft, seen: Seen): Broken | undefined {
    const { log, commitIndex } = raft;
    if (commitIndex > log.lastIndex) {
      return {
        claim: "I4",
        text: `${node} commits up to ${commitIndex}; its log ends at ${log.lastIndex}`,
      };
    }
    for (const lost of raft.damaged) {
      if (lost > commitIndex) continue;
      return { claim: "R36", text: `${node} commits up to ${commitIndex} and lacks entry ${lost}` };
    }
    const news = this.committed.last;
    for (let index = Math.max(seen.commit, log.base.index) + 1; index <= commitIndex; index++) {
      const entry = log.at(index);
      if (this.committed.hasForgotten(index)) continue;
      const first = this.committed.at(index);
      if (first === undefined) {
        this.committedIn.push(raft.term);
        if (entry.term < raft.term) this.world.mark("inherited");
        const broken = this.commit(entry);
        if (broken !== undefined) return broken;
      } else if (!sameEntry(first, entry)) {
        const text = `${node} commits an entry of term ${entry.term} at ${index}, where one of term ${first.term} was committed`;
        return { claim: "I8", text };
      }
    }
    seen.commit = commitIndex;
    return this.committed.last > news ? this.onQuorum(node, raft, commitIndex) : undefined;
  }

  /** Whether a quorum could lose its power now and still have what was just committed. */
  private onQuorum(node: NodeId, raft: Raft, index: number): Broken | undefined {
    const { term } = this.committed.at(index)!;
    const holds = (each: NodeId): boolean => this.disks.get(each)?.termAt(index) === term;
    if (isQuorum(raft.configuration, holds)) return undefined;
    const holders = this.nodes.filter(holds);
    const text = `${node} commits entry ${index} of term ${term}, which is on the disk of ${holders.join(" ") || "nobody"}`;
    return { claim: "R16", text };
  }

  protected override emptyDisk(): DurableLog {
    return new DurableLog();
  }

  protected override baseOf({ log }: Raft): Index {
    return log.base.index;
  }

  protected override reignOf({ term }: Raft): string {
    return `term ${term}`;
  }
}
