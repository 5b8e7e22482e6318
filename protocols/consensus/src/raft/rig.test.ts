/**
 * One Raft node on a bench: a test speaks for everybody else, and sees all that
 * the node says and writes. Its disk does nothing until `sync`.
 */

import assert from "node:assert/strict";

import type { NodeId } from "@quorate/kernel";

import type { Configuration, Entry, Index, Term } from "../entry.ts";
import { founded, type Founding } from "../membership.ts";
import { LogRig } from "../rig.test.ts";
import { lan, type RaftConfig } from "./config.ts";
import type { RaftWords } from "./messages.ts";
import { Raft } from "./raft.ts";

export const three: Configuration = founded({ voters: ["a", "b", "c"] });
export const five: Configuration = founded({ voters: ["a", "b", "c", "d", "e"] });

export function command(text: string, term: Term): Entry {
  return { term, kind: "command", data: new TextEncoder().encode(text) };
}

/** Entries of these terms, from index 1 on. */
export function entriesOf(...terms: readonly Term[]): readonly Entry[] {
  return terms.map((term, i) => command(`${i + 1}`, term));
}

export class Rig extends LogRig<RaftWords, Raft> {
  /** Starts a node with a log whose entries are of the given terms, in the last of them. */
  constructor(
    terms: readonly Term[] = [],
    members: Founding = three,
    settings: Partial<RaftConfig> = {},
  ) {
    const term = terms.at(-1);
    super(
      new Raft({ ...lan(members), ...settings }),
      term === undefined
        ? []
        : [
            { type: "state", term, votedFor: undefined },
            { type: "entries", index: 1, entries: entriesOf(...terms) },
          ],
    );
  }

  get raft(): Raft {
    return this.node;
  }

  /** Elects the node with the votes of `voters`, and lets its disk finish. */
  elect(...voters: readonly NodeId[]): void {
    this.fire("election");
    const { round } = this.lastTo(voters[0]!, "requestVote");
    const term = this.raft.term + 1;
    for (const from of voters) this.vote(from, { term, pre: true, round });
    this.sync();
    for (const from of voters) this.vote(from, { term, pre: false, round: round + 1 });
    assert.equal(this.raft.role, "leader");
    this.sync();
  }

  vote(from: NodeId, { term, pre, round }: { term: Term; pre: boolean; round: number }): void {
    this.hear(from, { type: "vote", term, pre, granted: true, round });
  }

  /** `from` agrees with the leader up to `index`. */
  agree(from: NodeId, index: Index): void {
    this.hear(from, { type: "appended", term: this.raft.term, index });
  }

  get terms(): readonly Term[] {
    const { log } = this.raft;
    return log.slice(log.firstIndex, Infinity).map(({ term }) => term);
  }
}
