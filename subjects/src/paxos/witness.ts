/**
 * Watches a cluster of Multi-Paxos nodes, beyond what is watched of every log:
 * promises, what was decided first for each slot and in which ballot, what was
 * proposed in each ballot, and on whose disks it was.
 */

import type {
  Ballot,
  Entry,
  Index,
  MultiPaxos,
  MultiPaxosNote,
  MultiPaxosRecord,
  MultiPaxosWords,
} from "@quorate/consensus";
import type { NodeId, Position } from "@quorate/kernel";
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
  ...CLIENT_CLAIMS,
];

export const MARKS: readonly Mark[] = [
  { name: "elected", text: "a leader is elected" },
  { name: "re-elected", text: "a leader is elected in a later round" },
  { name: "quorum-lost", text: "a leader steps down because it reaches no quorum" },
  { name: "deposed", text: "a leader learns of a higher ballot" },
  { name: "filled", text: "a gap among inherited slots is filled with a no-op" },
  ...DAMAGE_MARKS,
  { name: "inherited", text: "a value of an earlier leader is decided by a later one" },
  ...CLIENT_MARKS,
];

/** What was seen of a node in its present life. */
interface Seen {
  promised: Ballot;
  commit: number;
  leading: boolean;
}

/** What was proposed first for a slot in a ballot. */
interface Proposed {
  readonly index: Index;
  readonly entry: Entry;
}

export class PaxosWitness extends LogWitness<MultiPaxosWords, MultiPaxos, DurableSlots> {
  private readonly acceptQuorum: number;
  private readonly seen: Map<NodeId, Seen> = new Map();
  private readonly proposed: Map<string, Proposed> = new Map();
  /** The ballot in which the first to know each slot to be decided held its value, from slot 1. */
  private readonly decidedIn: Tail<Ballot>;
  /** Found while a record was written; told after the step. */
  private found: Broken | undefined;

  constructor(
    world: World<MultiPaxosWords, MultiPaxos>,
    nodes: readonly NodeId[],
    options: LogWitnessOptions,
    acceptQuorum: number,
  ) {
    super(world, nodes, options);
    this.decidedIn = this.committed.alike();
    this.acceptQuorum = acceptQuorum;
  }

  started(node: NodeId, { promised }: MultiPaxos): void {
    this.seen.set(node, { promised, commit: 0, leading: false });
  }

  override persisted(node: NodeId, record: MultiPaxosRecord, position: Position): void {
    super.persisted(node, record, position);
    if (record.type !== "accepted") return;
    for (const [i, entry] of record.entries.entries()) {
      this.found ??= this.accepted(node, record.index + i, record.ballot, entry);
    }
  }

  private accepted(node: NodeId, index: number, ballot: Ballot, entry: Entry): Broken | undefined {
    const name = `${ballotText(ballot)} ${index}`;
    const first = this.proposed.get(name) ?? { index, entry };
    this.proposed.set(name, first);
    if (!sameEntry(first.entry, entry)) {
      return {
        claim: "J5",
        text: `${node} accepts another value in ballot ${name} than was proposed`,
      };
    }
    const decided = this.committed.at(index);
    const decidedIn = this.decidedIn.at(index);
    if (decided === undefined || decidedIn === undefined) return undefined;
    if (isHigher(decidedIn, ballot) || sameEntry(decided, entry)) return undefined;
    const text = `${node} accepts in ballot ${ballotText(ballot)} another value for slot ${index} than was decided in ${ballotText(decidedIn)}`;
    return { claim: "J9", text };
  }

  override noted(node: NodeId, note: MultiPaxosNote): void {
    switch (note.type) {
      case "steppedDown":
        this.world.mark(note.reason === "quorumLost" ? "quorum-lost" : "deposed");
        break;
      case "filled":
        this.world.mark("filled");
        break;
      default:
        super.noted(node, note);
    }
  }

  override stepped(node: NodeId, paxos: MultiPaxos): Broken | undefined {
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
    if (leads !== seen.leading) {
      seen.leading = leads;
      broken ??= this.led(node, paxos, "J3");
    }
    if (paxos.commitIndex > seen.commit) broken ??= this.advanced(node, paxos, seen);
    return broken;
  }

  private advanced(node: NodeId, paxos: MultiPaxos, seen: Seen): Broken | undefined {
    const { slots, commitIndex } = paxos;
    for (let index = Math.max(seen.commit, slots.base.index) + 1; index <= commitIndex; index++) {
      if (this.committed.hasForgotten(index)) continue;
      const entry = slots.entryAt(index);
      const ballot = slots.ballotAt(index);
      if (entry === undefined || ballot === undefined) {
        return { claim: "J4", text: `${node} knows slot ${index} to be decided and holds nothing` };
      }
      const first = this.committed.at(index);
      if (first === undefined) {
        const broken = this.decide(node, index, entry, ballot);
        if (broken !== undefined) return broken;
      } else if (!sameEntry(first, entry)) {
        const text = `${node} decides another value for slot ${index} than was decided in ${ballotText(this.decidedIn.at(index)!)}`;
        return { claim: "J1", text };
      }
    }
    seen.commit = commitIndex;
    return undefined;
  }

  /** A node is the first to know a slot to be decided. */
  private decide(node: NodeId, index: number, entry: Entry, ballot: Ballot): Broken | undefined {
    this.decidedIn.push(ballot);
    if (entry.term < ballot.round) this.world.mark("inherited");
    const broken = this.commit(entry);
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

  protected override emptyDisk(): DurableSlots {
    return new DurableSlots();
  }

  protected override forget(before: Index): void {
    super.forget(before);
    for (const [name, { index }] of this.proposed) if (index < before) this.proposed.delete(name);
  }

  protected override baseOf({ slots }: MultiPaxos): Index {
    return slots.base.index;
  }

  protected override reignOf({ promised }: MultiPaxos): string {
    return `ballot ${ballotText(promised)}`;
  }
}

function ballotText({ round, node }: Ballot): string {
  return `${round}.${node}`;
}

function isHigher(a: Ballot, b: Ballot): boolean {
  return a.round > b.round || (a.round === b.round && a.node > b.node);
}
