/**
 * Watches a cluster of Raft nodes: keeps the log that was committed first, what
 * is on every node's disk, and what clients were told, and says when a node
 * contradicts them. Every check costs what changed since the node's last step.
 */

import {
  type Entry,
  isQuorum,
  type LogRequest,
  type LogResponse,
  type Raft,
  type RaftNote,
  type RaftRecord,
  type RaftWords,
} from "@quorate/consensus";
import type { NodeId, Position, Random } from "@quorate/kernel";
import type { Broken, Claim, Mark, Settled, Witness, World } from "@quorate/lab";

import { Operations } from "../operations.ts";
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
  { id: "L2", text: "a proposal answered as committed is at that index" },
  { id: "L3", text: "a read sees all that was answered before it was asked" },
  { id: "L4", text: "what was refused for good has no effect and never will" },
];

export const MARKS: readonly Mark[] = [
  { name: "elected", text: "a leader is elected" },
  { name: "re-elected", text: "a leader is elected in a later term" },
  { name: "quorum-lost", text: "a leader steps down because it reaches no quorum" },
  { name: "deposed", text: "a leader learns of a later term" },
  { name: "deposed-with-tail", text: "a leader steps down with entries that are not committed" },
  { name: "truncated", text: "a node replaces entries that were not committed" },
  { name: "inherited", text: "an entry of an earlier term is committed" },
  { name: "read", text: "a linearizable read is answered" },
  { name: "lease-read", text: "a read is answered under a lease" },
  { name: "transferred", text: "leadership is handed over" },
  { name: "outcome-unknown", text: "a client is told that nobody knows what came of its proposal" },
  { name: "overloaded", text: "a proposal is refused because too much waits" },
  { name: "sectors-lost", text: "a node starts without the bytes of some entries" },
  { name: "mended", text: "a node gets entries again that its disk had lost" },
  { name: "lost-writes", text: "a crash takes back what was not synced" },
];

/** What was seen of a node in its present life. */
interface Seen {
  term: number;
  commit: number;
  leading: boolean;
}

export class RaftWitness implements Witness<RaftWords, Raft> {
  private readonly world: World<RaftWords, Raft>;
  private readonly nodes: readonly NodeId[];
  private readonly seen: Map<NodeId, Seen> = new Map();
  private readonly disks: Map<NodeId, DurableLog> = new Map();
  private readonly leaderOf: Map<number, NodeId> = new Map();
  /** What was committed first at each index, from 1. */
  private readonly committed: Entry[] = [];
  /** The term in which it was committed there: that of the entry or a later one. */
  private readonly committedIn: number[] = [];
  private readonly operations: Operations;
  private leading: NodeId[] = [];

  constructor(world: World<RaftWords, Raft>, nodes: readonly NodeId[], leases: boolean) {
    this.world = world;
    this.nodes = nodes;
    this.operations = new Operations(world, nodes, leases);
    for (const node of nodes) this.disks.set(node, new DurableLog());
  }

  started(node: NodeId): void {
    this.seen.set(node, { term: 0, commit: 0, leading: false });
  }

  stopped(node: NodeId, kept: number): void {
    if (this.disks.get(node)!.crash(kept)) this.world.mark("lost-writes");
    this.leading = this.leading.filter((each) => each !== node);
  }

  wiped(node: NodeId): void {
    this.disks.set(node, new DurableLog());
  }

  persisted(node: NodeId, record: RaftRecord, position: Position): void {
    this.disks.get(node)!.persist(record, position);
  }

  durable(node: NodeId, position: Position): void {
    this.disks.get(node)!.sync(position);
  }

  noted(_node: NodeId, note: RaftNote): void {
    switch (note.type) {
      case "elected":
        this.world.mark(this.leaderOf.size > 0 ? "re-elected" : "elected");
        break;
      case "steppedDown":
        this.world.mark(note.reason === "quorumLost" ? "quorum-lost" : "deposed");
        break;
      case "truncated":
        this.world.mark("truncated");
        break;
      case "damaged":
        this.world.mark("sectors-lost");
        break;
      case "mended":
        this.world.mark("mended");
        break;
      default:
      // The others are no marks.
    }
  }

  stepped(node: NodeId, raft: Raft): Broken | undefined {
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
    this.leading = this.leading.filter((each) => each !== node);
    if (!leads) {
      if (raft.lastIndex > raft.commitIndex) this.world.mark("deposed-with-tail");
      return undefined;
    }
    // The newest comes first: who leads a later term rules.
    this.leading.unshift(node);
    const { term, damaged } = raft;
    if (damaged.size > 0) {
      return {
        claim: "R36",
        text: `${node} leads term ${term} and lacks entries ${[...damaged].join(" ")}`,
      };
    }
    const other = this.leaderOf.get(term);
    this.leaderOf.set(term, node);
    if (other !== undefined && other !== node) {
      return { claim: "I3", text: `${other} and ${node} both lead term ${term}` };
    }
    return this.isComplete(node, raft);
  }

  /**
   * Leader completeness speaks of entries committed in earlier terms: a node may
   * learn late that it was elected, when a later leader has committed more.
   */
  private isComplete(node: NodeId, { term, log }: Raft): Broken | undefined {
    let last = this.committed.length;
    while (last > 0 && this.committedIn[last - 1]! >= term) last--;
    const entry = this.committed[last - 1];
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
    const news = this.committed.length;
    for (let index = Math.max(seen.commit, log.base.index) + 1; index <= commitIndex; index++) {
      const entry = log.at(index);
      const first = this.committed[index - 1];
      if (first === undefined) {
        this.committed.push(entry);
        this.committedIn.push(raft.term);
        if (entry.term < raft.term) this.world.mark("inherited");
        const broken = this.operations.committed(index, entry);
        if (broken !== undefined) return broken;
      } else if (!same(first, entry)) {
        const text = `${node} commits an entry of term ${entry.term} at ${index}, where one of term ${first.term} was committed`;
        return { claim: "I8", text };
      }
    }
    seen.commit = commitIndex;
    return this.committed.length > news ? this.onQuorum(node, raft, commitIndex) : undefined;
  }

  /** Whether a quorum could lose its power now and still have what was just committed. */
  private onQuorum(node: NodeId, raft: Raft, index: number): Broken | undefined {
    const { term } = this.committed[index - 1]!;
    const holds = (each: NodeId): boolean => this.disks.get(each)?.termAt(index) === term;
    if (isQuorum(raft.configuration, holds)) return undefined;
    const holders = this.nodes.filter(holds);
    const text = `${node} commits entry ${index} of term ${term}, which is on the disk of ${holders.join(" ") || "nobody"}`;
    return { claim: "R16", text };
  }

  ask(op: number, dice: Random, node: NodeId): LogRequest {
    return this.operations.ask(op, dice, node);
  }

  answered(op: number, response: LogResponse): Settled {
    return this.operations.answered(op, response, this.committed);
  }

  abandoned(op: number): void {
    this.operations.abandoned(op);
  }

  leaders(): readonly NodeId[] {
    return this.leading;
  }

  leaseHolders(): readonly NodeId[] {
    return this.leading;
  }

  missing(core: readonly NodeId[]): string | undefined {
    const [leader, ...more] = this.leading.filter((node) => core.includes(node));
    if (leader === undefined) return "nobody leads";
    if (more.length > 0) return `${[leader, ...more].join(" and ")} lead`;
    const { commitIndex, lastIndex, term } = this.world.process(leader)!;
    if (commitIndex !== lastIndex) return `${leader} has committed ${commitIndex} of ${lastIndex}`;
    for (const node of core) {
      const raft = this.world.process(node);
      if (raft === undefined) return `${node} is down`;
      if (raft.term !== term) return `${node} is in term ${raft.term}, ${leader} leads ${term}`;
      if (raft.commitIndex !== commitIndex) {
        return `${node} has committed ${raft.commitIndex} of ${commitIndex}`;
      }
    }
    return undefined;
  }

  history(): string {
    return this.operations.history();
  }
}

function same(a: Entry, b: Entry): boolean {
  if (a === b) return true;
  if (a.term !== b.term || a.kind !== b.kind || a.data.length !== b.data.length) return false;
  return a.data === b.data || a.data.every((byte, i) => byte === b.data[i]);
}
