/**
 * Multi-Paxos's promises, checked on a whole cluster from outside (invariants
 * J1–J9 of paxos/PROTOCOL.md). A simulator asks after every step, so each check
 * is proportional to what may have changed, not to the log.
 */

import type { NodeId } from "@quorate/kernel";

import type { Entry, Index } from "../../entry.ts";
import { type Ballot, isHigher } from "./ballot.ts";
import type { MultiPaxos } from "./multi-paxos.ts";

interface Decided {
  readonly value: string;
  /** In which its first learner held it. */
  readonly ballot: Ballot;
}

export class MultiPaxosClaims {
  private readonly leaders: Map<string, NodeId> = new Map();
  /** What was decided first for each slot, for ever (J1). */
  private readonly decided: Map<Index, Decided> = new Map();
  /** What was proposed in each ballot for each slot (J5). */
  private readonly proposed: Map<string, string> = new Map();
  private readonly checked: Map<MultiPaxos, Index> = new Map();
  /** Within one life: what a crash takes back was never told to anyone. */
  private readonly promises: Map<MultiPaxos, Ballot> = new Map();

  /** Returns the first broken promise, or `undefined`. */
  check(nodes: readonly (readonly [NodeId, MultiPaxos])[]): string | undefined {
    for (const [id, paxos] of nodes) {
      const broken =
        this.ballots(id, paxos) ??
        this.shape(id, paxos) ??
        this.agreement(id, paxos) ??
        this.acceptances(id, paxos);
      if (broken !== undefined) return broken;
    }
    return undefined;
  }

  private ballots(id: NodeId, paxos: MultiPaxos): string | undefined {
    const { promised } = paxos;
    const before = this.promises.get(paxos) ?? promised;
    if (isHigher(before, promised)) return `J2: ${id} promised less than before`;
    this.promises.set(paxos, promised);
    if (paxos.role !== "leader") return undefined;
    const ballot = ballotText(promised);
    const leader = this.leaders.get(ballot) ?? id;
    this.leaders.set(ballot, leader);
    return leader === id ? undefined : `J3: ${leader} and ${id} both lead in ballot ${ballot}`;
  }

  private shape(id: NodeId, { slots, commitIndex }: MultiPaxos): string | undefined {
    if (slots.base.index > commitIndex) return `J7: ${id} compacted what is not decided`;
    if (commitIndex > slots.lastIndex) return `J4: ${id} knows of decisions that it does not hold`;
    return undefined;
  }

  private agreement(id: NodeId, paxos: MultiPaxos): string | undefined {
    const { slots } = paxos;
    const from = Math.max(this.checked.get(paxos) ?? 0, slots.base.index);
    for (let index = from + 1; index <= paxos.commitIndex; index++) {
      const value = valueText(slots.at(index));
      const first = this.decided.get(index) ?? { value, ballot: slots.ballotAt(index)! };
      this.decided.set(index, first);
      if (first.value !== value)
        return `J1: ${id} decided ${value} at ${index}, not ${first.value}`;
    }
    this.checked.set(paxos, paxos.commitIndex);
    return undefined;
  }

  private acceptances(
    id: NodeId,
    { slots, commitIndex, promised }: MultiPaxos,
  ): string | undefined {
    for (let index = commitIndex + 1; index <= slots.lastIndex; index++) {
      const ballot = slots.ballotAt(index);
      if (ballot === undefined) continue;
      const name = ballotText(ballot);
      if (isHigher(ballot, promised)) return `J6: ${id} accepted in ${name}, promised less`;
      const value = valueText(slots.at(index));
      const first = this.proposed.get(`${index} ${name}`) ?? value;
      this.proposed.set(`${index} ${name}`, first);
      if (first !== value) return `J5: ${name} proposed ${value} at ${index}, and ${first}`;
      const decided = this.decided.get(index);
      if (decided === undefined || decided.value === value) continue;
      if (!isHigher(decided.ballot, ballot)) {
        return `J9: ${name} proposed ${value} at ${index}, where ${decided.value} was decided`;
      }
    }
    return undefined;
  }

  /** How many slots are known to be decided. */
  get decidedCount(): number {
    return this.decided.size;
  }
}

function ballotText({ round, node }: Ballot): string {
  return `${round}.${node}`;
}

function valueText({ term, kind, data }: Entry): string {
  return `${term} ${kind} ${data.join(",")}`;
}
