/** One Multi-Paxos node on a bench, and words for what others say to it. */

import assert from "node:assert/strict";

import type { NodeId } from "@quorate/kernel";

import type { Entry, Index } from "../../entry.ts";
import type { Founding } from "../../membership.ts";
import { LogRig } from "../../rig.test.ts";
import { type Ballot, makeBallot } from "./ballot.ts";
import { type MultiPaxosConfig, multiPaxosDefaults } from "./config.ts";
import type { MultiPaxosWords, Polled, Promised, Record } from "./messages.ts";
import { MultiPaxos } from "./multi-paxos.ts";
import { MAJORITIES } from "./quorums.ts";
import type { Run } from "./slots.ts";

export function value(text: string, term: number = 1): Entry {
  return { term, kind: "command", data: new TextEncoder().encode(text) };
}

/** Values of slots from `index` on, accepted in one ballot. */
export function run(ballot: Ballot, index: Index, ...texts: readonly string[]): Run {
  return { ballot, index, entries: texts.map((text) => value(text, ballot.round)) };
}

export const b1: Ballot = makeBallot(1, "b");
export const c2: Ballot = makeBallot(2, "c");

export class Rig extends LogRig<MultiPaxosWords, MultiPaxos> {
  constructor(
    settings: Partial<MultiPaxosConfig> = {},
    members: Founding = { voters: ["a", "b", "c"] },
    records: readonly Record[] = [],
  ) {
    super(new MultiPaxos({ ...multiPaxosDefaults(members), ...settings }), records);
  }

  get paxos(): MultiPaxos {
    return this.node;
  }

  /** The node polls, and `peers` miss a leader too: it prepares. */
  prepare(...peers: readonly NodeId[]): void {
    this.fire("election");
    const { round } = this.lastTo(peers[0]!, "poll");
    for (const peer of peers) this.polled(peer, round);
  }

  polled(from: NodeId, round: number, more: Partial<Polled> = {}): void {
    const plain = { happy: false, ballot: makeBallot(0, ""), near: 0 };
    this.hear(from, { type: "polled", round, ...plain, ...more });
  }

  /** A whole promise of the ballot that the node prepares. */
  promise(from: NodeId, runs: readonly Run[] = [], more: Partial<Promised> = {}): void {
    const ends = runs.map(({ index, entries }) => index + entries.length - 1);
    const lostEnds = more.lost?.map(({ index, count }) => index + count - 1) ?? [];
    const last = Math.max(0, ...ends, ...lostEnds);
    const { promised: ballot, commitIndex } = this.paxos;
    const plain = { ballot, from: commitIndex + 1, through: last, last, runs, lost: [], commit: 0 };
    this.hear(from, { type: "promise", ...plain, ...more });
  }

  /** Elects the node by the promises of `peers`, none of whom has accepted anything. */
  elect(...peers: readonly NodeId[]): void {
    this.prepare(...peers);
    this.sync();
    for (const peer of peers) this.promise(peer);
    assert.equal(this.paxos.role, "leader");
  }

  accepted(from: NodeId, index: Index): void {
    this.hear(from, { type: "accepted", ballot: this.paxos.promised, index });
  }

  accept(ballot: Ballot, index: Index, commit: Index, ...texts: readonly string[]): void {
    const entries = texts.map((text) => value(text, ballot.round));
    this.hear(ballot.node, { type: "accept", ballot, index, entries, commit });
  }

  asks(from: NodeId, ballot: Ballot, slot: Index = 1, summons?: Ballot): void {
    this.hear(from, { type: "prepare", ballot, from: slot, summons, quorums: MAJORITIES });
  }

  heartbeat(ballot: Ballot, round: number = 1, commit: Index = 0, sent: Index = 0): void {
    this.hear(ballot.node, { type: "heartbeat", ballot, round, commit, sent });
  }

  /** The values held, `.` for an empty slot. */
  get held(): readonly string[] {
    const { slots } = this.paxos;
    const indices = Array.from({ length: slots.lastIndex }, (_, i) => i + 1);
    return indices.map((index) => {
      const entry = slots.entryAt(index);
      if (entry === undefined) return ".";
      return entry.kind === "command" ? new TextDecoder().decode(entry.data) : entry.kind;
    });
  }
}
