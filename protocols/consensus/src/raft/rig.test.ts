/**
 * One Raft node on a bench: a test speaks for everybody else, and sees all that
 * the node says and writes. Its disk does nothing until `sync`.
 */

import assert from "node:assert/strict";

import type { NodeId, Position, RequestId } from "@quorate/kernel";

import { Bench } from "../bench.test.ts";
import type { Configuration, Entry, Index, Term } from "../entry.ts";
import { founded, type Founding } from "../membership.ts";
import type { LogRequest } from "../ordered-log.ts";
import { lan, type RaftConfig } from "./config.ts";
import type { Message, RaftWords, Timer } from "./messages.ts";
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

export class Rig extends Bench<RaftWords> {
  readonly raft: Raft;
  private requests: RequestId = 0;

  /** Starts a node with a log whose entries are of the given terms, in the last of them. */
  constructor(
    terms: readonly Term[] = [],
    members: Founding = three,
    settings: Partial<RaftConfig> = {},
  ) {
    super();
    this.raft = new Raft({ ...lan(members), ...settings });
    const term = terms.at(-1);
    if (term !== undefined) {
      this.raft.recover({ type: "state", term, votedFor: undefined });
      this.raft.recover({ type: "entries", index: 1, entries: entriesOf(...terms) });
    }
    this.raft.onStart(this);
    this.raft.onIdle(this);
  }

  // What the world does.

  hear(from: NodeId, message: Message): void {
    this.raft.onMessage(this, from, message);
    this.raft.onIdle(this);
  }

  fire(timer: Timer): void {
    assert.ok(this.timers.has(timer), `${timer} is armed`);
    this.timers.delete(timer);
    this.raft.onTimer(this, timer);
    this.raft.onIdle(this);
  }

  ask(request: LogRequest): RequestId {
    const id = ++this.requests;
    this.raft.onRequest(this, id, request);
    this.raft.onIdle(this);
    return id;
  }

  propose(text: string): RequestId {
    return this.ask({ type: "propose", data: new TextEncoder().encode(text) });
  }

  /** Everything written so far, or up to `position`, is on the disk. */
  sync(position: Position = this.position): void {
    this.raft.onDurable(this, position);
    this.raft.onIdle(this);
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

  // What the node said.

  lastTo<T extends Message["type"]>(to: NodeId, type: T): Extract<Message, { type: T }> {
    const found = this.allTo(to, type).at(-1);
    assert.ok(found !== undefined, `${type} was sent to ${to}`);
    return found;
  }

  allTo<T extends Message["type"]>(to: NodeId, type: T): readonly Extract<Message, { type: T }>[] {
    // The filter leaves only messages of that type.
    return this.said
      .filter((one) => one.to === to && one.message.type === type)
      .map(({ message }) => message as Extract<Message, { type: T }>);
  }

  get terms(): readonly Term[] {
    const { log } = this.raft;
    return log.slice(log.firstIndex, Infinity).map(({ term }) => term);
  }
}
