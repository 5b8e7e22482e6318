/**
 * Watches a cluster of Multi-Paxos nodes: keeps what was decided first for each
 * slot, what was proposed in each ballot, what is on every node's disk, and what
 * clients were told, and says when a node contradicts them. Every check costs
 * what changed since the node's last step.
 */

import type {
  Ballot,
  Entry,
  LogRequest,
  LogResponse,
  MultiPaxos,
  MultiPaxosNote,
  MultiPaxosRecord,
  MultiPaxosWords,
} from "@quorate/consensus";
import type { NodeId, Position, Random } from "@quorate/kernel";
import type { Broken, Claim, Mark, Settled, Witness, World } from "@quorate/lab";

import { Operations } from "../operations.ts";
import { DurableSlots } from "./durable-slots.ts";

export const CLAIMS: readonly Claim[] = [
  { id: "J1", text: "one value is decided for a slot" },
  { id: "J2", text: "promises never fall" },
  { id: "J3", text: "a ballot has one leader" },
  { id: "J4", text: "what a node knows to be decided, it holds" },
  { id: "J5", text: "one value is proposed for a slot in a ballot" },
  { id: "J6", text: "nothing is accepted in a higher ballot than the one promised" },
  { id: "J7", text: "only decided slots are compacted" },
  { id: "J8", text: "only rounds that were sent are answered" },
  { id: "J9", text: "once a value is decided, every higher ballot proposes it for that slot" },
  { id: "J10", text: "what is decided is on the disks of an accept quorum" },
  { id: "L2", text: "a proposal answered as committed is at that index" },
  { id: "L3", text: "a read sees all that was answered before it was asked" },
  { id: "L4", text: "what was refused for good has no effect and never will" },
];

export const MARKS: readonly Mark[] = [
  { name: "elected", text: "a leader is elected" },
  { name: "re-elected", text: "a leader is elected in a later round" },
  { name: "quorum-lost", text: "a leader steps down because it reaches no quorum" },
  { name: "deposed", text: "a leader learns of a higher ballot" },
  { name: "filled", text: "a gap among inherited slots is filled with a no-op" },
  { name: "inherited", text: "a value of an earlier leader is decided by a later one" },
  { name: "read", text: "a linearizable read is answered" },
  { name: "lease-read", text: "a read is answered under a lease" },
  { name: "transferred", text: "leadership is handed over" },
  { name: "outcome-unknown", text: "a client is told that nobody knows what came of its proposal" },
  { name: "overloaded", text: "a proposal is refused because too much waits" },
  { name: "lost-writes", text: "a crash takes back what was not synced" },
];

/** What was seen of a node in its present life. */
interface Seen {
  promised: Ballot;
  commit: number;
  leading: boolean;
}

interface Decided {
  readonly entry: Entry;
  /** Of its first learner. */
  readonly ballot: Ballot;
}

export class PaxosWitness implements Witness<MultiPaxosWords, MultiPaxos> {
  private readonly world: World<MultiPaxosWords, MultiPaxos>;
  private readonly nodes: readonly NodeId[];
  private readonly acceptQuorum: number;
  private readonly seen: Map<NodeId, Seen> = new Map();
  private readonly disks: Map<NodeId, DurableSlots> = new Map();
  private readonly leaderOf: Map<string, NodeId> = new Map();
  private readonly proposed: Map<string, Entry> = new Map();
  /** What was decided first for each slot, from 1. */
  private readonly decided: Decided[] = [];
  private readonly log: Entry[] = [];
  private readonly operations: Operations;
  private leading: NodeId[] = [];
  /** Found while a record was written; told after the step. */
  private found: Broken | undefined;

  constructor(
    world: World<MultiPaxosWords, MultiPaxos>,
    nodes: readonly NodeId[],
    { leases, acceptQuorum }: { leases: boolean; acceptQuorum: number },
  ) {
    this.world = world;
    this.nodes = nodes;
    this.acceptQuorum = acceptQuorum;
    this.operations = new Operations(world, nodes, leases);
    for (const node of nodes) this.disks.set(node, new DurableSlots());
  }

  started(node: NodeId, { promised }: MultiPaxos): void {
    this.seen.set(node, { promised, commit: 0, leading: false });
  }

  stopped(node: NodeId, kept: number): void {
    if (this.disks.get(node)!.crash(kept)) this.world.mark("lost-writes");
    this.leading = this.leading.filter((each) => each !== node);
  }

  wiped(node: NodeId): void {
    this.disks.set(node, new DurableSlots());
  }

  persisted(node: NodeId, record: MultiPaxosRecord, position: Position): void {
    this.disks.get(node)!.persist(record, position);
    if (record.type !== "accepted") return;
    for (const [i, entry] of record.entries.entries()) {
      this.found ??= this.accepted(node, record.index + i, record.ballot, entry);
    }
  }

  private accepted(node: NodeId, index: number, ballot: Ballot, entry: Entry): Broken | undefined {
    const name = `${ballotText(ballot)} ${index}`;
    const first = this.proposed.get(name) ?? entry;
    this.proposed.set(name, first);
    if (!same(first, entry)) {
      return {
        claim: "J5",
        text: `${node} accepts another value in ballot ${name} than was proposed`,
      };
    }
    const decided = this.decided[index - 1];
    if (decided === undefined || isHigher(decided.ballot, ballot) || same(decided.entry, entry)) {
      return undefined;
    }
    const text = `${node} accepts in ballot ${ballotText(ballot)} another value for slot ${index} than was decided in ${ballotText(decided.ballot)}`;
    return { claim: "J9", text };
  }

  durable(node: NodeId, position: Position): void {
    this.disks.get(node)!.sync(position);
  }

  noted(_node: NodeId, note: MultiPaxosNote): void {
    switch (note.type) {
      case "elected":
        this.world.mark(this.leaderOf.size > 0 ? "re-elected" : "elected");
        break;
      case "steppedDown":
        this.world.mark(note.reason === "quorumLost" ? "quorum-lost" : "deposed");
        break;
      case "filled":
        this.world.mark("filled");
        break;
      default:
      // The others are no marks.
    }
  }

  stepped(node: NodeId, paxos: MultiPaxos): Broken | undefined {
    const seen = this.seen.get(node)!;
    let broken = this.found;
    this.found = undefined;
    if (paxos.promised !== seen.promised) {
      if (isHigher(seen.promised, paxos.promised)) {
        const text = `${node} promised ${ballotText(paxos.promised)} after ${ballotText(seen.promised)}`;
        broken ??= { claim: "J2", text };
      }
      seen.promised = paxos.promised;
    }
    const leads = paxos.role === "leader";
    if (leads !== seen.leading) broken ??= this.roleChanged(node, paxos, seen, leads);
    if (paxos.commitIndex > seen.commit) broken ??= this.advanced(node, paxos, seen);
    return broken;
  }

  private roleChanged(
    node: NodeId,
    { promised }: MultiPaxos,
    seen: Seen,
    leads: boolean,
  ): Broken | undefined {
    seen.leading = leads;
    this.leading = this.leading.filter((each) => each !== node);
    if (!leads) return undefined;
    // The newest comes first: who leads in a higher ballot rules.
    this.leading.unshift(node);
    const ballot = ballotText(promised);
    const other = this.leaderOf.get(ballot);
    this.leaderOf.set(ballot, node);
    if (other === undefined || other === node) return undefined;
    return { claim: "J3", text: `${other} and ${node} both lead in ballot ${ballot}` };
  }

  private advanced(node: NodeId, paxos: MultiPaxos, seen: Seen): Broken | undefined {
    const { slots, commitIndex } = paxos;
    for (let index = Math.max(seen.commit, slots.base.index) + 1; index <= commitIndex; index++) {
      const entry = slots.entryAt(index);
      const ballot = slots.ballotAt(index);
      if (entry === undefined || ballot === undefined) {
        return { claim: "J4", text: `${node} knows slot ${index} to be decided and holds nothing` };
      }
      const first = this.decided[index - 1];
      if (first === undefined) {
        const broken = this.decide(node, index, entry, ballot);
        if (broken !== undefined) return broken;
      } else if (!same(first.entry, entry)) {
        const text = `${node} decides another value for slot ${index} than was decided in ${ballotText(first.ballot)}`;
        return { claim: "J1", text };
      }
    }
    seen.commit = commitIndex;
    return undefined;
  }

  /** A node is the first to know a slot to be decided. */
  private decide(node: NodeId, index: number, entry: Entry, ballot: Ballot): Broken | undefined {
    this.decided.push({ entry, ballot });
    this.log.push(entry);
    if (entry.term < ballot.round) this.world.mark("inherited");
    const broken = this.operations.committed(index, entry);
    if (broken !== undefined) return broken;
    // Whether a quorum could lose its power now and still have it.
    const holders = this.nodes.filter((each) => {
      const own = this.disks.get(each)!.ballotAt(index);
      return own !== undefined && !isHigher(ballot, own);
    });
    if (holders.length >= this.acceptQuorum) return undefined;
    const text = `${node} decides slot ${index} in ballot ${ballotText(ballot)}, which is on the disk of ${holders.join(" ") || "nobody"}`;
    return { claim: "J10", text };
  }

  ask(op: number, dice: Random, node: NodeId): LogRequest {
    return this.operations.ask(op, dice, node);
  }

  answered(op: number, response: LogResponse): Settled {
    return this.operations.answered(op, response, this.log);
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
    const { commitIndex, lastIndex, promised } = this.world.process(leader)!;
    if (commitIndex !== lastIndex) return `${leader} has decided ${commitIndex} of ${lastIndex}`;
    for (const node of core) {
      const paxos = this.world.process(node);
      if (paxos === undefined) return `${node} is down`;
      if (ballotText(paxos.promised) !== ballotText(promised)) {
        return `${node} promised ${ballotText(paxos.promised)}, ${leader} leads in ${ballotText(promised)}`;
      }
      if (paxos.commitIndex !== commitIndex) {
        return `${node} knows ${paxos.commitIndex} of ${commitIndex} decided slots`;
      }
    }
    return undefined;
  }

  history(): string {
    return this.operations.history();
  }
}

function ballotText({ round, node }: Ballot): string {
  return `${round}.${node}`;
}

function isHigher(a: Ballot, b: Ballot): boolean {
  return a.round > b.round || (a.round === b.round && a.node > b.node);
}

function same(a: Entry, b: Entry): boolean {
  if (a === b) return true;
  if (a.term !== b.term || a.kind !== b.kind || a.data.length !== b.data.length) return false;
  return a.data === b.data || a.data.every((byte, i) => byte === b.data[i]);
}
